#include "http/asking.hpp"

#include <atomic>

#include <fmt/format.h>

namespace iotstream::http {

net::Handler on_askers(Questions& questions, std::function<Answer(const net::Request&)> work) {
  return [&questions, work = std::move(work)](net::Request request, net::Respond respond) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    const bool taken = questions.askers.submit([shared, respond, work] {
      Answer answer = work(*shared);
      respond(answer ? std::move(answer).value() : net::Response::from(answer.error()));
    });
    if (!taken)
      respond(net::Response::from(Error{ErrorKind::unavailable, "too many questions are waiting; try again in a moment"}));
  };
}

Result<std::shared_ptr<const query::Bound>> where_parameter(Services& services, const net::Request& request,
                                                            const model::Schema& schema) {
  std::shared_ptr<const query::Bound> where;
  const auto text = request.query_value("where");
  if (!text) return where;
  query::Scope scope{schema, {}, services.clock.now()};
  for (const auto& [id, facts] : services.schemas.all_facts()) scope.facts.emplace_back(id, *facts);
  auto bound = query::compile(*text, scope);
  if (!bound) return Error{ErrorKind::invalid, fmt::format("where: {}", bound.error().message)};
  where = std::make_shared<const query::Bound>(std::move(*bound));
  return where;
}

std::function<bool()> client_left(const net::Request& request) {
  // Shared: the client may leave while the answer is already on its way.
  const auto left = std::make_shared<std::atomic<bool>>(false);
  if (const auto departure = request.departure.lock())
    departure->when_left([left] { left->store(true, std::memory_order_relaxed); });
  return [left] { return left->load(std::memory_order_relaxed); };
}

void add_question_routes(net::Router& router, Questions& questions) {
  add_file_routes(router, questions.services);
  add_profile_routes(router, questions);
  add_sql_route(router, questions);
}

}  // namespace iotstream::http
