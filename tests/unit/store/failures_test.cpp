// Weather: locks, full disks, reads that fail, offsets that are gone.
#include <thread>

#include "store/recorder.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

/// Waits until the writer has failed `count` times, parked on the counter's own progress.
void wait_for_failures(HistoryFixture& f, std::uint64_t count) {
  auto& failures = f.metrics.counter("iotstream_store_failures_total", "");
  while (failures.value() < count) std::this_thread::yield();
}

Run run_of(HistoryFixture& f, const std::string& dataset, Offset from) {
  auto& partition = f.log.find(dataset)->partition(PartitionId(0));
  auto batch = partition.read(from, 1u << 30, log::Watermark::durable);
  REQUIRE(batch.ok());
  return Run{dataset, PartitionId(0), partition.watermarks().durable, {*batch}};
}

}  // namespace

TEST_CASE("while another program holds the database history waits, and then has everything") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(1)}});
  f.drain();
  {
    auto other = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(other.ok());
    auto transaction = sqlite::Transaction::begin(*other);
    REQUIRE(transaction.ok());
    for (int i = 0; i < 100; ++i) f.send("1", i, "e" + std::to_string(i), {{"a", V::of(i)}, {"b", V::of("new")}});
    wait_for_failures(f, 1);
    CHECK(f.sql("SELECT count(*) FROM events_1") == "1");
    // Answers have them all the same: from the log.
    CHECK(f.read_all("1").size() == 101);
  }
  f.drain();
  f.check_equals_log("1");
}

TEST_CASE("a full disk takes nothing halfway, and nothing is lost or doubled when there is space again") {
  HistoryFixture f;
  for (int i = 0; i < 500; ++i) f.send("1", i, "d" + std::to_string(i % 7), {{"a", V::of(std::string(200, 'x'))}});
  auto opened = Recorder::open(f.path(), f.schemas, Duration::seconds(1));
  REQUIRE(opened.ok());
  Recorder& recorder = **opened;
  std::vector<Run> runs{run_of(f, "1", Offset(0))};
  REQUIRE(recorder.record(runs).ok());
  const auto pages = [&](const char* sql) { REQUIRE(recorder.database().execute(sql).ok()); };
  pages("PRAGMA max_page_count=1");  // no page more than there are
  for (int i = 0; i < 2000; ++i) {
    f.send("1", i, "new " + std::to_string(i % 50), {{"a", V::of(std::string(200, 'y'))}, {"b", V::of(i)}});
  }
  for (int attempt = 0; attempt < 3; ++attempt) {
    runs = {run_of(f, "1", Offset(500))};
    const auto recorded = recorder.record(runs);
    REQUIRE_FALSE(recorded.ok());
    CHECK(recorded.error().kind == ErrorKind::disk_full);
    REQUIRE(recorder.ready().ok());
    CHECK(recorder.next("1", PartitionId(0)) == Offset(500));
    CHECK(recorder.state().at("1")->devices.size() == 7);
    CHECK(recorder.state().at("1")->events == 500);
  }
  pages("PRAGMA max_page_count=1000000");
  runs = {run_of(f, "1", Offset(500))};
  const auto recorded = recorder.record(runs);
  REQUIRE(recorded.ok());
  CHECK(recorded->rows == 2000);
  opened->reset();
  f.open();
  f.drain();
  f.check_equals_log("1");
  CHECK(f.history->devices().size() == 57);
}

TEST_CASE("a partition that cannot be read does not stop the others, and goes on when it can") {
  HistoryFixture f;
  f.open();
  f.send("bad", 0, "d", {{"a", V::of(1)}});
  f.send("good", 0, "d", {{"a", V::of(1)}});
  f.drain();
  f.log.find("bad")->partition(PartitionId(0)).set_failing(true);
  f.send("bad", 1, "d", {{"a", V::of(2)}});
  wait_for_failures(f, 1);
  f.send("good", 1, "d", {{"a", V::of(2)}});
  while (f.history->consumed("good")[0] < Offset(2)) std::this_thread::yield();
  CHECK(f.history->consumed("bad")[0] == Offset(1));
  f.log.find("bad")->partition(PartitionId(0)).set_failing(false);
  f.drain();
  f.check_equals_log("bad");
}

TEST_CASE("offsets that retention or damage took are passed over") {
  HistoryFixture f;
  ScriptedPartition& partition = f.log.make("1", 1).partition(PartitionId(0));
  for (int i = 0; i < 100; ++i) f.send("1", i, "d", {{"a", V::of(i)}});
  partition.set_earliest(Offset(10));
  partition.add_damage(Offset(20), Offset(30));
  partition.add_damage(Offset(90), Offset(100));  // the very end: nothing follows that would show the gap
  f.open();
  f.drain();
  const auto events = f.read_all("1");
  REQUIRE(events.size() == 70);
  CHECK(events.front().offset == Offset(10));
  CHECK(events.back().offset == Offset(89));
  CHECK(f.history->consumed("1") == std::vector<Offset>{Offset(100)});
  CHECK(f.metrics.counter("iotstream_store_records_skipped_total", "").value() == 30);
}

TEST_CASE("when the log lost its end history keeps its rows and goes on where the log does") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 10; ++i) f.send("1", i, "d", {{"a", V::of(i)}});
  f.drain();
  f.history.reset();
  f.log.find("1")->partition(PartitionId(0)).cut(Offset(4));
  f.open();
  f.drain();
  CHECK(f.read_all("1").size() == 10);
  f.send("1", 100, "d", {{"a", V::of(100)}});
  f.send("1", 5, "d", {{"a", V::of(5)}});  // the record that was lost, sent again: the same time and offset
  f.drain();
  CHECK(f.read_all("1").size() == 11);
  CHECK(f.history->consumed("1") == std::vector<Offset>{Offset(6)});
}

TEST_CASE("the log is pinned where history is safe") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 10; ++i) f.send("1", i, "d", {{"a", V::of(i)}});
  f.drain();
  ScriptedPartition& partition = f.log.find("1")->partition(PartitionId(0));
  CHECK(partition.pin("history") == Offset(0));  // committed, but no checkpoint yet
  f.history->stop();
  CHECK(partition.pin("history") == Offset(10));
  f.open();
  f.send("1", 10, "d", {{"a", V::of(10)}});
  f.drain();
  CHECK(partition.pin("history") == Offset(10));
}

TEST_CASE("drain gives up when the time is over") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(1)}});
  f.drain();
  f.log.find("1")->partition(PartitionId(0)).set_failing(true);
  f.send("1", 1, "d", {{"a", V::of(2)}});
  const Status drained = f.history->drain(Duration::milliseconds(1));
  REQUIRE_FALSE(drained.ok());
  CHECK(drained.error().kind == ErrorKind::unavailable);
}

}  // namespace iotstream::store::test
