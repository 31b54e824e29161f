// One partition: watermarks, a full disk, a disk that fails, retention.
#include "log/partition.hpp"

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::MemoryDisk;

TEST_CASE("written comes before durable, and nobody is told too early") {
  HandDriven h;
  h.create();
  auto& partition = h.partition();
  bool written = false;
  bool durable = false;
  partition.append(Timestamp{1}, "k", as_bytes("v"));
  partition.when(Watermark::written, Offset(0), [&written](Status s) { written = s.ok(); });
  partition.when(Watermark::durable, Offset(0), [&durable](Status s) { durable = s.ok(); });
  CHECK(partition.watermarks().written == Offset(0));
  CHECK_FALSE(written);
  partition.serve();
  CHECK(written);
  CHECK_FALSE(durable);
  CHECK(partition.watermarks().written == Offset(1));
  CHECK(partition.watermarks().durable == Offset(0));
  CHECK(partition.read(Offset(0), 100, Watermark::written)->records().size() == 1);
  CHECK(partition.read(Offset(0), 100, Watermark::durable)->empty());
  partition.sync();
  CHECK(durable);
  CHECK(partition.watermarks().durable == Offset(1));
}

TEST_CASE("one sync serves everything written before it") {
  HandDriven h;
  h.create();
  for (int i = 0; i != 50; ++i) {
    h.partition().append(Timestamp{1}, "k", as_bytes("v"));
    h.partition().serve();
  }
  const auto before = h.disk->count(MemoryDisk::Kind::sync);
  h.partition().sync();
  CHECK(h.disk->count(MemoryDisk::Kind::sync) == before + 1);
  CHECK(h.partition().watermarks().durable == Offset(50));
}

TEST_CASE("append times never go back, though the clock does") {
  HandDriven h;
  h.create();
  h.put(1);
  h.clock.advance(Duration::seconds(-3600));
  h.put(1);
  h.reopen();
  h.clock.advance(Duration::seconds(-3600));
  h.put(1);
  const auto batch = *h.partition().read(Offset(0), 1000, Watermark::durable);
  REQUIRE(batch.records().size() == 3);
  CHECK(batch.records()[1].append_time >= batch.records()[0].append_time);
  CHECK(batch.records()[2].append_time >= batch.records()[1].append_time);
}

TEST_CASE("seek finds the least offset with a time not before the wanted, under clocks that run backwards") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 15; ++round) {
    HandDriven h;
    h.create();
    std::vector<std::int64_t> times;
    std::int64_t base = 0;
    for (int i = 0; i != 900; ++i) {
      base += static_cast<std::int64_t>(random() % 20);
      if (random() % 100 == 0) base -= static_cast<std::int64_t>(random() % 3000);
      times.push_back(base + static_cast<std::int64_t>(random() % 50));
      REQUIRE(h.partition().append(Timestamp{times.back()}, "k", as_bytes(std::string(random() % 600, 'x'))).status ==
              AppendStatus::accepted);
      if (random() % 4 == 0) h.partition().serve();
      if (random() % 50 == 0) h.partition().sync();
      if (random() % 300 == 0) {
        while (h.partition().serve() == PartitionLog::Work::done) {
        }
        h.partition().finish_syncing();
        h.reopen();
      }
    }
    while (h.partition().serve() == PartitionLog::Work::done) {
    }
    h.partition().sync();
    for (int i = 0; i != 300; ++i) {
      const std::int64_t wanted = static_cast<std::int64_t>(random() % 12'000) - 1000;
      const auto expected = static_cast<std::uint64_t>(
          std::find_if(times.begin(), times.end(), [wanted](std::int64_t t) { return t >= wanted; }) - times.begin());
      const auto found = h.partition().seek(Timestamp{wanted});
      REQUIRE(found);
      REQUIRE(found->value == expected);
    }
  }
}

TEST_CASE("what is not durable is not found by time") {
  HandDriven h;
  h.create();
  h.put(10);
  h.partition().append(Timestamp{20}, "k", {});
  h.partition().serve();
  CHECK(h.partition().seek(Timestamp{15})->value == 1);
  CHECK(h.partition().seek(Timestamp{10})->value == 0);
}

TEST_CASE("a full disk refuses, keeps what it accepted, and goes on by itself") {
  HandDriven h;
  h.create();
  h.put(1, std::string(1000, 'a'));
  h.disk->set_capacity(0);
  // The reserved space of the segment still takes records; then a new segment finds no space.
  int accepted = 1;
  auto work = PartitionLog::Work::done;
  while (work == PartitionLog::Work::done) {
    REQUIRE(h.partition().append(Timestamp{1}, "k", as_bytes(std::string(1000, 'a'))).status == AppendStatus::accepted);
    ++accepted;
    work = h.partition().serve();
  }
  CHECK(work == PartitionLog::Work::stalled);
  CHECK(h.partition().append(Timestamp{1}, "k", {}).status == AppendStatus::disk_full);
  CHECK(h.partition().serve() == PartitionLog::Work::stalled);
  h.partition().sync();
  CHECK(LogFixture::read_all(h.partition()).size() == static_cast<std::size_t>(accepted - 1));
  h.disk->set_capacity(1u << 30);
  CHECK(h.partition().serve() == PartitionLog::Work::done);
  CHECK(h.partition().append(Timestamp{1}, "k", {}).status == AppendStatus::accepted);
  CHECK(h.partition().serve() == PartitionLog::Work::done);
  h.partition().sync();
  CHECK(LogFixture::read_all(h.partition()).size() == static_cast<std::size_t>(accepted + 1));
}

TEST_CASE("a failed write makes the partition read-only: nothing more is acknowledged, reading goes on, the restart is clean") {
  HandDriven h;
  h.create();
  h.put(1);
  bool fail = true;
  h.disk->set_fault([&fail](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::write || !path.ends_with(".segment") || !std::exchange(fail, false)) return std::nullopt;
    return Error{ErrorKind::io, "the disk refused"};
  });
  std::optional<bool> acknowledged;
  h.partition().append(Timestamp{2}, "k", as_bytes(std::string(3000, 'x')));
  h.partition().when(Watermark::durable, Offset(1), [&acknowledged](Status s) { acknowledged = s.ok(); });
  CHECK(h.partition().serve() == PartitionLog::Work::none);
  h.partition().sync();
  CHECK(acknowledged == false);
  CHECK(h.partition().append(Timestamp{2}, "k", {}).status == AppendStatus::read_only);
  CHECK(h.partition().status().read_only);
  CHECK_FALSE(h.partition().has_claims());
  CHECK(LogFixture::read_all(h.partition()).size() == 1);
  h.reopen();
  CHECK(h.partition().watermarks().durable == Offset(1));
  h.put(3);
  CHECK(LogFixture::read_all(h.partition()).size() == 2);
}

TEST_CASE("a sync that fails once and then succeeds acknowledges nothing any more") {
  HandDriven h;
  h.create();
  h.put(1);
  bool fail = true;
  h.disk->set_fault([&fail](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::sync || !path.ends_with(".segment") || !std::exchange(fail, false)) return std::nullopt;
    return Error{ErrorKind::io, "sync failed"};
  });
  int good = 0;
  int bad = 0;
  auto count = [&good, &bad](Status s) { ++(s.ok() ? good : bad); };
  for (std::uint64_t i = 1; i != 4; ++i) {
    h.partition().append(Timestamp{2}, "k", {});
    h.partition().when(Watermark::durable, Offset(i), count);
    h.partition().serve();
    h.partition().sync();
  }
  h.partition().when(Watermark::durable, Offset(2), count);
  h.partition().when(Watermark::durable, Offset(0), count);
  CHECK(good == 1);
  CHECK(bad == 4);
  CHECK(h.partition().watermarks().durable == Offset(1));
  h.partition().finish_syncing();
  CHECK(h.partition().watermarks().durable == Offset(1));
}

TEST_CASE("retention by size takes the oldest, never the open segment, never past a pin") {
  HandDriven h;
  h.options.topic_defaults.retention_size = 200u << 10;
  h.options.topic_defaults.retention_age = Duration{0};
  h.create();
  h.partition().pin("history", Offset(30));
  for (int i = 0; i != 500; ++i) h.put(i, std::string(1000, 'r'));
  const auto pinned_segment_begins = [&h] { return h.partition().watermarks().earliest.value; };
  h.topic->retain(h.clock.now());
  CHECK(pinned_segment_begins() <= 30);
  CHECK(h.partition().bytes() > (200u << 10));
  h.partition().pin("history", Offset(499));
  h.partition().pin("other", Offset(1000));
  h.topic->retain(h.clock.now());
  CHECK(h.partition().bytes() <= (200u << 10));
  CHECK(h.partition().bytes() > (100u << 10));
  const auto earliest = h.partition().watermarks().earliest;
  CHECK(earliest.value > 30);
  const auto seen = LogFixture::read_all(h.partition());
  REQUIRE_FALSE(seen.empty());
  CHECK(seen.front().offset == earliest.value);
  CHECK(seen.back().offset == 499);
  CHECK(*h.partition().seek(Timestamp{0}) == earliest);
  h.reopen();
  CHECK(h.partition().watermarks().earliest == earliest);
  CHECK(h.partition().watermarks().durable == Offset(500));
}

TEST_CASE("retention by age closes a slow segment and removes it in time") {
  HandDriven h;
  h.options.topic_defaults.retention_age = Duration::seconds(8000);
  h.create();
  h.put(1);
  h.clock.advance(Duration::seconds(1001));
  h.put(2);
  CHECK(h.partition().status().segments == 2);
  h.topic->retain(h.clock.now());
  CHECK(h.partition().watermarks().earliest == Offset(0));
  h.clock.advance(Duration::seconds(7500));
  h.topic->retain(h.clock.now());
  CHECK(h.partition().watermarks().earliest == Offset(1));
  h.clock.advance(Duration::seconds(1'000'000));
  h.topic->retain(h.clock.now());
  CHECK(h.partition().status().segments == 1);
}
