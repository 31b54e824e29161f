#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using Catch::Matchers::Contains;

TEST_CASE("an event that became durable is in history, with every value as it was sent") {
  HistoryFixture f;
  f.open();
  f.send("1", f.start_us, "truck",
         {{"speed", OwnedValue::of(8.620000000000001)},
          {"gear", OwnedValue::of(126)},
          {"brake", OwnedValue::of(true)},
          {"state", OwnedValue::of("idle")},
          {"wheels", OwnedValue::json("[1, 2]")},
          {"id", OwnedValue::decimal("12345678901234567890")},
          {"gone", OwnedValue::null()},
          {"code", OwnedValue::of("truck")}});
  f.drain();
  const auto events = f.read_all("1");
  REQUIRE(events.size() == 1);
  CHECK(events == f.expected("1"));
  CHECK(events[0].values.size() == 8);
  CHECK(events[0].values[5].second == OwnedValue::decimal("12345678901234567890"));
  CHECK(f.history->consumed("1") == std::vector<Offset>{Offset(1)});
}

TEST_CASE("the file reads naturally in any SQLite program") {
  HistoryFixture f;
  f.open();
  f.send("1", -1, "truck", {{"gpsSpeed", OwnedValue::of(8.5)}, {"on", OwnedValue::of(true)}});
  f.drain();
  CHECK(f.sql("SELECT time, device, \"gpsSpeed\", \"on\" FROM events_1") == "-1|1|8.5|1");
  CHECK(f.sql("SELECT time, device, gpsSpeed FROM readable_1") == "1969-12-31T23:59:59.999999Z|truck|8.5");
  CHECK(f.sql("SELECT name, type FROM fields WHERE dataset = 1 ORDER BY id") == "gpsSpeed|float|on|boolean");
  CHECK(f.sql("PRAGMA journal_mode") == "wal");
}

TEST_CASE("the view shows the prototype's facts") {
  HistoryFixture f;
  const auto facts = f.schemas.set_facts("1", "", {{"marque", "\"citronnault\""}, {"version", "\"1\""}});
  REQUIRE(facts.ok());
  f.open();
  const ByteView row = f.encode("1", {{"a", OwnedValue::of(1)}}, "d", model::row_has_date_hour, *facts);
  f.log.make("1", 1).partition(PartitionId(0)).append(Timestamp{f.start_us}, "d", row);
  f.drain();
  CHECK(f.sql("SELECT facts FROM readable_1") == R"({"marque":"citronnault","version":"1"})");
  f.check_equals_log("1");
}

TEST_CASE("internal topics are not history") {
  HistoryFixture f;
  f.log.make("_schemas", 1).partition(PartitionId(0)).append(Timestamp{0}, "1", as_bytes("{}"));
  f.open();
  f.send("1", 0, "d", {{"a", OwnedValue::of(1)}});
  f.drain();
  CHECK(f.sql("SELECT name FROM datasets") == "1");
}

TEST_CASE("records are not history before they are durable") {
  HistoryFixture f;
  f.open();
  ScriptedPartition& partition = f.log.make("1", 1).partition(PartitionId(0));
  f.send("1", 0, "d", {{"a", OwnedValue::of(1)}});
  f.drain();
  partition.hold();
  f.send("1", 1, "d", {{"a", OwnedValue::of(2)}});
  f.drain();
  CHECK(f.read_all("1").size() == 1);
  partition.release();
  f.drain();
  f.check_equals_log("1");
}

TEST_CASE("a dataset without rows is empty, an unknown one is not found") {
  HistoryFixture f;
  f.open();
  f.log.make("new", 3);
  EventQuery query;
  query.dataset = "new";
  CHECK(f.read(query).empty());
  const auto seam = f.history->snapshot(query, [](const Event&) { return true; });
  REQUIRE(seam.ok());
  CHECK(*seam == std::vector<Offset>(3));
  query.dataset = "other";
  const auto events = f.history->events(query, [](const Event&) { return true; });
  REQUIRE_FALSE(events.ok());
  CHECK(events.error().kind == ErrorKind::not_found);
  CHECK(f.history->snapshot(query, [](const Event&) { return true; }).error().kind == ErrorKind::not_found);
}

TEST_CASE("what is in history is known without reading it, also after a restart") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 10; ++i) {
    const std::string device = i % 2 == 0 ? "even" : "odd";
    Members members{{"a", OwnedValue::of(i)}};
    if (i == 3) members.emplace_back("b", OwnedValue::of("x"));
    if (i == 4) members.emplace_back("b", OwnedValue::null());
    f.send("1", f.start_us + i, device, members, 2);
  }
  f.drain();
  for (int round = 0; round < 2; ++round) {
    const auto datasets = f.history->datasets();
    REQUIRE(datasets.size() == 1);
    CHECK(datasets[0].dataset == "1");
    CHECK(datasets[0].events == 10);
    CHECK(datasets[0].first == Timestamp{f.start_us});
    CHECK(datasets[0].last == Timestamp{f.start_us + 9});
    REQUIRE(datasets[0].fields.size() == 2);
    CHECK(datasets[0].fields[0].count == 10);
    CHECK(datasets[0].fields[1].count == 1);
    auto devices = f.history->devices();
    REQUIRE(devices.size() == 2);
    std::sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
    CHECK(devices[0].device == "even");
    CHECK(devices[0].events == 5);
    CHECK(devices[0].first_seen == Timestamp{f.start_us});
    CHECK(devices[1].last_seen == Timestamp{f.start_us + 9});
    f.reopen();
  }
}

TEST_CASE("what waits to be written counts already") {
  HistoryFixture f;
  f.send("1", 0, "d", {{"a", OwnedValue::of(1)}});
  f.open();
  f.drain();
  f.history->stop();
  f.send("1", 1, "d", {{"a", OwnedValue::of(2)}});
  CHECK(f.history->datasets().at(0).events == 2);
}

TEST_CASE("stop writes what is durable, can be repeated, and ends all queries") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 20'000; ++i) f.send("1", i, "d", {{"a", OwnedValue::of(i)}});
  f.history->stop();
  f.history->stop();
  EventQuery query;
  query.dataset = "1";
  CHECK(f.history->events(query, [](const Event&) { return true; }).error().kind == ErrorKind::unavailable);
  CHECK(f.sql("SELECT count(*) FROM events_1") == "20000");
  f.open();
  f.check_equals_log("1");
}

TEST_CASE("a file of a newer format or of another program is refused and left alone") {
  HistoryFixture f;
  {
    auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database->execute("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").ok());
  }
  auto opened = History::open(f.directory, f.options, f.log, f.schemas, f.clock, f.metrics);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == ErrorKind::unsupported);
  CHECK_THAT(opened.error().message, Contains("another program"));
  std::filesystem::remove(f.path());
  f.open();
  f.history.reset();
  {
    auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database->execute("PRAGMA user_version=99").ok());
  }
  opened = History::open(f.directory, f.options, f.log, f.schemas, f.clock, f.metrics);
  REQUIRE_FALSE(opened.ok());
  CHECK_THAT(opened.error().message, Contains("format 99"));
}

TEST_CASE("a damaged file is an error, not a crash") {
  HistoryFixture f;
  {
    auto file = os::real_disk().open(f.path(), os::OpenMode::create);
    REQUIRE(file.ok());
    REQUIRE((*file)->write_at(0, as_bytes(std::string(8192, 'x'))).ok());
  }
  const auto opened = History::open(f.directory, f.options, f.log, f.schemas, f.clock, f.metrics);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == ErrorKind::corrupt);
}

}  // namespace iotstream::store::test
