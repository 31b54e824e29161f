#include <thread>

#include <catch2/catch.hpp>

#include <iotstream/catalog/schemas.hpp>

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

using model::FieldType;

/// Keeps what would go to the topic.
struct Topic {
  std::vector<std::string> records;
  bool fails = false;
  void serve(Schemas& schemas) {
    schemas.set_persist([this](std::string_view, std::string_view record) {
      records.emplace_back(record);  // what is told as failed may have arrived all the same
      return fails ? Status(Error{ErrorKind::disk_full, "no space"}) : Status{};
    });
  }
  void replay(Schemas& schemas) const {
    for (const std::string& record : records) {
      const Status restored = schemas.restore(record);
      if (!restored) FAIL(restored.error().message);
    }
  }
};

std::vector<model::FieldDraft> draft(std::string name, FieldType type = FieldType::integer) {
  return {{std::move(name), type, {}, {}}};
}

model::SchemaPtr evolved(Schemas& schemas, std::string_view dataset, const std::vector<model::FieldDraft>& drafts) {
  auto schema = schemas.evolve(dataset, drafts, "device-1", Timestamp{1'700'000'000'123'456});
  if (!schema) FAIL(schema.error().message);
  return *schema;
}

const Facts pipo = {{"libelle", "\"Pipo\""}, {"version", "1"}};

}  // namespace

TEST_CASE("a dataset grows version by version, and only when it must") {
  Schemas schemas;
  CHECK(schemas.current("1") == nullptr);
  const auto first = evolved(schemas, "1", draft("a"));
  const std::uint64_t generation = schemas.generation();
  CHECK(evolved(schemas, "1", draft("a")) == first);
  CHECK(schemas.generation() == generation);
  const auto second = evolved(schemas, "1", draft("a", FieldType::text));
  CHECK(schemas.generation() > generation);
  CHECK(second->version() == SchemaVersion(2));
  CHECK(schemas.current("1") == second);
  evolved(schemas, "0", {});
  REQUIRE(schemas.all().size() == 2);
  CHECK(schemas.all()[0]->dataset() == "0");
  const auto versions = schemas.versions("1");
  REQUIRE(versions.size() == 2);
  CHECK(versions[1].device == "device-1");
  REQUIRE(versions[1].changes.size() == 1);
  CHECK(versions[1].changes[0].to == FieldType::text);
  CHECK(schemas.versions("none").empty());
}

TEST_CASE("everything comes back from the topic") {
  Topic topic;
  Schemas before;
  topic.serve(before);
  evolved(before, "1", draft("Speed (km/h)", FieldType::real));
  evolved(before, "1", draft("quo\"te", FieldType::json));
  const FactsId id = *before.set_facts("1", "X46789", pipo);
  evolved(before, "2", draft("b"));

  Schemas after;
  topic.replay(after);
  CHECK(after.current("1")->to_json() == before.current("1")->to_json());
  CHECK(after.current("2")->to_json() == before.current("2")->to_json());
  REQUIRE(after.versions("1").size() == 2);
  CHECK(after.versions("1")[1].time == Timestamp{1'700'000'000'123'456});
  CHECK(after.versions("1")[1].changes[0].field == "quo\"te");
  CHECK(after.facts_for("1", "X46789") == id);
  CHECK(*after.facts(id) == pipo);
  topic.serve(after);
  const std::size_t records = topic.records.size();
  CHECK(*after.set_facts("1", "X46789", pipo) == id);
  CHECK(topic.records.size() == records);
}

TEST_CASE("what could not be kept is not used, and the next version of the same number stands after a restart") {
  Topic topic;
  Schemas schemas;
  topic.serve(schemas);
  evolved(schemas, "1", draft("a"));
  topic.fails = true;
  const auto failed = schemas.evolve("1", draft("lost"), "", {});
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == ErrorKind::disk_full);
  CHECK_FALSE(schemas.current("1")->find("lost").has_value());
  CHECK_FALSE(schemas.set_facts("1", "X", pipo).ok());
  CHECK(schemas.facts_for("1", "X") == FactsId(0));
  topic.fails = false;
  evolved(schemas, "1", draft("kept"));
  const FactsId id = *schemas.set_facts("1", "X", {{"a", "2"}});

  Schemas after;
  topic.replay(after);
  CHECK(after.versions("1").size() == 2);
  CHECK(after.current("1")->find("kept") == FieldId(1));
  CHECK_FALSE(after.current("1")->find("lost").has_value());
  CHECK(*after.facts(id) == Facts{{"a", "2"}});
}

TEST_CASE("old versions may be gone from the topic") {
  Topic topic;
  Schemas before;
  topic.serve(before);
  evolved(before, "1", draft("a"));
  evolved(before, "1", draft("b"));
  Schemas after;
  REQUIRE(after.restore(topic.records[1]).ok());
  CHECK(after.current("1")->version() == SchemaVersion(2));
  CHECK(evolved(after, "1", draft("c"))->version() == SchemaVersion(3));
}

TEST_CASE("damaged records are corrupt") {
  Topic topic;
  Schemas before;
  topic.serve(before);
  evolved(before, "1", draft("a"));
  evolved(before, "1", draft("b"));
  Schemas after;
  REQUIRE(after.restore(topic.records[1]).ok());
  CHECK(after.restore(topic.records[0]).error().kind == ErrorKind::corrupt);  // going back
  for (const char* record :
       {"", "{}", "null", R"({"kind":"schema"})", R"({"kind":"other"})",
        R"({"kind":"facts","id":0,"dataset":"1","code":"","facts":{}})",
        R"({"kind":"facts","id":4000000000,"dataset":"1","code":"","facts":{}})",
        R"({"kind":"schema","time":"x","device":"","changes":[],"schema":{"dataset":"1","version":1,"fields":[]}})"}) {
    INFO(record);
    const Status restored = after.restore(record);
    REQUIRE_FALSE(restored.ok());
    CHECK(restored.error().kind == ErrorKind::corrupt);
  }
}

TEST_CASE("names and numbers of fields have bounds") {
  Schemas schemas;
  CHECK(schemas.evolve("", {}, "", {}).error().kind == ErrorKind::invalid);
  CHECK(schemas.evolve(std::string(201, 'x'), {}, "", {}).error().kind == ErrorKind::invalid);
  CHECK(schemas.evolve("\xff", {}, "", {}).error().kind == ErrorKind::invalid);
  CHECK(schemas.set_facts("", "", {}).error().kind == ErrorKind::invalid);
  CHECK(schemas.set_facts("1", "", {{"a", "no json"}}).error().kind == ErrorKind::invalid);
  std::vector<model::FieldDraft> many;
  for (int i = 0; i < 5000; ++i) many.push_back({fmt::format("f{}", i), FieldType::integer, {}, {}});
  REQUIRE(schemas.evolve("1", many, "", {}).ok());
  CHECK(schemas.evolve("1", draft("one more"), "", {}).error().kind == ErrorKind::too_large);
  CHECK(schemas.current("1")->fields().size() == 5000);
}

TEST_CASE("facts: by code, else the dataset's own, else its only ones") {
  Schemas schemas;
  CHECK(schemas.facts_for("1", "X") == FactsId(0));
  CHECK(schemas.facts(FactsId(0))->empty());
  CHECK(schemas.facts(FactsId(99))->empty());
  const FactsId x = *schemas.set_facts("1", "X", pipo);
  CHECK(x != FactsId(0));
  CHECK(schemas.facts_for("1", "X") == x);
  CHECK(schemas.facts_for("1", "") == x);
  CHECK(schemas.facts_for("1", "other") == x);
  const FactsId y = *schemas.set_facts("1", "Y", {{"libelle", "\"GTX\""}});
  CHECK(y != x);
  CHECK(schemas.facts_for("1", "Y") == y);
  CHECK(schemas.facts_for("1", "other") == FactsId(0));
  REQUIRE(schemas.set_facts("1", "Y", {}).ok());
  CHECK(schemas.facts_for("1", "other") == x);  // Y has none any more
  const FactsId any = *schemas.set_facts("1", "", {{"marque", "\"m\""}});
  CHECK(schemas.facts_for("1", "other") == any);
  CHECK(schemas.facts_for("1", "X") == x);
  const FactsId changed = *schemas.set_facts("1", "X", {{"libelle", "\"Pipo 2\""}});
  CHECK(changed != x);
  CHECK(*schemas.facts(x) == pipo);  // rows of before keep theirs
  CHECK(schemas.facts_for("1", "X") == changed);
}

TEST_CASE("many threads grow and read one dataset: no version is lost, no field has two places") {
  Schemas schemas;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto schema = schemas.evolve("1", draft(fmt::format("f{}", (t + i) % 60)), "", {});
        if (!schema.ok() || !(*schema)->find(fmt::format("f{}", (t + i) % 60))) ++wrong;
        if (schemas.current("1")->version() < (*schema)->version()) ++wrong;
        if (!schemas.set_facts("1", fmt::format("{}", t), {{"i", fmt::format("{}", i)}}).ok()) ++wrong;
        if ((*schemas.facts(schemas.facts_for("1", fmt::format("{}", t))))[0].second != fmt::format("{}", i)) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  const auto schema = schemas.current("1");
  CHECK(schema->fields().size() == 53);
  CHECK(schema->version() == SchemaVersion(53));
}

TEST_CASE("what people say about a field is kept, and comes back") {
  Topic topic;
  Schemas before;
  topic.serve(before);
  evolved(before, "1", draft("Speed (km/h)", FieldType::integer));
  model::FieldEdit edit;
  edit.label = "Tempo";
  edit.kind = model::FieldKind::counter;
  const auto edited = before.edit_field("1", "Speed (km/h)", edit, Timestamp{7});
  REQUIRE(edited.ok());
  CHECK((*edited)->version() == SchemaVersion(2));
  const std::size_t records = topic.records.size();
  CHECK(*before.edit_field("1", "Speed (km/h)", edit, Timestamp{8}) == *edited);
  CHECK(topic.records.size() == records);
  evolved(before, "1", draft("Speed (km/h)", FieldType::real));

  Schemas after;
  topic.replay(after);
  const model::Field& field = after.current("1")->field(FieldId(0));
  CHECK((field.label == "Tempo" && field.kind == model::FieldKind::counter && field.unit == "km/h"));
  CHECK(field.base == FieldType::integer);
  CHECK(after.versions("1")[1].source == "edit");
  CHECK(after.versions("1")[1].changes[0].kind == model::ChangeKind::edited);

  CHECK(before.edit_field("2", "x", edit, {}).error().kind == ErrorKind::not_found);
  CHECK(before.edit_field("1", "x", edit, {}).error().kind == ErrorKind::not_found);
  edit.label = std::string(1001, 'x');
  CHECK(before.edit_field("1", "Speed (km/h)", edit, {}).error().kind == ErrorKind::invalid);
  edit.label = "\xff";
  CHECK(before.edit_field("1", "Speed (km/h)", edit, {}).error().kind == ErrorKind::invalid);
  topic.fails = true;
  edit.label = "lost";
  CHECK(before.edit_field("1", "Speed (km/h)", edit, {}).error().kind == ErrorKind::disk_full);
  CHECK(before.set_compatibility("1", model::Compatibility::strict, {}).error().kind == ErrorKind::disk_full);
  CHECK(before.current("1")->field(FieldId(0)).label == "Tempo");
  CHECK(before.compatibility("1") == model::Compatibility::adaptive);
}

TEST_CASE("many threads send what does not fit, while others look and change the rule: every one is counted") {
  Schemas schemas;
  evolved(schemas, "1", draft("v"));
  std::atomic<std::uint64_t> conflicts{0};
  std::atomic<bool> stop{false};
  std::thread other([&] {
    for (int i = 0; !stop; ++i) {
      static_cast<void>(schemas.set_compatibility("1", static_cast<model::Compatibility>(i % 3), Timestamp{i}));
      for (const Conflict& conflict : schemas.conflicts("1").list()) static_cast<void>(conflict.sample.size());
      static_cast<void>(schemas.conflicts_total());
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto type = static_cast<FieldType>((t + i) % 5);
        std::vector<model::FieldDraft> drafts = draft("v", type);
        drafts[0].sample = fmt::format("{}", i);
        static_cast<void>(schemas.evolve("1", drafts, "p", Timestamp{i * 100'000}, "s"));
        if (type > FieldType::integer) conflicts.fetch_add(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  other.join();
  CHECK(schemas.conflicts("1").total() == conflicts);
}
