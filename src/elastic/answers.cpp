#include "elastic/answers.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace iotstream::elastic {
namespace {

struct Failure {
  unsigned status = 400;
  std::string_view type;
  std::string reason;
};

Failure failure_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::busy:
    case ErrorKind::disk_full:
      return {429, "es_rejected_execution_exception", error.message};
    case ErrorKind::unavailable:
      return {503, "unavailable_shards_exception", error.message};
    case ErrorKind::too_large:
      return {413, "illegal_argument_exception", error.message};
    case ErrorKind::unsupported:
      return {415, "illegal_argument_exception", error.message};
    case ErrorKind::conflict:
      return {400, "strict_dynamic_mapping_exception", error.message};
    default:
      return {400, "mapper_parsing_exception", error.message};
  }
}

/// Nothing when the document was taken.
std::optional<Failure> failure_of(const Result<ingest::Outcome>* result) {
  if (result == nullptr) return failure_of({ErrorKind::busy, "not tried: a document before it was refused for the moment"});
  if (!*result) return failure_of(result->error());
  const ingest::Outcome& outcome = **result;
  if (outcome.refusal) return failure_of(*outcome.refusal);
  if (outcome.accepted + outcome.duplicates > 0) return std::nullopt;
  if (outcome.errors.empty()) return Failure{400, "mapper_parsing_exception", "the document could not be taken"};
  return failure_of({outcome.errors.front().kind, outcome.errors.front().reason});
}

void write_shards(json::Writer& json) {
  json.key("_shards").begin_object();
  json.key("total").value(1).key("successful").value(1).key("failed").value(0);
  json.end_object();
}

void write_error(json::Writer& json, std::string_view type, std::string_view reason) {
  json.key("error").begin_object();
  json.key("type").value(type).key("reason").value(reason);
  json.end_object();
}

}  // namespace

net::Response respond_with(std::string body, unsigned status) {
  net::Response response = net::Response::json(std::move(body), status);
  response.headers.emplace_back("X-Elastic-Product", "Elasticsearch");
  return response;
}

net::Response error_response(unsigned status, std::string_view type, std::string_view reason) {
  std::string body;
  json::Writer json(body);
  json.begin_object().key("error").begin_object();
  json.key("root_cause").begin_array().begin_object();
  json.key("type").value(type).key("reason").value(reason);
  json.end_object().end_array();
  json.key("type").value(type).key("reason").value(reason);
  json.end_object().key("status").value(status).end_object();
  net::Response response = respond_with(std::move(body), status);
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

net::Response error_response(const Error& error) {
  const Failure failure = failure_of(error);
  return error_response(failure.status, failure.type, failure.reason);
}

net::Response no_such_index(std::string_view index) {
  return error_response(404, "index_not_found_exception", fmt::format("no such index [{}]", index));
}

unsigned write_outcome(json::Writer& json, const Action& action, const Result<ingest::Outcome>* result) {
  json.key("_index").value(action.index);
  json.key("_type").value("_doc");
  if (const auto failure = failure_of(result)) {
    if (!action.id.empty()) json.key("_id").value(action.id);
    json.key("status").value(failure->status);
    write_error(json, failure->type, failure->reason);
    return failure->status;
  }
  const auto& last = (**result).last;
  json.key("_id").value(!action.id.empty() ? action.id
                        : last             ? fmt::format("{}-{}", last->partition.value, last->offset.value)
                                           : std::string());
  json.key("_version").value(1);
  json.key("result").value("created");
  write_shards(json);
  json.key("_seq_no").value(last ? last->offset.value : 0);
  json.key("_primary_term").value(1);
  json.key("status").value(201);
  return 201;
}

unsigned write_item(json::Writer& json, const Action& action, const Result<ingest::Outcome>* result) {
  json.begin_object().key(name_of(action.operation)).begin_object();
  const unsigned status = write_outcome(json, action, result);
  json.end_object().end_object();
  return status;
}

unsigned write_refused_item(json::Writer& json, const Action& action, std::string_view reason) {
  json.begin_object().key(name_of(action.operation)).begin_object();
  json.key("_index").value(action.index);
  json.key("_type").value("_doc");
  if (!action.id.empty()) json.key("_id").value(action.id);
  json.key("status").value(400);
  write_error(json, "illegal_argument_exception", reason);
  json.end_object().end_object();
  return 400;
}

std::string banner() {
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("name").value("iotstream");
  json.key("cluster_name").value("iotstream");
  json.key("cluster_uuid").value("iotstream");
  json.key("version").begin_object();
  json.key("number").value("7.17.0");
  json.key("build_flavor").value("default");
  json.key("build_type").value("deb");
  json.key("build_snapshot").value(false);
  json.key("lucene_version").value("8.11.1");
  json.key("minimum_wire_compatibility_version").value("6.8.0");
  json.key("minimum_index_compatibility_version").value("6.0.0-beta1");
  json.end_object();
  json.key("tagline").value("You Know, for Search");
  json.end_object();
  return body;
}

std::string cluster_health() {
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("cluster_name").value("iotstream");
  json.key("status").value("green");
  json.key("timed_out").value(false);
  json.key("number_of_nodes").value(1).key("number_of_data_nodes").value(1);
  for (const char* name : {"active_primary_shards", "active_shards"}) json.key(name).value(1);
  for (const char* name : {"relocating_shards", "initializing_shards", "unassigned_shards", "delayed_unassigned_shards",
                           "number_of_pending_tasks", "number_of_in_flight_fetch", "task_max_waiting_in_queue_millis"})
    json.key(name).value(0);
  json.key("active_shards_percent_as_number").value(100.0);
  json.end_object();
  return body;
}

}  // namespace iotstream::elastic
