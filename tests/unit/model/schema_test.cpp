#include <catch2/catch.hpp>

#include <iotstream/model/schema.hpp>

using namespace iotstream;
using namespace iotstream::model;

namespace {

std::vector<SchemaChange> changes;

SchemaPtr grown(const SchemaPtr& current, const std::vector<FieldDraft>& drafts, std::int64_t us = 0) {
  return evolve(current, "1", drafts, Timestamp{us}, changes);
}

}  // namespace

TEST_CASE("types widen down the list, whichever comes first") {
  CHECK(widen(FieldType::boolean, FieldType::integer) == FieldType::integer);
  CHECK(widen(FieldType::real, FieldType::integer) == FieldType::real);
  CHECK(widen(FieldType::real, FieldType::text) == FieldType::text);
  CHECK(widen(FieldType::json, FieldType::boolean) == FieldType::json);
  for (const FieldType type : {FieldType::boolean, FieldType::integer, FieldType::real, FieldType::text, FieldType::json})
    CHECK(field_type_from(name_of(type)) == type);
  CHECK(name_of(FieldType::real) == "float");
  CHECK_FALSE(field_type_from("double").has_value());
  for (int kind = 0; kind < 8; ++kind)
    CHECK(field_kind_from(name_of(static_cast<FieldKind>(kind))) == static_cast<FieldKind>(kind));
}

TEST_CASE("a first schema is version 1, even without fields") {
  const SchemaPtr schema = grown(nullptr, {});
  CHECK(schema->version() == SchemaVersion(1));
  CHECK(schema->fields().empty());
  CHECK(schema->dataset() == "1");
  CHECK(grown(schema, {}) == schema);
}

TEST_CASE("fields are added at the end and widened in place, and the changes say so") {
  const SchemaPtr first = grown(nullptr, {{"speed", FieldType::integer, {}, {}}, {"on", FieldType::boolean, {}, {}}}, 5);
  REQUIRE(changes.size() == 2);
  CHECK((changes[0].field == "speed" && changes[0].kind == ChangeKind::added));
  const SchemaPtr second = grown(
      first, {{"new", FieldType::text, {}, {}}, {"speed", FieldType::real, {}, {}}, {"on", FieldType::boolean, {}, {}}}, 9);
  REQUIRE(second != first);
  CHECK(second->version() == SchemaVersion(2));
  CHECK(first->field(FieldId(0)).type == FieldType::integer);
  CHECK(second->find("speed") == FieldId(0));
  CHECK(second->field(FieldId(0)).type == FieldType::real);
  CHECK(second->field(FieldId(0)).added_in == SchemaVersion(1));
  CHECK(second->find("new") == FieldId(2));
  CHECK(second->field(FieldId(2)).added_in == SchemaVersion(2));
  CHECK(second->field(FieldId(2)).first_seen == Timestamp{9});
  REQUIRE(changes.size() == 2);
  CHECK((changes[0].field == "speed" && changes[0].kind == ChangeKind::widened && changes[0].from == FieldType::integer &&
         changes[0].to == FieldType::real));
  CHECK((changes[1].field == "new" && changes[1].kind == ChangeKind::added && changes[1].to == FieldType::text));
}

TEST_CASE("a schema that holds the drafts stays the same object") {
  const SchemaPtr schema = grown(nullptr, {{"a", FieldType::real, {}, {}}});
  CHECK(grown(schema, {{"a", FieldType::integer, {}, {}}, {"a", FieldType::real, {}, {}}}) == schema);
  CHECK(changes.empty());
}

TEST_CASE("a name that comes twice among the drafts is one field, as wide as both") {
  const SchemaPtr schema = grown(nullptr, {{"a", FieldType::integer, {}, {}}, {"a", FieldType::text, {}, {}}});
  REQUIRE(schema->fields().size() == 1);
  CHECK(schema->fields()[0].type == FieldType::text);
  REQUIRE(changes.size() == 1);
}

TEST_CASE("a draft's own label and unit go before those in the name") {
  const SchemaPtr schema =
      grown(nullptr, {{"Speed (OBD)(km/h)", FieldType::real, "Speed", "mph"}, {" G (x) ", FieldType::real, {}, {}}});
  CHECK(schema->fields()[0].label == "Speed");
  CHECK(schema->fields()[0].unit == "mph");
  CHECK(schema->fields()[1].name == " G (x) ");
  CHECK(schema->fields()[1].label == "G");
}

TEST_CASE("a schema survives its JSON") {
  const SchemaPtr schema = grown(nullptr,
                                 {{"CO₂ in g/km (Average)(g/km)", FieldType::real, {}, {}},
                                  {"quo\"te\\\n", FieldType::json, {}, {}},
                                  {"lat", FieldType::real, {}, {}},
                                  {"", FieldType::boolean, {}, {}}},
                                 1'645'598'067'403'000);
  const auto back = schema_from_json(schema->to_json());
  REQUIRE(back.ok());
  CHECK((*back)->to_json() == schema->to_json());
  CHECK((*back)->dataset() == "1");
  CHECK((*back)->fields()[0].unit == "g/km");
  CHECK((*back)->fields()[0].first_seen == Timestamp{1'645'598'067'403'000});
  CHECK((*back)->fields()[2].kind == FieldKind::latitude);
  CHECK((*back)->find("quo\"te\\\n") == FieldId(1));
}

TEST_CASE("JSON that is no schema is corrupt") {
  for (
      const char* text :
      {"", "{", "[]", "5", R"({"dataset":"1"})", R"({"dataset":"1","version":0,"fields":[]})",
       R"({"dataset":"1","version":1,"fields":[{}]})", R"({"dataset":1,"version":1,"fields":[]})",
       R"({"dataset":"1","version":4294967296,"fields":[]})",
       R"({"dataset":"1","version":1,"fields":[{"name":"a","label":"","unit":"","type":"double","kind":"measure","added_in":1,"first_seen":"2020-01-01T00:00:00Z"}]})"}) {
    INFO(text);
    const auto schema = schema_from_json(text);
    REQUIRE_FALSE(schema.ok());
    CHECK(schema.error().kind == ErrorKind::corrupt);
  }
  const std::string field =
      R"({"name":"a","label":"","unit":"","type":"float","kind":"measure","added_in":1,"first_seen":"2020-01-01T00:00:00Z"})";
  CHECK(schema_from_json(R"({"dataset":"1","version":1,"fields":[)" + field + "]}").ok());
  CHECK_FALSE(schema_from_json(R"({"dataset":"1","version":1,"fields":[)" + field + "," + field + "]}").ok());
}

TEST_CASE("a field that was only null has no type yet: its first value gives it one, which is no conflict") {
  FieldDraft null{"v", FieldType::boolean, {}, {}};
  null.null = true;
  const SchemaPtr first = grown(nullptr, {null});
  CHECK((first->fields()[0].null_only && first->fields()[0].type == FieldType::boolean));
  CHECK(grown(first, {null}) == first);
  const SchemaPtr boolean = grown(first, {{"v", FieldType::boolean, {}, {}}});
  REQUIRE(boolean != first);
  CHECK_FALSE(boolean->fields()[0].null_only);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].kind == ChangeKind::typed);
  const SchemaPtr text = grown(first, {{"v", FieldType::text, {}, {}}});
  CHECK((text->fields()[0].type == FieldType::text && text->fields()[0].base == FieldType::text));
  CHECK(changes[0].kind == ChangeKind::typed);
}

TEST_CASE("a field remembers the type it began with, whatever it widens to; a model may say that it is meant to be wider") {
  const SchemaPtr first = grown(nullptr, {{"v", FieldType::integer, {}, {}}});
  FieldDraft draft{"v", FieldType::text, {}, {}};
  draft.sample = "\"n/a\"";
  const SchemaPtr wide = grown(first, {draft});
  CHECK((wide->fields()[0].type == FieldType::text && wide->fields()[0].base == FieldType::integer));
  CHECK(changes[0].sample == "\"n/a\"");
  const auto back = schema_from_json(wide->to_json());
  REQUIRE(back.ok());
  CHECK((*back)->fields()[0].base == FieldType::integer);
  const SchemaPtr declared = evolve(wide, "1", {draft}, Timestamp{1}, changes, Origin::model);
  REQUIRE(declared != wide);
  CHECK(declared->fields()[0].base == FieldType::text);
  CHECK((changes.size() == 1 && changes[0].kind == ChangeKind::declared));
  CHECK(evolve(declared, "1", {draft}, Timestamp{1}, changes, Origin::model) == declared);
}

TEST_CASE("what people say stays, what they do not say follows the rules") {
  const SchemaPtr first = grown(nullptr, {{"gear (x)", FieldType::integer, {}, {}}});
  CHECK(first->fields()[0].kind == FieldKind::measure);
  FieldEdit said;
  said.kind = FieldKind::state;
  said.unit = "";
  said.group = "Drive";
  said.description = "of the box";
  said.hidden = true;
  const SchemaPtr edited = edit(first, FieldId(0), said, changes);
  REQUIRE(edited != first);
  CHECK(edited->version() == SchemaVersion(2));
  REQUIRE((changes.size() == 1 && changes[0].kind == ChangeKind::edited));
  CHECK(edit(edited, FieldId(0), said, changes) == edited);
  const Field& field = edited->fields()[0];
  CHECK((field.label == "gear" && field.unit.empty() && group_of(field) == "Drive" && field.hidden));
  const SchemaPtr wide = grown(edited, {{"gear (x)", FieldType::real, {}, {}}});
  CHECK(wide->fields()[0].kind == FieldKind::state);  // a wider type would make it a measure
  const auto back = schema_from_json(wide->to_json());
  REQUIRE(back.ok());
  CHECK((*back)->to_json() == wide->to_json());
  CHECK(((*back)->fields()[0].edited == (edited_kind | edited_unit) && (*back)->fields()[0].hidden));

  FieldEdit again;
  again.by_rule = edited_kind | edited_unit;
  again.group = "";
  const SchemaPtr ruled = edit(wide, FieldId(0), again, changes);
  CHECK((ruled->fields()[0].unit == "x" && ruled->fields()[0].kind == FieldKind::measure));
  CHECK((ruled->fields()[0].edited == 0 && group_of(ruled->fields()[0]) == "x"));
}
