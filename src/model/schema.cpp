#include <algorithm>
#include <array>
#include <simdjson.h>

#include <iotstream/base/json.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::model {
namespace {

constexpr std::array<std::string_view, 5> type_names = {"boolean", "integer", "float", "text", "json"};
constexpr std::array<std::string_view, 8> kind_names = {"measure",  "counter",   "state", "boolean",
                                                        "latitude", "longitude", "text",  "identifier"};

template <class Enum, std::size_t Count>
std::optional<Enum> find_name(const std::array<std::string_view, Count>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

Field make_field(const FieldDraft& draft, FieldId id, SchemaVersion version, Timestamp now) {
  Field field;
  const NameParts parts = split_unit(draft.name);
  field.id = id;
  field.name = draft.name;
  field.label = draft.label.empty() ? parts.label : draft.label;
  field.unit = draft.unit.empty() ? parts.unit : draft.unit;
  field.type = draft.type;
  field.kind = guess_kind(field.name, field.unit, field.type);
  field.added_in = version;
  field.first_seen = now;
  return field;
}

/// True when every draft is there already, and wide enough.
bool holds(const Schema& schema, const std::vector<FieldDraft>& drafts) {
  return std::all_of(drafts.begin(), drafts.end(), [&](const FieldDraft& draft) {
    const std::optional<FieldId> id = schema.find(draft.name);
    return id && widen(schema.field(*id).type, draft.type) == schema.field(*id).type;
  });
}

}  // namespace

std::string_view name_of(FieldType type) { return type_names[static_cast<std::size_t>(type)]; }
std::optional<FieldType> field_type_from(std::string_view name) { return find_name<FieldType>(type_names, name); }
FieldType widen(FieldType a, FieldType b) { return std::max(a, b); }
std::string_view name_of(FieldKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }
std::optional<FieldKind> field_kind_from(std::string_view name) { return find_name<FieldKind>(kind_names, name); }

Schema::Schema(std::string dataset, SchemaVersion version, std::vector<Field> fields)
    : dataset_(std::move(dataset)), version_(version), fields_(std::move(fields)) {
  by_name_.reserve(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    IOTSTREAM_ASSERT(fields_[i].id.value == i, "field {} stands at place {}", fields_[i].id, i);
    const bool fresh = by_name_.emplace(fields_[i].name, fields_[i].id).second;
    IOTSTREAM_ASSERT(fresh, "two fields are named {}", fields_[i].name);
  }
}

std::optional<FieldId> Schema::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::string Schema::to_json() const {
  std::string out;
  json::Writer json(out);
  json.begin_object().key("dataset").value(dataset_).key("version").value(version_.value).key("fields").begin_array();
  for (const Field& field : fields_) {
    json.begin_object().key("name").value(field.name).key("label").value(field.label).key("unit").value(field.unit);
    json.key("type").value(name_of(field.type)).key("kind").value(name_of(field.kind));
    json.key("added_in").value(field.added_in.value).key("first_seen").value(format_rfc3339(field.first_seen)).end_object();
  }
  json.end_array().end_object();
  return out;
}

SchemaPtr evolve(const SchemaPtr& current, std::string_view dataset, const std::vector<FieldDraft>& drafts, Timestamp now,
                 std::vector<SchemaChange>& changes) {
  changes.clear();
  if (current && holds(*current, drafts)) return current;
  const SchemaVersion version(current ? current->version().value + 1 : 1);
  std::vector<Field> fields = current ? current->fields() : std::vector<Field>{};
  std::unordered_map<std::string_view, std::size_t> added;  // of these drafts: a name may come twice among them
  const std::size_t known = fields.size();
  for (const FieldDraft& draft : drafts) {
    std::optional<std::size_t> place;
    if (const auto id = current ? current->find(draft.name) : std::nullopt) place = id->value;
    if (const auto found = added.find(draft.name); found != added.end()) place = found->second;
    if (!place) {
      added.emplace(draft.name, fields.size());
      fields.push_back(make_field(draft, FieldId(static_cast<std::uint32_t>(fields.size())), version, now));
      continue;
    }
    Field& field = fields[*place];
    field.type = widen(field.type, draft.type);
    field.kind = guess_kind(field.name, field.unit, field.type);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i >= known)
      changes.push_back({fields[i].name, true, fields[i].type, fields[i].type});
    else if (const FieldType before = current->fields()[i].type; before != fields[i].type)
      changes.push_back({fields[i].name, false, before, fields[i].type});
  }
  return std::make_shared<const Schema>(std::string(dataset), version, std::move(fields));
}

namespace {

// simdjson reports missing members and wrong types through one error code; its exceptions stay inside schema_from_json().
Field read_field(simdjson::dom::object object, FieldId id) {
  Field field;
  field.id = id;
  field.name = std::string_view(object["name"]);
  field.label = std::string_view(object["label"]);
  field.unit = std::string_view(object["unit"]);
  const auto type = field_type_from(std::string_view(object["type"]));
  const auto kind = field_kind_from(std::string_view(object["kind"]));
  const auto first_seen = parse_timestamp(std::string_view(object["first_seen"]));
  const std::uint64_t added_in = object["added_in"];
  if (!type || !kind || !first_seen || added_in == 0 || added_in > 0xffffffff)
    throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  field.type = *type;
  field.kind = *kind;
  field.first_seen = *first_seen;
  field.added_in = SchemaVersion(static_cast<std::uint32_t>(added_in));
  return field;
}

}  // namespace

Result<SchemaPtr> schema_from_json(std::string_view json) try {
  simdjson::dom::parser parser;
  const simdjson::dom::object document = parser.parse(json.data(), json.size());
  const std::uint64_t version = document["version"];
  if (version == 0 || version > 0xffffffff) return Error{ErrorKind::corrupt, "schema: its version is out of range"};
  std::vector<Field> fields;
  std::unordered_map<std::string, std::size_t> names;
  for (const simdjson::dom::element element : document["fields"].get_array()) {
    fields.push_back(read_field(element, FieldId(static_cast<std::uint32_t>(fields.size()))));
    if (!names.emplace(fields.back().name, 0).second)
      return Error{ErrorKind::corrupt, fmt::format("schema: two fields are named '{}'", fields.back().name)};
  }
  return std::make_shared<const Schema>(std::string(std::string_view(document["dataset"])),
                                        SchemaVersion(static_cast<std::uint32_t>(version)), std::move(fields));
} catch (const simdjson::simdjson_error& error) {
  return Error{ErrorKind::corrupt, fmt::format("schema: {}", error.what())};
}

}  // namespace iotstream::model
