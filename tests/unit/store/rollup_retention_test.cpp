#include "store/rollup_retention.hpp"

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

constexpr std::int64_t second = 1'000'000;

struct RollupRetentionFixture : HistoryFixture {
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<RollupRetention> retention;

  RollupRetentionFixture() {
    options.retention_1s = Duration::seconds(100);
    options.retention_1min = Duration::seconds(1000);
    options.retention_1h = Duration::seconds(100'000);
    auto opened = Recorder::open(path(), schemas, Duration::seconds(1));
    REQUIRE(opened.ok());
    recorder = std::move(*opened);
    auto made = RollupRetention::open(path(), options, metrics);
    REQUIRE(made.ok());
    retention = std::move(*made);
  }
  void record() {
    auto& partition = log.find("1")->partition(PartitionId(0));
    const Offset from = recorder->next("1", PartitionId(0)).value_or(Offset(0));
    auto batch = partition.read(from, 1u << 30, log::Watermark::durable);
    REQUIRE(batch.ok());
    std::vector<Run> runs{Run{"1", PartitionId(0), partition.watermarks().durable, {*batch}}};
    REQUIRE(recorder->record(runs).ok());
  }
  int round(Timestamp now) {
    for (int steps = 0;; ++steps) {
      auto more = retention->step(*recorder, now);
      REQUIRE(more.ok());
      if (!*more) return steps;
    }
  }
};

}  // namespace

TEST_CASE("each tier goes after its own time, in small steps, and what it may lack is noted") {
  RollupRetentionFixture f;
  auto& partition = f.log.make("1", 1).partition(PartitionId(0));
  for (int i = 0; i < 5000; ++i) {
    partition.set_append_time(Timestamp{i * second});
    f.send("1", i * second, "d", {{"a", V::of(i)}});
  }
  // In pieces, as they come: what arrived is known of each bucket.
  f.record();
  CHECK(f.sql("SELECT count(*) FROM _rollup_1s_1") == "5000");
  CHECK(f.round(Timestamp{5000 * second}) > 5);
  CHECK(f.sql("SELECT count(*), min(bucket) FROM _rollup_1s_1") == "100|4900");
  CHECK(f.sql("SELECT min(bucket) * 60 >= 3900 AND min(bucket) * 60 <= 4000 + 60 FROM _rollup_1min_1") == "1");
  CHECK(f.sql("SELECT count(*) FROM _rollup_1h_1") == "2");
  CHECK(f.sql("SELECT tier, time / 3600000000 FROM horizons ORDER BY tier") == "1min|2|1s|2");
  CHECK(f.round(Timestamp{5000 * second}) == 0);
}

TEST_CASE("rollups of an old recording that arrived now stay for their whole time") {
  RollupRetentionFixture f;
  auto& partition = f.log.make("1", 1).partition(PartitionId(0));
  partition.set_append_time(Timestamp{90'000 * second});
  for (int i = 0; i < 50; ++i) f.send("1", i * second, "d", {{"a", V::of(i)}});
  f.record();
  f.round(Timestamp{90'050 * second});
  CHECK(f.sql("SELECT count(*) FROM _rollup_1s_1") == "50");
  f.round(Timestamp{90'200 * second});
  CHECK(f.sql("SELECT count(*) FROM _rollup_1s_1") == "0");
  CHECK(f.sql("SELECT count(*) FROM _rollup_1min_1") == "1");
}

TEST_CASE("a late reading corrects a rollup whose rows are gone") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 10; ++i) f.send("1", i * 100'000, "d", {{"a", V::of(i)}});
  f.drain();
  f.history.reset();
  {
    auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(
        database
            ->execute("DELETE FROM events_1; UPDATE devices SET events = 0; UPDATE datasets SET events = 0, first_time = NULL, "
                      "last_time = NULL; INSERT INTO horizons VALUES (1, 'rows', 3600000000)")
            .ok());
  }
  f.open();
  f.send("1", 950'000, "d", {{"a", V::of(100)}});
  f.drain();
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.aggregates = {Aggregate::count, Aggregate::max, Aggregate::min};
  query.from = Timestamp{0};
  query.to = Timestamp{60 * second};
  query.interval = Duration::seconds(60);
  const auto series = f.history->series(query);
  REQUIRE(series.ok());
  CHECK(series->columns[0].values == std::vector<double>{11});
  CHECK(series->columns[1].values == std::vector<double>{100});
  CHECK(series->columns[2].values == std::vector<double>{0});
}

TEST_CASE("where only rollups are left, they answer, and a free interval is as long as theirs") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 7200; ++i) f.send("1", i * second, "d", {{"a", V::of(i % 60)}});
  f.drain();
  f.history.reset();
  {
    auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(
        database
            ->execute("DELETE FROM events_1; DELETE FROM _rollup_1s_1; INSERT INTO horizons VALUES (1, 'rows', 36000000000); "
                      "INSERT INTO horizons VALUES (1, '1s', 36000000000)")
            .ok());
  }
  f.open();
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.aggregates = {Aggregate::max, Aggregate::count};
  query.from = Timestamp{0};
  query.to = Timestamp{7200 * second};
  query.interval = Duration::seconds(15);
  query.widen = true;
  const auto series = f.history->series(query);
  REQUIRE(series.ok());
  CHECK(series->interval == Duration::seconds(60));
  CHECK(series->tier == "1min");
  CHECK(series->columns[0].values == std::vector<double>(120, 59));
  CHECK(series->columns[1].values == std::vector<double>(120, 60));
  // An interval that was asked for stays: of 90 seconds every other one has two of the minutes' beginnings.
  query.widen = false;
  query.interval = Duration::seconds(90);
  const auto asked = f.history->series(query);
  REQUIRE(asked.ok());
  CHECK(asked->interval == Duration::seconds(90));
  REQUIRE(asked->columns[1].values.size() == 80);
  for (std::size_t i = 0; i < 80; ++i) CHECK(asked->columns[1].values[i] == (i % 2 == 0 ? 120 : 60));
  // Pictures are drawn from what is left, too.
  M4Query picture;
  picture.dataset = "1";
  picture.fields = {FieldId(0)};
  picture.from = query.from;
  picture.to = query.to;
  picture.columns = 7;
  const auto m4 = f.history->m4(picture);
  REQUIRE(m4.ok());
  CHECK(m4->lines[0].values.size() >= 14);
  CHECK(*std::max_element(m4->lines[0].values.begin(), m4->lines[0].values.end()) == 59);
  // Also where a column is far shorter than their buckets: each bucket is then a column's, once.
  picture.from = Timestamp{600 * second};
  picture.to = Timestamp{1200 * second};
  picture.columns = 800;
  const auto narrow = f.history->m4(picture);
  REQUIRE(narrow.ok());
  CHECK(narrow->tier == "1min");
  CHECK(std::count(narrow->lines[0].values.begin(), narrow->lines[0].values.end(), 59) >= 10);
  CHECK(narrow->rows_scanned < 20);
}

}  // namespace iotstream::store::test
