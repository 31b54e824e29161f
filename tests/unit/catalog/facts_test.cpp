#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

Facts facts_of(const char* json) {
  auto facts = facts_from_json(json);
  if (!facts) FAIL(facts.error().message);
  return *facts;
}

std::string problem(const std::string& json) {
  const auto facts = facts_from_json(json);
  REQUIRE_FALSE(facts.ok());
  return facts.error().message;
}

}  // namespace

TEST_CASE("facts are scalars under names that events do not have") {
  CHECK(facts_of(R"({ "site": "Lyon", "floor": 3, "on": true, "none": null, "big": 123456789012345 })") ==
        Facts{{"site", "\"Lyon\""}, {"floor", "3"}, {"on", "true"}, {"none", "null"}, {"big", "123456789012345"}});
  CHECK(facts_of("{}").empty());
  CHECK(problem("[]") == "facts must be a JSON object");
  CHECK(problem(R"({"a":[1]})") == "the fact 'a' must be a text, a number, true, false or null");
  CHECK(problem(R"({"codep":"x"})") == "the fact 'codep' would hide what every event has under that name");
  CHECK(problem(R"({"@timestamp":"x"})").find("would hide") != std::string::npos);
  CHECK(problem(R"({"":1})") == "a fact needs a name");
  CHECK(problem(R"({"a\n":1})").find("control") != std::string::npos);
  CHECK(problem(R"({"a":1,"a":2})") == "the fact 'a' is there twice");
  CHECK(problem("{\"a\":\"" + std::string(1001, 'x') + "\"}").find("1000 are allowed") != std::string::npos);
  std::string many = "{";
  for (int i = 0; i < 65; ++i) many += fmt::format("{}\"f{}\":{}", i == 0 ? "" : ",", i, i);
  CHECK(problem(many + "}") == "a prototype has 65 facts; 64 are allowed");
}

TEST_CASE_METHOD(CatalogFixture, "a prototype's facts enrich from now on; what came before keeps those of its day") {
  put("X", "1");
  const FactsId plain = schemas.facts_for("1", "X");
  Prototype prototype = *catalog->find("X");
  prototype.facts = facts_of(R"({"site":"Lyon","floor":3})");
  REQUIRE(catalog->put(prototype).ok());
  const FactsId lyon = schemas.facts_for("1", "X");
  CHECK(lyon != plain);
  reopen();
  CHECK(catalog->find("X")->facts == prototype.facts);
  CHECK(catalog->prototypes()[0].facts == prototype.facts);
  prototype.facts = facts_of(R"({"site":"Oslo"})");
  REQUIRE(catalog->put(prototype).ok());
  const FactsId oslo = schemas.facts_for("1", "X");
  CHECK(oslo != lyon);
  CHECK(schemas.facts(plain)->size() == 5);
  CHECK(schemas.facts(lyon)->size() == 7);
  CHECK(schemas.facts(lyon)->at(5) == std::pair<std::string, std::string>("site", "\"Lyon\""));
  CHECK(schemas.facts(oslo)->back() == std::pair<std::string, std::string>("site", "\"Oslo\""));
  prototype.facts.clear();
  REQUIRE(catalog->put(prototype).ok());
  reopen();
  CHECK(catalog->find("X")->facts.empty());
  CHECK(schemas.facts(schemas.facts_for("1", "X"))->size() == 5);

  prototype.facts = {{"codep", "1"}};
  CHECK(catalog->put(prototype).error().kind == ErrorKind::invalid);
  prototype.facts = {{"site", "no json"}};
  CHECK(catalog->put(prototype).error().kind == ErrorKind::invalid);
  prototype.facts = {{"site", "1"}};
  REQUIRE(catalog->put(prototype).ok());
  REQUIRE(catalog->remove("X").ok());
  put("X", "1");
  CHECK(catalog->find("X")->facts.empty());  // a namesake begins anew
}

TEST_CASE_METHOD(CatalogFixture, "recordings that a strict dataset's model does not know are not loaded; a model is, always") {
  const char* model = R"(<resultset><row><field name="Field">v</field><field name="Type">int(11)</field></row></resultset>)";
  put("X", "d", model);
  REQUIRE(schemas.set_compatibility("d", model::Compatibility::strict, clock.now()).ok());
  CHECK(import("time,v\n2020-01-01 00:00:01,1\n").rows == 1);
  const auto refused = catalog->import_csv("X", folder.write("w.csv", "time,w\n2020-01-01 00:00:01,1\n"), {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(refused.error().message.find("its model has no field 'w'") != std::string::npos);
  CHECK(rows().size() == 1);
  put("X", "d", R"(<resultset><row><field name="Field">w</field><field name="Type">double</field></row></resultset>)");
  CHECK(schemas.current("d")->find("w").has_value());
}
