// What is durable and not in SQLite yet is in the answers all the same.
#include "store/tail.hpp"

#include "support/random.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;
using iotstream::test::between;

namespace {

/// Keeps another program's write lock: history cannot write meanwhile.
class Lock {
 public:
  explicit Lock(const std::string& path) : database_(open(path)) { REQUIRE(database_.execute("BEGIN IMMEDIATE").ok()); }
  ~Lock() { static_cast<void>(database_.execute("ROLLBACK")); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  static sqlite::Database open(const std::string& path) {
    auto database = sqlite::Database::open(path, sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    return std::move(*database);
  }
  sqlite::Database database_;
};

void send_some(HistoryFixture& f, std::mt19937_64& random, int count) {
  for (int i = 0; i < count; ++i) {
    Members members{{"a", V::of(between(random, 0, 9))}};
    if (random() % 2 == 0) members.emplace_back("b", V::of(static_cast<double>(i) / 8));
    if (random() % 4 == 0) members.emplace_back("device", V::of("d1"));
    if (random() % 6 == 0) members.emplace_back("n", V::null());
    f.send("1", between<std::int64_t>(random, 0, 300) * 1'000'000, "d" + std::to_string(random() % 4), members, 2);
  }
}

}  // namespace

TEST_CASE("events that wait to be written are in every answer, each once and in its place") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  send_some(f, random, 300);
  f.drain();
  const Lock lock(f.path());
  send_some(f, random, 200);
  f.check_equals_log("1");
  const std::vector<OwnedEvent> all = f.expected("1");
  REQUIRE(all.size() == 500);
  // Pages, both ways, with a device, a range and a filter.
  auto bound = query::compile("a > 4 or b exists", {*f.schemas.current("1"), {}, f.clock.now()});
  REQUIRE(bound.ok());
  EventQuery query;
  query.dataset = "1";
  query.device = "d1";
  query.from = Timestamp{50'000'000};
  query.to = Timestamp{250'000'000};
  query.where = std::make_shared<const query::Bound>(*bound);
  query.limit = 7;
  for (const bool newest_first : {false, true}) {
    query.newest_first = newest_first;
    query.cursor.clear();
    std::vector<OwnedEvent> found;
    do {
      const auto page = f.history->events(query, [&](const Event& event) {
        found.emplace_back(event);
        return true;
      });
      REQUIRE(page.ok());
      CHECK(page->behind == 0);
      query.cursor = page->next;
    } while (!query.cursor.empty());
    if (newest_first) std::reverse(found.begin(), found.end());
    std::vector<OwnedEvent> wanted;
    for (const OwnedEvent& event : all) {
      const auto value = [&](std::uint32_t id) {
        return std::find_if(event.values.begin(), event.values.end(), [&](const auto& v) { return v.first.value == id; });
      };
      const FieldId b = *f.schemas.current("1")->find("b");
      const auto a = value(0);
      const bool passes = (a != event.values.end() && a->second.integer > 4) || value(b.value) != event.values.end();
      if (passes && event.device == "d1" && event.time >= *query.from && event.time < *query.to) wanted.push_back(event);
    }
    CHECK(found.size() == wanted.size());
    CHECK((found == wanted));
  }
}

TEST_CASE("series and m4 know what waits to be written, also of datasets and devices that are new") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(1)}});
  f.drain();
  const Lock lock(f.path());
  f.send("1", 61'000'000, "d", {{"a", V::of(5)}});
  f.send("1", 62'000'000, "new", {{"a", V::of(7)}, {"b", V::of(2)}});
  f.send("2", 62'000'000, "new", {{"a", V::of(8)}});
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0), FieldId(1)};
  query.aggregates = {Aggregate::sum, Aggregate::count};
  query.from = Timestamp{0};
  query.to = Timestamp{120'000'000};
  query.interval = Duration::seconds(60);
  auto series = f.history->series(query);
  REQUIRE(series.ok());
  CHECK(series->columns[0].values == std::vector<double>{1, 12});
  CHECK(series->columns[3].values == std::vector<double>{0, 1});
  CHECK(series->tier == "1min");
  query.device = "new";
  CHECK(f.history->series(query)->columns[0].values[1] == 7);
  query.device = "";
  query.dataset = "2";
  CHECK(f.history->series(query)->columns[0].values[1] == 8);
  M4Query picture;
  picture.dataset = "1";
  picture.fields = {FieldId(0)};
  picture.from = Timestamp{0};
  picture.to = Timestamp{120'000'000};
  picture.columns = 2;
  const auto m4 = f.history->m4(picture);
  REQUIRE(m4.ok());
  CHECK(m4->lines[0].values == std::vector<double>{1, 5, 7});
}

TEST_CASE("a counter's rate is that of its readings in order, also when some of them come late and wait to be written") {
  HistoryFixture f;
  f.open();
  for (const int second : {0, 10, 20, 40, 50, 60, 100}) f.send("1", second * 1'000'000, "d", {{"n", V::of(second)}});
  f.send("1", 45'000'000, "other", {{"n", V::of(4)}});
  f.send("1", 55'000'000, "other", {{"n", V::of(9)}});
  f.drain();
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.aggregates = {Aggregate::rate};
  query.from = Timestamp{0};
  query.to = Timestamp{120'000'000};
  query.interval = Duration::seconds(60);
  const auto before = f.history->series(query);
  REQUIRE(before.ok());
  CHECK(before->columns[0].values == std::vector<double>{(50.0 + 5) / 60, 50.0 / 60});
  CHECK(before->tier == "1min");
  std::vector<double> waiting;
  {
    const Lock lock(f.path());
    f.send("1", 30'000'000, "d", {{"n", V::of(30)}});
    f.send("1", 50'000'000, "other", {{"n", V::of(1)}});
    waiting = f.history->series(query)->columns[0].values;
  }
  // d: 50, as before; other: from 4 to 1, which began anew, to 9.
  CHECK(waiting == std::vector<double>{(50.0 + 9) / 60, 50.0 / 60});
  f.drain();
  CHECK(f.history->series(query)->columns[0].values == waiting);
}

TEST_CASE("a query whose asker has gone ends at once, and the next one works") {
  HistoryFixture f;
  f.open();
  const ByteView row = f.encode("1", {{"a", V::of(2)}}, "d");
  log::Topic& topic = f.log.make("1", 1);
  for (int i = 0; i < 100'000; ++i) topic.partition(PartitionId(0)).append(Timestamp{i}, "d", row);
  f.drain();
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.aggregates = {Aggregate::p50};
  query.from = Timestamp{0};
  query.to = Timestamp{100'000};
  query.interval = Duration{1000};
  int asked = 0;
  query.cancelled = [&] { return ++asked == 2; };
  const auto series = f.history->series(query);
  REQUIRE_FALSE(series.ok());
  CHECK(series.error().kind == ErrorKind::unavailable);
  CHECK(asked == 2);
  query.cancelled = nullptr;
  CHECK(f.history->series(query)->columns[0].values[0] == 2);
}

TEST_CASE("a tail that is too long is left out, and the answer says so") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(1)}});
  f.drain();
  const Lock lock(f.path());
  log::Topic& topic = *f.log.find("1");
  const ByteView row = f.encode("1", {{"a", V::of(2)}}, "d");
  for (std::uint64_t i = 0; i <= tail_records_max; ++i) topic.partition(PartitionId(0)).append(Timestamp{5}, "d", row);
  EventQuery query;
  query.dataset = "1";
  const auto page = f.history->events(query, [](const Event&) { return true; });
  REQUIRE(page.ok());
  CHECK(page->count == 1);
  CHECK(page->behind == tail_records_max + 1);
}

}  // namespace iotstream::store::test
