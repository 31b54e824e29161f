// Bodies that are read while they come: cut anywhere, they are what they are as a whole.
#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <iotstream/ingest/batch.hpp>

#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::BodyFormat;
using test::GateFixture;

namespace {

std::unique_ptr<ingest::Batch> open(GateFixture& fixture, std::string_view body, BodyFormat format, std::string_view key = {}) {
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = body;
  submission.format = format;
  submission.idempotency_key = key;
  auto batch = ingest::open_batch(*fixture.gate, submission);
  REQUIRE(batch != nullptr);
  return batch;
}

ingest::Outcome finish(ingest::Batch& batch) {
  std::optional<ingest::Outcome> outcome;
  batch.finish([&](Result<ingest::Outcome> result) {
    REQUIRE(result.ok());
    outcome = std::move(*result);
  });
  REQUIRE(outcome.has_value());
  return std::move(*outcome);
}

ingest::Outcome taken_in(GateFixture& fixture, std::string_view body, BodyFormat format,
                         const std::vector<std::string_view>& pieces, std::string_view key = {}) {
  auto batch = open(fixture, body, format, key);
  for (const std::string_view piece : pieces) REQUIRE(batch->take(piece));
  return finish(*batch);
}

const std::string ndjson =
    "\xEF\xBB\xBF{\"device\":\"a\",\"v\":1}\r\n"
    "\n"
    "{\"device\":\"b\",\"text\":\"\u00e9\\n\\\"}\"}\n"
    "{broken}\n"
    "  {\"device\":\"a\",\"v\":2.5,\"list\":[1,{\"x\":2}]}  \n"
    "{\"device\":\"c\"}";
const std::string csv =
    "device;v;note\n"
    "a;1;\"one; \"\"two\"\"\nthree\"\n"
    "b;2,5;\u00e9\r\n"
    "a;3;4;5\n"
    "\n"
    "c;7,25;last";

}  // namespace

TEST_CASE("NDJSON and CSV cut at any byte are what they are as a whole: events, counts, lines of errors") {
  for (const auto& [body, format] : {std::pair(ndjson, BodyFormat::ndjson), std::pair(csv, BodyFormat::csv)}) {
    GateFixture whole;
    const auto expected = whole.taken("d", body, format);
    REQUIRE(expected.accepted >= 3);
    REQUIRE(expected.errors.size() == 1);
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      GateFixture fixture;
      const auto outcome =
          taken_in(fixture, body, format, {std::string_view(body).substr(0, cut), std::string_view(body).substr(cut)});
      INFO("cut at " << cut);
      CHECK(outcome.accepted == expected.accepted);
      CHECK(outcome.rejected == expected.rejected);
      REQUIRE(outcome.errors.size() == 1);
      CHECK(outcome.errors[0].line == expected.errors[0].line);
      CHECK(outcome.errors[0].reason == expected.errors[0].reason);
      CHECK(fixture.events("d") == whole.events("d"));
      CHECK(fixture.count("received") == whole.count("received"));
      fixture.check_balance();
    }
    GateFixture bytes;
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < body.size(); ++i) pieces.push_back(std::string_view(body).substr(i, 1));
    CHECK(taken_in(bytes, body, format, pieces).accepted == expected.accepted);
    CHECK(bytes.events("d") == whole.events("d"));
  }
}

TEST_CASE("what must be known as a whole is no batch") {
  GateFixture fixture;
  for (const char* body : {"{\"v\":1}", "[{\"v\":1}]", "", "hello"}) {
    ingest::Submission submission;
    submission.dataset = "d";
    submission.body = body;
    CHECK(ingest::open_batch(*fixture.gate, submission) == nullptr);
  }
  ingest::Submission submission;
  submission.body = csv;  // rows without a dataset
  submission.format = BodyFormat::csv;
  CHECK(ingest::open_batch(*fixture.gate, submission) == nullptr);
  submission.body = "{\"DatasetType\":\"d\",\"data\":{}}\n{}\n";
  submission.format = BodyFormat::detect;
  CHECK(ingest::open_batch(*fixture.gate, submission) != nullptr);
}

TEST_CASE("a hundred thousand lines pass, with the first hundred errors and all the counts") {
  GateFixture fixture;
  std::string body;
  for (int i = 0; i < 100'000; ++i)
    body += i % 100 == 99 ? "nonsense\n" : fmt::format("{{\"device\":\"d{}\",\"n\":{}}}\n", i % 7, i);
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < body.size(); at += 200'001) pieces.push_back(std::string_view(body).substr(at, 200'001));
  const auto outcome = taken_in(fixture, body, BodyFormat::ndjson, pieces);
  CHECK(outcome.accepted == 99'000);
  CHECK(outcome.rejected == 1'000);
  REQUIRE(outcome.errors.size() == 100);
  CHECK(outcome.errors[99].line == 10'000);
  CHECK(fixture.log.records("d").size() == 99'000);
  fixture.check_balance();
}

TEST_CASE("a line longer than a reading may be costs only itself") {
  GateFixture fixture;
  const std::string body = "{\"v\":1}\n{\"v\":\"" + std::string(3u << 20, 'x') + "\"}\n{\"v\":2}\n";
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < body.size(); at += 100'000) pieces.push_back(std::string_view(body).substr(at, 100'000));
  const auto outcome = taken_in(fixture, body, BodyFormat::ndjson, pieces);
  CHECK(outcome.accepted == 2);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 2);
  CHECK(outcome.errors[0].kind == ErrorKind::too_large);
  CHECK(fixture.events("d") == std::vector<std::string>{R"({"v":1})", R"({"v":2})"});
}

TEST_CASE("a batch that is cut off leaves what came, and its repetition under the key takes what is missing") {
  std::string body;
  for (int i = 0; i < 9'000; ++i) body += fmt::format("{{\"device\":\"d{}\",\"n\":{}}}\n", i % 7, i);
  REQUIRE(body.size() > ingest::batch_fingerprint_size * 2);
  GateFixture fixture;
  {
    auto batch = open(fixture, body, BodyFormat::ndjson, "k");
    REQUIRE(batch->take(std::string_view(body).substr(0, body.size() / 2)));
  }
  const std::size_t came = fixture.log.records("d").size();
  CHECK(came > 4'000);
  CHECK(came < 5'000);
  const auto again = taken_in(fixture, body, BodyFormat::ndjson, {body}, "k");
  CHECK(again.duplicates == came);
  CHECK(again.accepted == 9'000 - came);
  CHECK(fixture.log.records("d").size() == 9'000);
  // Once more, and as one body: by whatever way it comes it is the same one.
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = body;
  submission.format = BodyFormat::ndjson;
  submission.idempotency_key = "k";
  const auto whole = fixture.submit(submission);
  REQUIRE(whole.ok());
  CHECK(whole->duplicates == 9'000);
  fixture.check_balance();
}

TEST_CASE("another body under the key of a batch is rejected reading by reading") {
  GateFixture fixture;
  taken_in(fixture, ndjson, BodyFormat::ndjson, {ndjson}, "k");
  const std::string other = "{\"device\":\"a\",\"v\":7}\n{\"device\":\"a\",\"v\":8}\n";
  const auto outcome = taken_in(fixture, other, BodyFormat::ndjson, {other}, "k");
  CHECK(outcome.accepted == 0);
  CHECK(outcome.rejected == 2);
}

TEST_CASE("a numbered sender's batch that is cut off goes on where it stopped") {
  GateFixture fixture;
  const std::string body = "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n";
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = body;
  submission.format = BodyFormat::ndjson;
  submission.numbered = ingest::Submission::Numbered{5, 10};
  {
    auto batch = ingest::open_batch(*fixture.gate, submission);
    REQUIRE(batch);
    REQUIRE(batch->take(std::string_view(body).substr(0, 20)));
    auto second = ingest::open_batch(*fixture.gate, submission);
    REQUIRE(second);
    CHECK_FALSE(second->take(body));
    const auto refused = finish(*second);
    REQUIRE(refused.refusal);
    CHECK(refused.refusal->kind == ErrorKind::busy);
  }
  auto batch = ingest::open_batch(*fixture.gate, submission);
  REQUIRE(batch);
  REQUIRE(batch->take(body));
  const auto outcome = finish(*batch);
  CHECK(outcome.duplicates == 2);
  CHECK(outcome.accepted == 2);
  submission.numbered = ingest::Submission::Numbered{5, 20};
  auto gap = ingest::open_batch(*fixture.gate, submission);
  REQUIRE(gap);
  CHECK_FALSE(gap->take(body));
  CHECK(finish(*gap).expected_sequence == 14);
  fixture.check_balance();
}

TEST_CASE("a batch waits for room in the log, and ends when the disk is full") {
  GateFixture fixture;
  fixture.log.refuse_after(1, log::AppendStatus::back_pressured);
  auto batch = open(fixture, "{\"n\":0}\n{\"n\":1}\n", BodyFormat::ndjson);
  std::thread room([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    fixture.log.clear_sky();
  });
  CHECK(batch->take("{\"n\":0}\n{\"n\":1}\n"));
  room.join();
  CHECK(finish(*batch).accepted == 2);

  fixture.log.refuse_after(0, log::AppendStatus::disk_full);
  batch = open(fixture, "{\"n\":0}\n{\"n\":1}\n", BodyFormat::ndjson);
  CHECK_FALSE(batch->take("{\"n\":2}\n{\"n\":3}\n"));
  const auto outcome = finish(*batch);
  REQUIRE(outcome.refusal);
  CHECK(outcome.refusal->kind == ErrorKind::disk_full);
  CHECK(outcome.refused == 2);
  // What breaks because the rest was not wanted does not hide why.
  batch = open(fixture, "{\"n\":0}\n{\"n\":1}\n", BodyFormat::ndjson);
  CHECK_FALSE(batch->take("{\"n\":2}\n{\"n\":3}\n"));
  batch->fail({ErrorKind::invalid, "the compressed data is cut short"});
  CHECK(finish(*batch).refusal->kind == ErrorKind::disk_full);
  fixture.check_balance();
}

TEST_CASE("of CSV that comes in pieces the first rows decide; a later cell that does not fit is a text, and loses nothing") {
  GateFixture fixture;
  std::string body = "device;v;open;empty\n";
  while (body.size() < 100'000) body += "a;1;true;\n";
  const std::size_t head = body.size();
  body += "b;007;maybe;x\nb;8;false;9\nb;\xff;;\n";
  ingest::Submission submission;
  submission.dataset = "d";
  submission.body = std::string_view(body).substr(0, head);
  submission.format = BodyFormat::csv;
  auto batch = ingest::open_batch(*fixture.gate, submission);
  REQUIRE(batch);
  REQUIRE(batch->take(body));
  const auto outcome = finish(*batch);
  CHECK(outcome.rejected == 0);
  const auto events = fixture.events("d");
  REQUIRE(events.size() == outcome.accepted);
  const auto has = [&](const char* text) { return std::count(events.begin(), events.end(), text); };
  CHECK(has(R"({"device":"b","v":"007","open":"maybe","empty":"x"})") == 1);
  CHECK(has(R"({"device":"b","v":8,"open":false,"empty":9})") == 1);
  CHECK(has("{\"device\":\"b\",\"v\":\"\uFFFD\"}") == 1);
}

TEST_CASE("too many batches at once: the next takes nothing and says so") {
  GateFixture fixture;
  std::vector<std::unique_ptr<ingest::Batch>> open_ones;
  for (std::size_t i = 0; i < ingest::batches_max; ++i) open_ones.push_back(open(fixture, ndjson, BodyFormat::ndjson));
  auto one_more = open(fixture, ndjson, BodyFormat::ndjson);
  CHECK_FALSE(one_more->take(ndjson));
  CHECK(finish(*one_more).refusal->kind == ErrorKind::busy);
  open_ones.pop_back();
  CHECK(open(fixture, ndjson, BodyFormat::ndjson)->take(ndjson));
}
