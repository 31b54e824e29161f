// Whole submissions: layouts, acknowledgements, refusals, counts.
#include <map>
#include <thread>

#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::BodyFormat;
using ingest::Outcome;
using test::GateFixture;

TEST_CASE("one object, an array, lines and an envelope say the same") {
  const std::string one = "{\"device\":\"a\",\"v\":1}";
  for (const std::string& body : {one, "[" + one + "]", one + "\n", " \n" + one + "\r\n\r\n", "\xEF\xBB\xBF" + one}) {
    INFO(body);
    GateFixture fixture;
    CHECK(fixture.taken("d", body).accepted == 1);
    CHECK(fixture.event("d") == one);
  }
  for (const std::string& body :
       {"{\"DatasetType\":\"d\",\"data\":" + one + "}", "{\"data\":" + one + ",\"DatasetType\":\"d\"}",
        "{ \"other\" : [ {} , \"x\" ] , \"DatasetType\" : \"d\" , \"data\" : " + one + " , \"z\" : { } }"}) {
    INFO(body);
    GateFixture fixture;
    CHECK(fixture.taken("", body).accepted == 1);
    CHECK(fixture.event("d") == one);
  }
  GateFixture fixture;
  CHECK(fixture.taken("", R"({"DatasetType":12,"data":{}})").accepted == 1);
  CHECK(fixture.log.records("12").size() == 1);
}

TEST_CASE("lines under the name of JSON are taken as lines, and one object over several lines as one") {
  GateFixture fixture;
  CHECK(fixture.taken("d", "{\"a\":1}\n{\"a\":2}", BodyFormat::json).accepted == 2);
  const auto one = fixture.taken("d", "{\n\"a\":\n{\"b\":1}\n}");
  CHECK(one.accepted == 1);
  CHECK(one.single);
  const auto damaged = fixture.taken("d", "{\"a\":\n{\"a\":2}\n{\"a\":3}");
  CHECK(damaged.accepted == 2);
  CHECK(damaged.rejected == 1);
}

TEST_CASE("lines may be cut anywhere that is whitespace, and read from anywhere in memory") {
  GateFixture fixture;
  std::string line = "{\"device\":\"é\",\"list\":[1,{\"x\":\"y\"}],\"v\":12345.678}";
  for (std::size_t padding = 0; padding < 130; ++padding) {
    // Exactly as large as the text: whoever reads beyond is found by the sanitizer.
    const std::unique_ptr<char[]> exact(new char[line.size() + padding]);
    std::memcpy(exact.get(), line.data(), line.size());
    std::memset(exact.get() + line.size(), ' ', padding);
    CHECK(fixture.taken("d", {exact.get(), line.size() + padding}).accepted == 1);
  }
  for (const std::string& event : fixture.events("d")) CHECK(event == line);
}

TEST_CASE("every cut of a body gives whole readings or an error, never something else") {
  const std::string body = "[{\"n\":1,\"t\":\"a\\\"]\"},{\"n\":2,\"l\":[{}]}]";
  for (std::size_t length = 0; length < body.size(); ++length) {
    INFO(body.substr(0, length));
    GateFixture fixture;
    const auto result = fixture.submit("d", std::string(body.substr(0, length)), BodyFormat::json);
    const auto records = fixture.log.records("d");
    CHECK(records.size() == std::size_t{length > 19} + std::size_t{length > 36});
    CHECK((!result.ok() || result->rejected == 1));
    fixture.check_balance();
  }
  const std::string lines = "{\"n\":1,\"t\":\"a\\\"}\"}\n{\"n\":2}";
  for (std::size_t length = 1; length < lines.size(); ++length) {
    GateFixture fixture;
    const auto result = fixture.submit("d", std::string(lines.substr(0, length)), BodyFormat::ndjson);
    REQUIRE(result.ok());
    CHECK(result->accepted == std::uint64_t{length > 17});
    CHECK(result->rejected == std::uint64_t{length != 18 && length != 19});
  }
}

TEST_CASE("the position is that of the last accepted reading") {
  GateFixture fixture;
  const auto first = fixture.taken("d", "{\"device\":\"a\"}\n{\"device\":\"b\"}\n{\"device\":\"a\"}");
  REQUIRE(first.last);
  CHECK(first.last->topic == "d");
  CHECK(first.last->partition == fixture.log.find("d")->partition_of("a"));
  const auto second = fixture.taken("d", "{\"device\":\"a\"}");
  CHECK(second.last->offset == first.last->offset + 1);
  CHECK_FALSE(fixture.taken("d", "[]").last);
}

TEST_CASE("the answer comes when every touched partition has come as far as asked for") {
  GateFixture fixture;
  std::map<std::uint32_t, std::string> device_of;
  fixture.taken("d", "{\"device\":\"x\"}");
  for (int i = 0; device_of.size() < 2; ++i) {
    const std::string device = "device" + std::to_string(i);
    device_of.emplace(fixture.log.find("d")->partition_of(device).value, device);
  }
  for (const auto& [partition, device] : device_of) fixture.log.find("d")->partition(PartitionId(partition)).hold();
  const std::string body =
      "{\"device\":\"" + device_of.begin()->second + "\"}\n{\"device\":\"" + device_of.rbegin()->second + "\"}";
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = body;
  std::vector<Result<Outcome>> answers;
  const auto done = [&](Result<Outcome> result) { answers.push_back(std::move(result)); };

  SECTION("nothing is waited for with none") {
    submission.acks = ingest::Acks::none;
    fixture.gate->submit(submission, done);
    CHECK(answers.size() == 1);
  }
  SECTION("durable waits for the last") {
    fixture.gate->submit(submission, done);
    CHECK(answers.empty());
    fixture.log.find("d")->partition(PartitionId(device_of.begin()->first)).release({});
    CHECK(answers.empty());
    fixture.log.find("d")->partition(PartitionId(device_of.rbegin()->first)).release({});
    REQUIRE(answers.size() == 1);
    CHECK(answers[0]->accepted == 2);
    CHECK_FALSE(answers[0]->refusal);
  }
  SECTION("a partition that fails is told as a refusal") {
    fixture.gate->submit(submission, done);
    fixture.log.find("d")->partition(PartitionId(device_of.begin()->first)).release(Error{ErrorKind::io, "the sync failed"});
    fixture.log.find("d")->partition(PartitionId(device_of.rbegin()->first)).release({});
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0]->refusal);
    CHECK(answers[0]->refusal->kind == ErrorKind::unavailable);
    CHECK(answers[0]->refusal->message == "the sync failed");
  }
  SECTION("an answer may come after the gate is gone") {
    fixture.gate->submit(submission, done);
    fixture.gate.reset();
    for (const auto& [partition, device] : device_of) fixture.log.find("d")->partition(PartitionId(partition)).release({});
    CHECK(answers.size() == 1);
  }
}

TEST_CASE("what the log refuses ends the submission, and what came before stays") {
  const std::map<log::AppendStatus, ErrorKind> kinds = {{log::AppendStatus::back_pressured, ErrorKind::busy},
                                                        {log::AppendStatus::disk_full, ErrorKind::disk_full},
                                                        {log::AppendStatus::read_only, ErrorKind::unavailable},
                                                        {log::AppendStatus::closed, ErrorKind::unavailable}};
  for (const auto& [status, kind] : kinds) {
    for (const bool array : {false, true}) {
      GateFixture fixture;
      fixture.log.refuse_after(3, status);
      std::string body;
      for (int i = 0; i < 10; ++i) body += (array && i > 0 ? ",{\"n\":" : "{\"n\":") + std::to_string(i) + "}\n";
      const auto outcome = fixture.taken("d", array ? "[" + body + "]" : body);
      CHECK(outcome.accepted == 3);
      CHECK(outcome.refused == 7);
      REQUIRE(outcome.refusal);
      CHECK(outcome.refusal->kind == kind);
      CHECK(fixture.events("d") == std::vector<std::string>{"{\"n\":0}", "{\"n\":1}", "{\"n\":2}"});
      CHECK(fixture.count("received") == 10);
      CHECK(fixture.count("refused") == 7);
      fixture.check_balance();
      fixture.log.clear_sky();
      CHECK(fixture.taken("d", "{\"n\":3}").accepted == 1);
    }
  }
}

TEST_CASE("a record that the log finds too large is rejected alone") {
  GateFixture fixture;
  fixture.log.refuse_after(0, log::AppendStatus::too_large);
  const auto outcome = fixture.taken("d", "{\"n\":1}\n{\"n\":2}");
  CHECK(outcome.rejected == 2);
  CHECK_FALSE(outcome.refusal);
  CHECK(outcome.errors[0].kind == ErrorKind::too_large);
}

TEST_CASE("an event whose schema cannot be stored is refused, not rejected") {
  GateFixture fixture;
  fixture.taken("d", "{\"n\":1}");
  fixture.log.refuse_internal(log::AppendStatus::disk_full);
  const auto outcome = fixture.taken("d", "{\"n\":2}\n{\"new\":1}\n{\"n\":3}");
  CHECK(outcome.accepted == 1);
  CHECK(outcome.refused == 2);
  REQUIRE(outcome.refusal);
  CHECK(outcome.refusal->kind == ErrorKind::disk_full);
  CHECK(fixture.schemas.current("d")->version() == SchemaVersion(1));
  fixture.log.refuse_internal(log::AppendStatus::accepted);
  CHECK(fixture.taken("d", "{\"new\":1}").accepted == 1);
  fixture.check_balance();
}

TEST_CASE("schemas are durable before the rows that need them, and come back in a new process") {
  GateFixture fixture;
  REQUIRE(fixture.schemas.set_facts("d", "", {{"libelle", "\"Pipo\""}}).ok());
  fixture.taken("d", "{\"a\":1}\n{\"a\":1.5,\"b\":\"x\"}");
  fixture.taken("e", "{\"a\":true}");
  CHECK(fixture.log.records("_schemas").size() == 4);
  CHECK(fixture.log.find("_schemas")->partition_count() == 1);

  catalog::Schemas restored;
  metrics::Table metrics;
  auto gate = ingest::Gate::open(fixture.log, restored, fixture.clock, metrics);
  REQUIRE(gate.ok());
  CHECK(restored.current("d")->to_json() == fixture.schemas.current("d")->to_json());
  CHECK(restored.current("e")->to_json() == fixture.schemas.current("e")->to_json());
  CHECK(restored.versions("d").size() == 2);
  CHECK(restored.facts_for("d", "") == fixture.schemas.facts_for("d", ""));
  CHECK(fixture.log.records("_schemas").size() == 4);
}

TEST_CASE("a record of _schemas that cannot be read stops the opening, with its offset") {
  GateFixture fixture;
  fixture.log.find("_schemas")->partition(PartitionId(0)).append({}, "d", as_bytes("{\"half\":"));
  catalog::Schemas schemas;
  metrics::Table metrics;
  const auto gate = ingest::Gate::open(fixture.log, schemas, fixture.clock, metrics);
  REQUIRE_FALSE(gate.ok());
  CHECK(gate.error().kind == ErrorKind::corrupt);
  CHECK_THAT(gate.error().message, Catch::Contains("offset 0"));
}

TEST_CASE("datasets beyond the limit are not made") {
  GateFixture fixture;
  for (std::size_t i = 0; i != ingest::datasets_max; ++i) REQUIRE(fixture.gate->topic("d" + std::to_string(i)).ok());
  const auto outcome = fixture.taken("one-more", "{}\n{}");
  CHECK(outcome.rejected == 2);
  CHECK(outcome.errors[0].kind == ErrorKind::unprocessable);
  CHECK(fixture.taken("d1", "{}").accepted == 1);
}

TEST_CASE("kinds of sources are counted apart") {
  GateFixture fixture;
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = "{\"n\":1}\n{";
  submission.format = BodyFormat::ndjson;
  submission.kind = ingest::SourceKind::simulation;
  CHECK(fixture.submit(submission).ok());
  CHECK(fixture.count("received", "simulation") == 2);
  CHECK(fixture.count("rejected", "simulation") == 1);
  CHECK(fixture.count("received_bytes", "simulation") == 9);
  CHECK(fixture.count("received", "http") == 0);
  fixture.check_balance();
}

TEST_CASE("many threads submit at once, with growing schemas, and nothing is lost") {
  GateFixture fixture;
  constexpr int threads = 4;
  constexpr int rounds = 200;
  std::vector<std::thread> running;
  std::atomic<int> accepted{0};
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        const std::string body = "{\"device\":\"t" + std::to_string(t) + "\",\"n\":" + std::to_string(i) + ",\"f" +
                                 std::to_string(i / 20) + "\":" + (i % 3 == 0 ? "1.5" : "\"x\"") + "}";
        ingest::Submission submission;
        submission.dataset = "d";
        submission.body = body;
        fixture.gate->submit(submission, [&](const Result<Outcome>& result) {
          if (result.ok() && result->accepted == 1) ++accepted;
        });
      }
    });
  for (std::thread& thread : running) thread.join();
  CHECK(accepted == threads * rounds);
  std::map<std::string, int> next;
  for (const test::Stored& record : fixture.log.records("d")) {
    const int n = next[record.key]++;
    const std::string value = std::string(n % 3 == 0 ? "1.5" : "\"x\"");
    const std::string json = fixture.json_of("d", record);
    CHECK_THAT(json,
               Catch::Contains("\"n\":" + std::to_string(n) + ",") || Catch::Contains("\"n\":" + std::to_string(n) + "}"));
    CHECK_THAT(json, Catch::Contains("\"f" + std::to_string(n / 20) + "\":" + value));
  }
  fixture.check_balance();
}
