// What an acknowledgement promises in each mode: held against kills and losses of power.
#include "log_fixture.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;
using iotstream::test::MemoryDisk;

namespace {

constexpr std::uint64_t count = 40;

struct SyncFixture : LogFixture {
  std::uint64_t seed = iotstream::test::seed();
  std::mt19937_64 random{seed};

  explicit SyncFixture(Sync sync) {
    options.topic_defaults.sync = sync;
    options.topic_defaults.sync_interval = Duration::milliseconds(3);
    open();
    (void)partition();
  }
  /// Acknowledged at that watermark, one after the other.
  void acknowledge(Watermark watermark) {
    for (std::uint64_t i = 0; i != count; ++i) {
      const Offset offset = append(partition(), static_cast<std::int64_t>(i), "d", fmt::format("value {}", i));
      REQUIRE(wait(partition(), watermark, offset));
    }
  }
  /// Which of the acknowledged records are there in a new life on that disk; each as it was, and none out of place.
  std::uint64_t kept_on(std::shared_ptr<MemoryDisk> image) {
    LogFixture next;
    next.options = options;
    next.disk = std::move(image);
    next.open();
    Topic* topic = next.log->find("t");
    if (topic == nullptr) return 0;
    const auto seen = read_all(topic->partition(PartitionId(0)));
    for (std::uint64_t i = 0; i != seen.size(); ++i)
      REQUIRE(seen[i] == Seen{i, static_cast<std::int64_t>(i), "d", fmt::format("value {}", i)});
    return seen.size();
  }
  std::shared_ptr<MemoryDisk> power_cut(unsigned keep) { return disk->after_power_cut(random, keep); }
  std::shared_ptr<MemoryDisk> kill() { return disk->copy(); }
};

}  // namespace

TEST_CASE("batch: what is acknowledged at durable survives a loss of power") {
  SyncFixture f(Sync::batch);
  f.acknowledge(Watermark::durable);
  INFO("seed " << f.seed);
  for (const unsigned keep : {0u, 0u, 30u, 50u, 90u}) CHECK(f.kept_on(f.power_cut(keep)) == count);
  CHECK(f.kept_on(f.kill()) == count);
}

TEST_CASE("interval: what is acknowledged at durable survives a loss of power, what is written a kill") {
  SyncFixture f(Sync::interval);
  f.acknowledge(Watermark::durable);
  INFO("seed " << f.seed);
  for (const unsigned keep : {0u, 0u, 30u, 50u, 90u}) CHECK(f.kept_on(f.power_cut(keep)) == count);
  CHECK(f.kept_on(f.kill()) == count);

  SyncFixture written(Sync::interval);
  written.acknowledge(Watermark::written);
  CHECK(written.kept_on(written.kill()) == count);
}

TEST_CASE("interval: an acknowledgement at written comes before the sync, and a loss of power can take it") {
  LogFixture f;
  f.options.topic_defaults.sync = Sync::interval;
  f.options.topic_defaults.sync_interval = Duration::seconds(60);
  f.open();
  const Offset offset = LogFixture::append(f.partition(), 1, "d", "v");
  REQUIRE(LogFixture::wait(f.partition(), Watermark::written, offset));
  CHECK(f.partition().watermarks().durable == Offset(0));
  std::mt19937_64 random(1);
  f.reopen_on(f.disk->after_power_cut(random, 0));
  CHECK(f.partition().watermarks().durable == Offset(0));
}

TEST_CASE("none: what is acknowledged survives a kill; a loss of power can take it, and this is where that is seen") {
  SyncFixture f(Sync::none);
  f.acknowledge(Watermark::durable);
  INFO("seed " << f.seed);
  CHECK(f.kept_on(f.kill()) == count);
  // Nothing of it had been synced, and the disk wrote nothing back by itself.
  CHECK(f.kept_on(f.power_cut(0)) == 0);
  // The same with a clean end in between: that syncs.
  f.close();
  CHECK(f.kept_on(f.power_cut(0)) == count);
}

TEST_CASE("options of a topic: for a new one all of them, for one that exists what can change, durably") {
  LogFixture f;
  f.open();
  (void)f.topic("a");
  f.close();
  TopicOptions wanted = f.options.topic_defaults;
  wanted.partitions = 3;
  wanted.segment_size = 1u << 20;
  wanted.retention_size = 5u << 20;
  wanted.retention_age = Duration::seconds(100);
  wanted.sync = Sync::none;
  wanted.sync_interval = Duration::milliseconds(7);
  wanted.compact = true;
  f.options.topics["a"] = wanted;
  f.options.topics["b"] = wanted;
  f.open();
  TopicOptions expected = wanted;
  expected.partitions = 1;
  expected.segment_size = 64u << 10;
  CHECK(f.topic("a").options() == expected);
  CHECK(f.topic("a").partition_count() == 1);
  CHECK(f.topic("b").options() == wanted);
  CHECK(f.topic("c").options() == f.options.topic_defaults);
  // What stands in the file now holds without the configuration too, also after a loss of power.
  std::mt19937_64 random(1);
  f.options.topics.clear();
  f.reopen_on(f.disk->after_power_cut(random, 0));
  CHECK(f.topic("a").options() == expected);
  CHECK(f.topic("b").options() == wanted);
}

TEST_CASE("a disk that cannot take a topic's new options: the log does not open, and the old ones stay") {
  LogFixture f;
  f.open();
  (void)f.topic("a");
  f.close();
  const auto before = f.disk->content("data/log/a/topic");
  f.options.topics["a"] = f.options.topic_defaults;
  f.options.topics["a"].sync = Sync::none;
  f.disk->set_fault([](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
    if (kind == MemoryDisk::Kind::write && path.find("/a/topic") != std::string::npos)
      return Error{ErrorKind::disk_full, "no space"};
    return std::nullopt;
  });
  const auto refused = Log::open(f.options, *f.disk, f.clock, f.metrics);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::disk_full);
  f.disk->set_fault(nullptr);
  CHECK(f.disk->content("data/log/a/topic") == before);
  f.open();
  CHECK(f.topic("a").options().sync == Sync::none);
}
