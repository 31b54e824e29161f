#include "store/retention.hpp"

#include <thread>

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

constexpr Duration keep = Duration::seconds(1000);
constexpr std::int64_t second = 1'000'000;

struct RetentionFixture : HistoryFixture {
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Retention> retention;

  RetentionFixture() {
    auto opened = Recorder::open(path(), schemas, Retention::arrival_step(keep));
    REQUIRE(opened.ok());
    recorder = std::move(*opened);
    auto made = Retention::open(path(), keep, metrics);
    REQUIRE(made.ok());
    retention = std::move(*made);
  }
  /// Writes what the log has, in one transaction.
  void record(const std::string& dataset) {
    auto& partition = log.find(dataset)->partition(PartitionId(0));
    const Offset from = recorder->next(dataset, PartitionId(0)).value_or(Offset(0));
    auto batch = partition.read(from, 1u << 30, log::Watermark::durable);
    REQUIRE(batch.ok());
    std::vector<Run> runs{Run{dataset, PartitionId(0), partition.watermarks().durable, {*batch}}};
    REQUIRE(recorder->record(runs).ok());
  }
  /// All steps of one round; how many there were.
  int round(Timestamp now) {
    int steps = 0;
    for (;; ++steps) {
      auto step = retention->step(*recorder, now);
      REQUIRE(step.ok());
      if (!step->more) return steps;
    }
  }
};

}  // namespace

TEST_CASE("rows older than the retention go, in small steps, and the counts with them") {
  RetentionFixture f;
  for (int i = 0; i < 3000; ++i) {
    f.log.make("1", 1).partition(PartitionId(0)).set_append_time(Timestamp{i * second});
    f.send("1", i * second, i < 10 ? "early" : "d", {{"a", V::of(i)}, {"b", i % 2 == 0 ? V::of("x") : V::null()}});
    if (i % 20 == 19) f.record("1");
  }
  CHECK(f.round(Timestamp{3000 * second}) > 2);
  const DatasetState& state = *f.recorder->state().at("1");
  // Arrivals are known to a 64th of the retention and a transaction: some of the oldest may stay that much longer.
  const std::int64_t first = state.first->us / second;
  CHECK(first >= 2000 - 1000 / 64 - 20);
  CHECK(first <= 2000);
  CHECK(state.events == 3000 - static_cast<std::uint64_t>(first));
  CHECK(state.field_counts[0] == state.events);
  CHECK(state.field_counts[1] == (state.events + 1) / 2);
  CHECK(state.devices[0].events == 0);
  CHECK(state.devices[1].events == state.events);
  CHECK(f.sql("SELECT count(*) FROM events_1") == std::to_string(state.events));
  CHECK(f.sql("SELECT events FROM datasets") == std::to_string(state.events));
  CHECK(f.sql("SELECT count(*) < 120 FROM arrivals") == "1");
  // What memory says is what a new start reads.
  REQUIRE(f.recorder->state().at("1")->last == Timestamp{2999 * second});
  f.recorder->forget();
  REQUIRE(f.recorder->ready().ok());
  CHECK(f.recorder->state().at("1")->first == Timestamp{first * second});
}

TEST_CASE("an old recording that arrived now stays for the whole retention") {
  RetentionFixture f;
  auto& partition = f.log.make("1", 1).partition(PartitionId(0));
  partition.set_append_time(Timestamp{0});
  f.send("1", 5 * second, "d", {{"a", V::of(1)}});
  f.record("1");
  partition.set_append_time(Timestamp{5000 * second});
  f.send("1", 6 * second, "d", {{"a", V::of(2)}});
  f.send("1", 4 * second, "d", {{"a", V::of(3)}});
  f.record("1");
  f.round(Timestamp{5001 * second});
  CHECK(f.sql("SELECT group_concat(a) FROM (SELECT a FROM events_1 ORDER BY time)") == "3,2");
  // Nothing came since; a new start knows when they arrived.
  f.recorder->forget();
  REQUIRE(f.recorder->ready().ok());
  f.round(Timestamp{5999 * second});
  CHECK(f.sql("SELECT count(*) FROM events_1") == "2");
  f.round(Timestamp{6100 * second});
  CHECK(f.sql("SELECT count(*) FROM events_1") == "0");
  CHECK_FALSE(f.recorder->state().at("1")->first.has_value());
  CHECK_FALSE(f.recorder->state().at("1")->last.has_value());
}

TEST_CASE("a round looks at every dataset, and the next one is not at once") {
  RetentionFixture f;
  for (const char* const name : {"a", "b", "c"}) {
    for (int i = 0; i < 2; ++i) {
      f.log.make(name, 1).partition(PartitionId(0)).set_append_time(Timestamp{i * 100 * second});
      f.send(name, i * 100 * second, "d", {{"a", V::of(i)}});
      f.record(name);
    }
  }
  f.round(Timestamp{1050 * second});
  for (const char* const name : {"a", "b", "c"}) CHECK(f.sql(std::string("SELECT a FROM events_") + name) == "1");
  CHECK(f.round(Timestamp{1059 * second}) == 0);
  CHECK(f.round(Timestamp{1060 * second}) > 0);
}

TEST_CASE("a retention of nothing keeps everything") {
  RetentionFixture f;
  auto retention = Retention::open(f.path(), Duration{0}, f.metrics);
  REQUIRE(retention.ok());
  f.send("1", 0, "d", {{"a", V::of(1)}});
  f.record("1");
  auto step = (*retention)->step(*f.recorder, Timestamp{INT64_MAX / 2});
  REQUIRE(step.ok());
  CHECK_FALSE(step->more);
  CHECK(f.sql("SELECT count(*) FROM events_1") == "1");
}

TEST_CASE("the writer applies the retention by itself") {
  HistoryFixture f;
  f.options.retention_rows = Duration::seconds(3600);
  auto& partition = f.log.make("1", 1).partition(PartitionId(0));
  for (int hours = -4; hours <= 0; ++hours) {
    const std::int64_t time = f.start_us + hours * 3600 * second;
    partition.set_append_time(Timestamp{time});
    f.send("1", time, "d", {{"a", V::of(hours)}});
    if (f.history == nullptr) f.open();
    f.drain();  // an arrival each
  }
  f.reopen();
  while (f.history->datasets().at(0).events > 2) std::this_thread::yield();
  CHECK(f.history->datasets().at(0).first >= Timestamp{f.start_us - 2 * 3600 * second});
}

}  // namespace iotstream::store::test
