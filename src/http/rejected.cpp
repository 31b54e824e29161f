// Dead letters: listed, sent again, taken off the list.
#include <fmt/format.h>

#include <iotstream/base/text.hpp>

#include "http/body.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t page_max = 1'000;
/// Also the most that one call sends again: it blocks a worker until they are durable.
constexpr std::uint64_t at_once_max = 1'000;

using ingest::DeadLetter;

/// Empty on the routes of readings that name no dataset.
std::string dataset_named(const net::Request& request) { return std::string(request.param("dataset")); }

/// A dataset that neither exists nor has letters is not found.
Status check_known(Services& services, const std::string& dataset, bool has_letters) {
  if (dataset.empty() || has_letters || services.log.find(dataset) != nullptr) return {};
  return Error{ErrorKind::not_found, fmt::format("there is no dataset '{}'; GET /api/v1/datasets lists them", dataset)};
}

void write_letter(json::Writer& writer, const DeadLetter& letter) {
  writer.begin_object();
  writer.key("id").value(letter.id);
  writer.key("time").value(format_rfc3339(letter.time));
  writer.key("dataset").value(letter.dataset);
  writer.key("reason").value(letter.reason);
  writer.key("source").value(letter.source);
  if (!letter.device.empty()) writer.key("device").value(letter.device);
  writer.key("kind").value(letter.kind);
  writer.key("line").value(letter.line);
  writer.key("size").value(letter.size);
  writer.key("truncated").value(letter.truncated);
  if (!letter.header.empty()) writer.key("header").value(letter.header);
  if (is_utf8(letter.raw))
    writer.key("raw").value(letter.raw);
  else
    writer.key("raw_base64").value(base64_encode(letter.raw));
  writer.end_object();
}

Answer list_rejected(Services& services, const net::Request& request) {
  ingest::DeadLetterQuery query;
  query.dataset = dataset_named(request);
  auto from = time_parameter(request, "from", services.clock.now());
  if (!from) return from.error();
  auto to = time_parameter(request, "to", services.clock.now());
  if (!to) return to.error();
  auto limit = number_parameter(request, "limit", 100, 1, page_max);
  if (!limit) return limit.error();
  query.from = *from;
  query.to = *to;
  query.limit = *limit;
  query.cursor = request.query_value("cursor").value_or(std::string_view());
  auto page = services.gate.dead_letters().list(query);
  if (!page) return page.error();
  if (Status known = check_known(services, query.dataset, !page->letters.empty()); !known) return known.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("rejected").begin_array();
  for (const DeadLetter& letter : page->letters) write_letter(writer, letter);
  writer.end_array();
  writer.key("next");
  page->next.empty() ? writer.null() : writer.value(page->next);
  writer.end_object();
  return net::Response::json(std::move(body));
}

/// Those with `ids`, or the newest ones when there are none.
Result<std::vector<DeadLetter>> chosen(Services& services, const std::string& dataset, const std::vector<std::string>& ids) {
  auto& letters = services.gate.dead_letters();
  if (!ids.empty()) return letters.find(dataset, ids);
  ingest::DeadLetterQuery query;
  query.dataset = dataset;
  query.limit = at_once_max;
  auto page = letters.list(query);
  if (!page) return page.error();
  if (Status known = check_known(services, dataset, !page->letters.empty()); !known) return known.error();
  // In the order in which they came.
  return std::vector<DeadLetter>(std::make_move_iterator(page->letters.rbegin()),
                                 std::make_move_iterator(page->letters.rend()));
}

Result<std::vector<std::string>> ids_of(const JsonObject& body) {
  std::vector<std::string> ids;
  simdjson::dom::element list;
  if (body.object()["ids"].get(list) != simdjson::SUCCESS) return ids;
  simdjson::dom::array array;
  if (list.get(array) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "ids: a list of texts is expected"};
  for (const simdjson::dom::element one : array) {
    std::string_view id;
    if (one.get(id) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "ids: a list of texts is expected"};
    ids.emplace_back(id);
  }
  if (ids.empty()) return Error{ErrorKind::invalid, "ids: the list is empty; leave it out to mean all"};
  if (ids.size() > at_once_max) return Error{ErrorKind::unprocessable, fmt::format("ids: {} at once is the most", at_once_max)};
  return ids;
}

/// The letters of the request's body, mended where it says so.
Result<std::vector<DeadLetter>> letters_of(Services& services, const net::Request& request, const std::string& dataset) {
  if (request.body.empty()) return chosen(services, dataset, {});
  auto body = JsonObject::parse(request.body);
  if (!body) return body.error();
  auto ids = ids_of(*body);
  if (!ids) return ids.error();
  auto raw = body->text("raw");
  if (!raw) return raw.error();
  if (*raw && ids->size() != 1) return Error{ErrorKind::unprocessable, "raw: one id goes with it"};
  auto letters = chosen(services, dataset, *ids);
  if (letters && *raw) {
    letters->front().raw = **raw;
    letters->front().size = (*raw)->size();
    letters->front().truncated = false;
  }
  return letters;
}

Answer resend_rejected(Services& services, const net::Request& request) {
  const std::string dataset = dataset_named(request);
  auto letters = letters_of(services, request, dataset);
  if (!letters) return letters.error();
  auto outcome = ingest::resend(services.gate, dataset, *letters);
  if (!outcome) return outcome.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("accepted").value(outcome->accepted);
  writer.key("rejected").value(outcome->rejected);
  writer.key("left").value(outcome->refused);
  if (outcome->refusal) writer.key("refusal").value(outcome->refusal->message);
  writer.key("errors").begin_array();
  for (const ingest::LineError& error : outcome->errors) {
    writer.begin_object();
    writer.key("id").value((*letters)[error.line - 1].id);
    writer.key("reason").value(error.reason);
    writer.end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Answer delete_rejected(Services& services, const net::Request& request) {
  const std::string dataset = dataset_named(request);
  auto letters = chosen(services, dataset, split_list(request.query_value("ids").value_or(std::string_view())));
  if (!letters) return letters.error();
  std::vector<std::string> ids;
  for (const DeadLetter& letter : *letters) ids.push_back(letter.id);
  if (!ids.empty())
    if (Status done = services.gate.dead_letters().settle(dataset, ids); !done) return done.error();
  std::string body;
  json::Writer(body).begin_object().key("removed").value(static_cast<std::uint64_t>(ids.size())).end_object();
  return net::Response::json(std::move(body));
}

}  // namespace

void add_rejected_routes(net::Router& router, Services& services) {
  const auto add = [&](net::Method method, const std::string& pattern, Answer (*work)(Services&, const net::Request&)) {
    router.add(method, pattern,
               on_worker(services, [&services, work](const net::Request& request) { return work(services, request); }));
  };
  for (const std::string base : {"/api/v1/datasets/{dataset}/rejected", "/api/v1/rejected"}) {
    add(net::Method::get, base, list_rejected);
    add(net::Method::delete_, base, delete_rejected);
    add(net::Method::post, base + "/resend", resend_rejected);
  }
}

}  // namespace iotstream::http
