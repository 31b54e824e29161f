// Published failures of other logs, one test each: what a running process did wrong. Each begins with its story: what happened
// where, and what must hold here. (published_recovery_test.cpp: what the next start made of the files.)
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::log::test::segment_path;
using iotstream::test::MemoryDisk;

namespace {

/// Fails the n-th changing operation from now on, and those behind it while `failures` lasts.
struct FailAt {
  FailAt(MemoryDisk& disk, std::uint64_t first, std::uint64_t failures, Error error) {
    disk.set_fault([this, first, failures, error](MemoryDisk::Kind kind, const std::string&) -> std::optional<Error> {
      if (kind == MemoryDisk::Kind::read || kind == MemoryDisk::Kind::open) return std::nullopt;
      const std::uint64_t number = seen++;
      return number >= first && number < first + failures ? std::optional(error) : std::nullopt;
    });
  }
  std::uint64_t seen = 0;
};

}  // namespace

// NATS JetStream, issue 7564, and Jepsen on 2.12.1: acknowledged messages were synced every two minutes, and a loss of power
// took 131,418 of 930,005 of them. Here the power may fail in the moment of the acknowledgement.
TEST_CASE("NATS 7564: a loss of power in the moment of the acknowledgement takes nothing acknowledged") {
  IOTSTREAM_SEEDED(random);
  const Sync mode = GENERATE(Sync::batch, Sync::interval);
  LogFixture f;
  f.options.topic_defaults.sync = mode;
  f.open();
  auto& partition = f.partition();
  std::vector<std::pair<std::uint64_t, std::shared_ptr<MemoryDisk>>> images;
  std::mutex mutex;
  Offset last;
  for (std::uint64_t i = 0; i != 300; ++i) {
    last = LogFixture::append(partition, 1, "k", fmt::format("{}", i));
    if (i % 20 != 0) continue;
    partition.when(Watermark::durable, last, [&, offset = last.value](Status status) {
      std::lock_guard lock(mutex);
      if (status.ok()) images.emplace_back(offset, f.disk->after_power_cut(random, 0));
    });
  }
  REQUIRE(LogFixture::wait(partition, Watermark::durable, last));
  f.close();
  REQUIRE(images.size() == 15);
  for (const auto& [offset, image] : images) {
    f.reopen_on(image);
    const auto seen = LogFixture::read_all(f.partition());
    REQUIRE(seen.size() > offset);
    for (std::uint64_t i = 0; i <= offset; ++i) CHECK(seen[i].value == fmt::format("{}", i));
  }
}

// InfluxDB 7488, Elasticsearch 18972, MonetDB 3988, Riak 282, Redpanda full_disk_test.py: a disk that filled up in the middle
// of a batch, of an index or of a rename left files that did not open again, or needed a restart when there was space. Here
// every operation in turn finds no space, for a while, and then all goes on by itself; and whatever stands there opens.
TEST_CASE("full disks (InfluxDB 7488, Elasticsearch 18972, Riak 282): at each operation, for a while") {
  std::uint64_t hit = 0;
  for (std::uint64_t at = 0;; ++at) {
    HandDriven h;
    h.create();
    h.put(0, "0");
    const auto failures = 1 + at % 5;
    FailAt fault(*h.disk, at, failures, {ErrorKind::disk_full, "no space"});
    std::uint64_t next = 1;
    while (next != 70 || h.partition().watermarks().written.value != next) {  // several segments are closed and sealed in it
      if (next != 70 &&
          h.partition().append(Timestamp{0}, "k", as_bytes(fmt::format("{:0>3000}", next))).status == AppendStatus::accepted)
        ++next;
      (void)h.partition().serve();
      h.partition().sync();
      if (h.partition().status().read_only) break;
    }
    const bool over = fault.seen < at;
    hit += fault.seen >= at ? 1 : 0;
    h.disk->set_fault(nullptr);
    INFO("operation " << at << ", " << failures << " times");
    // A sync without space is a sync that failed: that partition needs its restart. Everything else passes by itself.
    if (h.partition().status().read_only) {
      CHECK(h.partition().append(Timestamp{0}, "k", {}).status == AppendStatus::read_only);
    } else {
      h.partition().sync();
      REQUIRE(h.partition().watermarks().durable == Offset(70));
      REQUIRE(LogFixture::read_all(h.partition()).size() == 70);
    }
    const auto durable = h.partition().watermarks().durable.value;
    const auto image = h.disk->copy();
    h.disk = image;
    h.reopen();
    const auto seen = LogFixture::read_all(h.partition());
    REQUIRE(seen.size() >= durable);
    for (const auto& record : seen) REQUIRE(std::stoull(record.value) == record.offset);
    CHECK(h.partition().status().damage.empty());
    h.put(0, "more");
    if (over) break;
  }
  CHECK(hit > 100);
}

// fsyncgate (PostgreSQL, 2018), and Rebello et al., ATC 2020: after a failed fsync the kernel calls the pages clean, a second
// fsync succeeds, and the data was never written. Here nothing is acknowledged behind a failed sync, and what had been is
// there.
TEST_CASE(
    "fsyncgate: a sync that fails once acknowledges nothing any more, and a loss of power then takes nothing acknowledged") {
  IOTSTREAM_SEEDED(random);
  int stopped = 0;
  for (std::uint64_t failing = 1; failing != 14; ++failing) {
    HandDriven h;
    h.create();
    std::uint64_t syncs = 0;
    h.disk->set_fault([&](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
      const bool is_it = kind == MemoryDisk::Kind::sync && path.ends_with(".segment") && ++syncs == failing;
      return is_it ? std::optional(Error{ErrorKind::io, "the disk lost it"}) : std::nullopt;
    });
    std::vector<std::uint64_t> acknowledged;
    for (std::uint64_t i = 0; i != 40; ++i) {
      if (h.partition().append(Timestamp{0}, "k", as_bytes(fmt::format("{:0>4000}", i))).status != AppendStatus::accepted)
        break;
      h.partition().when(Watermark::durable, Offset(i), [&, i](Status status) {
        if (status.ok()) acknowledged.push_back(i);
      });
      h.partition().serve();
      if (i % 3 == 2) h.partition().sync();
    }
    h.partition().sync();
    h.partition().finish_syncing();
    REQUIRE(syncs >= failing);
    // The sync of a segment that is being sealed comes when all of it is durable already: it is in no acknowledgement's way.
    stopped += h.partition().status().read_only ? 1 : 0;
    if (!h.partition().status().read_only) CHECK(acknowledged.size() == 40);
    CHECK(acknowledged.size() == h.partition().watermarks().durable.value);
    h.disk = h.disk->after_power_cut(random, 50);
    h.reopen();
    const auto seen = LogFixture::read_all(h.partition());
    REQUIRE(seen.size() >= acknowledged.size());
    for (const auto& record : seen) CHECK(std::stoull(record.value) == record.offset);
    CHECK(h.partition().status().damage.empty());
  }
  CHECK(stopped > 8);
}

// Redpanda, storage_failure_injection_test.py: after one failed write a node went on acknowledging, and came back with a wrong
// high watermark. Here the failed partition stops, and comes back at exactly what stands in its segments; the others never
// notice.
TEST_CASE("Redpanda storage_failure_injection: a write that fails once stops its partition, which comes back where it was") {
  int stopped = 0;
  for (std::uint64_t failing = 0; failing != 16; ++failing) {
    HandDriven h;
    h.options.topic_defaults.partitions = 2;
    h.create();
    std::uint64_t writes = 0;
    h.disk->set_fault([&](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
      const bool is_it =
          kind == MemoryDisk::Kind::write && path.starts_with("log/t/0/") && path.ends_with(".segment") && writes++ == failing;
      return is_it ? std::optional(Error{ErrorKind::io, "the disk refused"}) : std::nullopt;
    });
    std::uint64_t acknowledged = 0;
    for (std::uint64_t i = 0; i != 30; ++i) {
      h.put(0, fmt::format("{}", i), 1);
      if (h.partition(0).append(Timestamp{0}, "k", as_bytes(fmt::format("{:0>30000}", i))).status == AppendStatus::accepted)
        h.partition(0).when(Watermark::durable, Offset(i), [&](Status status) { acknowledged += status.ok() ? 1 : 0; });
      h.partition(0).serve();
      h.partition(0).sync();
    }
    // Zeros written ahead are no records: when they fail nothing is lost but time.
    stopped += h.partition(0).status().read_only ? 1 : 0;
    if (!h.partition(0).status().read_only) CHECK(acknowledged == 30);
    CHECK_FALSE(h.partition(1).status().read_only);
    CHECK(h.partition(1).watermarks().durable == Offset(30));
    CHECK(acknowledged == h.partition(0).watermarks().durable.value);
    h.reopen();
    CHECK(h.partition(0).watermarks().durable == Offset(acknowledged));
    CHECK(LogFixture::read_all(h.partition(0)).size() == acknowledged);
    h.put(0, "goes on");
    CHECK(h.partition(0).watermarks().durable == Offset(acknowledged + 1));
  }
  CHECK(stopped >= 8);
}

// Redpanda, issue 5355 and pull request 5356, librdkafka 4953: an idempotent producer that sent a batch again got another
// offset than the first time, or the batch was there twice. Here every record of a batch that is sent again, from any place in
// it, is answered with its first offset, before it is written, while it is, after it, and after a kill.
TEST_CASE("Redpanda 5355, librdkafka 4953: a batch that is sent again is answered with its first offsets") {
  IOTSTREAM_SEEDED(random);
  HandDriven h;
  h.create();
  std::vector<std::uint64_t> first_offset;
  const auto send = [&h](std::uint64_t sequence) {
    return h.partition().append(Timestamp{0}, "k", as_bytes(fmt::format("{}", sequence)), Producer{42, sequence});
  };
  for (int batch = 0; batch != 40; ++batch) {
    // Another's records in between, so that sequences and offsets differ.
    for (auto others = random() % 3; others != 0; --others)
      REQUIRE(h.partition().append(Timestamp{0}, "other", as_bytes("other")).status == AppendStatus::accepted);
    const auto begin = first_offset.size();
    for (auto size = 1 + random() % 5; size != 0; --size) {
      const auto taken = send(first_offset.size());
      REQUIRE(taken.status == AppendStatus::accepted);
      first_offset.push_back(taken.offset.value);
    }
    for (int stage = 0; stage != 4; ++stage) {
      for (auto sequence = begin + random() % (first_offset.size() - begin); sequence != first_offset.size(); ++sequence) {
        const auto again = send(sequence);
        REQUIRE(again.status == AppendStatus::duplicate);
        REQUIRE(again.offset.value == first_offset[sequence]);
      }
      if (stage == 0) REQUIRE(h.partition().serve() == PartitionLog::Work::done);
      if (stage == 1) h.partition().sync();
      if (stage == 2 && batch % 4 == 0) {
        h.disk = h.disk->copy();
        h.reopen();
      }
    }
  }
  std::uint64_t sequence = 0;
  for (const auto& record : LogFixture::read_all(h.partition())) {
    if (record.key == "other") continue;
    CHECK(record.value == fmt::format("{}", sequence));
    CHECK(record.offset == first_offset[sequence++]);
  }
  CHECK(sequence == first_offset.size());
}

// Redpanda, pull request 11840: a state machine applied batches beyond what was durable, and answered from what a crash then
// took back. Here a reader to `durable` never sees a record that is only written, wherever it asks from.
TEST_CASE("Redpanda 11840: a reader to durable never gets what is only written") {
  IOTSTREAM_SEEDED(random);
  for (const std::size_t cache : {std::size_t{0}, std::size_t{1} << 20}) {
    HandDriven h;
    h.options.cache_size = cache;
    h.create();
    int held_back = 0;
    for (int step = 0; step != 2000; ++step) {
      (void)h.partition().append(Timestamp{step}, "k", as_bytes(std::string(random() % 200, 'v')));
      if (random() % 3 == 0) h.partition().serve();
      if (random() % 20 == 0) h.partition().sync();
      const auto marks = h.partition().watermarks();
      REQUIRE(marks.durable <= marks.written);
      held_back += marks.durable < marks.written ? 1 : 0;
      const Offset from(random() % (marks.durable.value + 1));
      const auto batch = h.partition().read(from, random() % 3000, Watermark::durable);
      REQUIRE(batch);
      REQUIRE(batch->empty() == (from == marks.durable));
      if (!batch->empty()) REQUIRE(batch->records().back().offset < marks.durable);
      REQUIRE(*h.partition().seek(Timestamp{step + 1}) <= marks.durable);
    }
    CHECK(held_back > 500);
  }
}

// Redpanda, pull request 12176: a segment was evicted while its last record was still needed. Here a pin at the last record of
// a segment holds all of it, one behind does not; and who reads in a segment that goes reads on.
TEST_CASE("Redpanda 12176: a segment stays while its last record is needed") {
  HandDriven h;
  h.options.topic_defaults.retention_size = 1;
  h.create();
  for (int i = 0; i != 200; ++i) h.put(i, std::string(1000, 'r'));
  h.reopen();
  REQUIRE(h.partition().status().segments > 2);
  Offset second(0);
  while (h.partition().status().segments > 2) {  // what the last record of the first segment is, is found by trying
    h.partition().pin("reader", second);
    const auto before = h.partition().status().segments;
    h.topic->retain(h.clock.now());
    if (h.partition().status().segments != before) break;
    REQUIRE(h.partition().watermarks().earliest == Offset(0));
    const auto all = LogFixture::read_all(h.partition(), second);
    REQUIRE(all.front().offset == second.value);
    second = second + 1;
  }
  CHECK(h.partition().watermarks().earliest == second);
  CHECK(h.disk->exists("log/t/0/" + segment_file_name(second.value)));

  const Batch held = *h.partition().read(second, 2000, Watermark::durable);
  h.partition().pin("reader", Offset(1'000));
  h.topic->retain(h.clock.now());
  CHECK(h.partition().status().segments == 1);
  REQUIRE_FALSE(held.empty());
  CHECK(held.records()[0].offset == second);
  CHECK(as_text(held.records()[0].value) == std::string(1000, 'r'));
}

// Redpanda 23.3.16, issue 18566: asked by time for what had been trimmed, it answered with an offset below the log's start, and
// the consumer stuck there. Here an offset by time can always be read from, and so can any offset below the start.
TEST_CASE("Redpanda 18566: by time below the log's start is an offset that can be read") {
  HandDriven h;
  h.options.topic_defaults.retention_size = 130u << 10;
  h.create();
  for (int i = 0; i != 400; ++i) h.put(1000 + i, std::string(1000, 'r'));
  h.topic->retain(h.clock.now());
  const Offset earliest = h.partition().watermarks().earliest;
  REQUIRE(earliest > Offset(100));
  for (const std::int64_t time :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1000}, 1000 + static_cast<std::int64_t>(earliest.value)}) {
    CHECK(*h.partition().seek(Timestamp{time}) == earliest);
    const auto batch = h.partition().read(*h.partition().seek(Timestamp{time}), 100, Watermark::durable);
    REQUIRE(batch);
    REQUIRE_FALSE(batch->empty());
    CHECK(batch->records()[0].offset == earliest);
  }
  CHECK(*h.partition().seek(Timestamp{1399}) == Offset(399));
  CHECK(h.partition().read(Offset(3), 100, Watermark::durable)->records()[0].offset == earliest);
}

// Jepsen on Bufstream 0.1.0: in a healthy system consumers saw spurious zero offsets and stuck, producers stuck, and
// acknowledged records were lost. Here the checks of jepsen.tests.kafka: every value is unique; none acknowledged is lost, none
// is there twice, a poll never goes back or leaves one out, and everybody comes to an end.
TEST_CASE("Jepsen on Bufstream: producers and consumers of a healthy log lose, double, skip and repeat nothing", "[threads]") {
  LogFixture f;
  f.options.topic_defaults.segment_size = 64u << 10;
  f.options.cache_size = 32u << 10;
  f.open();
  auto& partition = f.partition();
  constexpr unsigned producers = 3;
  constexpr std::uint64_t each = 3'000;
  std::array<std::atomic<std::uint64_t>, producers * each> acknowledged_at{};  // offset + 1
  auto produce = [&](unsigned p) {
    for (std::uint64_t i = 0; i != each; ++i) {
      const std::uint64_t number = p * each + i;
      const Offset offset = LogFixture::append(partition, 1, "k", fmt::format("{}", number));
      partition.when(Watermark::durable, offset, [&acknowledged_at, number, offset](Status status) {
        if (status.ok()) acknowledged_at[number].store(offset.value + 1, std::memory_order_relaxed);
      });
    }
  };
  std::atomic<int> wrong{0};
  auto consume = [&](std::vector<std::uint64_t>& values, std::size_t bytes) {
    for (Offset next(0); next.value != producers * each;) {
      const auto batch = partition.read(next, bytes, Watermark::durable);
      if (!batch) return void(++wrong);
      if (batch->empty()) std::this_thread::yield();
      for (const Record& record : batch->records()) {
        if (record.offset != next) return void(++wrong);
        values.push_back(std::stoull(std::string(as_text(record.value))));
        next = next + 1;
      }
    }
  };
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  std::vector<std::thread> threads;
  for (unsigned p = 0; p != producers; ++p) threads.emplace_back(produce, p);
  threads.emplace_back([&] { consume(first, 300); });
  threads.emplace_back([&] { consume(second, 20'000); });
  for (auto& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
  f.close();  // all acknowledgements have been given
  REQUIRE(first.size() == producers * each);
  CHECK(first == second);
  std::vector<bool> seen(producers * each);
  for (std::uint64_t offset = 0; offset != first.size(); ++offset) {
    CHECK_FALSE(seen[first[offset]]);
    seen[first[offset]] = true;
    CHECK(acknowledged_at[first[offset]].load() == offset + 1);
  }
}
