#include <memory>
#include <string>
#include <utility>

#include <iotstream/base/json.hpp>
#include <iotstream/influx/routes.hpp>
#include <iotstream/ingest/bodies.hpp>
#include <iotstream/net/form.hpp>

#include "influx/query.hpp"
#include "influx/write.hpp"

namespace iotstream::influx {
namespace {

net::Response with_version(net::Response response) {
  response.headers.emplace_back("X-Influxdb-Version", version_told);
  return response;
}

net::Response health() {
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("name").value("influxdb");
  json.key("message").value("ready for writes");
  json.key("status").value("pass");
  json.key("checks").begin_array().end_array();
  json.key("version").value(version_told);
  json.end_object();
  return with_version(net::Response::json(std::move(body)));
}

/// In the query, or in a form in the body, as clients of version 1 send it with POST.
std::string statements_of(const net::Request& request) {
  if (const auto statements = request.query_value("q")) return std::string(*statements);
  for (auto& [name, value] : net::read_form(request.body).value_or(std::vector<std::pair<std::string, std::string>>()))
    if (name == "q") return std::move(value);
  return {};
}

net::Response query(const net::Request& request, const Options& options) {
  const std::string statements = statements_of(request);
  if (statements.empty()) return error_response(400, "missing required parameter \"q\"", Dialect::v1);
  return with_version(net::Response::json(run_statements(statements, options.datasets())));
}

void add_write(net::Router& router, net::BodySinks& sinks, std::string path, Dialect dialect, ingest::Gate& gate,
               os::WorkerPool& workers, const std::shared_ptr<const Options>& options) {
  ingest::BodyWay way;
  way.read = [options, dialect](const net::Request& request, ingest::Submission& submission) {
    return read_head(request, options->config, dialect, submission);
  };
  way.answer = [dialect](const Result<ingest::Outcome>& result) { return answer_to(result, dialect); };
  ingest::add_body_route(router, sinks, std::move(path), std::move(way), gate, workers, options->body_size_max);
}

}  // namespace

void add_routes(net::Router& router, net::BodySinks& sinks, ingest::Gate& gate, os::WorkerPool& workers, const Options& given) {
  if (!given.config.enabled) return;
  const auto options = std::make_shared<const Options>(given);
  add_write(router, sinks, "/write", Dialect::v1, gate, workers, options);
  add_write(router, sinks, "/api/v2/write", Dialect::v2, gate, workers, options);
  router.add(net::Method::get, "/ping", [](const net::Request&, const net::Respond& respond) {
    net::Response pong;
    pong.status = 204;
    respond(with_version(std::move(pong)));
  });
  router.add(net::Method::get, "/health", [](const net::Request&, const net::Respond& respond) { respond(health()); });
  for (const net::Method method : {net::Method::get, net::Method::post})
    router.add(method, "/query",
               [options](const net::Request& request, const net::Respond& respond) { respond(query(request, *options)); });
}

}  // namespace iotstream::influx
