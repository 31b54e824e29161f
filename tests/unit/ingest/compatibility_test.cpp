// What a drift of the data comes to under each compatibility, and what is known of it afterwards.
#include <random>

#include "support/random.hpp"
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using model::Compatibility;
using test::GateFixture;

namespace {

const Timestamp now{1'700'000'000'000'000};

void set(GateFixture& fixture, std::string_view dataset, Compatibility compatibility) {
  const Status done = fixture.schemas.set_compatibility(dataset, compatibility, now);
  if (!done) FAIL(done.error().message);
}

std::vector<catalog::Conflict> conflicts(GateFixture& fixture, std::string_view dataset = "d") {
  return fixture.schemas.conflicts(dataset).list();
}

/// The schemas as a start after this would know them.
void replay(GateFixture& fixture, catalog::Schemas& after) {
  for (const test::Stored& record : fixture.log.records("_schemas")) {
    const Status restored = after.restore(as_text(record.value));
    if (!restored) FAIL(restored.error().message);
  }
}

std::vector<ingest::DeadLetter> letters(GateFixture& fixture, const std::string& dataset) {
  ingest::DeadLetterQuery query;
  query.dataset = dataset;
  query.limit = 1000;
  auto page = fixture.gate->dead_letters().list(query);
  REQUIRE(page.ok());
  return page->letters;
}

}  // namespace

TEST_CASE("adaptive: every value that does not fit its field as it began is taken and counted") {
  GateFixture fixture;
  ingest::Submission submission;
  submission.dataset = "d";
  submission.source = "10.0.0.7:50412";
  submission.body = "{\"device\":\"p1\",\"v\":1}\n{\"device\":\"p2\",\"v\":\"n/a\"}\n{\"device\":\"p1\",\"v\":2}\n";
  REQUIRE(fixture.submit(submission)->accepted == 3);
  submission.body = "{\"device\":\"p3\",\"v\":\"off\"}\n{\"device\":\"p3\",\"v\":1.5}\n{\"v\":null}\n{\"v\":true}\n";
  REQUIRE(fixture.submit(submission)->accepted == 4);

  const auto found = conflicts(fixture);
  REQUIRE(found.size() == 2);
  const auto& text = found[0].to == model::FieldType::text ? found[0] : found[1];
  const auto& real = found[0].to == model::FieldType::text ? found[1] : found[0];
  CHECK((text.field == "v" && text.from == model::FieldType::integer && text.count == 2 && text.refused == 0));
  CHECK((text.device == "p2" && text.source == "10.0.0.7:50412" && text.sample == "\"n/a\""));
  CHECK((text.first == now && text.last == now));
  CHECK((real.to == model::FieldType::real && real.count == 1 && real.sample == "1.5" && real.device == "p3"));
  const std::vector<std::string> told = fixture.events("d");
  CHECK(told.size() == 7);
  CHECK(std::count(told.begin(), told.end(), R"({"device":"p1","v":2})") == 1);

  // The last one that was looked at closely is told, at most one a second is.
  fixture.clock.advance(Duration::seconds(2));
  fixture.taken("d", R"({"device":"p9","v":"late"})");
  CHECK(conflicts(fixture)[0].device == "p9");
  CHECK(conflicts(fixture)[0].last == now + Duration::seconds(2));

  catalog::Schemas after;
  replay(fixture, after);
  const auto kept = after.conflicts("d").list();
  REQUIRE(kept.size() == 1);  // what widened the field; the rest is counted from the start on
  CHECK((kept[0].device == "p2" && kept[0].source == "10.0.0.7:50412" && kept[0].sample == "\"n/a\"" && kept[0].count == 1));
  CHECK(kept[0].from == model::FieldType::integer);
}

TEST_CASE("a field that has only been null takes any type as its first, whatever the compatibility") {
  GateFixture fixture;
  fixture.taken("d", R"({"v":null})");
  set(fixture, "d", Compatibility::strict);
  fixture.taken("d", R"({"v":2.5})");
  CHECK(fixture.type("d", "v") == model::FieldType::real);
  CHECK(conflicts(fixture).empty());
  CHECK(fixture.submit("d", R"({"v":"x"})")->rejected == 1);
}

TEST_CASE("additive: new fields are taken, a change of type is not, and nothing of such an event is") {
  GateFixture fixture;
  fixture.taken("d", R"({"device":"p1","v":1,"w":true})");
  set(fixture, "d", Compatibility::additive);
  const auto outcome = fixture.taken("d", "{\"v\":2,\"new\":\"x\"}\n{\"other\":1,\"v\":\"n/a\",\"w\":3}\n{\"v\":3}\n");
  CHECK((outcome.accepted == 2 && outcome.rejected == 1));
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 2);
  CHECK(outcome.errors[0].kind == ErrorKind::conflict);
  CHECK(outcome.errors[0].reason == "dataset 'd' is additive: its field 'v' is integer, and this value is text");
  CHECK(fixture.schemas.current("d")->find("new").has_value());
  CHECK_FALSE(fixture.schemas.current("d")->find("other").has_value());
  const auto found = conflicts(fixture);
  REQUIRE(found.size() == 2);
  CHECK((found[0].field == "v" && found[0].refused == 1 && found[0].count == 1 && found[0].sample == "\"n/a\""));
  CHECK((found[1].field == "w" && found[1].from == model::FieldType::boolean && found[1].to == model::FieldType::integer));
  const auto kept = letters(fixture, "d");
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].raw == R"({"other":1,"v":"n/a","w":3})");
  fixture.check_balance();

  // After the fix the letter is taken, and the version tells who widened the field.
  set(fixture, "d", Compatibility::adaptive);
  const auto sent = ingest::resend(*fixture.gate, "d", kept);
  REQUIRE(sent.ok());
  CHECK(sent->accepted == 1);
  CHECK(letters(fixture, "d").empty());
  CHECK(fixture.type("d", "v") == model::FieldType::text);
}

TEST_CASE("strict: only the model, and what says who and when") {
  GateFixture fixture;
  REQUIRE(fixture.schemas.declare("d", {{"v", model::FieldType::real, {}, {}}}, now).ok());
  set(fixture, "d", Compatibility::strict);
  CHECK(fixture.taken("d", R"({"device":"p1","code":"X","@timestamp":"2024-01-01T00:00:00Z","dateHour":"x","v":1})").accepted ==
        1);
  const auto unknown = fixture.submit("d", R"({"device":"p1","V":1})");
  REQUIRE(unknown.ok());
  CHECK(unknown->rejected == 1);
  CHECK(unknown->errors[0].kind == ErrorKind::conflict);
  CHECK(unknown->errors[0].reason == "dataset 'd' is strict, and its model has no field 'V'");
  CHECK(fixture.submit("d", R"({"v":[1]})")->errors[0].kind == ErrorKind::conflict);
  CHECK(fixture.submit("new", "{}")->accepted == 1);
  const auto found = conflicts(fixture);
  REQUIRE(found.size() == 2);
  CHECK(std::count_if(found.begin(), found.end(), [](const auto& one) { return one.field == "V" && !one.from; }) == 1);
  fixture.check_balance();

  catalog::Schemas after;
  replay(fixture, after);
  CHECK(after.compatibility("d") == Compatibility::strict);
  CHECK(after.conflicts("d").list().size() == 2);
  CHECK(after.conflicts("d").total() == 2);
  CHECK(after.compatibility("new") == Compatibility::adaptive);

  // A model that is extended extends what is taken.
  REQUIRE(fixture.schemas.declare("d", {{"V", model::FieldType::integer, {}, {}}}, now).ok());
  CHECK(fixture.submit("d", R"({"device":"p1","V":1})")->accepted == 1);
}

TEST_CASE("the book of conflicts is bounded, its total is not") {
  GateFixture fixture;
  fixture.taken("d", R"({"v":1})");
  set(fixture, "d", Compatibility::strict);
  std::string body;
  for (std::size_t i = 0; i < catalog::conflicts_max + 50; ++i) body += fmt::format("{{\"f{}\":1}}\n", i);
  CHECK(fixture.taken("d", body).rejected == catalog::conflicts_max + 50);
  CHECK(conflicts(fixture).size() == catalog::conflicts_max);
  CHECK(fixture.schemas.conflicts("d").total() == catalog::conflicts_max + 50);
  CHECK(fixture.schemas.conflicts_total() == catalog::conflicts_max + 50);
  // Each is stored once, however often it comes; those beyond the bound: one.
  const std::size_t records = fixture.log.records("_schemas").size();
  fixture.taken("d", body);
  CHECK(fixture.log.records("_schemas").size() == records);
  CHECK(records <= catalog::conflicts_max + 4);
}

TEST_CASE("the configuration's word stands until it changes; a change at run time lasts until then") {
  GateFixture fixture;
  catalog::Schemas& schemas = fixture.schemas;
  REQUIRE(schemas.configure_compatibility("d", Compatibility::strict, now).ok());
  CHECK(schemas.compatibility("d") == Compatibility::strict);
  REQUIRE(schemas.set_compatibility("d", Compatibility::additive, now).ok());
  catalog::Schemas after;
  replay(fixture, after);
  CHECK(after.compatibility("d") == Compatibility::additive);
  REQUIRE(after.configure_compatibility("d", Compatibility::strict, now).ok());  // the same as before: no news
  CHECK(after.compatibility("d") == Compatibility::additive);
  REQUIRE(after.configure_compatibility("d", Compatibility::adaptive, now).ok());
  CHECK(after.compatibility("d") == Compatibility::adaptive);
  CHECK(schemas.set_compatibility("", Compatibility::strict, now).error().kind == ErrorKind::invalid);
}

TEST_CASE("random drift under changing compatibility: taken or kept as a dead letter, and read back equal after a restart") {
  IOTSTREAM_SEEDED(random);
  const auto below = [&](int n) { return test::between(random, 0, n - 1); };
  for (int round = 0; round < 25; ++round) {
    GateFixture fixture;
    std::vector<std::string> taken;
    std::vector<std::string> refused;
    for (int batch = 0; batch < 12; ++batch) {
      if (below(3) == 0) set(fixture, "d", static_cast<Compatibility>(below(3)));
      std::vector<std::string> lines;
      std::string body;
      for (int i = 0; i < 15; ++i) {
        static constexpr const char* values[] = {"true", "7", "9007199254740993", "2.5", "1e400", "\"t\"", "[1,2]", "null"};
        // A number of its own makes each line one of its kind.
        lines.push_back(
            fmt::format(R"({{"device":"p","n":{},"f{}":{}}})", round * 1000 + batch * 20 + i, below(8), values[below(8)]));
        body += lines.back() + "\n";
      }
      const auto outcome = fixture.taken("d", body);
      REQUIRE(outcome.accepted + outcome.rejected == lines.size());
      REQUIRE(outcome.errors.size() == outcome.rejected);
      std::size_t error = 0;
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool failed = error < outcome.errors.size() && outcome.errors[error].line == i + 1;
        if (failed) REQUIRE(outcome.errors[error++].kind == ErrorKind::conflict);
        (failed ? refused : taken).push_back(lines[i]);
      }
    }
    fixture.check_balance();
    std::vector<std::string> kept;
    for (const ingest::DeadLetter& letter : letters(fixture, "d")) kept.push_back(letter.raw);
    std::sort(kept.begin(), kept.end());
    std::sort(refused.begin(), refused.end());
    REQUIRE(kept == refused);

    catalog::Schemas after;
    replay(fixture, after);
    REQUIRE((taken.empty() || after.current("d")->to_json() == fixture.schemas.current("d")->to_json()));
    std::vector<std::string> told;
    for (const test::Stored& record : fixture.log.records("d")) {
      const auto row = model::RowView::open(record.value);
      REQUIRE(row.ok());
      std::string out = "{";
      bool comma = false;
      model::append_members(out, comma, *row, *after.current("d"), record.key, record.time, {});
      told.push_back(out + "}");
    }
    // Members come back in the order of the fields, which is that of their first coming: device and n always lead.
    std::sort(told.begin(), told.end());
    std::sort(taken.begin(), taken.end());
    REQUIRE(told == taken);
  }
}
