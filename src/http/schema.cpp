// One dataset's schema: its fields with their conflicts, its versions, what people say about a field; exported for others.
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include <iotstream/catalog/export.hpp>

#include "http/body.hpp"
#include "http/file_events.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

void write_conflict(json::Writer& writer, const catalog::Conflict& conflict, bool named) {
  writer.begin_object();
  if (named) writer.key("field").value(conflict.field);
  writer.key("from");
  conflict.from ? writer.value(name_of(*conflict.from)) : writer.null();
  writer.key("to").value(name_of(conflict.to));
  writer.key("count").value(conflict.count);
  writer.key("refused").value(conflict.refused);
  writer.key("first_time").value(conflict.first.us);
  writer.key("last_time").value(conflict.last.us);
  writer.key("device").value(conflict.device);
  writer.key("source").value(conflict.source);
  writer.key("sample").value(conflict.sample);
  writer.end_object();
}

void write_field(json::Writer& writer, const model::Field& field, std::uint64_t count,
                 const std::vector<catalog::Conflict>& conflicts) {
  writer.begin_object();
  writer.key("name").value(field.name);
  writer.key("label").value(field.label);
  writer.key("type").value(name_of(field.type));
  writer.key("base_type").value(name_of(field.base));
  if (field.null_only) writer.key("null_only").value(true);
  writer.key("unit").value(field.unit);
  writer.key("kind").value(name_of(field.kind));
  writer.key("group").value(model::group_of(field));
  writer.key("description").value(field.description);
  writer.key("hidden").value(field.hidden);
  writer.key("added_in").value(field.added_in.value);
  writer.key("first_seen").value(field.first_seen.us);
  writer.key("count").value(count);
  writer.key("conflicts").begin_array();
  for (const catalog::Conflict& conflict : conflicts)
    if (conflict.from && conflict.field == field.name) write_conflict(writer, conflict, false);
  writer.end_array();
  writer.end_object();
}

std::unordered_map<std::uint32_t, std::uint64_t> counts_of(const Services& services, const std::string& name) {
  std::unordered_map<std::uint32_t, std::uint64_t> counts;
  for (const auto& dataset : services.history.datasets()) {
    if (dataset.dataset != name) continue;
    for (const store::FieldUsage& field : dataset.fields) counts[field.field.value] = field.count;
  }
  return counts;
}

Answer as_json(Services& services, const model::Schema& schema) {
  const std::string& name = schema.dataset();
  auto counts = counts_of(services, name);
  const std::vector<catalog::Conflict> conflicts = services.schemas.conflicts(name).list();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("dataset").value(name);
  writer.key("version").value(schema.version().value);
  writer.key("compatibility").value(name_of(services.schemas.compatibility(name)));
  writer.key("conflicts").value(services.schemas.conflicts(name).total());
  writer.key("fields").begin_array();
  for (const model::Field& field : schema.fields()) write_field(writer, field, counts[field.id.value], conflicts);
  writer.end_array();
  writer.key("unknown_fields").begin_array();
  for (const catalog::Conflict& conflict : conflicts)
    if (!conflict.from) write_conflict(writer, conflict, true);
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

/// Of the prototypes whose readings the dataset holds.
std::vector<std::string> models_of(const Services& services, const std::string& dataset) {
  std::vector<std::string> models;
  for (const catalog::Prototype& prototype : services.catalog.prototypes())
    if (prototype.dataset == dataset && !prototype.model_xml.empty()) models.push_back(prototype.model_xml);
  return models;
}

Answer as_xml(Services& services, const model::Schema& schema) {
  auto xml = catalog::model_xml_of(schema, models_of(services, schema.dataset()));
  if (!xml) return xml.error();
  net::Response response = net::Response::text(std::move(*xml));
  response.content_type = "application/xml";
  return response;
}

/// What is asked for: by ?format=, else by Accept, else JSON.
std::string format_of(const net::Request& request) {
  if (const auto format = request.query_value("format")) return std::string(*format);
  const std::string_view accept = request.header("accept").value_or(std::string_view());
  if (accept.find("application/schema+json") != std::string_view::npos) return "jsonschema";
  // A browser's list has XML as well, behind HTML.
  const bool xml = accept.find("application/xml") == 0 || accept.find("text/xml") == 0;
  return xml ? "xml" : "json";
}

Answer current_schema(Services& services, const net::Request& request) {
  if (is_file(request)) return file_schema(services, request);
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  const std::string format = format_of(request);
  if (format == "json") return as_json(services, **schema);
  if (format == "xml") return as_xml(services, **schema);
  if (format != "jsonschema")
    return Error{ErrorKind::invalid, fmt::format("format: '{}' is none of json, xml, jsonschema", format)};
  const std::string& dataset = (*schema)->dataset();
  auto text = catalog::json_schema_of(**schema, services.schemas.compatibility(dataset), models_of(services, dataset));
  if (!text) return text.error();
  net::Response response = net::Response::json(std::move(*text));
  response.content_type = "application/schema+json";
  return response;
}

void write_change(json::Writer& writer, const model::SchemaChange& change) {
  writer.begin_object();
  writer.key("field").value(change.field);
  writer.key("change").value(name_of(change.kind));
  if (change.kind != model::ChangeKind::added) writer.key("from").value(name_of(change.from));
  writer.key("to").value(name_of(change.to));
  if (!change.sample.empty()) writer.key("sample").value(change.sample);
  writer.end_object();
}

Answer schema_versions(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("dataset").value((*schema)->dataset());
  writer.key("versions").begin_array();
  for (const catalog::SchemaRecord& record : services.schemas.versions((*schema)->dataset())) {
    writer.begin_object();
    writer.key("version").value(record.schema->version().value);
    writer.key("time").value(format_rfc3339(record.time));
    writer.key("device").value(record.device);
    writer.key("source").value(record.source);
    writer.key("fields").value(static_cast<std::uint64_t>(record.schema->fields().size()));
    writer.key("changes").begin_array();
    for (const model::SchemaChange& change : record.changes) write_change(writer, change);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

constexpr std::array<std::string_view, 6> editable = {"label", "unit", "kind", "group", "description", "hidden"};

/// The kind that the body says; nothing when it says none. Its charts must be able to draw the field.
Result<std::optional<model::FieldKind>> kind_of(const JsonObject& body, const model::Field& field) {
  auto text = body.text("kind");
  if (!text) return text.error();
  if (!*text) return std::optional<model::FieldKind>();
  const auto kind = model::field_kind_from(**text);
  if (!kind)
    return Error{
        ErrorKind::unprocessable,
        fmt::format("kind: '{}' is none of measure, counter, state, boolean, latitude, longitude, text, identifier", **text)};
  const bool numbers_only = *kind == model::FieldKind::measure || *kind == model::FieldKind::counter ||
                            *kind == model::FieldKind::latitude || *kind == model::FieldKind::longitude;
  if (numbers_only && field.type > model::FieldType::real)
    return Error{ErrorKind::unprocessable,
                 fmt::format("kind: the field '{}' is {}; {} is for numbers", field.name, name_of(field.type), **text)};
  return kind;
}

/// null goes back to the rule, or to nothing where there is none.
void read_nulls(const JsonObject& body, model::FieldEdit& edit) {
  for (const auto& [name, value] : body.object()) {
    if (!value.is_null()) continue;
    if (name == "label") edit.by_rule |= model::edited_label;
    if (name == "unit") edit.by_rule |= model::edited_unit;
    if (name == "kind") edit.by_rule |= model::edited_kind;
    if (name == "group") edit.group = "";
    if (name == "description") edit.description = "";
    if (name == "hidden") edit.hidden = false;
  }
}

Result<model::FieldEdit> edit_of(const JsonObject& body, const model::Field& field) {
  for (const auto& [name, value] : body.object())
    if (std::find(editable.begin(), editable.end(), name) == editable.end())
      return Error{ErrorKind::unprocessable,
                   fmt::format("a field has no '{}' to change; it has label, unit, kind, group, description, hidden", name)};
  model::FieldEdit edit;
  const std::pair<const char*, std::optional<std::string>*> texts[] = {
      {"label", &edit.label}, {"unit", &edit.unit}, {"group", &edit.group}, {"description", &edit.description}};
  for (const auto& [name, target] : texts) {
    auto text = body.text(name);
    if (!text) return text.error();
    *target = std::move(*text);
  }
  auto kind = kind_of(body, field);
  if (!kind) return kind.error();
  edit.kind = *kind;
  auto hidden = body.truth("hidden");
  if (!hidden) return hidden.error();
  edit.hidden = *hidden;
  read_nulls(body, edit);
  return edit;
}

Answer change_field(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  const auto id = (*schema)->find(request.param("field"));
  if (!id)
    return Error{ErrorKind::not_found,
                 fmt::format("dataset '{}' has no field '{}'", (*schema)->dataset(), request.param("field"))};
  auto body = JsonObject::parse(request.body);
  if (!body) return body.error();
  auto edit = edit_of(*body, (*schema)->field(*id));
  if (!edit) return edit.error();
  auto edited = services.schemas.edit_field((*schema)->dataset(), request.param("field"), *edit, services.clock.now());
  if (!edited) return edited.error();
  std::string text;
  json::Writer writer(text);
  auto counts = counts_of(services, (*schema)->dataset());
  write_field(writer, (*edited)->field(*id), counts[id->value], services.schemas.conflicts((*schema)->dataset()).list());
  return net::Response::json(std::move(text));
}

}  // namespace

void add_schema_routes(net::Router& router, Services& services) {
  const auto add = [&](net::Method method, const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(method, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add(net::Method::get, "/api/v1/datasets/{dataset}/schema", current_schema);
  add(net::Method::get, "/api/v1/datasets/{dataset}/schema/versions", schema_versions);
  add(net::Method::patch, "/api/v1/datasets/{dataset}/fields/{field}", change_field);
}

}  // namespace iotstream::http
