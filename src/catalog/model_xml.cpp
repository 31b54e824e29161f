#include "catalog/model_xml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <unordered_set>

#include <iotstream/catalog/catalog.hpp>

namespace iotstream::catalog {
namespace {

using model::FieldType;

constexpr std::size_t xml_bytes_max = 1024 * 1024;
constexpr std::size_t columns_max = 5'000;
constexpr std::size_t name_bytes_max = 500;

/// A type of MySQL and the numbers its brackets may hold.
struct MysqlType {
  std::string_view name;
  FieldType type;
  unsigned numbers_max = 0;  ///< how many there may be
  unsigned long first_max = 0;
  unsigned long second_max = 0;
  bool time = false;
};
constexpr std::array mysql_types = {
    MysqlType{"tinyint", FieldType::integer, 1, 255},
    MysqlType{"smallint", FieldType::integer, 1, 255},
    MysqlType{"mediumint", FieldType::integer, 1, 255},
    MysqlType{"int", FieldType::integer, 1, 255},
    MysqlType{"integer", FieldType::integer, 1, 255},
    MysqlType{"bigint", FieldType::integer, 1, 255},
    MysqlType{"year", FieldType::integer, 1, 4},
    MysqlType{"bit", FieldType::integer, 1, 64},
    MysqlType{"bool", FieldType::boolean},
    MysqlType{"boolean", FieldType::boolean},
    MysqlType{"decimal", FieldType::real, 2, 65, 30},
    MysqlType{"numeric", FieldType::real, 2, 65, 30},
    MysqlType{"float", FieldType::real, 2, 255, 30},
    MysqlType{"double", FieldType::real, 2, 255, 30},
    MysqlType{"real", FieldType::real, 2, 255, 30},
    MysqlType{"char", FieldType::text, 1, 255},
    MysqlType{"varchar", FieldType::text, 1, 65535},
    MysqlType{"tinytext", FieldType::text},
    MysqlType{"text", FieldType::text, 1, 65535},
    MysqlType{"mediumtext", FieldType::text},
    MysqlType{"longtext", FieldType::text},
    MysqlType{"binary", FieldType::text, 1, 255},
    MysqlType{"varbinary", FieldType::text, 1, 65535},
    MysqlType{"tinyblob", FieldType::text},
    MysqlType{"blob", FieldType::text, 1, 65535},
    MysqlType{"mediumblob", FieldType::text},
    MysqlType{"longblob", FieldType::text},
    MysqlType{"date", FieldType::text},
    MysqlType{"time", FieldType::text, 1, 6},
    MysqlType{"datetime", FieldType::text, 1, 6, 0, true},
    MysqlType{"timestamp", FieldType::text, 1, 6, 0, true},
    MysqlType{"json", FieldType::json},
};

/// The numbers between the brackets of `decimal(18,15)`; nothing when something else stands there.
std::optional<std::vector<unsigned long>> bracket_numbers(std::string_view text) {
  std::vector<unsigned long> numbers;
  while (!text.empty()) {
    unsigned long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) break;
    if (text[0] != ',' || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
  }
  return numbers;
}

/// Fills type and time from `decimal(18,15) unsigned`; what is wrong with it, or nothing.
std::string read_type(std::string_view text, ModelColumn& column) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::string name = lower.substr(0, lower.find_first_of("( "));
  if (name == "enum" || name == "set") {
    column.draft.type = FieldType::text;
    return {};
  }
  const auto* const found =
      std::find_if(mysql_types.begin(), mysql_types.end(), [&](const MysqlType& type) { return type.name == name; });
  if (found == mysql_types.end()) return fmt::format("the type '{}' is not known", text);
  std::vector<unsigned long> numbers;
  if (const std::size_t open = lower.find('('); open != std::string::npos) {
    const std::size_t close = lower.find(')', open);
    if (close == std::string::npos) return fmt::format("the type '{}' lacks a bracket", text);
    const auto read = bracket_numbers(std::string_view(lower).substr(open + 1, close - open - 1));
    if (!read || read->empty()) return fmt::format("the size of the type '{}' is no number", text);
    numbers = *read;
  }
  if (numbers.size() > found->numbers_max) return fmt::format("the type '{}' has too many sizes", text);
  const bool first_fits = numbers.empty() || numbers[0] <= found->first_max;
  const bool second_fits = numbers.size() < 2 || (numbers[1] <= found->second_max && numbers[1] <= numbers[0]);
  if (!first_fits || !second_fits) return fmt::format("the size of the type '{}' is out of its range", text);
  const bool truth = (name == "tinyint" || name == "bit") && !numbers.empty() && numbers[0] == 1;
  column.draft.type = truth ? FieldType::boolean : found->type;
  column.time = found->time;
  return {};
}

class ModelReader {
 public:
  explicit ModelReader(std::string_view xml) : xml_(xml) {}

  Result<std::vector<ModelColumn>> read() {
    if (xml_.size() > xml_bytes_max)
      return Error{ErrorKind::too_large, fmt::format("a model of {} bytes; {} are allowed", xml_.size(), xml_bytes_max)};
    // Escapes are the five of XML and numbers of characters; pugixml knows no other entities and never opens anything outside.
    const auto parsed = document_.load_buffer(xml_.data(), xml_.size(),
                                              pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_doctype);
    if (!parsed) return problem(parsed.offset, parsed.description());
    std::vector<ModelColumn> columns;
    for (const pugi::xml_node node : document_.children()) {
      if (node.type() == pugi::node_doctype) return problem(node.offset_debug(), "a DTD is not allowed");
      if (node.type() != pugi::node_element) continue;
      if (std::string_view(node.name()) != "resultset")
        return problem(node.offset_debug(), fmt::format("<resultset> is expected, not <{}>", node.name()));
      if (Status rows = read_rows(node, columns); !rows) return std::move(rows).error();
    }
    if (columns.empty()) return problem(0, "no <row> in a <resultset>: this is not what `desc TABLE --xml` prints");
    return columns;
  }

 private:
  Error problem(std::ptrdiff_t offset, std::string_view reason) const {
    const std::string_view before = xml_.substr(0, offset < 0 ? 0 : static_cast<std::size_t>(offset));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t begin = before.rfind('\n');
    const std::size_t column = before.size() - (begin == std::string_view::npos ? 0 : begin + 1) + 1;
    return {ErrorKind::invalid, fmt::format("{}:{}: {}", line, column, reason)};
  }

  Status read_rows(pugi::xml_node resultset, std::vector<ModelColumn>& columns) {
    for (const pugi::xml_node row : resultset.children()) {
      if (row.type() != pugi::node_element) continue;
      if (std::string_view(row.name()) != "row")
        return problem(row.offset_debug(), fmt::format("<row> is expected, not <{}>", row.name()));
      if (columns.size() == columns_max) return problem(row.offset_debug(), fmt::format("more than {} fields", columns_max));
      if (Status read = read_row(row, columns); !read) return read;
    }
    return {};
  }

  Status read_row(pugi::xml_node row, std::vector<ModelColumn>& columns) {
    pugi::xml_node name;
    pugi::xml_node type;
    ModelColumn column;
    for (const pugi::xml_node field : row.children()) {
      if (field.type() != pugi::node_element) continue;
      if (std::string_view(field.name()) != "field")
        return problem(field.offset_debug(), fmt::format("<field> is expected, not <{}>", field.name()));
      const std::string_view attribute = field.attribute("name").value();
      if (attribute == "Field") name = field;
      if (attribute == "Type") type = field;
      read_rest(field, attribute, column);
    }
    if (!name) return problem(row.offset_debug(), "a <row> without <field name=\"Field\">");
    if (!type) return problem(row.offset_debug(), "a <row> without <field name=\"Type\">");
    column.type = type.text().get();
    column.draft.name = name.text().get();
    if (column.draft.name.empty()) return problem(name.offset_debug(), "a field without a name");
    if (column.draft.name.size() > name_bytes_max) return problem(name.offset_debug(), "a field's name is too long");
    if (!names_.insert(column.draft.name).second)
      return problem(name.offset_debug(), fmt::format("the field '{}' is there twice", column.draft.name));
    if (const std::string wrong = read_type(type.text().get(), column); !wrong.empty())
      return problem(type.offset_debug(), wrong);
    columns.push_back(std::move(column));
    return {};
  }

  /// What is only kept to be written again.
  static void read_rest(pugi::xml_node field, std::string_view attribute, ModelColumn& column) {
    if (attribute == "Null") column.null = field.text().get();
    if (attribute == "Key") column.key = field.text().get();
    if (attribute == "Extra") column.extra = field.text().get();
    const bool nil = std::string_view(field.attribute("xsi:nil").value()) == "true";
    if (attribute == "Default" && !nil) column.fallback = field.text().get();
  }

  std::string_view xml_;
  pugi::xml_document document_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<std::vector<ModelColumn>> read_model_columns(std::string_view xml) { return ModelReader(xml).read(); }

Result<std::vector<model::FieldDraft>> read_model(std::string_view xml) {
  auto columns = read_model_columns(xml);
  if (!columns) return std::move(columns).error();
  std::vector<model::FieldDraft> drafts;
  for (ModelColumn& column : *columns) drafts.push_back(std::move(column.draft));
  return drafts;
}

}  // namespace iotstream::catalog
