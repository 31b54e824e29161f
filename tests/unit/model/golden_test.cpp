// Rows that were written once are read for ever: tests/format has one file for each version of the row.
#include <charconv>
#include <fstream>
#include <simdjson.h>
#include <sstream>

#include <catch2/catch.hpp>

#include <iotstream/model/row.hpp>

using namespace iotstream;
using namespace iotstream::model;
using simdjson::dom::element;

namespace {

std::string text_of(const std::string& name) {
  std::ifstream file(std::string(IOTSTREAM_SOURCE_DIR) + "/tests/format/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE(!text.str().empty());
  return text.str();
}

std::string_view member(element object, const char* name) { return std::string_view(object[name]); }

std::vector<std::byte> bytes_of(std::string_view hex) {
  std::vector<std::byte> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
}

SchemaPtr schema_of(element row) {
  std::vector<FieldDraft> drafts;
  for (const element name : row["fields"].get_array())
    drafts.push_back({std::string(std::string_view(name)), FieldType::json, {}, {}});
  std::vector<SchemaChange> changes;
  return evolve(nullptr, "golden", drafts, {}, changes);
}

constexpr std::string_view kind_names[] = {"missing", "null", "false", "true",    "integer",
                                           "real",    "text", "json",  "decimal", "key"};

void set(RowBuilder& builder, FieldId field, element cell) {
  const std::string_view kind(cell.at(0));
  if (kind == "integer") return builder.set_integer(field, std::int64_t(cell.at(1)));
  if (kind == "real") return builder.set_real(field, double(cell.at(1)));
  const auto at = std::find(std::begin(kind_names), std::end(kind_names), kind);
  REQUIRE(at != std::end(kind_names));
  const auto number = static_cast<ValueKind>(at - std::begin(kind_names));
  if (kind == "text" || kind == "json" || kind == "decimal")
    return builder.set_text(field, number, std::string_view(cell.at(1)));
  builder.set(field, number);
}

void check_read(element row) {
  const std::vector<std::byte> bytes = bytes_of(member(row, "hex"));
  const auto view = RowView::open(bytes);
  if (!view) FAIL(view.error().message);
  CHECK(view->schema_version().value == std::uint64_t(row["version"]));
  CHECK(view->facts().value == std::uint64_t(row["facts"]));
  CHECK(view->flags() == std::uint64_t(row["flags"]));
  std::string told = "{";
  bool comma = false;
  append_members(told, comma, *view, *schema_of(row), member(row, "key"), *parse_timestamp(member(row, "time")), {});
  CHECK(told + "}" == member(row, "json"));
}

void check_written(element row) {
  RowBuilder builder;
  builder.begin(SchemaVersion(static_cast<std::uint32_t>(std::uint64_t(row["version"]))),
                FactsId(static_cast<std::uint32_t>(std::uint64_t(row["facts"]))),
                static_cast<std::uint16_t>(std::uint64_t(row["flags"])));
  std::uint32_t field = 0;
  for (const element cell : row["cells"].get_array()) set(builder, FieldId(field++), cell);
  const ByteView written = builder.finish();
  CHECK(std::vector<std::byte>(written.begin(), written.end()) == bytes_of(member(row, "hex")));
}

}  // namespace

TEST_CASE("rows of every version are read, and those of the newest are written as they were") {
  simdjson::dom::parser parser;
  const std::string text = text_of("row-1.json");
  std::size_t rows = 0;
  for (const element row : element(parser.parse(text))["rows"].get_array()) {
    INFO(member(row, "name"));
    check_read(row);
    check_written(row);
    ++rows;
  }
  CHECK(rows == 5);
}
