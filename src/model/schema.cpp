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
constexpr std::array<std::string_view, 5> change_names = {"added", "widened", "typed", "declared", "edited"};
struct EditedName {
  unsigned char bit;
  std::string_view name;
};
constexpr std::array<EditedName, 3> edited_names = {{{edited_label, "label"}, {edited_unit, "unit"}, {edited_kind, "kind"}}};

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
  field.base = draft.type;
  field.null_only = draft.null;
  field.kind = guess_kind(field.name, field.unit, field.type);
  field.added_in = version;
  field.first_seen = now;
  return field;
}

/// True when every draft is there already, and wide enough.
bool holds(const Schema& schema, const std::vector<FieldDraft>& drafts, Origin origin) {
  return std::all_of(drafts.begin(), drafts.end(), [&](const FieldDraft& draft) {
    const std::optional<FieldId> id = schema.find(draft.name);
    if (!id) return false;
    if (draft.null) return true;
    const Field& field = schema.field(*id);
    const bool meant = origin == Origin::values || widen(field.base, draft.type) == field.base;
    return !field.null_only && meant && widen(field.type, draft.type) == field.type;
  });
}

/// Makes a field that is there hold what the draft asks for.
void fit(Field& field, const FieldDraft& draft, Origin origin, bool fresh) {
  if (draft.null) return;
  if (field.null_only) {
    field.type = field.base = draft.type;
    field.null_only = false;
  }
  field.type = widen(field.type, draft.type);
  if (fresh || origin == Origin::model) field.base = widen(field.base, draft.type);
  if ((field.edited & edited_kind) == 0) field.kind = guess_kind(field.name, field.unit, field.type);
}

/// What became of a field that was there before, if anything.
std::optional<ChangeKind> change_of(const Field& before, const Field& after) {
  if (before.null_only && !after.null_only) return ChangeKind::typed;
  if (before.type != after.type) return ChangeKind::widened;
  if (before.base != after.base) return ChangeKind::declared;
  return std::nullopt;
}

/// What is said only where there is something to say: records of schemas without it stay as they always were.
void write_extras(json::Writer& json, const Field& field) {
  if (field.base != field.type) json.key("base").value(name_of(field.base));
  if (field.null_only) json.key("null_only").value(true);
  if (!field.group.empty()) json.key("group").value(field.group);
  if (!field.description.empty()) json.key("description").value(field.description);
  if (field.hidden) json.key("hidden").value(true);
  if (field.edited == 0) return;
  json.key("edited").begin_array();
  for (const EditedName& edited : edited_names)
    if ((field.edited & edited.bit) != 0) json.value(edited.name);
  json.end_array();
}

}  // namespace

std::string_view name_of(FieldType type) { return type_names[static_cast<std::size_t>(type)]; }
std::optional<FieldType> field_type_from(std::string_view name) { return find_name<FieldType>(type_names, name); }
FieldType widen(FieldType a, FieldType b) { return std::max(a, b); }
std::string_view name_of(FieldKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }
std::optional<FieldKind> field_kind_from(std::string_view name) { return find_name<FieldKind>(kind_names, name); }
std::string_view name_of(ChangeKind kind) { return change_names[static_cast<std::size_t>(kind)]; }
std::optional<ChangeKind> change_kind_from(std::string_view name) { return find_name<ChangeKind>(change_names, name); }

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
    json.key("added_in").value(field.added_in.value).key("first_seen").value(format_rfc3339(field.first_seen));
    write_extras(json, field);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

SchemaPtr evolve(const SchemaPtr& current, std::string_view dataset, const std::vector<FieldDraft>& drafts, Timestamp now,
                 std::vector<SchemaChange>& changes, Origin origin) {
  changes.clear();
  if (current && holds(*current, drafts, origin)) return current;
  const SchemaVersion version(current ? current->version().value + 1 : 1);
  std::vector<Field> fields = current ? current->fields() : std::vector<Field>{};
  std::unordered_map<std::string_view, std::size_t> added;    // of these drafts: a name may come twice among them
  std::unordered_map<std::size_t, std::string_view> samples;  // by place
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
    if (widen(fields[*place].type, draft.type) != fields[*place].type) samples.insert_or_assign(*place, draft.sample);
    fit(fields[*place], draft, origin, *place >= known);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (i >= known)
      changes.push_back({field.name, ChangeKind::added, field.type, field.type});
    else if (const auto kind = change_of(current->fields()[i], field))
      changes.push_back({field.name, *kind, current->fields()[i].type, field.type,
                         *kind == ChangeKind::widened ? std::string(samples[i]) : std::string()});
  }
  return std::make_shared<const Schema>(std::string(dataset), version, std::move(fields));
}

namespace {

/// Sets `target` to what was said; true when that is something else than before.
template <class Value>
bool put(Value& target, const std::optional<Value>& said) {
  if (!said || *said == target) return false;
  target = *said;
  return true;
}

/// What the rules say of the name, where people say nothing any more.
bool go_back(Field& field, unsigned char by_rule) {
  const auto bits = static_cast<unsigned char>(by_rule & field.edited);
  const NameParts parts = split_unit(field.name);
  if ((bits & edited_label) != 0) field.label = parts.label;
  if ((bits & edited_unit) != 0) field.unit = parts.unit;
  field.edited = static_cast<unsigned char>(field.edited & ~bits);
  return bits != 0;
}

}  // namespace

SchemaPtr edit(const SchemaPtr& current, FieldId id, const FieldEdit& edit, std::vector<SchemaChange>& changes) {
  changes.clear();
  std::vector<Field> fields = current->fields();
  Field& field = fields[id.value];
  bool changed = go_back(field, edit.by_rule);
  unsigned said = field.edited;
  if (edit.label) said |= edited_label;
  if (edit.unit) said |= edited_unit;
  if (edit.kind) said |= edited_kind;
  changed = put(field.edited, std::optional(static_cast<unsigned char>(said))) || changed;
  changed = put(field.label, edit.label) || changed;
  changed = put(field.unit, edit.unit) || changed;
  changed = put(field.kind, edit.kind) || changed;
  changed = put(field.group, edit.group) || changed;
  changed = put(field.description, edit.description) || changed;
  changed = put(field.hidden, edit.hidden) || changed;
  if (!changed) return current;
  if ((field.edited & edited_kind) == 0) field.kind = guess_kind(field.name, field.unit, field.type);
  changes.push_back({field.name, ChangeKind::edited, field.type, field.type});
  return std::make_shared<const Schema>(current->dataset(), SchemaVersion(current->version().value + 1), std::move(fields));
}

namespace {

/// The members that write_extras() writes, where they are.
void read_extras(simdjson::dom::object object, Field& field) {
  simdjson::dom::element value;
  field.base = field.type;
  if (object["base"].get(value) == simdjson::SUCCESS) {
    const auto base = field_type_from(std::string_view(value));
    if (!base || *base > field.type) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
    field.base = *base;
  }
  if (object["null_only"].get(value) == simdjson::SUCCESS) field.null_only = bool(value);
  if (object["group"].get(value) == simdjson::SUCCESS) field.group = std::string_view(value);
  if (object["description"].get(value) == simdjson::SUCCESS) field.description = std::string_view(value);
  if (object["hidden"].get(value) == simdjson::SUCCESS) field.hidden = bool(value);
  if (object["edited"].get(value) != simdjson::SUCCESS) return;
  for (const simdjson::dom::element name : value.get_array())
    for (const EditedName& edited : edited_names)
      if (edited.name == std::string_view(name)) field.edited |= edited.bit;
}

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
  read_extras(object, field);
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
