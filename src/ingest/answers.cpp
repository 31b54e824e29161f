#include "ingest/answers.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <iotstream/base/json.hpp>

namespace iotstream::ingest {
namespace {

std::string_view title_of(unsigned status) {
  switch (status) {
    case 409:
      return "Conflict";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Bad Request";
  }
}

void append_counts(json::Writer& json, const Outcome& outcome) {
  json.key("accepted").value(outcome.accepted);
  json.key("rejected").value(outcome.rejected);
  json.key("duplicates").value(outcome.duplicates);
  json.key("errors").begin_array();
  for (const LineError& error : outcome.errors) {
    json.begin_object();
    json.key("line").value(error.line);
    json.key("reason").value(error.reason);
    json.end_object();
  }
  json.end_array();
}

// A problem that also says how far the body came, so that the sender knows what is left to send.
net::Response refused(const Outcome& outcome) {
  net::Response response = net::Response::from(*outcome.refusal);
  if (response.status == 429 || response.status == 503) {
    std::erase_if(response.headers, [](const auto& header) { return header.first == "Retry-After"; });
    response.headers.emplace_back("Retry-After", "1");
  }
  response.body.clear();
  json::Writer json(response.body);
  json.begin_object();
  json.key("type").value("about:blank");
  json.key("title").value(title_of(response.status));
  json.key("status").value(response.status);
  json.key("detail").value(outcome.refusal->message);
  if (outcome.expected_sequence) json.key("expected_sequence").value(*outcome.expected_sequence);
  json.key("refused").value(outcome.refused);
  append_counts(json, outcome);
  json.end_object();
  return response;
}

}  // namespace

net::Response position_of(const Outcome& outcome) {
  if (outcome.refusal) return refused(outcome);
  if (!outcome.last) {
    if (outcome.errors.empty()) return net::Response::problem(422, "there was no reading in the body");
    return net::Response::from({outcome.errors.front().kind, outcome.errors.front().reason});
  }
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("topic").value(outcome.last->topic);
  json.key("partition").value(outcome.last->partition.value);
  json.key("offset").value(outcome.last->offset.value);
  json.end_object();
  return net::Response::json(std::move(body));
}

net::Response counts_of(const Outcome& outcome) {
  if (outcome.refusal) return refused(outcome);
  if (outcome.single && outcome.rejected == 1)
    return net::Response::from({outcome.errors.front().kind, outcome.errors.front().reason});
  std::string body;
  json::Writer json(body);
  json.begin_object();
  append_counts(json, outcome);
  json.end_object();
  return net::Response::json(std::move(body));
}

net::Response answer_to(const Result<Outcome>& result, bool envelope) {
  if (!result) return net::Response::from(result.error());
  return envelope ? position_of(*result) : counts_of(*result);
}

}  // namespace iotstream::ingest
