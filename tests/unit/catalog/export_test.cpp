#include <fstream>
#include <simdjson.h>
#include <sstream>

#include <iotstream/catalog/export.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;
using model::FieldType;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(IOTSTREAM_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<model::FieldDraft> drafts_of(const std::string& xml) {
  auto drafts = read_model(xml);
  if (!drafts) FAIL(drafts.error().message);
  return std::move(*drafts);
}

model::SchemaPtr schema_of(const std::vector<model::FieldDraft>& drafts) {
  std::vector<model::SchemaChange> changes;
  return model::evolve(nullptr, "a \"<&> set", drafts, {}, changes);
}

std::string exported(const model::Schema& schema, const std::vector<std::string>& models = {}) {
  auto xml = model_xml_of(schema, models);
  if (!xml) FAIL(xml.error().message);
  return *xml;
}

}  // namespace

TEST_CASE("a schema as XML is the same schema when it is read again, and the same bytes when that is exported") {
  const auto schema = schema_of({{"on", FieldType::boolean, {}, {}},
                                 {"n", FieldType::integer, {}, {}},
                                 {"Speed (km/h) <&> \"é\"", FieldType::real, {}, {}},
                                 {"t\twith\nblanks", FieldType::text, {}, {}},
                                 {"list", FieldType::json, {}, {}}});
  const std::string xml = exported(*schema);
  const auto drafts = drafts_of(xml);
  REQUIRE(drafts.size() == schema->fields().size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    CHECK(drafts[i].name == schema->fields()[i].name);
    CHECK(drafts[i].type == schema->fields()[i].type);
  }
  CHECK(exported(*schema, {xml}) == xml);
}

TEST_CASE_METHOD(CatalogFixture, "XML to prototype to XML: sizes, nulls, keys, defaults and times stand as they were given") {
  for (const char* model : {"config/models/X46789.xml", "config/models/WT200.xml"}) {
    INFO(model);
    const std::string given = text_of(model);
    const std::string dataset = model;
    put(model, dataset, given);
    const std::string once = exported(*schemas.current(dataset), {given});
    CHECK(exported(*schemas.current(dataset), {once}) == once);
    const auto before = drafts_of(given);
    const auto after = drafts_of(once);
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) CHECK((before[i].name == after[i].name && before[i].type == after[i].type));
  }
}

TEST_CASE_METHOD(CatalogFixture, "what the data widened is written as wide as it is, the rest of its row stays") {
  const std::string given =
      R"(<resultset><row><field name="Field">gear</field><field name="Type">int(3)</field><field name="Null">NO</field><field name="Key">PRI</field><field name="Default">7</field></row>)"
      R"(<row><field name="Field">time</field><field name="Type">datetime(6)</field></row>)"
      R"(<row><field name="Field">v</field><field name="Type">decimal(18,15)</field></row></resultset>)";
  put("X", "d", given);
  REQUIRE(schemas.evolve("d", {{"gear", FieldType::text, {}, {}}, {"new", FieldType::boolean, {}, {}}}, "p", {}).ok());
  const std::string xml = exported(*schemas.current("d"), {given});
  CHECK(xml.find(R"(<field name="Type">longtext</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Null">NO</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Key">PRI</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Default">7</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Type">datetime(6)</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Type">decimal(18,15)</field>)") != std::string::npos);
  CHECK(xml.find(R"(<field name="Type">tinyint(1)</field>)") != std::string::npos);
  CHECK_FALSE(model_xml_of(*schemas.current("d"), {"<nonsense>"}).ok());
}

TEST_CASE("a schema as JSON Schema: each field with all that it holds, other members as the compatibility says") {
  const auto schema = schema_of({{"n (km)", FieldType::integer, {}, {}},
                                 {"r", FieldType::real, {}, {}},
                                 {"j", FieldType::json, {}, {}},
                                 {"code", FieldType::text, {}, {}}});
  const std::string text = json_schema_of(*schema, model::Compatibility::strict, {}).value();
  simdjson::dom::parser parser;
  const simdjson::dom::element document = parser.parse(text);
  CHECK(std::string_view(document["$schema"]) == "https://json-schema.org/draft/2020-12/schema");
  CHECK(std::string_view(document["title"]) == "a \"<&> set");
  CHECK_FALSE(bool(document["additionalProperties"]));
  const auto types = [&](const char* name) {
    return simdjson::minify(simdjson::dom::element(document["properties"][name]["type"]));
  };
  CHECK(types("n (km)") == R"(["boolean","integer","null"])");
  CHECK(types("r") == R"(["boolean","number","null"])");
  CHECK(types("j") == R"(["boolean","number","string","array","object","null"])");
  CHECK(types("code") == R"(["boolean","number","string","null"])");
  CHECK(std::string_view(document["properties"]["n (km)"]["x-unit"]) == "km");
  CHECK(bool(document["properties"]["@timestamp"]));
  const std::string open = json_schema_of(*schema, model::Compatibility::additive, {}).value();
  CHECK(open.find(R"("additionalProperties":true)") != std::string::npos);
}

TEST_CASE("JSON Schema tells what a model says of a field: its type, NULL, key and default") {
  const auto row = [](std::string_view name, std::string_view type, std::string_view rest) {
    return fmt::format(R"(<row><field name="Field">{}</field><field name="Type">{}</field>{}</row>)", name, type, rest);
  };
  const auto fallback = [](std::string_view text) { return fmt::format(R"(<field name="Default">{}</field>)", text); };
  const std::string given =
      "<resultset>" + row("gear", "int(3)", R"(<field name="Null">NO</field><field name="Key">PRI</field>)" + fallback("7")) +
      row("on", "tinyint(1)", fallback("1")) + row("v", "decimal(18,15)", fallback("0.25")) +
      row("w", "double", fallback("many")) + row("t", "varchar(45)", fallback("7 \"&lt;b&gt;\"")) +
      row("n", "int(3)", R"(<field name="Null">YES</field>)") + "</resultset>";
  const auto schema = schema_of({{"gear", FieldType::integer, {}, {}},
                                 {"on", FieldType::boolean, {}, {}},
                                 {"v", FieldType::real, {}, {}},
                                 {"w", FieldType::real, {}, {}},
                                 {"t", FieldType::text, {}, {}},
                                 {"n", FieldType::text, {}, {}},
                                 {"unmodelled", FieldType::text, {}, {}}});
  const std::string text = json_schema_of(*schema, model::Compatibility::adaptive, {given}).value();
  simdjson::dom::parser parser;
  const simdjson::dom::element properties = simdjson::dom::element(parser.parse(text))["properties"];
  const auto member = [&](const char* field, const char* name) {
    simdjson::dom::element value;
    return properties[field][name].get(value) == simdjson::SUCCESS ? simdjson::minify(value) : std::string("none");
  };
  CHECK(member("gear", "default") == "7");
  CHECK(member("gear", "x-type") == "\"int(3)\"");
  CHECK(member("gear", "x-nullable") == "false");
  CHECK(member("gear", "x-key") == R"("PRI")");
  CHECK(member("on", "default") == "true");
  CHECK(member("v", "default") == "0.25");
  CHECK(member("v", "x-type") == "\"decimal(18,15)\"");
  CHECK(member("w", "default") == R"("many")");
  CHECK(member("t", "default") == R"("7 \"<b>\"")");
  CHECK(member("n", "x-nullable") == "true");
  CHECK(member("n", "default") == "none");
  CHECK(member("n", "x-key") == "none");
  CHECK(member("unmodelled", "x-type") == "none");
  CHECK_FALSE(json_schema_of(*schema, model::Compatibility::adaptive, {"<nonsense>"}).ok());
}
