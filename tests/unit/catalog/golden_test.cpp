// Records of `_schemas` that were written once are read for ever: tests/format has one file for each version.
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "catalog/schema_record.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(std::string(IOTSTREAM_SOURCE_DIR) + "/tests/format/" + name, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  REQUIRE(!lines.empty());
  return lines;
}

void restore(Schemas& schemas, const std::string& name) {
  for (const std::string& line : lines_of(name)) {
    INFO(line);
    const Status restored = schemas.restore(line);
    if (!restored) FAIL(restored.error().message);
  }
}

}  // namespace

TEST_CASE("records of every version are written again as they stand") {
  for (const char* name : {"schemas-1.ndjson", "schemas-2.ndjson"})
    for (const std::string& line : lines_of(name)) {
      const auto record = schema_record_from_json(line);
      if (!record) FAIL(record.error().message);
      CHECK(std::visit([](const auto& one) { return to_json(one); }, *record) == line);
    }
}

TEST_CASE("version 1 of the records means what it meant") {
  Schemas schemas;
  restore(schemas, "schemas-1.ndjson");
  const auto schema = schemas.current("pump");
  REQUIRE(schema);
  CHECK(schema->version() == SchemaVersion(2));
  REQUIRE(schema->fields().size() == 3);
  const model::Field& speed = schema->field(FieldId(0));
  CHECK((speed.name == "Speed (km/h)" && speed.unit == "km/h" && speed.type == model::FieldType::text));
  CHECK((speed.base == model::FieldType::text && !speed.hidden && speed.edited == 0 && !speed.null_only));
  CHECK(schema->field(FieldId(2)).added_in == SchemaVersion(2));
  CHECK(schemas.versions("pump")[1].device == "pump 8");
  CHECK(schemas.versions("pump")[1].source.empty());
  CHECK(*schemas.facts(schemas.facts_for("pump", "P7")) ==
        Facts{{"code_model", "\"pump\""}, {"libelle", "\"Pompe é\""}, {"n", "3"}});
  const auto conflicts = schemas.conflicts("pump").list();
  REQUIRE(conflicts.size() == 1);
  CHECK((conflicts[0].from == model::FieldType::integer && conflicts[0].to == model::FieldType::text));
  CHECK(conflicts[0].device == "pump 8");
  CHECK(schemas.compatibility("pump") == model::Compatibility::adaptive);
}

TEST_CASE("version 2 of the records means what it meant") {
  Schemas schemas;
  restore(schemas, "schemas-2.ndjson");
  const auto versions = schemas.versions("pump");
  REQUIRE(versions.size() == 4);
  CHECK(versions[0].schema->field(FieldId(1)).null_only);
  CHECK(versions[1].schema->field(FieldId(0)).base == model::FieldType::integer);
  CHECK(versions[1].changes[0].sample == "\"n/a\"");
  CHECK(versions[1].source == "10.0.0.8:1");
  CHECK(versions[1].changes[1].kind == model::ChangeKind::typed);
  CHECK(versions[2].changes[0].kind == model::ChangeKind::edited);
  const model::Field& n = versions[3].schema->field(FieldId(1));
  CHECK((n.label == "Number" && n.unit == "kg" && n.kind == model::FieldKind::counter && n.group == "Weights"));
  CHECK((n.description == "é" && n.hidden));
  CHECK(n.edited == (model::edited_label | model::edited_unit | model::edited_kind));
  CHECK(versions[3].schema->field(FieldId(0)).base == model::FieldType::text);
  CHECK(schemas.facts(schemas.facts_for("pump", "P7"))->size() == 5);
  CHECK(schemas.compatibility("pump") == model::Compatibility::strict);
  CHECK(schemas.compatibility("other") == model::Compatibility::additive);
  CHECK(schemas.configure_compatibility("pump", model::Compatibility::additive, {}).ok());
  CHECK(schemas.compatibility("pump") == model::Compatibility::strict);  // the configuration has said that before
  const auto conflicts = schemas.conflicts("pump").list();
  REQUIRE(conflicts.size() == 3);
  CHECK(std::count_if(conflicts.begin(), conflicts.end(),
                      [](const Conflict& one) { return one.field == "x" && !one.from && one.refused == 1; }) == 1);
  CHECK(std::count_if(conflicts.begin(), conflicts.end(),
                      [](const Conflict& one) { return one.field == "v" && one.refused == 0 && one.device == "pump 8"; }) == 1);
}
