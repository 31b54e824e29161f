// A range of time delivered once more: exact pace under a clock that the test moves, order, and everything that goes wrong with
// recorded times.
#include <algorithm>
#include <limits>
#include <map>
#include <thread>
#include <tuple>

#include <iotstream/log/replay.hpp>

#include "log/partition.hpp"
#include "log_fixture.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;
using State = Replay::State;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t begin = 1'600'000'000 * second;

struct Delivered {
  std::int64_t time_us;
  std::uint32_t partition;
  std::uint64_t offset;
  bool late;
  bool operator==(const Delivered&) const = default;
};

struct ReplayFixture : LogFixture {
  std::unique_ptr<Replay> replay(ReplayOptions wanted, std::string_view name = "t") {
    auto opened = Replay::open(topic(name), std::move(wanted), clock, metrics);
    if (!opened) FAIL("no replay: " << opened.error().message);
    return std::move(*opened);
  }
  /// Records at those seconds after `begin`, in this order.
  void record(const std::vector<double>& seconds, std::string_view key = "d") {
    for (const double at : seconds)
      append_durably(partition(), begin + static_cast<std::int64_t>(at * second), key, fmt::format("{}", at));
  }
  /// Asks until it says something else than "there is more to read".
  Replay::Step ask(Replay& replay) {
    for (;;) {
      auto step = replay.next();
      if (!step) FAIL("next: " << step.error().message);
      if (step->state != State::later || step->due_ns > clock.monotonic_ns()) return *step;
    }
  }
  /// Everything that is due without the clock being moved.
  std::vector<Delivered> due(Replay& replay, State* end = nullptr) {
    std::vector<Delivered> delivered;
    for (;;) {
      const Replay::Step step = ask(replay);
      if (step.state != State::record) {
        if (end != nullptr) *end = step.state;
        return delivered;
      }
      delivered.push_back({step.record.time.us, step.partition.value, step.record.offset.value, step.late});
    }
  }
  std::vector<double> due_seconds(Replay& replay) {
    std::vector<double> seconds;
    for (const Delivered& one : due(replay)) seconds.push_back(static_cast<double>(one.time_us - begin) / second);
    return seconds;
  }
  /// How long the replay says that nothing comes.
  std::int64_t silence_us(Replay& replay) {
    const Replay::Step step = ask(replay);
    REQUIRE(step.state == State::later);
    return (step.due_ns - clock.monotonic_ns()) / 1000;
  }
};

ReplayOptions range(double from, double to, double speed = 1) {
  ReplayOptions options;
  options.from = Timestamp{begin + static_cast<std::int64_t>(from * second)};
  options.to = Timestamp{begin + static_cast<std::int64_t>(to * second)};
  options.speed = speed;
  return options;
}

using Seconds = std::vector<double>;

}  // namespace

TEST_CASE("a replay keeps the recorded pace to the microsecond, times its speed") {
  ReplayFixture f;
  f.open();
  f.record({0, 1, 2.5, 2.5, 60});
  for (const double speed : {0.1, 0.5, 1.0, 2.0, 10.0, 1000.0}) {
    auto replay = f.replay(range(0, 100, speed));
    CHECK(f.due_seconds(*replay) == Seconds{0});
    CHECK(f.silence_us(*replay) == static_cast<std::int64_t>(1 * second / speed));
    f.clock.advance({f.silence_us(*replay) - 1});
    CHECK(f.due_seconds(*replay).empty());
    f.clock.advance({1});
    CHECK(f.due_seconds(*replay) == Seconds{1});
    f.clock.advance({f.silence_us(*replay)});
    CHECK(f.due_seconds(*replay) == Seconds{2.5, 2.5});
    CHECK(replay->position().us == begin + 2'500'000);
    f.clock.advance({f.silence_us(*replay)});
    CHECK(f.due_seconds(*replay) == Seconds{60});
    CHECK(f.ask(*replay).state == State::ended);
    CHECK(replay->progress().records == 5);
  }
}

TEST_CASE("the silence before the first record is part of a range; without a begin there is none") {
  ReplayFixture f;
  f.open();
  f.record({10, 11});
  auto replay = f.replay(range(4, 100));
  CHECK(f.silence_us(*replay) == 6 * second);
  ReplayOptions all;
  auto from_first = f.replay(all);
  CHECK(f.due_seconds(*from_first) == Seconds{10});
  CHECK(f.silence_us(*from_first) == 1 * second);
}

TEST_CASE("long silences are shortened when that is asked for") {
  ReplayFixture f;
  f.open();
  f.record({0, 5000, 5001});
  ReplayOptions options = range(0, 10'000, 2);
  options.gap_max = Duration::seconds(4);
  auto replay = f.replay(options);
  CHECK(f.due_seconds(*replay) == Seconds{0});
  CHECK(f.silence_us(*replay) == 2 * second);
  f.clock.advance(Duration::seconds(1));
  CHECK(f.silence_us(*replay) == 1 * second);  // asking again does not stretch it
  f.clock.advance(Duration::seconds(1));
  CHECK(f.due_seconds(*replay) == Seconds{5000});
  CHECK(f.silence_us(*replay) == second / 2);
}

TEST_CASE("a caller that was away gets what is overdue at once, and nothing more") {
  ReplayFixture f;
  f.open();
  f.record({0, 1, 2, 3, 4});
  auto replay = f.replay(range(0, 100));
  CHECK(f.due_seconds(*replay) == Seconds{0});
  f.clock.advance({2 * second + second / 2});
  CHECK(f.due_seconds(*replay) == Seconds{1, 2});
}

TEST_CASE("speed changes, pauses and their ends take effect at the present position") {
  ReplayFixture f;
  f.open();
  f.record({0, 10, 20, 30, 31});
  auto replay = f.replay(range(0, 100));
  CHECK(f.due_seconds(*replay) == Seconds{0});
  f.clock.advance(Duration::seconds(4));
  REQUIRE(replay->set_speed(3));
  CHECK(f.silence_us(*replay) == 2 * second);
  replay->pause();
  CHECK(replay->position().us == begin + 4 * second);
  f.clock.advance(Duration::seconds(1000));
  CHECK(f.ask(*replay).state == State::paused);
  replay->pause();
  replay->resume();
  replay->resume();
  CHECK(f.silence_us(*replay) == 2 * second);
  f.clock.advance(Duration::seconds(2));
  CHECK(f.due_seconds(*replay) == Seconds{10});
  REQUIRE(replay->set_speed(0));
  CHECK(f.due_seconds(*replay) == Seconds{20, 30, 31});

  auto quick = f.replay(range(0, 25, 0));
  CHECK(f.ask(*quick).record.time.us == begin);
  REQUIRE(quick->set_speed(1));
  CHECK(f.silence_us(*quick) == 10 * second);  // from where it was: at the record of second 0
  CHECK(quick->set_speed(0.05).error().kind == ErrorKind::invalid);
  CHECK(quick->set_speed(1001).error().kind == ErrorKind::invalid);
  CHECK(quick->set_speed(std::numeric_limits<double>::quiet_NaN()).error().kind == ErrorKind::invalid);
}

TEST_CASE("a replay goes to another instant, forwards and backwards, also when it had ended or is paused") {
  ReplayFixture f;
  f.open();
  f.record({0, 10, 20, 30, 40});
  auto replay = f.replay(range(10, 35));
  CHECK(f.due_seconds(*replay) == Seconds{10});
  REQUIRE(replay->seek({begin + 29 * second}));
  CHECK(f.silence_us(*replay) == 1 * second);
  f.clock.advance(Duration::seconds(1));
  CHECK(f.due_seconds(*replay) == Seconds{30});
  CHECK(f.ask(*replay).state == State::ended);
  REQUIRE(replay->seek({begin}));  // before its own beginning
  CHECK(f.due_seconds(*replay) == Seconds{0});
  replay->pause();
  REQUIRE(replay->seek({begin + 20 * second}));
  f.clock.advance(Duration::seconds(50));
  CHECK(f.ask(*replay).state == State::paused);
  replay->resume();
  CHECK(f.due_seconds(*replay) == Seconds{20});
  CHECK(replay->progress().late == 0);
  CHECK(replay->seek({begin + 35 * second}).error().kind == ErrorKind::invalid);
}

TEST_CASE("clocks that ran backwards: within the window records come in order of time, beyond it they come late, never lost") {
  ReplayFixture f;
  f.open();
  f.record({3, 1, 2, 2, 0, 5, 4});
  auto replay = f.replay(range(0, 100, 0));
  CHECK(f.due_seconds(*replay) == Seconds{0, 1, 2, 2, 3, 4, 5});
  CHECK(replay->progress().late == 0);

  // 200 records of 100 bytes and more pass the smallest window of 4 KiB many times.
  const std::string value(100, 'x');
  for (int i = 0; i != 200; ++i) LogFixture::append(f.partition(), begin + (100 + i) * second, "d", value);
  LogFixture::append_durably(f.partition(), begin + 50 * second, "d", value);
  ReplayOptions options = range(0, 1000, 0);
  options.memory_max = 0;
  auto small = f.replay(options);
  const auto delivered = f.due(*small);
  CHECK(delivered.size() == 208);
  CHECK(small->progress().late == 1);
  // As soon as it is found: one window before its place in the log.
  const auto late = std::find_if(delivered.begin(), delivered.end(), [](const Delivered& d) { return d.late; });
  REQUIRE(late != delivered.end());
  CHECK(*late == Delivered{begin + 50 * second, 0, 207, true});
  CHECK(delivered.back().time_us == begin + 299 * second);
}

TEST_CASE("one device's day uploaded behind another's: overlapping segments are read side by side") {
  ReplayFixture f;
  f.open();
  const std::string value(1000, 'x');
  for (const char* device : {"a", "b", "c"})
    for (int i = 0; i != 200; ++i) LogFixture::append(f.partition(), begin + i * second, device, value);
  f.record({500});
  REQUIRE(f.partition().stretches().size() > 6);
  auto replay = f.replay(range(0, 1000, 0));
  const auto delivered = f.due(*replay);
  CHECK(delivered.size() == 601);
  CHECK(std::is_sorted(delivered.begin(), delivered.end(), [](const Delivered& a, const Delivered& b) {
    return std::tie(a.time_us, a.offset) < std::tie(b.time_us, b.offset);
  }));
  CHECK(replay->progress().late == 0);

  ReplayOptions only = range(10, 20, 0);
  only.key = "b";
  auto one = f.replay(only);
  CHECK(f.due_seconds(*one) == Seconds{10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
}

TEST_CASE("empty ranges end at once, and impossible ones are refused") {
  ReplayFixture f;
  f.open();
  CHECK(f.ask(*f.replay(range(0, 1, 0))).state == State::ended);
  f.record({10});
  CHECK(f.ask(*f.replay(range(0, 10))).state == State::ended);
  CHECK(f.ask(*f.replay(range(10.000001, 20))).state == State::ended);
  CHECK(f.due_seconds(*f.replay(range(10, 10.000001))) == Seconds{10});
  const auto refused = [&](ReplayOptions options) { return Replay::open(f.topic(), options, f.clock, f.metrics).error().kind; };
  CHECK(refused(range(2, 2)) == ErrorKind::invalid);
  CHECK(refused(range(0, 1, 0.09)) == ErrorKind::invalid);
  CHECK(refused(range(0, 1, -1)) == ErrorKind::invalid);
  ReplayOptions options = range(0, 1);
  options.partition = PartitionId(1);
  CHECK(refused(options) == ErrorKind::invalid);
}

TEST_CASE("retention that passes under a replay takes records from it, which are counted, and nothing else") {
  ReplayFixture f;
  f.open();
  const std::string value(1000, 'x');
  for (int i = 0; i != 400; ++i) LogFixture::append(f.partition(), begin + i * second, "d", value);
  f.record({400});
  ReplayOptions options = range(0, 1000, 0);
  options.memory_max = 0;
  auto replay = f.replay(options);
  for (std::int64_t i = 0; i != 10; ++i) REQUIRE(f.ask(*replay).record.time.us == begin + i * second);
  auto& partition = dynamic_cast<PartitionLog&>(f.partition());
  std::uint64_t removed = 0;
  while (partition.status().segments > 2 && partition.oldest_removable()) {
    REQUIRE(partition.remove_oldest());
    ++removed;
  }
  REQUIRE(removed > 2);
  const std::uint64_t earliest = partition.watermarks().earliest.value;
  const auto rest = f.due(*replay);
  REQUIRE(!rest.empty());
  CHECK(rest.back().offset == 400);
  const auto behind = std::find_if(rest.begin(), rest.end(), [&](const Delivered& d) { return d.offset >= earliest; });
  CHECK(behind->offset == earliest);
  CHECK(static_cast<std::uint64_t>(rest.end() - behind) == 401 - earliest);
  CHECK(replay->progress().records + replay->progress().missed == 401);
  CHECK(replay->progress().missed > 100);
}

TEST_CASE("a replay goes on into the live tail, waits there, and ends at its end") {
  ReplayFixture f;
  f.open();
  f.record({0, 1});
  ReplayOptions options = range(0, 60);
  options.follow = true;
  auto replay = f.replay(options);
  CHECK(f.due_seconds(*replay) == Seconds{0});
  f.clock.advance(Duration::seconds(1));
  CHECK(f.due_seconds(*replay) == Seconds{1});
  const auto waiting = f.ask(*replay);
  CHECK(waiting.state == State::waiting);
  CHECK(waiting.due_ns == f.clock.monotonic_ns() + 59 * second * 1000);
  f.record({7, 2, 61});
  CHECK(f.silence_us(*replay) == 1 * second);
  f.clock.advance(Duration::seconds(6));
  CHECK(f.due_seconds(*replay) == Seconds{2, 7});
  f.record({5});
  State end{};
  const auto late = f.due(*replay, &end);
  REQUIRE(late.size() == 1);
  CHECK(late[0].late);
  CHECK(end == State::waiting);
  f.clock.advance(Duration::seconds(53));
  CHECK(f.ask(*replay).state == State::ended);

  ReplayOptions quick;
  quick.speed = 0;
  quick.follow = true;
  auto tail = f.replay(quick);
  CHECK(f.due(*tail).size() == 6);
  CHECK(f.ask(*tail).state == State::waiting);
  f.record({3000});
  CHECK(f.due_seconds(*tail) == Seconds{3000});
}

TEST_CASE("without follow the picture is that of the first call: what comes later belongs to another replay") {
  ReplayFixture f;
  f.open();
  f.record({0, 1});
  auto replay = f.replay(range(0, 60, 0));
  CHECK(f.ask(*replay).record.offset == Offset(0));
  f.record({0.5, 2});
  CHECK(f.due_seconds(*replay) == Seconds{1});
  CHECK(f.due_seconds(*f.replay(range(0, 60, 0))) == Seconds{0, 0.5, 1, 2});
}

TEST_CASE("many replays of one topic do not disturb each other") {
  ReplayFixture f;
  f.open();
  f.record({0, 10, 20});
  auto slow = f.replay(range(0, 100, 0.1));
  auto quick = f.replay(range(0, 100, 10));
  CHECK(f.due_seconds(*slow) == Seconds{0});
  CHECK(f.due_seconds(*quick) == Seconds{0});
  slow->pause();
  f.clock.advance(Duration::seconds(1));
  CHECK(f.due_seconds(*quick) == Seconds{10});
  REQUIRE(quick->seek({begin + 5 * second}));
  slow->resume();
  CHECK(f.silence_us(*slow) == 100 * second);
  CHECK(f.silence_us(*quick) == second / 2);
}

TEST_CASE("a replay that follows while others write gives each record once") {
  ReplayFixture f;
  f.options.topic_defaults.partitions = 3;
  f.options.cache_size = 64u << 10;
  f.open();
  Topic& topic = f.topic();
  constexpr int each = 3000;
  const auto produce = [&](int number) {
    for (int i = 0; i != each; ++i) {
      const auto key = fmt::format("{}-{}", number, i % 7);
      LogFixture::append(topic.partition(topic.partition_of(key)), begin + i * 1000, key, fmt::format("{}", i));
    }
  };
  std::thread one(produce, 1);
  std::thread two(produce, 2);
  ReplayOptions options;
  options.speed = 0;
  options.follow = true;
  auto replay = f.replay(options);
  std::map<std::pair<std::uint32_t, std::uint64_t>, int> seen;
  while (seen.size() != 2 * each) {
    const auto step = f.ask(*replay);
    if (step.state == State::record) {
      REQUIRE(seen[{step.partition.value, step.record.offset.value}]++ == 0);
    } else {
      REQUIRE(step.state == State::waiting);
      std::this_thread::yield();
    }
  }
  one.join();
  two.join();
  CHECK(replay->progress().records == 2 * each);
  CHECK(f.ask(*replay).state == State::waiting);
}

TEST_CASE("damaged batches are passed over") {
  ReplayFixture f;
  f.open();
  f.record({0, 1, 2, 3});
  f.close();
  // The second batch: its header stands behind the first one's single record.
  f.disk->flip(log::test::segment_path(), format::frames_begin + format::align_frame(64 + 16 + 2) + 70);
  f.open();
  CHECK(f.due_seconds(*f.replay(range(0, 100, 0))) == Seconds{0, 2, 3});
}

TEST_CASE("random recordings come as a plain sort would have them, every time the same") {
  const std::uint64_t seed = iotstream::test::seed();
  std::mt19937_64 random(seed);
  for (int round = 0; round != 20; ++round) {
    ReplayFixture f;
    f.options.topic_defaults.partitions = 1 + static_cast<std::uint32_t>(random() % 4);
    f.open();
    Topic& topic = f.topic();
    const auto count = 1 + random() % 2000;
    std::vector<Delivered> expected;
    const std::int64_t from = begin + static_cast<std::int64_t>(random() % count) * 1000;
    const std::int64_t to = from + 1 + static_cast<std::int64_t>(random() % count) * 1000;
    std::vector<Offset> last(topic.partition_count());
    for (std::uint64_t i = 0; i != count; ++i) {
      const auto key = fmt::format("device {}", random() % 9);
      const PartitionId id = topic.partition_of(key);
      const std::int64_t time = begin + static_cast<std::int64_t>(i) * 1000 - static_cast<std::int64_t>(random() % 60'000);
      last[id.value] = LogFixture::append(topic.partition(id), time, key, std::string(random() % 300, 'v'));
      if (time >= from && time < to) expected.push_back({time, id.value, last[id.value].value, false});
    }
    for (std::uint32_t id = 0; id != topic.partition_count(); ++id) {
      Partition& partition = topic.partition(PartitionId(id));
      if (partition.watermarks().written.value != 0 || last[id].value != 0)
        REQUIRE(LogFixture::wait(partition, Watermark::durable, last[id]));
    }
    std::sort(expected.begin(), expected.end(), [](const Delivered& a, const Delivered& b) {
      return std::tie(a.time_us, a.partition, a.offset) < std::tie(b.time_us, b.partition, b.offset);
    });
    ReplayOptions options;
    options.from = Timestamp{from};
    options.to = Timestamp{to};
    options.speed = 0;
    INFO("seed " << seed << ", round " << round);
    CHECK(f.due(*f.replay(options)) == expected);
    // A window that is too small costs order, never a record, and is the same every time.
    options.memory_max = 0;
    const auto first = f.due(*f.replay(options));
    CHECK(f.due(*f.replay(options)) == first);
    CHECK(first.size() == expected.size());
  }
}
