#include "catalog/schema_record.hpp"

#include <simdjson.h>

#include <iotstream/base/json.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::uint64_t facts_max = 1'000'000;  // ids are dense: a larger one is damage, and would cost its table's memory

model::SchemaChange read_change(simdjson::dom::object object) {
  model::SchemaChange change;
  change.field = std::string(std::string_view(object["field"]));
  change.added = std::string_view(object["change"]) == "added";
  const auto from = model::field_type_from(std::string_view(object["from"]));
  const auto to = model::field_type_from(std::string_view(object["to"]));
  if (!from || !to) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  change.from = *from;
  change.to = *to;
  return change;
}

Result<SchemaRecord> read_schema(simdjson::dom::object object) {
  SchemaRecord record;
  auto schema = model::schema_from_json(simdjson::minify(simdjson::dom::element(object["schema"])));
  if (!schema) return std::move(schema).error();
  record.schema = std::move(*schema);
  const auto time = parse_timestamp(std::string_view(object["time"]));
  if (!time) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  record.time = *time;
  record.device = std::string(std::string_view(object["device"]));
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
  json.key("changes").begin_array();
  for (const model::SchemaChange& change : record.changes) {
    json.begin_object().key("field").value(change.field).key("change").value(change.added ? "added" : "widened");
    json.key("from").value(name_of(change.from)).key("to").value(name_of(change.to)).end_object();
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

Result<std::variant<SchemaRecord, FactsRecord>> schema_record_from_json(std::string_view text) try {
  using Record = std::variant<SchemaRecord, FactsRecord>;
  simdjson::dom::parser parser;
  const simdjson::dom::object object = parser.parse(text.data(), text.size());
  const std::string_view kind = object["kind"];
  if (kind == "facts") return Record(read_facts(object));
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
