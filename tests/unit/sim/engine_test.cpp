#include <random>

#include "unit/sim/fixture.hpp"

using namespace iotstream;
using test::EngineFixture;
using test::member;
using test::stamp;

namespace {
constexpr Duration tenth = Duration::milliseconds(100);
}

TEST_CASE("10 Hz stays 10 Hz over an hour, however late the thread comes") {
  EngineFixture fixture;
  fixture.catalog.record("X", 1500, tenth);
  const auto id = fixture.add("X", tenth);
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (;;) {
    const auto next_ns = fixture.engine.run_due();
    REQUIRE(next_ns);
    if (*next_ns - EngineFixture::start.us * 1000 > 3'600'000'000'000) break;
    const std::int64_t late_us =
        random() % 10 == 0 ? static_cast<std::int64_t>(random() % 900'000) : static_cast<std::int64_t>(random() % 2000);
    fixture.clock.advance({(*next_ns - fixture.clock.monotonic_ns()) / 1000 + late_us});
  }
  const std::size_t sent = fixture.transport.readings.size();
  REQUIRE(sent >= 36'001);
  for (std::size_t n = 0; n < fixture.transport.readings.size(); ++n) {
    const auto& reading = fixture.transport.readings[n];
    REQUIRE(stamp(reading.body) == EngineFixture::start + Duration{static_cast<std::int64_t>(n) * tenth.us});
    REQUIRE(reading.sent >= stamp(reading.body));
    REQUIRE(member(reading.body, "n") == std::to_string(n % 1500));
  }
  const auto status = fixture.status(id);
  CHECK(status.sent == sent);
  CHECK(status.acknowledged == sent);
  CHECK(status.skipped == 0);
  CHECK(status.loops == 24);
  CHECK(status.expected_rate == Approx(10));
  CHECK(status.lateness_us_max > 0);
  CHECK(status.lateness_us_max < 1'000'000);
}

TEST_CASE("periods that do not divide evenly do not drift either") {
  EngineFixture fixture;
  fixture.catalog.record("X", 10, tenth);
  config::Simulation settings;
  settings.prototype = "X";
  settings.period = Duration::milliseconds(100);
  settings.speed = 3;
  fixture.add(settings);
  fixture.run(Duration::seconds(3600));
  REQUIRE(fixture.transport.readings.size() == 108'001);
  const Timestamp last = stamp(fixture.transport.readings.back().body);
  CHECK(last == EngineFixture::start + Duration::seconds(3600));
}

TEST_CASE("a reading has its dataset, its code, the time of its deadline, and the row's values as recorded") {
  EngineFixture fixture;
  auto& recording = fixture.catalog.record("X\"1", 1, tenth);
  recording.dataset = "1";
  recording.columns = {"gpsSpeed", "count", "dateHour", "@timestamp", "code", "clienID", "big", "device"};
  recording.rows[0].cells = {{0, test::real(8.620000000000001)},
                             {1, test::integer(-9'007'199'254'740'993)},
                             {2, test::text("2018-01-19 05:37:0.612611")},
                             {3, test::text("then")},
                             {4, test::text("Y")},
                             {5, test::text("X_1 \"é\"")},
                             {6, test::text("18446744073709551616", model::ValueKind::decimal)},
                             {7, test::text("own")}};
  fixture.add("X\"1", Duration::seconds(1));
  fixture.engine.run_due();
  REQUIRE(fixture.transport.readings.size() == 1);
  CHECK(
      fixture.transport.readings[0].body ==
      R"({"DatasetType":"1","data":{"code":"X\"1","dateHour":"2023-11-14 22:13:20.123456","@timestamp":"2023-11-14T22:13:20.123456Z",)"
      R"("gpsSpeed":8.620000000000001,"count":-9007199254740993,"clienID":"X_1 \"é\"","big":18446744073709551616,"device":"own"}})");
}

TEST_CASE("several devices have names and places of their own, the same for the same seed") {
  const auto play = [](std::uint64_t seed) {
    EngineFixture fixture;
    fixture.catalog.record("X", 1000, tenth).columns = {"n", "device"};
    config::Simulation settings;
    settings.prototype = "X";
    settings.period = Duration::seconds(1);
    settings.devices = 4;
    settings.seed = seed;
    const auto id = fixture.add(settings);
    fixture.run(Duration::milliseconds(1999));
    CHECK(fixture.status(id).devices == std::vector<std::string>{"X-1", "X-2", "X-3", "X-4"});
    CHECK(fixture.status(id).expected_rate == Approx(4));
    CHECK(fixture.values("device") ==
          std::vector<std::string>{"\"X-1\"", "\"X-2\"", "\"X-3\"", "\"X-4\"", "\"X-1\"", "\"X-2\"", "\"X-3\"", "\"X-4\""});
    // Spread over the period.
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(stamp(fixture.transport.readings[i].body) ==
            EngineFixture::start + Duration::milliseconds(250 * static_cast<int>(i)));
    const auto values = fixture.values("n");
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::stoi(values[i + 4]) == (std::stoi(values[i]) + 1) % 1000);
    return values;
  };
  const auto one = play(1);
  CHECK(one[0] == "0");
  CHECK(one[1] != one[2]);
  CHECK(play(1) == one);
  CHECK(play(2) != one);
}

TEST_CASE("the recorded cadence is kept, gaps between files and loops are closed to the median") {
  EngineFixture fixture;
  auto& recording = fixture.catalog.record("X", 0, tenth);
  // Two files: one at 100, 100, 300 ms, then an hour later one that begins before it ended on its own clock.
  for (const std::int64_t ms : {0, 100, 200, 500, 3'600'000, 3'600'100, 3'600'050, 3'600'100})
    recording.rows.push_back({Timestamp{ms * 1000}, {{0, test::integer(ms)}}});
  const auto id = fixture.add("X", std::nullopt);
  fixture.run(Duration::milliseconds(1200));
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < fixture.transport.readings.size(); ++i)
    gaps.push_back((stamp(fixture.transport.readings[i].body) - stamp(fixture.transport.readings[i - 1].body)).us / 1000);
  CHECK(gaps == std::vector<std::int64_t>{100, 100, 300, 100, 100, 100, 50, 100, 100, 100});
  CHECK(fixture.status(id).loops == 1);
  CHECK(fixture.status(id).expected_rate == Approx(10));
}

TEST_CASE("rows without times come once a second") {
  EngineFixture fixture;
  auto& recording = fixture.catalog.record("X", 0, tenth);
  for (int i = 0; i < 3; ++i) recording.rows.push_back({Timestamp{5}, {{0, test::integer(i)}}});
  const auto id = fixture.add("X", std::nullopt);
  CHECK(fixture.status(id).expected_rate == Approx(1));
  fixture.run(Duration::seconds(10));
  CHECK(fixture.transport.readings.size() < 40);
}

TEST_CASE("speed shortens recorded gaps and fixed periods alike, also while it runs") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, Duration::seconds(1));
  fixture.catalog.record("Y", 100, Duration::seconds(1));
  const auto recorded = fixture.add("X", std::nullopt);
  const auto fixed = fixture.add("Y", Duration::seconds(2));
  sim::SimulationChange change;
  change.speed = 10;
  REQUIRE(fixture.engine.change(recorded, change).ok());
  REQUIRE(fixture.engine.change(fixed, change).ok());
  fixture.run(Duration::milliseconds(1999));
  CHECK(fixture.status(recorded).sent == 20);
  CHECK(fixture.status(fixed).sent == 10);
  CHECK(fixture.status(fixed).expected_rate == Approx(5));
  change = {};
  change.period = std::optional<Duration>(Duration::milliseconds(10));
  REQUIRE(fixture.engine.change(recorded, change).ok());
  fixture.run(Duration::milliseconds(100));
  CHECK(fixture.status(recorded).sent >= 20 + 99);
  CHECK(fixture.status(recorded).settings.period == Duration::milliseconds(10));
}

TEST_CASE("from a slow cadence to a fast one the next reading does not wait for its old turn, even while one is on its way") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, Duration::seconds(1));
  fixture.transport.hold = true;
  const auto id = fixture.add("X", Duration::seconds(3600));
  fixture.engine.run_due();
  sim::SimulationChange change;
  change.period = std::optional<Duration>(tenth);
  REQUIRE(fixture.engine.change(id, change).ok());
  fixture.transport.hold = false;
  fixture.transport.answer();
  fixture.run(Duration::seconds(1));
  CHECK(fixture.status(id).sent >= 10);
}

TEST_CASE("a paused simulation sends nothing and goes on where it was") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  const auto id = fixture.add("X", tenth);
  fixture.run(Duration::milliseconds(250));
  sim::SimulationChange change;
  change.paused = true;
  REQUIRE(fixture.engine.change(id, change).ok());
  CHECK(fixture.status(id).state == sim::State::paused);
  CHECK(fixture.status(id).expected_rate == 0);
  fixture.run(Duration::seconds(60));
  CHECK(fixture.status(id).sent == 3);
  change.paused = false;
  REQUIRE(fixture.engine.change(id, change).ok());
  fixture.run(Duration::milliseconds(250));
  CHECK(fixture.values("n") == std::vector<std::string>{"0", "1", "2", "3", "4", "5"});
  CHECK(fixture.status(id).skipped == 0);
}

TEST_CASE("devices come and go while it runs") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  const auto id = fixture.add("X", Duration::seconds(1));
  fixture.run(Duration::milliseconds(1500));
  sim::SimulationChange change;
  change.devices = 3;
  REQUIRE(fixture.engine.change(id, change).ok());
  CHECK(fixture.status(id).devices.size() == 3);
  fixture.transport.readings.clear();
  fixture.run(Duration::milliseconds(2000));
  CHECK(fixture.transport.readings.size() == 6);
  change.devices = 1;
  REQUIRE(fixture.engine.change(id, change).ok());
  CHECK(fixture.status(id).devices == std::vector<std::string>{"X"});
  fixture.transport.readings.clear();
  fixture.run(Duration::milliseconds(2000));
  CHECK(fixture.transport.readings.size() == 2);
  CHECK(fixture.values("device") == std::vector<std::string>{"", ""});
}

TEST_CASE(
    "a refused reading is sent again with back-off, the order of its device is kept, and nothing within a second is lost") {
  for (const auto sent : {sim::Sent::waiting, sim::Sent::placed}) {
    EngineFixture fixture;
    fixture.catalog.record("X", 100, tenth);
    fixture.transport.sent = sent;
    const auto id = fixture.add("X", tenth);
    fixture.transport.verdicts = {sim::Verdict::acknowledged, sim::Verdict::refused, sim::Verdict::refused,
                                  sim::Verdict::refused};
    fixture.run(Duration::milliseconds(2050));
    const auto values = fixture.values("n");
    CHECK(std::vector<std::string>(values.begin(), values.begin() + 6) ==
          std::vector<std::string>{"0", "1", "1", "1", "1", "2"});
    for (std::size_t i = 5; i < values.size(); ++i) CHECK(values[i] == std::to_string(i - 3));
    CHECK(values.back() == "20");
    // The repeated reading keeps its time; the pauses grow.
    const auto& readings = fixture.transport.readings;
    for (std::size_t i = 2; i <= 4; ++i) CHECK(stamp(readings[i].body) == stamp(readings[1].body));
    for (std::size_t i = 1; i < 4; ++i) {
      const std::int64_t pause_ms = (readings[i + 1].sent - readings[i].sent).us / 1000;
      CHECK(pause_ms >= 25 << (i - 1));
      CHECK(pause_ms <= 51 << (i - 1));
    }
    const auto status = fixture.status(id);
    CHECK(status.refused == 3);
    CHECK(status.acknowledged == 21);
    CHECK(status.skipped == 0);
    CHECK(status.problem == "not just now");
  }
}

TEST_CASE("a server that is away for long costs what is older than a second, and no more") {
  EngineFixture fixture;
  fixture.catalog.record("X", 1000, tenth);
  const auto id = fixture.add("X", tenth);
  fixture.run(Duration::milliseconds(50));
  fixture.transport.verdicts.assign(20, sim::Verdict::refused);
  while (!fixture.transport.verdicts.empty()) fixture.run(tenth);
  const std::size_t tries = fixture.transport.readings.size();
  CHECK(tries < 40);
  fixture.run(Duration::seconds(5));
  const auto status = fixture.status(id);
  CHECK(status.skipped > 100);
  CHECK(status.acknowledged + status.skipped == std::stoull(fixture.values("n").back()) + 1);
  for (std::size_t i = tries; i < fixture.transport.readings.size(); ++i)
    CHECK((fixture.transport.readings[i].sent - stamp(fixture.transport.readings[i].body)).us <= 1'000'000);
  const auto late = (fixture.transport.readings.back().sent - stamp(fixture.transport.readings.back().body)).us;
  CHECK(late == 0);
}

TEST_CASE("a reading that nothing can mend is given up, and the next one goes") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  const auto id = fixture.add("X", tenth);
  fixture.transport.verdicts = {sim::Verdict::dropped};
  fixture.run(Duration::milliseconds(150));
  CHECK(fixture.values("n") == std::vector<std::string>{"0", "1"});
  CHECK(fixture.status(id).dropped == 1);
}

TEST_CASE("over a slow connection a device sends one reading at a time, then what is overdue") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  fixture.transport.hold = true;
  fixture.add("X", tenth);
  fixture.run(Duration::milliseconds(450));
  CHECK(fixture.transport.readings.size() == 1);
  fixture.transport.hold = false;
  fixture.transport.answer();
  fixture.run({0});
  CHECK(fixture.values("n") == std::vector<std::string>{"0", "1", "2", "3", "4"});
}

TEST_CASE("where its place is certain the next reading does not wait for the answer") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  fixture.transport.hold = true;
  fixture.transport.sent = sim::Sent::placed;
  const auto id = fixture.add("X", tenth);
  fixture.run(Duration::milliseconds(450));
  CHECK(fixture.values("n") == std::vector<std::string>{"0", "1", "2", "3", "4"});
  CHECK(fixture.status(id).acknowledged == 0);
  fixture.transport.verdicts = {sim::Verdict::acknowledged, sim::Verdict::refused};
  while (fixture.transport.waiting() > 0) fixture.transport.answer();
  CHECK(fixture.status(id).acknowledged == 4);
  CHECK(fixture.status(id).refused == 1);
  fixture.run(tenth);
  CHECK(fixture.values("n").back() == "5");
}

TEST_CASE("answers in time wake nobody: the schedule has the next turn already") {
  EngineFixture fixture;
  fixture.catalog.record("X", 100, tenth);
  fixture.transport.hold = true;
  fixture.add("X", tenth);
  fixture.wakes = 0;
  for (int i = 0; i < 20; ++i) {
    const auto next_ns = fixture.engine.run_due();
    REQUIRE(next_ns == fixture.clock.monotonic_ns() + 100'000'000);
    fixture.transport.answer();
    fixture.clock.advance(tenth);
  }
  CHECK(fixture.wakes == 0);
  CHECK(fixture.transport.readings.size() == 20);
}

TEST_CASE("without loop it ends after its rows") {
  EngineFixture fixture;
  fixture.catalog.record("X", 3, tenth);
  config::Simulation settings;
  settings.prototype = "X";
  settings.period = tenth;
  settings.loop = false;
  settings.devices = 2;
  const auto id = fixture.add(settings);
  fixture.run(Duration::seconds(2));
  CHECK(fixture.transport.readings.size() == 6);
  CHECK(fixture.status(id).state == sim::State::finished);
  CHECK_FALSE(fixture.engine.run_due().has_value());
  sim::SimulationChange change;
  change.paused = false;
  CHECK(fixture.engine.change(id, change).error().kind == ErrorKind::conflict);
}

TEST_CASE("a prototype without rows, an unknown one, and impossible settings") {
  EngineFixture fixture;
  fixture.catalog.record("empty", 0, tenth);
  const auto id = fixture.add("empty", tenth);
  CHECK(fixture.status(id).state == sim::State::failed);
  CHECK_THAT(fixture.status(id).problem, Catch::Contains("no rows"));
  CHECK_FALSE(fixture.engine.run_due().has_value());

  config::Simulation settings;
  settings.prototype = "unknown";
  CHECK(fixture.engine.add(settings).error().kind == ErrorKind::not_found);
  fixture.catalog.record("X", 1, tenth);
  settings.prototype = "X";
  for (const double speed : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    settings.speed = speed;
    CHECK(fixture.engine.add(settings).error().kind == ErrorKind::invalid);
  }
  settings.speed = 1;
  settings.period = Duration{0};
  CHECK(fixture.engine.add(settings).error().kind == ErrorKind::invalid);
  settings.period = tenth;
  settings.devices = 0;
  CHECK(fixture.engine.add(settings).error().kind == ErrorKind::invalid);
  settings.devices = 1;
  settings.transport = config::Transport::inproc;  // there is none here
  CHECK(fixture.status(fixture.add(settings)).state == sim::State::failed);
  CHECK(fixture.engine.change(99, {}).error().kind == ErrorKind::not_found);
  CHECK(fixture.engine.remove(99).error().kind == ErrorKind::not_found);
}

TEST_CASE("rows that are removed while they are played fail the simulation with a sentence") {
  EngineFixture fixture;
  auto& recording = fixture.catalog.record("X", 5, tenth);
  const auto id = fixture.add("X", tenth);
  fixture.run(tenth);
  recording.rows.clear();
  fixture.run(Duration::seconds(2));
  CHECK(fixture.status(id).state == sim::State::failed);
  CHECK_THAT(fixture.status(id).problem, Catch::Contains("removed"));
}

TEST_CASE("rows and columns that are imported meanwhile are played from the next loop on") {
  EngineFixture fixture;
  auto& recording = fixture.catalog.record("X", 2, tenth);
  fixture.add("X", tenth);
  fixture.run(Duration::milliseconds(150));
  recording.columns.emplace_back("new");
  recording.rows.push_back({Timestamp{200'000}, {{0, test::integer(2)}, {1, test::integer(7)}}});
  fixture.run(Duration::milliseconds(600));
  CHECK(fixture.values("n") == std::vector<std::string>{"0", "1", "0", "1", "2", "0", "1", "2"});
  CHECK(fixture.values("new") == std::vector<std::string>{"", "", "", "", "7", "", "", "7"});
}

TEST_CASE("a removed simulation sends nothing more, and its late answers are nobody's") {
  EngineFixture fixture;
  fixture.catalog.record("X", 5, tenth);
  fixture.transport.hold = true;
  const auto id = fixture.add("X", tenth);
  fixture.engine.run_due();
  REQUIRE(fixture.engine.remove(id).ok());
  fixture.transport.answer();
  fixture.run(Duration::seconds(1));
  CHECK(fixture.transport.readings.size() == 1);
  CHECK(fixture.engine.list().empty());
}

TEST_CASE("more than can be sent at once is given up in between, so that a stop is heard") {
  EngineFixture fixture;
  fixture.catalog.record("X", 10, tenth);
  fixture.add("X", Duration::seconds(1), 10'000);
  fixture.clock.advance(Duration::seconds(1));
  const auto next_ns = fixture.engine.run_due();
  REQUIRE(next_ns);
  CHECK(*next_ns <= fixture.clock.monotonic_ns());
  CHECK(fixture.transport.readings.size() < 10'000);
}
