// Key compaction: the latest record of each key stays, everything keeps its offset, and no moment of it loses anything.
#include "log/compaction.hpp"

#include <map>
#include <random>
#include <set>
#include <thread>

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::between;
using iotstream::test::MemoryDisk;
using Seen = LogFixture::Seen;

namespace {

constexpr std::int64_t day_us = 86'400'000'000;

struct Compacting : HandDriven {
  std::atomic<bool> stopping{false};
  std::vector<Seen> appended;

  Compacting() {
    options.topic_defaults.compact = true;
    options.topic_defaults.retention_age = Duration{0};
    options.topic_defaults.retention_size = 0;
  }
  void put(std::string_view key, std::string_view value, std::int64_t time_us = 1) {
    const auto taken = partition().append(Timestamp{time_us}, key, as_bytes(value));
    REQUIRE(taken.status == AppendStatus::accepted);
    appended.push_back({taken.offset.value, time_us, std::string(key), std::string(value)});
    REQUIRE(partition().serve() == PartitionLog::Work::done);
    partition().sync();
  }
  /// Fills the open segment, so that what stands in it becomes a closed one.
  void close_segment(std::string_view key = "filler") {
    const auto segments = partition().status().segments;
    while (partition().status().segments == segments) put(key, std::string(9000, 'f'));
  }
  PartitionLog::Compaction compact() { return partition().compact(clock.now(), stopping); }
  std::vector<Seen> read() { return LogFixture::read_all(partition()); }
};

/// What must be there when everything below `closed` was compacted.
std::vector<Seen> compacted(const std::vector<Seen>& all, std::uint64_t closed) {
  std::map<std::string, std::uint64_t> latest;
  for (const auto& record : all)
    if (record.offset < closed) latest[record.key] = record.offset;
  std::vector<Seen> kept;
  for (const auto& record : all)
    if (record.offset >= closed || record.key.empty() || latest[record.key] == record.offset) kept.push_back(record);
  return kept;
}

std::uint64_t last_base(const MemoryDisk& disk) {
  std::uint64_t last = 0;
  for (const auto& path : disk.paths())
    if (const auto base = parse_segment_file_name(path.substr(path.rfind('/') + 1))) last = std::max(last, *base);
  return last;
}

}  // namespace

TEST_CASE("the latest record of each key stays, with its offset; the open segment is left alone") {
  Compacting c;
  c.create();
  for (int i = 0; i != 40; ++i) c.put(fmt::format("d{}", i % 4), fmt::format("{} {}", i, std::string(1000, 'v')), 1000 - i);
  c.put("", "no key");
  c.put("", "no key either");
  c.close_segment();
  c.put("d0", "in the open segment");
  const auto bytes = c.partition().bytes();
  const auto want = compacted(c.appended, last_base(*c.disk));
  REQUIRE(want.size() < c.appended.size() - 30);
  CHECK(c.compact() == PartitionLog::Compaction::done);
  CHECK(c.read() == want);
  CHECK(c.partition().bytes() < bytes / 2);
  CHECK(c.counters.compaction_removed_records.value() == c.appended.size() - want.size());
  CHECK(c.counters.compaction_removed_bytes.value() == bytes - c.partition().bytes());
  CHECK(c.compact() == PartitionLog::Compaction::nothing);
  // From any offset: the next record that is there, never nothing before the end.
  for (std::uint64_t from = 0; from != c.appended.size(); ++from) {
    const auto batch = c.partition().read(Offset(from), 1, Watermark::durable);
    REQUIRE(batch);
    REQUIRE_FALSE(batch->empty());
    const auto expected = std::find_if(want.begin(), want.end(), [from](const Seen& record) { return record.offset >= from; });
    CHECK(batch->records().front().offset.value == expected->offset);
  }
  // By time: of what is there, the least offset.
  for (std::int64_t time = 0; time != 1002; ++time) {
    const auto expected = std::find_if(want.begin(), want.end(), [time](const Seen& record) { return record.time_us >= time; });
    const auto found = c.partition().seek(Timestamp{time});
    REQUIRE(found);
    CHECK(found->value == (expected == want.end() ? c.appended.size() : expected->offset));
  }
  c.topic.reset();
  c.disk = c.disk->copy();
  c.reopen();
  CHECK(c.read() == want);
  CHECK(c.partition().status().damage.empty());
  CHECK(c.partition().watermarks().durable.value == c.appended.size());
}

TEST_CASE("the index of a compacted segment is what a rebuild gives") {
  Compacting c;
  c.create();
  for (int i = 0; i != 300; ++i) c.put(fmt::format("d{}", i % 100), std::string(200, 'v'), i * 7 % 50);
  c.close_segment();
  REQUIRE(c.compact() == PartitionLog::Compaction::done);
  const auto path = fmt::format("log/t/0/{}", index_file_name(0));
  const auto stored = SegmentIndex::decode(c.disk->content(path));
  REQUIRE(stored);
  CHECK((stored->summary().attributes & format::frame_has_gaps) != 0);
  auto segment = Segment::sealed(*c.disk, "log/t/0", stored->summary(), {"t", PartitionId(0)});
  const auto rebuilt = segment->rebuild();
  REQUIRE(rebuilt);
  CHECK(*rebuilt == *stored);
  auto bytes = rebuilt->encode();
  format::stamp_owner(MutableByteView(bytes).first(format::summary_size), format::owner_tag("t", 0));
  CHECK(bytes == c.disk->content(path));
}

TEST_CASE("compaction never goes past a pin and waits for what is new to be worth it") {
  Compacting c;
  c.create();
  for (int segment = 0; segment != 4; ++segment) {
    for (int i = 0; i != 20; ++i) c.put(fmt::format("d{}", i % 3), std::string(1000, 'v'));
    c.close_segment();
  }
  const auto all = c.read();
  c.partition().pin("history", Offset(0));
  CHECK(c.compact() == PartitionLog::Compaction::waits);
  CHECK(c.read() == all);
  c.partition().pin("history", Offset(30));
  c.compact();
  const auto some = c.read();
  CHECK(some.size() < all.size());
  for (const auto& record : all)
    if (record.offset >= 30) CHECK(std::find(some.begin(), some.end(), record) != some.end());
  c.partition().pin("history", Offset(1'000'000));
  CHECK(c.compact() == PartitionLog::Compaction::done);
  CHECK(c.read() == compacted(c.appended, last_base(*c.disk)));
  // Less than what is compacted already is left until it has waited an hour.
  for (int i = 0; i != 400; ++i) c.put(fmt::format("many {}", i), std::string(1000, 'v'));
  c.close_segment();
  CHECK(c.compact() == PartitionLog::Compaction::done);
  c.close_segment("again");
  CHECK(c.compact() == PartitionLog::Compaction::waits);
  c.clock.advance(Duration::seconds(3700));
  CHECK(c.compact() == PartitionLog::Compaction::done);
}

TEST_CASE("an empty value ends a key: what is before goes at once, it goes itself a day later") {
  Compacting c;
  c.create();
  c.put("gone", "value");
  c.put("stays", "value");
  c.put("gone", "");
  c.close_segment();
  c.compact();
  auto seen = c.read();
  CHECK(seen[0].key == "stays");
  CHECK(seen[1] == Seen{2, 1, "gone", ""});
  c.clock.advance(Duration{day_us + 1});
  c.close_segment();
  REQUIRE(c.compact() == PartitionLog::Compaction::done);
  seen = c.read();
  CHECK(seen[0].key == "stays");
  for (const auto& record : seen) CHECK(record.key != "gone");
}

TEST_CASE("a segment of which nothing stays is a gap that readers and seeks pass over, also after a restart") {
  Compacting c;
  c.create();
  for (int i = 0; i != 3; ++i) c.close_segment("same");
  REQUIRE(c.compact() == PartitionLog::Compaction::done);
  const auto want = compacted(c.appended, last_base(*c.disk));
  CHECK(c.read() == want);
  CHECK(*c.partition().seek(Timestamp{0}) == Offset(want.front().offset));
  c.topic.reset();
  c.disk = c.disk->copy();
  c.disk->flip(fmt::format("log/t/0/{}", index_file_name(0)), 10);  // its index is built again from the gap alone
  c.reopen();
  CHECK(c.read() == want);
  CHECK(*c.partition().seek(Timestamp{0}) == Offset(want.front().offset));
  CHECK(c.partition().status().damage.empty());
}

TEST_CASE("a damaged segment stays as it is, and endings behind it stay") {
  Compacting c;
  c.create();
  for (int i = 0; i != 20; ++i) c.put("k", std::string(1000, 'a'));
  c.close_segment();
  c.put("k", "");
  c.close_segment();
  c.disk->flip(fmt::format("log/t/0/{}", segment_file_name(0)), 5000);
  const auto bytes = c.disk->content(fmt::format("log/t/0/{}", segment_file_name(0)));
  c.compact();
  c.clock.advance(Duration{2 * day_us});
  c.close_segment();
  c.compact();
  CHECK(c.disk->content(fmt::format("log/t/0/{}", segment_file_name(0))) == bytes);
  const auto seen = c.read();
  CHECK(std::any_of(seen.begin(), seen.end(), [](const Seen& record) { return record.key == "k" && record.value.empty(); }));
}

TEST_CASE("a disk that is full or refuses in the middle of a pass loses nothing; a later pass ends it") {
  for (std::uint64_t victim = 0;; ++victim) {
    Compacting c;
    c.create();
    for (int i = 0; i != 60; ++i) c.put(fmt::format("d{}", i % 5), std::string(2000, 'v'));
    c.close_segment();
    std::uint64_t operations = 0;
    c.disk->set_fault([&](MemoryDisk::Kind kind, const std::string&) -> std::optional<Error> {
      if (kind == MemoryDisk::Kind::read || operations++ != victim) return std::nullopt;
      return Error{victim % 2 == 0 ? ErrorKind::disk_full : ErrorKind::io, "refused"};
    });
    c.compact();
    const bool reached = operations > victim;
    c.disk->set_fault(nullptr);
    const auto want = compacted(c.appended, last_base(*c.disk));
    for (const auto& record : want) {
      const auto seen = c.read();
      REQUIRE(std::find(seen.begin(), seen.end(), record) != seen.end());
      if (record.offset > 10) break;
    }
    c.clock.advance(Duration::seconds(3700));
    c.compact();
    CHECK(c.read() == want);
    c.topic.reset();
    c.disk = c.disk->copy();
    c.reopen();
    CHECK(c.read() == want);
    CHECK(c.partition().status().damage.empty());
    if (!reached) {
      CHECK(victim > 10);
      break;
    }
  }
}

TEST_CASE("a crash at any moment of a pass leaves every record that stays, once, at its offset") {
  IOTSTREAM_SEEDED(random);
  Compacting c;
  c.create();
  for (int i = 0; i != 90; ++i)
    c.put(fmt::format("d{}", i % 7), fmt::format("{} {}", i, std::string(between(random, 1, 3000), 'v')), i);
  for (std::uint64_t i = 0; i != 20; ++i) {
    REQUIRE(c.partition().append(Timestamp{1}, "numbered", as_bytes("v"), Producer{5, i}).status == AppendStatus::accepted);
    c.appended.push_back({c.appended.size(), 1, "numbered", "v"});
    c.partition().serve();
    c.partition().sync();
  }
  c.close_segment();
  c.close_segment();
  c.close_segment();
  const auto ground = c.disk->copy();
  c.disk->record();
  REQUIRE(c.compact() == PartitionLog::Compaction::done);
  const auto want = compacted(c.appended, last_base(*c.disk));
  REQUIRE(c.read() == want);
  const auto steps = c.disk->recorded();
  REQUIRE(steps.size() > 12);
  int images = 0;
  for (const auto& step : steps) {
    ground->replay(step.operation);
    for (const unsigned keep : {0u, 50u, 50u, 100u, 101u}) {
      Compacting after;
      after.disk = keep == 101 ? ground->copy() : ground->after_power_cut(random, keep);
      after.reopen();
      const auto seen = after.read();
      CHECK(after.partition().status().damage.empty());
      CHECK(after.partition().watermarks().durable.value == c.appended.size());
      std::set<std::uint64_t> offsets;
      for (const auto& record : seen) {
        CHECK(offsets.insert(record.offset).second);
        CHECK(record == c.appended[record.offset]);
      }
      for (const auto& record : want) CHECK(offsets.contains(record.offset));
      CHECK(after.partition().last_sequence(5) == 19);
      CHECK(after.partition().append(Timestamp{1}, "k", {}).offset.value == c.appended.size());
      // The next run ends what this one began.
      after.partition().serve();
      after.partition().sync();
      REQUIRE(after.compact() == PartitionLog::Compaction::done);
      auto rest = after.read();
      REQUIRE_FALSE(rest.empty());
      rest.pop_back();
      CHECK(rest == want);
      for (const auto& path : after.disk->paths()) CHECK_FALSE(path.ends_with(copy_suffix));
      ++images;
    }
  }
  CHECK(images > 60);
}

TEST_CASE("random work with compaction against a plain reference") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 6; ++round) {
    Compacting c;
    c.create();
    std::uint64_t closed = 0;  // everything below has been compacted
    for (int step = 0; step != 500; ++step) {
      const auto what = between(random, 0, 99);
      if (what == 0) {
        c.topic.reset();
        c.disk = c.disk->copy();
        c.reopen();
      } else if (what < 4) {
        c.clock.advance(Duration::seconds(3700));
        if (c.compact() == PartitionLog::Compaction::done) closed = last_base(*c.disk);
      } else if (what < 8) {
        const auto seen = c.read();
        REQUIRE(seen == compacted(c.appended, closed));
      } else {
        c.put(fmt::format("d{}", between(random, 0, 20)), std::string(between(random, 1, 4000), 'v'), between(random, 0, 1000));
      }
    }
    REQUIRE(c.read() == compacted(c.appended, closed));
  }
}

TEST_CASE("readers, retention and compaction at the same time") {
  Compacting c;
  c.options.topic_defaults.retention_size = 300u << 10;
  c.create();
  for (int i = 0; i != 200; ++i) c.put(fmt::format("d{}", i % 9), std::string(2000, static_cast<char>('a' + i % 26)));
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t != 2; ++t)
    readers.emplace_back([&] {
      while (!done.load()) {
        Offset from;
        for (;;) {
          auto batch = c.partition().read(from, 16u << 10, Watermark::durable);
          if (!batch || batch->empty()) break;
          from = batch->records().back().offset + 1;
        }
        (void)c.partition().seek(Timestamp{1}).ok();
      }
    });
  std::thread retention([&] {
    while (!done.load()) {
      c.topic->retain(c.clock.now());
      std::this_thread::yield();
    }
  });
  for (int round = 0; round != 8; ++round) {
    for (int i = 0; i != 30; ++i) c.put(fmt::format("d{}", i % 9), std::string(2000, 'z'));
    c.clock.advance(Duration::seconds(3700));
    c.compact();
  }
  done.store(true);
  for (auto& reader : readers) reader.join();
  retention.join();
  CHECK(c.partition().status().damage.empty());
  CHECK(c.counters.compaction_passes.value() > 0);
}

TEST_CASE("more keys than fit are compacted in further passes") {
  LatestOffsets latest(1000);
  std::uint64_t offset = 0;
  while (latest.add(fmt::format("key {}", offset), offset)) ++offset;
  CHECK(offset > 5);
  CHECK(offset < 12);
  CHECK(latest.add("key 0", 100));
  CHECK(latest.find("key 0") == 100);
  CHECK_FALSE(latest.find("unknown"));
}
