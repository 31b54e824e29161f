#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/catalog/export.hpp>

#include "catalog/model_xml.hpp"

namespace iotstream::catalog {
namespace {

using model::FieldType;

/// By the type's number: what a field without a model of its own gets.
constexpr std::array<std::string_view, 5> mysql_types = {"tinyint(1)", "bigint(20)", "double", "longtext", "json"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // Blanks of other kinds would be read back as plain ones.
        static_cast<unsigned char>(c) < 0x20 ? static_cast<void>(out += fmt::format("&#{};", static_cast<int>(c)))
                                             : out.push_back(c);
    }
  }
  return out;
}

void write_column(std::string& out, const ModelColumn& column) {
  const auto cell = [&](std::string_view name, std::string_view text) {
    out += fmt::format("\t<field name=\"{}\">{}</field>\n", name, escaped(text));
  };
  out += "  <row>\n";
  cell("Field", column.draft.name);
  cell("Type", column.type);
  cell("Null", column.null);
  cell("Key", column.key);
  if (column.fallback)
    cell("Default", *column.fallback);
  else
    out += "\t<field name=\"Default\" xsi:nil=\"true\" />\n";
  cell("Extra", column.extra);
  out += "  </row>\n";
}

/// By the type's number: what JSON says of a value of just this type.
constexpr std::array<std::string_view, 5> json_types = {"boolean", "integer", "number", "string", "array"};

/// A field holds its own type and all narrower ones. What is an integer is a number as well.
void write_types(json::Writer& writer, FieldType widest) {
  writer.key("type").begin_array();
  for (int type = 0; type <= static_cast<int>(widest); ++type) {
    const bool told_by_number = type == static_cast<int>(FieldType::integer) && widest >= FieldType::real;
    if (!told_by_number) writer.value(json_types[static_cast<std::size_t>(type)]);
  }
  if (widest == FieldType::json) writer.value("object");
  writer.value("null").end_array();
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A default is text in a model: here it is a value of the field's type, where it can be read as one.
void write_default(json::Writer& writer, const std::string& text, FieldType type) {
  writer.key("default");
  const auto whole = number_of<std::int64_t>(text);
  const auto real = number_of<double>(text);
  if (type == FieldType::boolean && whole && (*whole == 0 || *whole == 1))
    writer.value(*whole == 1);
  else if (type == FieldType::integer && whole)
    writer.value(*whole);
  else if (type == FieldType::real && real && std::isfinite(*real))
    writer.value(*real);
  else
    writer.value(text);
}

/// What the model says of its column. Annotations only: an event without the member, or with null, is taken all the same.
void write_model(json::Writer& writer, const ModelColumn& column, FieldType type) {
  writer.key("x-type").value(column.type);
  writer.key("x-nullable").value(column.null != "NO");
  if (!column.key.empty()) writer.key("x-key").value(column.key);
  if (column.fallback) write_default(writer, *column.fallback, type);
}

using ModelColumns = std::unordered_map<std::string, ModelColumn>;

/// By the field's name; the first model that has one counts.
Result<ModelColumns> columns_of(const std::vector<std::string>& models) {
  ModelColumns found;
  for (const std::string& xml : models) {
    auto columns = read_model_columns(xml);
    if (!columns) return std::move(columns).error();
    for (ModelColumn& column : *columns) found.try_emplace(column.draft.name, std::move(column));
  }
  return found;
}

void write_property(json::Writer& writer, const model::Field& field, const ModelColumns& columns) {
  writer.key(field.name).begin_object();
  writer.key("title").value(field.label);
  if (!field.description.empty()) writer.key("description").value(field.description);
  write_types(writer, field.type);
  if (!field.unit.empty()) writer.key("x-unit").value(field.unit);
  writer.key("x-kind").value(name_of(field.kind));
  if (const auto column = columns.find(field.name); column != columns.end()) write_model(writer, column->second, field.type);
  writer.end_object();
}

/// What may be in an event beside its fields: who sent it and when.
constexpr std::array<std::string_view, 7> envelope_names = {"device", "device_id",  "clientid", "clienID",
                                                            "code",   "@timestamp", "dateHour"};

}  // namespace

Result<std::string> model_xml_of(const model::Schema& schema, const std::vector<std::string>& models) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\"?>\n\n<resultset statement=\"desc {}\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
      escaped(schema.dataset()));
  std::unordered_set<std::string> written;
  for (const std::string& xml : models) {
    auto columns = read_model_columns(xml);
    if (!columns) return std::move(columns).error();
    for (ModelColumn& column : *columns) {
      const auto id = schema.find(column.draft.name);
      if (!column.time && !id) continue;
      if (!written.insert(column.draft.name).second) continue;
      if (!column.time && schema.field(*id).type != column.draft.type)
        column.type = mysql_types[static_cast<std::size_t>(schema.field(*id).type)];
      write_column(out, column);
    }
  }
  for (const model::Field& field : schema.fields()) {
    if (written.contains(field.name)) continue;
    ModelColumn column;
    column.draft.name = field.name;
    column.type = mysql_types[static_cast<std::size_t>(field.type)];
    write_column(out, column);
  }
  return out + "</resultset>\n";
}

void write_members(json::Writer& writer, const ImportReport& report) {
  writer.key("file").value(report.path);
  writer.key("unchanged").value(report.unchanged);
  writer.key("rows").value(report.rows);
  writer.key("rejected").value(report.rejected);
  writer.key("left_out").value(report.left_out);
  writer.key("columns").value(report.columns);
  writer.key("columns_empty").value(report.columns_empty);
  writer.key("separator").value(std::string_view(&report.separator, 1));
  writer.key("encoding").value(report.encoding);
  writer.key("time_column").value(report.time_column);
  writer.key("pace_column").value(report.pace_column);
  const auto time = [&](const char* key, const std::optional<Timestamp>& value) {
    writer.key(key);
    value ? writer.value(format_rfc3339(*value)) : writer.null();
  };
  time("first_time", report.first_time);
  time("last_time", report.last_time);
  writer.key("errors").begin_array();
  for (const RowProblem& problem : report.problems)
    writer.begin_object().key("line").value(problem.line).key("reason").value(problem.reason).end_object();
  writer.end_array();
}

Result<std::string> json_schema_of(const model::Schema& schema, model::Compatibility compatibility,
                                   const std::vector<std::string>& models) {
  const auto columns = columns_of(models);
  if (!columns) return columns.error();
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("$schema").value("https://json-schema.org/draft/2020-12/schema");
  writer.key("title").value(schema.dataset());
  writer.key("description").value(fmt::format("Version {} of the schema of dataset {}", schema.version(), schema.dataset()));
  writer.key("type").value("object");
  writer.key("properties").begin_object();
  for (const model::Field& field : schema.fields()) write_property(writer, field, *columns);
  for (const std::string_view name : envelope_names)
    if (!schema.find(name)) writer.key(name).value(true);
  writer.end_object();
  writer.key("additionalProperties").value(compatibility != model::Compatibility::strict);
  writer.end_object();
  return out;
}

}  // namespace iotstream::catalog
