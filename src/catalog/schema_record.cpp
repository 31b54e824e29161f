#include "catalog/schema_record.hpp"

#include <simdjson.h>

#include <iotstream/base/json.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::uint64_t facts_max = 1'000'000;  // ids are dense: a larger one is damage, and would cost its table's memory

/// What `parse` makes of a text that must mean something.
template <class Value>
Value must(std::optional<Value> (*parse)(std::string_view), simdjson::dom::element text) {
  const std::optional<Value> value = parse(std::string_view(text));
  if (!value) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  return *value;
}

Timestamp read_time(simdjson::dom::object object) {
  const auto time = parse_timestamp(std::string_view(object["time"]));
  if (!time) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  return *time;
}

/// A text that may be left out.
std::string text_or_nothing(simdjson::dom::object object, const char* name) {
  simdjson::dom::element text;
  if (object[name].get(text) != simdjson::SUCCESS) return {};
  return std::string(std::string_view(text));
}

model::SchemaChange read_change(simdjson::dom::object object) {
  model::SchemaChange change;
  change.field = std::string(std::string_view(object["field"]));
  change.kind = must(model::change_kind_from, object["change"]);
  change.from = must(model::field_type_from, object["from"]);
  change.to = must(model::field_type_from, object["to"]);
  change.sample = text_or_nothing(object, "sample");
  return change;
}

CompatibilityRecord read_compatibility(simdjson::dom::object object) {
  CompatibilityRecord record;
  record.dataset = std::string(std::string_view(object["dataset"]));
  record.time = read_time(object);
  record.compatibility = must(model::compatibility_from, object["compatibility"]);
  simdjson::dom::element configured;
  if (object["configured"].get(configured) == simdjson::SUCCESS)
    record.configured = must(model::compatibility_from, configured);
  return record;
}

ConflictRecord read_conflict(simdjson::dom::object object) {
  ConflictRecord record;
  record.dataset = std::string(std::string_view(object["dataset"]));
  Conflict& conflict = record.conflict;
  conflict.field = std::string(std::string_view(object["field"]));
  simdjson::dom::element from;
  if (object["from"].get(from) == simdjson::SUCCESS) conflict.from = must(model::field_type_from, from);
  conflict.to = must(model::field_type_from, object["to"]);
  conflict.first = conflict.last = read_time(object);
  conflict.device = std::string(std::string_view(object["device"]));
  conflict.source = std::string(std::string_view(object["source"]));
  conflict.sample = std::string(std::string_view(object["sample"]));
  return record;
}

Result<SchemaRecord> read_schema(simdjson::dom::object object) {
  SchemaRecord record;
  auto schema = model::schema_from_json(simdjson::minify(simdjson::dom::element(object["schema"])));
  if (!schema) return std::move(schema).error();
  record.schema = std::move(*schema);
  record.time = read_time(object);
  record.device = std::string(std::string_view(object["device"]));
  record.source = text_or_nothing(object, "source");
  for (const simdjson::dom::element change : object["changes"].get_array()) record.changes.push_back(read_change(change));
  return record;
}

FactsRecord read_facts(simdjson::dom::object object) {
  FactsRecord record;
  const std::uint64_t id = object["id"];
  if (id == 0 || id > facts_max) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  record.id = FactsId(static_cast<std::uint32_t>(id));
  record.dataset = std::string(std::string_view(object["dataset"]));
  record.code = std::string(std::string_view(object["code"]));
  for (const auto& [name, value] : object["facts"].get_object())
    record.facts.emplace_back(std::string(name), simdjson::minify(value));
  return record;
}

}  // namespace

std::string to_json(const SchemaRecord& record) {
  std::string out;
  json::Writer json(out);
  json.begin_object()
      .key("kind")
      .value("schema")
      .key("time")
      .value(format_rfc3339(record.time))
      .key("device")
      .value(record.device);
  if (!record.source.empty()) json.key("source").value(record.source);
  json.key("changes").begin_array();
  for (const model::SchemaChange& change : record.changes) {
    json.begin_object().key("field").value(change.field).key("change").value(name_of(change.kind));
    json.key("from").value(name_of(change.from)).key("to").value(name_of(change.to));
    if (!change.sample.empty()) json.key("sample").value(change.sample);
    json.end_object();
  }
  json.end_array().key("schema").raw(record.schema->to_json()).end_object();
  return out;
}

std::string to_json(const FactsRecord& record) {
  std::string out;
  json::Writer json(out);
  json.begin_object().key("kind").value("facts").key("id").value(record.id.value).key("dataset").value(record.dataset);
  json.key("code").value(record.code).key("facts").begin_object();
  for (const auto& [name, value] : record.facts) json.key(name).raw(value);
  json.end_object().end_object();
  return out;
}

std::string to_json(const CompatibilityRecord& record) {
  std::string out;
  json::Writer json(out);
  json.begin_object().key("kind").value("compatibility").key("time").value(format_rfc3339(record.time));
  json.key("dataset").value(record.dataset).key("compatibility").value(name_of(record.compatibility));
  if (record.configured) json.key("configured").value(name_of(*record.configured));
  json.end_object();
  return out;
}

std::string to_json(const ConflictRecord& record) {
  const Conflict& conflict = record.conflict;
  std::string out;
  json::Writer json(out);
  json.begin_object().key("kind").value("conflict").key("time").value(format_rfc3339(conflict.first));
  json.key("dataset").value(record.dataset).key("field").value(conflict.field);
  if (conflict.from) json.key("from").value(name_of(*conflict.from));
  json.key("to").value(name_of(conflict.to)).key("device").value(conflict.device).key("source").value(conflict.source);
  json.key("sample").value(conflict.sample).end_object();
  return out;
}

Result<TopicRecord> schema_record_from_json(std::string_view text) try {
  using Record = TopicRecord;
  simdjson::dom::parser parser;
  const simdjson::dom::object object = parser.parse(text.data(), text.size());
  const std::string_view kind = object["kind"];
  if (kind == "facts") return Record(read_facts(object));
  if (kind == "compatibility") return Record(read_compatibility(object));
  if (kind == "conflict") return Record(read_conflict(object));
  if (kind != "schema") return Error{ErrorKind::corrupt, fmt::format("_schemas: a record of unknown kind '{}'", kind)};
  auto schema = read_schema(object);
  if (!schema) return std::move(schema).error();
  return Record(std::move(*schema));
} catch (const simdjson::simdjson_error& error) {
  return Error{ErrorKind::corrupt, fmt::format("_schemas: {}", error.what())};
}

std::optional<std::string> canonical_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(text.data(), text.size()).get(element) != simdjson::SUCCESS) return std::nullopt;
  return std::string(simdjson::minify(element));
}

}  // namespace iotstream::catalog
