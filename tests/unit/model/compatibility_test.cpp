#include <catch2/catch.hpp>

#include <iotstream/model/compatibility.hpp>

using namespace iotstream;
using namespace iotstream::model;

namespace {

FieldDraft draft(std::string name, FieldType type, bool null = false, bool envelope = false) {
  FieldDraft made{std::move(name), type, {}, {}};
  made.null = null;
  made.envelope = envelope;
  return made;
}

std::size_t count(const SchemaPtr& schema, const FieldDraft& one, Compatibility compatibility) {
  return misfits(schema.get(), {one}, compatibility).size();
}

}  // namespace

TEST_CASE("compatibility: what each takes of every pair of types") {
  for (int from = 0; from < 5; ++from)
    for (int to = 0; to < 5; ++to) {
      std::vector<SchemaChange> changes;
      const SchemaPtr schema = evolve(nullptr, "1", {draft("v", static_cast<FieldType>(from))}, {}, changes);
      const FieldDraft value = draft("v", static_cast<FieldType>(to));
      const std::size_t wider = to > from ? 1 : 0;
      INFO(from << " " << to);
      CHECK(count(schema, value, Compatibility::adaptive) == 0);
      CHECK(count(schema, value, Compatibility::additive) == wider);
      CHECK(count(schema, value, Compatibility::strict) == wider);
    }
}

TEST_CASE("compatibility: new fields, nulls, and members of the envelope") {
  std::vector<SchemaChange> changes;
  const SchemaPtr schema =
      evolve(nullptr, "1", {draft("n", FieldType::boolean, true), draft("v", FieldType::integer)}, {}, changes);
  CHECK(count(schema, draft("new", FieldType::real), Compatibility::additive) == 0);
  CHECK(count(schema, draft("new", FieldType::real), Compatibility::strict) == 1);
  CHECK(count(nullptr, draft("new", FieldType::real), Compatibility::strict) == 1);
  for (const Compatibility rule : {Compatibility::additive, Compatibility::strict}) {
    CHECK(count(schema, draft("v", FieldType::boolean, true), rule) == 0);
    CHECK(count(schema, draft("n", FieldType::json), rule) == 0);
    CHECK(count(schema, draft("code", FieldType::text, false, true), rule) == 0);
    CHECK(count(schema, draft("v", FieldType::text, false, true), rule) == 0);
  }
  const std::vector<FieldDraft> both = {draft("new", FieldType::real), draft("v", FieldType::text)};
  const auto found = misfits(schema.get(), both, Compatibility::strict);
  REQUIRE(found.size() == 2);
  CHECK((found[0].draft == both.data() && !found[0].from));
  CHECK((found[1].draft == &both[1] && found[1].from == FieldType::integer));
  for (const Compatibility rule : {Compatibility::adaptive, Compatibility::additive, Compatibility::strict})
    CHECK(compatibility_from(name_of(rule)) == rule);
  CHECK_FALSE(compatibility_from("loose").has_value());
}
