// Idempotent producers: what is sent again is recognized, by whatever way the partition came to be open.
#include "log/producers.hpp"

#include <random>
#include <thread>

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::between;
using iotstream::test::MemoryDisk;

namespace {

Appended send(Partition& partition, std::uint64_t id, std::uint64_t sequence,
              Producer::Order order = Producer::Order::consecutive) {
  return partition.append(Timestamp{1}, "k", as_bytes(fmt::format("{}/{}", id, sequence)), Producer{id, sequence, order});
}

void flush(PartitionLog& partition) {
  while (partition.serve() == PartitionLog::Work::done) {
  }
  partition.sync();
}

void end_well(PartitionLog& partition) {
  partition.finish_writing();
  partition.finish_syncing();
}

std::vector<std::string> tables_on(const MemoryDisk& disk) {
  std::vector<std::string> found;
  for (const auto& path : disk.paths())
    if (path.find("/producers.") != std::string::npos) found.push_back(path);
  return found;
}

}  // namespace

TEST_CASE("a duplicate gets the first offset, a gap is refused, a new producer begins where it likes") {
  HandDriven h;
  h.create();
  auto& partition = h.partition();
  CHECK(send(partition, 7, 100).offset == Offset(0));
  CHECK(send(partition, 8, 0).offset == Offset(1));
  CHECK(send(partition, 7, 101).offset == Offset(2));
  const auto again = send(partition, 7, 100);
  CHECK(again.status == AppendStatus::duplicate);
  CHECK(again.offset == Offset(0));
  CHECK(send(partition, 7, 101).offset == Offset(2));
  const auto gap = send(partition, 7, 103);
  CHECK(gap.status == AppendStatus::out_of_order);
  CHECK(gap.expected_sequence == 102);
  CHECK(send(partition, 7, 99).status == AppendStatus::duplicate_unplaced);
  CHECK(send(partition, 7, 110, Producer::Order::increasing).status == AppendStatus::accepted);
  CHECK(send(partition, 7, 110, Producer::Order::increasing).status == AppendStatus::duplicate);
  CHECK(partition.last_sequence(7) == 110);
  CHECK_FALSE(partition.last_sequence(9));
  flush(partition);
  CHECK(LogFixture::read_all(partition).size() == 4);
  CHECK(h.counters.duplicates.value() == 4);
  CHECK(h.counters.out_of_order.value() == 1);
}

TEST_CASE("an attempt that the ring or the disk refused is not taken for done (Redpanda PR 5026)") {
  HandDriven h;
  h.options.staging_size = 16u << 10;
  h.create();
  auto& partition = h.partition();
  std::uint64_t sequence = 0;
  while (send(partition, 1, sequence).status == AppendStatus::accepted) ++sequence;
  CHECK(send(partition, 1, sequence).status == AppendStatus::back_pressured);
  CHECK(partition.last_sequence(1) == sequence - 1);
  flush(partition);
  const auto now = send(partition, 1, sequence);
  CHECK(now.status == AppendStatus::accepted);
  CHECK(now.offset.value == sequence);
  flush(partition);
  // A write that fails: what was accepted never came to be written, and after the restart it is sent again.
  h.disk->set_fault([](MemoryDisk::Kind kind, const std::string&) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::write) return std::nullopt;
    return Error{ErrorKind::io, "the disk refused"};
  });
  CHECK(send(partition, 1, sequence + 1).status == AppendStatus::accepted);
  partition.serve();
  CHECK(send(partition, 1, sequence + 1).status == AppendStatus::read_only);
  h.disk->set_fault(nullptr);
  h.disk = h.disk->copy();
  h.reopen();
  CHECK(h.partition().last_sequence(1) == sequence);
  CHECK(send(h.partition(), 1, sequence + 1).status == AppendStatus::accepted);
}

namespace {

/// What a partition must know of each producer: a plain map of everything that was ever taken.
struct Reference {
  std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> offsets;  // producer → sequence → offset

  void take(std::uint64_t id, std::uint64_t sequence, std::uint64_t offset) { offsets[id][sequence] = offset; }
  /// Records from `next` on are gone.
  void cut(std::uint64_t next) {
    for (auto& [id, taken] : offsets) std::erase_if(taken, [next](const auto& one) { return one.second >= next; });
    std::erase_if(offsets, [](const auto& one) { return one.second.empty(); });
  }
  std::uint64_t next_of(std::uint64_t id) const {
    const auto found = offsets.find(id);
    return found == offsets.end() ? 0 : found->second.rbegin()->first + 1;
  }
  void check(Partition& partition) const {
    for (const auto& [id, taken] : offsets) {
      REQUIRE(partition.last_sequence(id).has_value());
      REQUIRE(*partition.last_sequence(id) == taken.rbegin()->first);
      const auto [sequence, offset] = *taken.rbegin();
      const auto again = send(partition, id, sequence);
      REQUIRE(again.status == AppendStatus::duplicate);
      REQUIRE(again.offset.value == offset);
      for (const auto& [old_sequence, old_offset] : taken) {
        const auto old = send(partition, id, old_sequence);
        REQUIRE((old.status == AppendStatus::duplicate_unplaced ||
                 (old.status == AppendStatus::duplicate && old.offset.value == old_offset)));
      }
    }
  }
};

}  // namespace

TEST_CASE("producers are known after a clean end, after a kill, with damaged tables, and when retention took their records") {
  const bool clean = GENERATE(true, false);
  const int damaged = GENERATE(0, 1, 2);
  INFO((clean ? "clean" : "killed") << ", damaged " << damaged);
  HandDriven h;
  h.options.topic_defaults.retention_age = Duration{0};
  h.options.topic_defaults.retention_size = damaged == 2 ? 0 : 100u << 10;
  h.create();
  Reference reference;
  REQUIRE(send(h.partition(), 1000, 5).offset.value == 0);
  reference.take(1000, 5, 0);
  for (std::uint64_t i = 1; i != 400; ++i) {
    const std::uint64_t id = i % 5;
    const auto appended = h.partition().append(Timestamp{1}, "k", as_bytes(std::string(1000, 'x')), Producer{id, i / 5});
    REQUIRE(appended.offset.value == i);
    reference.take(id, i / 5, i);
    if (i % 3 == 0) flush(h.partition());
  }
  flush(h.partition());
  h.topic->retain(h.clock.now());
  if (damaged != 2) REQUIRE(h.partition().watermarks().earliest.value > 100);
  if (clean) end_well(h.partition());
  h.topic.reset();
  h.disk = h.disk->copy();
  const auto tables = tables_on(*h.disk);
  REQUIRE(tables.size() == 2);
  if (damaged == 1) {  // the newer one
    const auto first = *ProducerTable::decode(h.disk->content(tables[0]));
    const auto second = *ProducerTable::decode(h.disk->content(tables[1]));
    h.disk->flip(tables[first.place.offset > second.place.offset ? 0 : 1], 60);
  }
  if (damaged == 2)
    for (const auto& table : tables) h.disk->flip(table, 20);
  h.reopen();
  reference.check(h.partition());
  const auto size = h.partition().watermarks().durable.value;
  CHECK(size == 400);
  for (const std::uint64_t id : {0, 1, 2, 3, 4})
    CHECK(send(h.partition(), id, reference.next_of(id) + 1).status == AppendStatus::out_of_order);
  CHECK(send(h.partition(), 2, reference.next_of(2)).offset.value == size);
}

TEST_CASE("a start reads only what follows the stored table: a clean end leaves nothing to read") {
  HandDriven h;
  h.create();
  for (std::uint64_t i = 0; i != 20; ++i) send(h.partition(), 3, i);
  flush(h.partition());
  end_well(h.partition());
  h.topic.reset();
  h.disk = h.disk->copy();
  std::uint64_t reads = 0;
  h.disk->set_fault([&reads](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
    if (kind == MemoryDisk::Kind::read && path.ends_with(".segment")) ++reads;
    return std::nullopt;
  });
  h.reopen();
  CHECK(reads == 2);  // its header, and that nothing stands behind the mark
  CHECK(h.partition().last_sequence(3) == 19);
}

TEST_CASE("a table that tells of records which a loss of power took is not believed, nor later") {
  HandDriven h;
  h.create();
  for (std::uint64_t i = 0; i != 4; ++i) {
    send(h.partition(), 1, i);
    flush(h.partition());
  }
  const auto early = h.disk->copy();
  for (std::uint64_t i = 4; i != 8; ++i) {
    send(h.partition(), 1, i);
    flush(h.partition());
  }
  end_well(h.partition());
  const auto late = tables_on(*h.disk);
  REQUIRE(late.size() == 1);
  REQUIRE(early->open(late[0], os::OpenMode::create));
  early->set_content(late[0], h.disk->content(late[0]));
  h.topic.reset();
  h.disk = early;
  h.reopen();
  CHECK(h.partition().last_sequence(1) == 3);
  for (int i = 0; i != 10; ++i) h.put(1);  // others take the offsets
  h.topic.reset();
  h.disk = h.disk->copy();
  h.reopen();
  CHECK(h.partition().last_sequence(1) == 3);
  CHECK(send(h.partition(), 1, 4).status == AppendStatus::accepted);
}

TEST_CASE("the number of producers is bounded: the longest silent goes, and keys push out keys only") {
  ProducerTable table;
  table.add(1, 1, 0);
  table.add(2, 1, 1);
  for (std::uint64_t i = 0; i != 3 * producers_max; ++i) table.add(producer_key_begin + i, 1, 2 + i);
  CHECK(table.size() == 2 + producers_max);
  CHECK(table.last_sequence(1) == 1);
  table.add(1, 2, 1'000'000);
  for (std::uint64_t i = 0; i != producers_max - 1; ++i) table.add(100 + i, 1, 2'000'000 + i);
  CHECK(table.last_sequence(1) == 2);
  CHECK_FALSE(table.last_sequence(2));
  CHECK(table.size() == 2 * producers_max);
  const auto stored = ProducerTable::decode(table.encode({5, 0, 1024}));
  REQUIRE(stored);
  CHECK(stored->table.encode({5, 0, 1024}) == table.encode({5, 0, 1024}));
}

TEST_CASE("a table of producers that is damaged anywhere is refused") {
  ProducerTable table;
  for (std::uint64_t i = 0; i != 20; ++i) table.add(i % 3, i, 2 * i);
  const auto good = table.encode({40, 0, 2000});
  for (std::size_t at = 0; at != good.size(); ++at) {
    auto bad = good;
    bad[at] ^= std::byte{4};
    CHECK_FALSE(ProducerTable::decode(bad));
    CHECK_FALSE(ProducerTable::decode(ByteView(good).first(at)));
  }
}

TEST_CASE("random work with producers against a plain reference: repetitions, gaps, restarts, kills, losses of power") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 12; ++round) {
    HandDriven h;
    h.options.topic_defaults.sync = between(random, 0, 3) == 0 ? Sync::none : Sync::batch;
    h.create();
    Reference reference;
    std::uint64_t next = 0;
    for (int step = 0; step != 1500; ++step) {
      auto& partition = h.partition();
      const auto what = between(random, 0, 200);
      if (what < 12) {
        partition.serve();
      } else if (what < 20) {
        flush(partition);
      } else if (what < 24 || what == 30) {  // the end of this life
        if (what == 20) end_well(partition);
        const auto durable = partition.watermarks().durable.value;
        h.topic.reset();
        h.disk = what == 30 ? h.disk->after_power_cut(random) : h.disk->copy();
        h.reopen();
        next = h.partition().watermarks().durable.value;
        if (what != 30 || h.options.topic_defaults.sync == Sync::batch) REQUIRE(next >= durable);
        INFO("round " << round << ", step " << step << ", what " << what << ", sync "
                      << static_cast<int>(h.options.topic_defaults.sync) << ", damage " << h.partition().status().damage.size()
                      << ", durable " << durable << ", next " << next);
        reference.cut(next);
        reference.check(h.partition());
      } else if (what < 40) {
        if (partition.append(Timestamp{1}, "plain", as_bytes(std::string(between(random, 0, 900), 'p'))).status ==
            AppendStatus::accepted)
          ++next;
      } else {
        const auto id = between<std::uint64_t>(random, 1, 6) + (between(random, 0, 1) == 0 ? producer_key_begin : 0);
        const auto expected = reference.next_of(id);
        const auto sequence = expected + between<std::uint64_t>(random, 0, 4) - std::min<std::uint64_t>(expected, 2);
        const auto appended = send(partition, id, sequence);
        if (appended.status == AppendStatus::back_pressured) continue;
        if (sequence < expected) {
          REQUIRE((appended.status == AppendStatus::duplicate || appended.status == AppendStatus::duplicate_unplaced));
          if (appended.status == AppendStatus::duplicate && reference.offsets[id].contains(sequence))
            REQUIRE(appended.offset.value == reference.offsets[id][sequence]);
        } else if (sequence > expected && reference.offsets.contains(id)) {
          REQUIRE(appended.status == AppendStatus::out_of_order);
          REQUIRE(appended.expected_sequence == expected);
        } else {
          REQUIRE(appended.status == AppendStatus::accepted);
          REQUIRE(appended.offset.value == next);
          reference.take(id, sequence, next++);
        }
      }
    }
  }
}

TEST_CASE("threads that send the same sequences: each record once, every answer the first offset") {
  LogFixture f;
  f.options.staging_size = 1u << 20;
  f.open();
  auto& partition = f.partition();
  constexpr std::uint64_t records = 3000;
  constexpr int threads = 4;
  std::vector<std::vector<std::uint64_t>> offsets(threads, std::vector<std::uint64_t>(records));
  std::vector<std::thread> running;
  for (int t = 0; t != threads; ++t)
    running.emplace_back([&, t] {
      for (std::uint64_t i = 0; i != records;) {
        const auto appended = send(partition, 42, i);
        if (appended.status == AppendStatus::accepted || appended.status == AppendStatus::duplicate)
          offsets[static_cast<std::size_t>(t)][i++] = appended.offset.value;
        else if (appended.status == AppendStatus::duplicate_unplaced)
          offsets[static_cast<std::size_t>(t)][i++] = ~std::uint64_t{0};
        else
          std::this_thread::yield();
        partition.append(Timestamp{1}, "plain", {});
      }
    });
  for (auto& thread : running) thread.join();
  f.close();
  f.open();
  std::vector<std::uint64_t> stored;
  for (const auto& seen : LogFixture::read_all(f.partition(), Offset(0), Watermark::durable, 1u << 20))
    if (seen.key == "k") stored.push_back(seen.offset);
  REQUIRE(stored.size() == records);
  for (std::uint64_t i = 0; i != records; ++i)
    for (const auto& of_thread : offsets)
      if (of_thread[i] != ~std::uint64_t{0}) REQUIRE(of_thread[i] == stored[i]);
}
