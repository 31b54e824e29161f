#include <map>
#include <thread>

#include "log_fixture.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;

TEST_CASE("records come back in order with dense offsets, before and after a restart") {
  LogFixture f;
  f.open();
  auto* partition = &f.partition();
  std::vector<LogFixture::Seen> expected;
  for (int i = 0; i != 500; ++i) {
    const auto key = fmt::format("device-{}", i % 7);
    const auto value = std::string(static_cast<std::size_t>(i % 90), static_cast<char>('a' + i % 26));
    const Offset offset = LogFixture::append(*partition, 1000 + i, key, value);
    REQUIRE(offset.value == static_cast<std::uint64_t>(i));
    expected.push_back({offset.value, 1000 + i, key, value});
  }
  REQUIRE(LogFixture::wait(*partition, Watermark::durable, Offset(499)));
  CHECK(LogFixture::read_all(*partition) == expected);
  CHECK(partition->watermarks().durable == Offset(500));
  f.close();
  f.open();
  partition = &f.partition();
  CHECK(partition->watermarks().durable == Offset(500));
  CHECK(partition->watermarks().earliest == Offset(0));
  CHECK(LogFixture::read_all(*partition) == expected);
  CHECK(LogFixture::append(*partition, 1, "k", "v") == Offset(500));
}

TEST_CASE("a topic keeps its options, whatever the defaults are later") {
  LogFixture f;
  f.open();
  TopicOptions options;
  options.partitions = 3;
  options.sync = Sync::interval;
  options.retention_size = 12345678;
  REQUIRE(f.log->topic("räume/1", options));
  f.close();
  f.open();
  Topic* topic = f.log->find("räume/1");
  REQUIRE(topic != nullptr);
  CHECK(topic->partition_count() == 3);
  CHECK(topic->options().sync == Sync::interval);
  CHECK(topic->options().retention_size == 12345678);
  CHECK(f.log->find("other") == nullptr);
}

TEST_CASE("impossible topics are refused") {
  LogFixture f;
  f.open();
  CHECK(f.log->topic("").error().kind == ErrorKind::invalid);
  CHECK(f.log->topic(std::string(201, 'a')).error().kind == ErrorKind::invalid);
  CHECK(f.log->topic("\xff\xfe").error().kind == ErrorKind::invalid);
  TopicOptions options;
  options.partitions = 0;
  CHECK(f.log->topic("t", options).error().kind == ErrorKind::invalid);
  CHECK(f.log->topics().empty());
}

TEST_CASE("a record may be as large as the limit and no larger") {
  LogFixture f;
  f.options.topic_defaults.segment_size = 4u << 20;
  f.open();
  auto& partition = f.partition();
  const std::string value(record_size_max - 1, 'x');
  const Offset offset = LogFixture::append_durably(partition, 5, "k", value);
  const auto seen = LogFixture::read_all(partition);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].offset == offset.value);
  CHECK(seen[0].value == value);
  CHECK(partition.append(Timestamp{1}, "kk", as_bytes(value)).status == AppendStatus::too_large);
  CHECK(LogFixture::append(partition, 5, "", "") == Offset(1));
}

TEST_CASE("one key always goes to one partition") {
  LogFixture f;
  f.options.topic_defaults.partitions = 12;
  f.open();
  auto& topic = f.topic();
  // FNV-1a of these, computed apart: the placing must never change, or a device's order breaks at an upgrade.
  CHECK(topic.partition_of("") == PartitionId(0xcbf29ce484222325ULL % 12));
  CHECK(topic.partition_of("a") == PartitionId(0xaf63dc4c8601ec8cULL % 12));
  CHECK(topic.partition_of("foobar") == PartitionId(0x85944171f73967e8ULL % 12));
}

TEST_CASE("two producers at once: no record is lost or doubled, each producer's order is kept") {
  LogFixture f;
  f.options.cache_size = 1u << 20;
  f.open();
  auto& partition = f.partition();
  constexpr int each = 4000;
  auto produce = [&partition](char name) {
    for (int i = 0; i != each; ++i) LogFixture::append(partition, i, std::string(1, name), fmt::format("{}", i));
  };
  std::thread one(produce, 'a');
  std::thread two(produce, 'b');
  one.join();
  two.join();
  REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(2 * each - 1)));
  const auto seen = LogFixture::read_all(partition, Offset(0), Watermark::durable, 1u << 20);
  REQUIRE(seen.size() == 2 * each);
  int next[2] = {0, 0};
  for (std::size_t i = 0; i != seen.size(); ++i) {
    REQUIRE(seen[i].offset == i);
    REQUIRE(seen[i].value == fmt::format("{}", next[seen[i].key == "b"]++));
  }
}

TEST_CASE("acknowledgements come in offset order and only when true") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  std::mutex mutex;
  std::vector<std::uint64_t> acknowledged;
  for (int i = 0; i != 1000; ++i) {
    const Offset offset = LogFixture::append(partition, i, "k", "v");
    partition.when(Watermark::durable, offset, [&, offset](Status status) {
      REQUIRE(status);
      REQUIRE(partition.watermarks().durable > offset);
      std::lock_guard lock(mutex);
      acknowledged.push_back(offset.value);
    });
  }
  REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(999)));
  f.close();
  CHECK(acknowledged.size() == 1000);
}

TEST_CASE("thousands of outstanding acknowledgements come one at a time and in order") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  constexpr std::uint64_t count = 40'000;
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> disorders{0};
  std::atomic<bool> inside{false};
  std::atomic<std::uint64_t> next{0};
  const auto producer = std::this_thread::get_id();
  for (std::uint64_t i = 0; i != count; ++i) {
    const Offset offset = LogFixture::append(partition, 0, "k", "v");
    partition.when(Watermark::durable, offset, [&, offset](const Status& status) {
      if (!status || partition.watermarks().durable <= offset) ++disorders;
      // Who asks when it holds already is called at once, on its own thread, maybe beside the others.
      if (std::this_thread::get_id() != producer) {
        if (inside.exchange(true) || offset.value < next) ++disorders;
        next = offset.value + 1;
        inside = false;
      }
      ++acknowledged;
    });
    while (i > acknowledged + 10'000) std::this_thread::yield();
  }
  REQUIRE(f.log->close());
  CHECK(acknowledged == count);
  CHECK(disorders == 0);
}

TEST_CASE("closing writes what was accepted and answers everybody") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  for (int i = 0; i != 300; ++i) LogFixture::append(partition, i, "k", "v");
  int refused = 0;
  partition.when(Watermark::durable, Offset(1'000'000), [&refused](Status status) { refused += status.ok() ? 0 : 1; });
  REQUIRE(f.log->close());
  CHECK(refused == 1);
  CHECK(partition.watermarks().durable == Offset(300));
  CHECK(partition.append(Timestamp{1}, "k", {}).status == AppendStatus::closed);
  CHECK(f.log->close());
  f.log.reset();
  f.open();
  CHECK(LogFixture::read_all(f.partition()).size() == 300);
}

TEST_CASE("reading beyond the end is refused, reading at the end is empty") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  LogFixture::append_durably(partition, 1, "k", "v");
  CHECK(partition.read(Offset(1), 100, Watermark::durable)->empty());
  CHECK(partition.read(Offset(2), 100, Watermark::durable).error().kind == ErrorKind::invalid);
  CHECK(partition.read(Offset(0), 0, Watermark::durable)->records().size() == 1);
}

TEST_CASE("a batch outlives the log that it came from") {
  LogFixture f;
  f.options.cache_size = 1u << 20;
  f.open();
  LogFixture::append_durably(f.partition(), 1, "key", "value");
  const Batch cached = *f.partition().read(Offset(0), 100, Watermark::durable);
  f.close();
  f.open();
  const Batch cold = *f.partition().read(Offset(0), 100, Watermark::durable);
  f.close();
  for (const Batch& batch : {cached, cold}) {
    REQUIRE(batch.records().size() == 1);
    CHECK(batch.records()[0].key == "key");
    CHECK(as_text(batch.records()[0].value) == "value");
  }
}

TEST_CASE("a subscriber is woken by records and by new topics, and not after it left") {
  LogFixture f;
  f.open();
  Signal signal;
  f.log->subscribe(signal, Watermark::durable);
  auto& partition = f.partition();
  CHECK(signal.wait(Duration::seconds(10)));
  LogFixture::append_durably(partition, 1, "k", "v");
  CHECK(signal.wait(Duration::seconds(10)));
  f.log->unsubscribe(signal);
  LogFixture::append_durably(partition, 1, "k", "v");
  CHECK_FALSE(signal.wait(Duration{0}));
}

TEST_CASE("modes interval and none give their watermarks too", "[modes]") {
  for (const Sync mode : {Sync::interval, Sync::none}) {
    LogFixture f;
    f.options.topic_defaults.sync = mode;
    f.open();
    auto& partition = f.partition();
    for (int i = 0; i != 2000; ++i) LogFixture::append(partition, i, "k", std::string(100, 'v'));
    REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(1999)));
    CHECK(partition.watermarks().written == Offset(2000));
    f.close();
    f.open();
    CHECK(LogFixture::read_all(f.partition()).size() == 2000);
  }
}

TEST_CASE("with several writers every partition keeps its order and nothing is lost") {
  LogFixture f;
  f.options.writers = 3;
  f.options.topic_defaults.partitions = 8;
  f.open();
  auto topic = f.log->topic("spread");
  REQUIRE(topic);
  constexpr int records = 2000;
  std::vector<std::thread> producers;
  for (int producer = 0; producer != 3; ++producer) {
    producers.emplace_back([&topic, producer] {
      for (int i = 0; i != records; ++i) {
        auto& partition = (*topic)->partition(PartitionId(static_cast<std::uint32_t>(i % 8)));
        const auto key = fmt::format("p{}", producer);
        const auto value = fmt::format("{}", i);
        while (partition.append(Timestamp{i}, key, as_bytes(value)).status == AppendStatus::back_pressured)
          std::this_thread::yield();
      }
    });
  }
  for (auto& producer : producers) producer.join();
  for (std::uint32_t p = 0; p != 8; ++p) {
    auto& partition = (*topic)->partition(PartitionId(p));
    REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(3 * records / 8 - 1)));
    std::map<std::string, int> last;
    for (const auto& seen : LogFixture::read_all(partition)) {
      const int number = std::stoi(seen.value);
      const auto before = last.find(seen.key);
      if (before != last.end()) CHECK(before->second < number);
      CHECK(number % 8 == static_cast<int>(p));
      last[seen.key] = number;
    }
    CHECK(last.size() == 3);
    for (const auto& [key, number] : last) CHECK(number == records - 8 + static_cast<int>(p));
  }
}

// The sync thread looked for more without its mutex when the log was closed; the notification came while nobody waited, and
// closing waited for ever.
TEST_CASE("a log that is closed while its sync thread looks for more ends") {
  LogFixture f;
  for (int round = 0; round != 100; ++round) {
    f.open();
    for (int i = 0; i != 10; ++i) LogFixture::append_durably(f.partition(), i, "k", "v");
    f.close();
  }
  f.open();
  CHECK(f.partition().watermarks().durable == Offset(1000));
}
