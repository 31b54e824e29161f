// Random work on several partitions against a plain reference in memory: everything that can happen to a log, in any order.
#include <algorithm>
#include <array>

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::between;
using iotstream::test::MemoryDisk;

namespace {

constexpr std::size_t partitions = 3;

/// How often what happened: a random test proves nothing about states that it never reached.
struct Reached {
  int accepted, back_pressured, refused_full, refused_read_only;
  int reads, reads_of_nothing, seeks_inside, seeks_beyond;
  int removed, kills, clean_ends, power_cuts, power_cuts_with_loss, torn_tails;
  int stalls, failed_syncs, failed_writes;
};

/// What a partition should be: all that was accepted, and the watermarks as they were last seen.
struct Expected {
  std::vector<LogFixture::Seen> records;
  std::uint64_t durable = 0;
  std::uint64_t earliest = 0;
};

class Machine {
 public:
  explicit Machine(std::mt19937_64& random, Reached& reached) : random_(random), reached_(reached) {
    h_.options.topic_defaults.partitions = partitions;
    h_.options.topic_defaults.retention_size = 300u << 10;
    h_.options.topic_defaults.retention_age = Duration::seconds(20'000);
    h_.options.staging_size = 16u << 10;
    h_.options.cache_size = one_in(2) ? 0 : 64u << 10;
    h_.create();
  }

  void step() {
    const std::size_t id = random_() % partitions;
    const auto choice = random_() % 1000;
    if (choice < 500)
      for (auto burst = one_in(100) ? 100 : 1; burst != 0; --burst) append(id);
    else if (choice < 650)
      serve(id);
    else if (choice < 730)
      sync(id);
    else if (choice < 830)
      read(id);
    else if (choice < 900)
      seek(id);
    else if (choice < 930)
      retain();
    else if (choice < 950)
      move_clock();
    else if (choice < 965)
      h_.partition(id).write_mark();
    else if (choice < 978)
      change_weather();
    else if (choice < 984)
      kill();
    else if (choice < 989)
      end_cleanly();
    else if (choice < 996)
      lose_power();
    else
      pin(id);
    check_watermarks(id);
  }

  /// Everything that must be there is, in its place.
  void check_all() {
    for (std::size_t id = 0; id != partitions; ++id) {
      const auto marks = h_.partition(id).watermarks();
      const auto seen = LogFixture::read_all(h_.partition(id), Offset(0), Watermark::written);
      REQUIRE(seen.size() == marks.written - marks.earliest);
      for (const auto& one : seen) check_record(id, one);
      REQUIRE(h_.partition(id).status().damage.empty());
    }
  }

 private:
  bool one_in(std::uint64_t n) { return random_() % n == 0; }

  void append(std::size_t id) {
    auto& expected = expected_[id];
    const std::int64_t time = between<std::int64_t>(random_, -1000, 100'000) + (one_in(50) ? 1'000'000'000 : 0);
    const auto key = fmt::format("d{}", random_() % 9);
    const std::size_t size = one_in(60) ? random_() % 40'000 : random_() % 300;
    const std::string value(size, static_cast<char>('a' + random_() % 26));
    const auto appended = h_.partition(id).append(Timestamp{time}, key, as_bytes(value));
    switch (appended.status) {
      case AppendStatus::accepted:
        ++reached_.accepted;
        REQUIRE(appended.offset.value == expected.records.size());
        expected.records.push_back({appended.offset.value, time, key, value});
        break;
      case AppendStatus::back_pressured:
        ++reached_.back_pressured;
        break;
      case AppendStatus::disk_full:
        ++reached_.refused_full;
        break;
      case AppendStatus::read_only:
        ++reached_.refused_read_only;
        REQUIRE(h_.partition(id).status().read_only);
        break;
      default:
        FAIL(describe(appended.status));
    }
  }

  void serve(std::size_t id) { reached_.stalls += h_.partition(id).serve() == PartitionLog::Work::stalled ? 1 : 0; }
  void sync(std::size_t id) { h_.partition(id).sync(); }

  void check_record(std::size_t id, const LogFixture::Seen& seen) {
    const auto& expected = expected_[id].records;
    if (seen.offset >= expected.size() || !(seen == expected[seen.offset]))
      FAIL("partition " << id << ", offset " << seen.offset);
  }

  void read(std::size_t id) {
    const Watermark limit = one_in(2) ? Watermark::written : Watermark::durable;
    const auto marks = h_.partition(id).watermarks();
    const auto end = limit == Watermark::written ? marks.written : marks.durable;
    const std::uint64_t from = random_() % (end.value + 2);
    const auto batch = h_.partition(id).read(Offset(from), random_() % (one_in(10) ? 200'000 : 4'000), limit);
    if (from > end.value) {
      REQUIRE(batch.error().kind == ErrorKind::invalid);
      return;
    }
    REQUIRE(batch);
    ++(batch->empty() ? reached_.reads_of_nothing : reached_.reads);
    std::uint64_t offset = std::max(from, marks.earliest.value);
    REQUIRE(batch->empty() == (offset == end.value));
    for (const Record& record : batch->records()) {
      REQUIRE(record.offset.value == offset++);
      check_record(id, {record.offset.value, record.time.us, std::string(record.key), std::string(as_text(record.value))});
    }
    REQUIRE(offset <= end.value);
  }

  void seek(std::size_t id) {
    const std::int64_t wanted = between<std::int64_t>(random_, -2000, 110'000);
    const auto marks = h_.partition(id).watermarks();
    std::uint64_t expected = marks.earliest.value;
    while (expected != marks.durable.value && expected_[id].records[expected].time_us < wanted) ++expected;
    const auto found = h_.partition(id).seek(Timestamp{wanted});
    REQUIRE(found);
    REQUIRE(found->value == expected);
    ++(expected == marks.durable.value ? reached_.seeks_beyond : reached_.seeks_inside);
  }

  void retain() {
    std::uint64_t before = 0;
    for (std::size_t id = 0; id != partitions; ++id) before += h_.partition(id).watermarks().earliest.value;
    h_.topic->retain(h_.clock.now());
    std::uint64_t after = 0;
    for (std::size_t id = 0; id != partitions; ++id) {
      const auto marks = h_.partition(id).watermarks();
      after += marks.earliest.value;
      REQUIRE(marks.earliest <= marks.durable);
      // A pin holds what it held; that it was put below what is gone already is no fault of retention.
      REQUIRE((marks.earliest.value <= pins_[id] || marks.earliest.value == expected_[id].earliest));
    }
    reached_.removed += after != before ? 1 : 0;
  }

  void pin(std::size_t id) {
    pins_[id] = one_in(3) ? 1'000'000 : random_() % (h_.partition(id).watermarks().durable.value + 1);
    h_.partition(id).pin("reader", Offset(pins_[id]));
  }

  void move_clock() {
    if (one_in(3)) h_.clock.jump(Duration::seconds(between<std::int64_t>(random_, -100'000, 100'000)));
    h_.clock.advance(Duration::seconds(between<std::int64_t>(random_, 0, 3'000)));
  }

  /// The disk fills up or has space again, or fails the next write or sync of one partition.
  void change_weather() {
    h_.disk->set_fault(nullptr);
    switch (random_() % 6) {
      case 0:
        h_.disk->set_capacity(0);
        break;
      case 1: {
        const auto kind = one_in(2) ? MemoryDisk::Kind::write : MemoryDisk::Kind::sync;
        ++(kind == MemoryDisk::Kind::write ? reached_.failed_writes : reached_.failed_syncs);
        h_.disk->set_fault([kind, folder = fmt::format("log/t/{}/", random_() % partitions), failed = false](
                               MemoryDisk::Kind asked, const std::string& path) mutable -> std::optional<Error> {
          if (failed || asked != kind || !path.starts_with(folder) || !path.ends_with(".segment")) return std::nullopt;
          failed = true;
          return Error{ErrorKind::io, "it failed once"};
        });
        break;
      }
      default:
        h_.disk->set_capacity(1u << 30);
    }
  }

  void reopen(std::shared_ptr<MemoryDisk> image) {
    h_.disk = std::move(image);
    h_.disk->set_fault(nullptr);
    h_.disk->set_capacity(1u << 30);
    h_.reopen();
    for (std::size_t id = 0; id != partitions; ++id) {
      const auto marks = h_.partition(id).watermarks();
      auto& expected = expected_[id];
      REQUIRE(marks.durable.value >= expected.durable);
      REQUIRE(marks.durable.value <= expected.records.size());
      REQUIRE(marks.earliest.value >= expected.earliest);
      expected.records.resize(marks.durable.value);
      pins_[id] = 1'000'000;
    }
    check_all();
  }

  void kill() {
    ++reached_.kills;
    std::array<std::uint64_t, partitions> written{};
    for (std::size_t id = 0; id != partitions; ++id) written[id] = h_.partition(id).watermarks().written.value;
    reopen(h_.disk->copy());
    for (std::size_t id = 0; id != partitions; ++id) REQUIRE(h_.partition(id).watermarks().durable.value >= written[id]);
  }

  void end_cleanly() {
    ++reached_.clean_ends;
    for (std::size_t id = 0; id != partitions; ++id) {
      h_.partition(id).refuse_appends();
      h_.partition(id).finish_writing();
      h_.partition(id).finish_syncing();
      expected_[id].durable = h_.partition(id).watermarks().durable.value;
    }
    reopen(h_.disk);
  }

  void lose_power() {
    ++reached_.power_cuts;
    std::uint64_t before = 0;
    for (std::size_t id = 0; id != partitions; ++id) before += h_.partition(id).watermarks().written.value;
    reopen(h_.disk->after_power_cut(random_, static_cast<unsigned>(random_() % 101)));
    std::uint64_t after = 0;
    for (std::size_t id = 0; id != partitions; ++id) after += h_.partition(id).watermarks().written.value;
    reached_.power_cuts_with_loss += after < before ? 1 : 0;
    const auto paths = h_.disk->paths();
    reached_.torn_tails +=
        std::ranges::any_of(paths, [](const auto& p) { return p.find(".tail.") != std::string::npos; }) ? 1 : 0;
  }

  void check_watermarks(std::size_t id) {
    const auto marks = h_.partition(id).watermarks();
    auto& expected = expected_[id];
    REQUIRE(marks.earliest <= marks.durable);
    REQUIRE(marks.durable <= marks.written);
    REQUIRE(marks.written.value <= expected.records.size());
    REQUIRE(marks.durable.value >= expected.durable);
    REQUIRE(marks.earliest.value >= expected.earliest);
    expected.durable = marks.durable.value;
    expected.earliest = marks.earliest.value;
  }

  std::mt19937_64& random_;
  Reached& reached_;
  HandDriven h_;
  std::array<Expected, partitions> expected_;
  std::array<std::uint64_t, partitions> pins_{1'000'000, 1'000'000, 1'000'000};
};

}  // namespace

TEST_CASE("random work against a plain reference") {
  IOTSTREAM_SEEDED(random);
  Reached reached{};
  for (int round = 0; round != 30; ++round) {
    INFO("round " << round);
    Machine machine(random, reached);
    for (int step = 0; step != 1'000; ++step) machine.step();
    machine.check_all();
  }
  CHECK(reached.accepted > 3'000);
  CHECK(reached.back_pressured > 10);
  CHECK(reached.refused_full > 10);
  CHECK(reached.refused_read_only > 10);
  CHECK(reached.reads > 500);
  CHECK(reached.reads_of_nothing > 10);
  CHECK(reached.seeks_inside > 300);
  CHECK(reached.seeks_beyond > 10);
  CHECK(reached.removed > 5);
  CHECK(reached.kills > 20);
  CHECK(reached.clean_ends > 20);
  CHECK(reached.power_cuts > 20);
  CHECK(reached.power_cuts_with_loss > 5);
  CHECK(reached.torn_tails > 5);
  CHECK(reached.stalls > 10);
  CHECK(reached.failed_writes > 5);
  CHECK(reached.failed_syncs > 5);
}
