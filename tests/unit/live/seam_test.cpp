// Back-fill and live together hold every record exactly once, whatever happens in which order.
#include <set>

#include "bench.hpp"
#include "support/random.hpp"

namespace iotstream::live::test {
namespace {

using model::FieldType;

/// The values of field a, one by one.
std::vector<std::int64_t> numbers_of(const std::vector<DecodedFrame>& frames) {
  std::vector<std::int64_t> numbers;
  for (const DecodedFrame& frame : frames)
    for (const DecodedRow& row : frame.rows) numbers.push_back(static_cast<std::int64_t>(std::get<double>(row.values.at(0))));
  return numbers;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

TEST_CASE("rows of history, of the seam and of now arrive once each") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  bench.append("1", "x", {{FieldId(0), integer(1)}});
  bench.publish("1");
  bench.archive("1");
  bench.restart();
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":7,"dataset":"1","window":"-5m"})");
  bench.core->turn();
  bench.append("1", "x", {{FieldId(0), integer(2)}});  // after the subscription, before its worker
  bench.publish("1");
  bench.core->turn();
  bench.run_task();
  bench.append("1", "x", {{FieldId(0), integer(3)}});  // after the worker
  bench.publish("1");
  bench.core->turn();
  const auto frames = bench.settle(viewer);
  CHECK(numbers_of(frames) == std::vector<std::int64_t>{1, 2, 3});
  REQUIRE(frames.size() >= 2);
  CHECK(frames[0].backfill);
  CHECK(frames[0].last);
  CHECK(frames[0].id == 7);
  CHECK_FALSE(frames[1].backfill);
}

TEST_CASE("an empty past is one empty frame, so that the viewer knows that it is complete") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  const auto frames = bench.settle(viewer);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].rows.empty());
  CHECK(frames[0].backfill);
  CHECK(frames[0].last);
}

TEST_CASE("a dataset whose first event comes during its back-fill misses nothing") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  bench.core->turn();
  bench.append("1", "x", {{FieldId(0), integer(5)}});
  bench.publish("1");
  bench.core->turn();
  CHECK(numbers_of(bench.settle(viewer)) == std::vector<std::int64_t>{5});
}

TEST_CASE("history ahead of the hub repeats nothing") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  bench.log.memory_topic("1");
  bench.restart();
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  bench.core->turn();
  bench.append("1", "x", {{FieldId(0), integer(1)}});
  bench.publish("1");
  bench.archive("1");
  bench.run_task();  // the hub has not read the record yet
  CHECK(numbers_of(bench.settle(viewer)) == std::vector<std::int64_t>{1});
}

TEST_CASE("a log far ahead of the back-fill is read by a worker, not by the hub") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1","pixels":16000})");
  bench.core->turn();
  bench.before_backfill = [&bench] {  // the first event comes, and many, while the worker sees no topic yet
    for (int i = 0; i != 12'000; ++i) bench.append("1", "x", {{FieldId(0), integer(i)}});
    bench.publish("1");
    for (int i = 0; i != 10; ++i) bench.core->turn();
  };
  bench.run_task();
  bench.core->turn();
  CHECK(bench.tasks.size() == 1);
  const auto frames = bench.settle(viewer);
  REQUIRE(!frames.empty());
  CHECK(frames[0].rows.size() == 12'000);
  CHECK(sorted(numbers_of(frames)).back() == 11'999);
}

TEST_CASE("a past that cannot be read ends the subscription with a sentence") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  bench.backfill_error = Error{ErrorKind::io, "the disk refused"};
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":3,"dataset":"1"})");
  CHECK(bench.settle(viewer).empty());
  CHECK(viewer.last("error") == R"({"op":"error","id":3,"detail":"The past could not be read: the disk refused"})");
  CHECK(viewer.door->subscriptions == 0);
}

TEST_CASE("busy workers are asked again") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  bench.workers_refuse = true;
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  const Turn turn = bench.core->turn();
  CHECK(turn.deadline_ns <= bench.clock.monotonic_ns() + 50'000'000);
  CHECK(bench.tasks.empty());
  bench.workers_refuse = false;
  CHECK(bench.settle(viewer).size() == 1);
}

TEST_CASE("damaged and expired records are passed by") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  for (int i = 0; i != 10; ++i) bench.append("1", "x", {{FieldId(0), integer(i)}});
  MemoryTopic& topic = bench.log.memory_topic("1");
  MemoryPartition& partition = topic.partition(topic.partition_of("x"));
  partition.cut_below(Offset(3));
  partition.damaged = {5, 9};
  bench.publish("1");
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  CHECK(numbers_of(bench.settle(viewer)) == std::vector<std::int64_t>{3, 4, 6, 7, 8});
  bench.append("1", "x", {{FieldId(0), integer(10)}});
  bench.publish("1");
  CHECK(numbers_of(bench.settle(viewer)) == std::vector<std::int64_t>{10});
}

TEST_CASE("only the device that was asked for is delivered") {
  Bench bench;
  bench.declare("1", {FieldType::integer});
  bench.append("1", "x", {{FieldId(0), integer(1)}});
  bench.append("1", "y", {{FieldId(0), integer(2)}});
  bench.publish("1");
  bench.archive("1", 1);
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1","device":"y"})");
  std::vector<DecodedFrame> frames = bench.settle(viewer);
  bench.append("1", "x", {{FieldId(0), integer(3)}});
  bench.append("1", "y", {{FieldId(0), integer(4)}});
  bench.publish("1");
  bench.settle(viewer, frames);
  CHECK(numbers_of(frames) == std::vector<std::int64_t>{2, 4});
  CHECK(viewer.last("\"fields\"").find(R"("devices":["y"])") != std::string::npos);
}

/// One subscription of the random walk, and what it was sent.
struct Watched {
  TestViewer* viewer;
  std::uint32_t id;
  std::vector<std::int64_t> numbers;
  std::uint64_t seq = 0;
  std::uint64_t acked = 0;
  bool past_done = false;
  bool ended = false;
};

class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed) {
    bench_.declare("1", {FieldType::integer});
    bench_.log.memory_topic("1", 3);
    if (one_of(2)) bench_.restart();
    // While history works the log goes on.
    bench_.before_backfill = [this] {
      for (std::uint32_t i = one_of(4); i != 0; --i) step_log();
    };
  }

  void run() {
    for (int step = 0; step != 300; ++step) {
      switch (one_of(8)) {
        case 0:
        case 1:
        case 2:
          step_log();
          break;
        case 3:
          if (watched_.size() < 6) subscribe();
          break;
        case 4:
          if (!bench_.tasks.empty()) bench_.run_task();
          break;
        case 5:
          bench_.clock.advance(Duration::milliseconds(one_of(60)));
          break;
        case 6:
          talk();
          break;
        default:
          turn();
      }
    }
    finish();
    check();
  }

 private:
  std::uint32_t one_of(std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_); }

  void step_log() {
    switch (one_of(3)) {
      case 0: {
        static const char* const devices[] = {"p", "q", "r", "s", "t"};
        bench_.append("1", devices[one_of(5)], {{FieldId(0), integer(appended_++)}});
        break;
      }
      case 1: {
        MemoryTopic& topic = bench_.log.memory_topic("1");
        topic.partition(PartitionId(one_of(3))).publish(1 + one_of(3));
        break;
      }
      default:
        bench_.archive("1", one_of(3));
    }
  }

  void subscribe() {
    if (bench_.viewers.empty() || one_of(3) == 0) bench_.open();
    auto& viewer = *bench_.viewers[one_of(static_cast<std::uint32_t>(bench_.viewers.size()))];
    const auto id = static_cast<std::uint32_t>(watched_.size() + 1);
    bench_.say(viewer,
               fmt::format(R"({{"op":"subscribe","id":{},"dataset":"1","window":"-1h","rate":{}}})", id, 1 + one_of(60)));
    watched_.push_back({&viewer, id, {}, 0, 0, false, false});
  }

  void talk() {
    if (watched_.empty()) return;
    Watched& watched = watched_[one_of(static_cast<std::uint32_t>(watched_.size()))];
    switch (one_of(6)) {
      case 0:
        bench_.say(*watched.viewer, fmt::format(R"({{"op":"park","id":{}}})", watched.id));
        break;
      case 1:
        bench_.say(*watched.viewer, fmt::format(R"({{"op":"resume","id":{}}})", watched.id));
        break;
      default:
        ack(watched);
    }
  }

  void ack(Watched& watched) {
    if (watched.seq == watched.acked) return;
    watched.acked += 1 + one_of(static_cast<std::uint32_t>(watched.seq - watched.acked));
    bench_.say(*watched.viewer, fmt::format(R"({{"op":"ack","id":{},"seq":{}}})", watched.id, watched.acked));
  }

  void turn() {
    bench_.core->turn();
    for (Watched& watched : watched_)
      for (const DecodedFrame& frame : watched.viewer->frames)
        if (frame.id == watched.id) receive(watched, frame);
    for (auto& viewer : bench_.viewers) viewer->frames.clear();
  }

  void receive(Watched& watched, const DecodedFrame& frame) {
    REQUIRE(frame.seq == watched.seq + 1);
    watched.seq = frame.seq;
    REQUIRE(watched.seq - watched.acked <= credit_max);
    REQUIRE(frame.backfill == !watched.past_done);
    REQUIRE((frame.backfill || !frame.last));
    watched.past_done |= frame.last;
    REQUIRE(frame.merged == 0);
    for (const DecodedRow& row : frame.rows)
      watched.numbers.push_back(static_cast<std::int64_t>(std::get<double>(row.values.at(0))));
  }

  void finish() {
    bench_.publish("1");
    for (const Watched& watched : watched_)
      bench_.say(*watched.viewer, fmt::format(R"({{"op":"resume","id":{}}})", watched.id));
    for (int i = 0; i != 60; ++i) {
      while (!bench_.tasks.empty()) bench_.run_task();
      bench_.clock.advance(Duration::seconds(1));
      turn();
      for (Watched& watched : watched_) ack(watched);
    }
    bench_.publish("1");
    for (int i = 0; i != 10; ++i) {
      bench_.clock.advance(Duration::seconds(1));
      turn();
      for (Watched& watched : watched_) ack(watched);
    }
  }

  void check() {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i != appended_; ++i) all.push_back(i);
    for (const Watched& watched : watched_) {
      CHECK(watched.past_done);
      CHECK(sorted(watched.numbers) == all);
    }
  }

  std::mt19937 random_;
  Bench bench_;
  std::int64_t appended_ = 0;
  std::vector<Watched> watched_;
};

TEST_CASE("every record reaches every viewer exactly once, in any interleaving") {
  const std::uint32_t begin = static_cast<std::uint32_t>(::iotstream::test::seed());
  for (std::uint32_t seed = begin; seed != begin + 400; ++seed) {
    INFO("seed " << seed);
    Walk(seed).run();
  }
}

}  // namespace
}  // namespace iotstream::live::test
