#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <iotstream/catalog/catalog.hpp>

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

std::string row(std::string_view name, std::string_view type) {
  return fmt::format(
      "<row><field name=\"Field\">{}</field><field name=\"Type\">{}</field><field name=\"Null\">YES</field></row>", name, type);
}
std::string document(const std::string& rows) {
  return "<?xml version=\"1.0\"?>\n<resultset statement=\"desc X\">" + rows + "</resultset>";
}

std::string problem(const std::string& xml) {
  const auto model = read_model(xml);
  if (model.ok()) return "no problem";
  CHECK(model.error().kind == ErrorKind::invalid);
  return model.error().message;
}

model::FieldType type_of(const std::string& type) {
  const auto model = read_model(document(row("a", type)));
  INFO(type);
  REQUIRE(model.ok());
  return (*model)[0].type;
}

}  // namespace

TEST_CASE("a model as MySQL prints it") {
  const auto model = read_model(R"(<?xml version="1.0"?>

<resultset statement="desc X46789"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <row>
	<field name="Field">gpsSpeed</field>
	<field name="Type">decimal(18,15)</field>
	<field name="Null">YES</field>
	<field name="Key"></field>
	<field name="Default" xsi:nil="true" />
	<field name="Extra"></field>
  </row>
  <!-- a remark -->
  <row>
	<field name="Field">code</field>
	<field name="Type">varchar(10)</field>
	<field name="Default">X46789</field>
  </row>
</resultset>
)");
  REQUIRE(model.ok());
  REQUIRE(model->size() == 2);
  CHECK((*model)[0].name == "gpsSpeed");
  CHECK((*model)[0].type == model::FieldType::real);
  CHECK((*model)[1].name == "code");
  CHECK((*model)[1].type == model::FieldType::text);
}

TEST_CASE("MySQL's types") {
  using model::FieldType;
  CHECK(type_of("tinyint(1)") == FieldType::boolean);
  CHECK(type_of("tinyint(4)") == FieldType::integer);
  CHECK(type_of("bit(1)") == FieldType::boolean);
  CHECK(type_of("int(10) unsigned") == FieldType::integer);
  CHECK(type_of("INT") == FieldType::integer);
  CHECK(type_of("bigint(20)") == FieldType::integer);
  CHECK(type_of("double") == FieldType::real);
  CHECK(type_of("float(7,4)") == FieldType::real);
  CHECK(type_of("decimal(65,30)") == FieldType::real);
  CHECK(type_of("datetime(6)") == FieldType::text);
  CHECK(type_of("enum('a','b,)')") == FieldType::text);
  CHECK(type_of("json") == FieldType::json);
  CHECK(type_of("varchar(65535)") == FieldType::text);
}

TEST_CASE("names may hold the escapes of XML") {
  const auto model = read_model(document(row("Engine &lt;kW&gt; &#176;", "double")));
  REQUIRE(model.ok());
  CHECK((*model)[0].name == "Engine <kW> °");
}

TEST_CASE("what is wrong with a model is said with line and column") {
  CHECK(problem("").starts_with("1:1: "));
  CHECK(problem("no xml").find("1:") == 0);
  CHECK(problem(document("")).find("no <row>") != std::string::npos);
  CHECK(problem("<html/>").find("<resultset> is expected, not <html>") != std::string::npos);
  CHECK(problem("<resultset>\n  <row>\n    <field name=\"Field\">a</field>\n  </row>\n</resultset>")
            .starts_with("2:4: a <row> without <field name=\"Type\">"));
  CHECK(problem("<resultset>\n <line/></resultset>").find("<row> is expected, not <line>") != std::string::npos);
  CHECK(problem(document("<row><x/></row>")).find("<field> is expected, not <x>") != std::string::npos);
  CHECK(problem(document(row("", "int"))).find("without a name") != std::string::npos);
  CHECK(problem(document(row("a", "int") + row("b", "int") + row("a", "int"))).find("'a' is there twice") != std::string::npos);
  CHECK(problem(document(row("a", "geometry"))).find("'geometry' is not known") != std::string::npos);
  CHECK(problem(document(row("a", ""))).find("is not known") != std::string::npos);
  for (const char* type : {"decimal(66,1)", "decimal(5,6)", "decimal(1,2,3)", "varchar(65536)", "datetime(7)", "json(5)"})
    CHECK(problem(document(row("a", type))) != "no problem");
  for (const char* type : {"decimal(5", "decimal()", "decimal(a)", "decimal(5,)", "int(99999999999999999999)"})
    CHECK(problem(document(row("a", type))) != "no problem");
  CHECK(problem("<resultset><row>").starts_with("1:"));
}

TEST_CASE("a DTD is refused and its entities are never opened") {
  const std::string xml =
      R"(<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><resultset><row><field name="Field">&e;</field>)"
      R"(<field name="Type">int</field></row></resultset>)";
  CHECK(problem(xml).find("DTD") != std::string::npos);
  const auto unknown = read_model(document(row("&e;", "int")));
  REQUIRE(unknown.ok());
  CHECK((*unknown)[0].name == "&e;");
}

TEST_CASE("a model beyond a mebibyte is too large") {
  const auto model = read_model(document(std::string(1 << 20, ' ')));
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().kind == ErrorKind::too_large);
}

TEST_CASE("a deeply nested document costs no stack") {
  std::string xml;
  for (int i = 0; i < 100'000; ++i) xml += "<a>";
  CHECK(problem(xml) != "no problem");
}
