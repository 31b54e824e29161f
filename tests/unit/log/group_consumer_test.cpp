#include <map>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "support/random.hpp"
#include "unit/log/group_fixture.hpp"

using namespace iotstream;
using namespace iotstream::log;
using namespace iotstream::log::test;

namespace {

std::unique_ptr<Consumer> join(GroupFixture& f, std::string group = "g") {
  ConsumerOptions options;
  options.group = std::move(group);
  options.join.topics = {"t"};
  auto joined = Consumer::join(*f.log, *f.groups, std::move(options));
  if (!joined) FAIL("join: " << joined.error().message);
  return std::move(*joined);
}

}  // namespace

TEST_CASE("a consumer polls in order from what is committed, and parks until records come") {
  GroupFixture f(1);
  f.fill(3);
  auto consumer = join(f);
  auto part = consumer->poll(Duration{});
  REQUIRE(part);
  CHECK(part->batch.records().size() == 3);
  CHECK(consumer->poll(Duration{})->batch.empty());
  REQUIRE(consumer->commit());
  CHECK(f.log->committed("g", "t", PartitionId(0)) == Offset(3));

  std::thread later([&] { LogFixture::append_durably(f.partition(), 1, "k", "late"); });
  part = consumer->poll(Duration{-1});
  later.join();
  REQUIRE(part);
  CHECK(as_text(part->batch.records()[0].value) == "late");
  // Not committed: the next one gets it again.
  consumer->close();
  CHECK(join(f)->poll(Duration{})->batch.records()[0].offset == Offset(3));
}

TEST_CASE("wake() ends a poll") {
  GroupFixture f(1);
  auto consumer = join(f);
  std::thread waker([&] { consumer->wake(); });
  CHECK(consumer->poll(Duration{-1})->batch.empty());
  waker.join();
}

TEST_CASE("before a partition is given up, what was polled can be committed: nothing is delivered twice") {
  GroupFixture f(2);
  f.fill(4);
  std::vector<TopicPartition> released;
  Consumer* self = nullptr;
  ConsumerOptions options;
  options.group = "g";
  options.join.topics = {"t"};
  options.released = [&](std::span<const TopicPartition> places) {
    released.assign(places.begin(), places.end());
    CHECK(self->commit());
  };
  auto joined = Consumer::join(*f.log, *f.groups, std::move(options));
  REQUIRE(joined);
  self = joined->get();
  CHECK(self->poll(Duration{})->batch.records().size() == 4);
  CHECK(self->poll(Duration{})->batch.records().size() == 4);
  auto other = join(f);
  CHECK(other->poll(Duration{})->batch.empty());
  CHECK(self->poll(Duration{})->batch.empty());
  REQUIRE(released.size() == 1);
  CHECK(other->poll(Duration{})->batch.empty());
  CHECK(other->membership().owned == released);
}

TEST_CASE("a consumer that was away for too long joins again and goes on from what is committed; its late commit is refused") {
  GroupFixture f(1);
  f.fill(4);
  auto consumer = join(f);
  CHECK(consumer->poll(Duration{})->batch.records().size() == 4);
  f.clock.advance(Duration::seconds(11));
  CHECK(consumer->commit().error().kind == ErrorKind::conflict);
  const std::string former = consumer->membership().member;
  CHECK(consumer->poll(Duration{})->batch.records().size() == 4);
  CHECK(consumer->membership().member != former);
  REQUIRE(consumer->commit());
}

TEST_CASE("polling ends with an error when the coordinator closes") {
  GroupFixture f(1);
  auto consumer = join(f);
  std::thread closer([&] { f.groups->close(); });
  CHECK(consumer->poll(Duration{-1}).error().kind == ErrorKind::unavailable);
  closer.join();
}

// Members come, go and commit on their own threads while records arrive. Two members never have the same record at the same
// time (each marks the partitions that it works on), every record is delivered, and what is committed is never delivered again.
TEST_CASE("consumers on many threads share partitions while members come and go") {
  IOTSTREAM_SEEDED(random);
  constexpr std::uint32_t partitions = 8;
  constexpr std::uint64_t records = 400;
  constexpr int members = 4;
  GroupFixture f(partitions);
  (void)join(f, "g");  // fixes where the group begins
  std::array<std::atomic<int>, partitions> working{};
  std::array<std::vector<std::atomic<int>>, partitions> delivered;
  for (auto& list : delivered) list = std::vector<std::atomic<int>>(records);
  std::atomic<std::uint64_t> committed{0};
  std::atomic<bool> failed{false};

  const auto all_committed = [&] {
    for (std::uint32_t p = 0; p != partitions; ++p)
      if (f.log->committed("g", "t", PartitionId(p)).value_or(Offset(0)) < Offset(records)) return false;
    return true;
  };
  const auto work = [&](std::uint64_t seed) {
    std::mt19937_64 own(seed);
    std::map<std::uint32_t, bool> held;
    const auto give_up = [&](std::uint32_t p) {
      if (held[p]) working[p].fetch_sub(1);
      held[p] = false;
    };
    while (!all_committed() && !failed) {
      ConsumerOptions options;
      options.group = "g";
      options.join.topics = {"t"};
      options.bytes_max = 256;
      Consumer* self = nullptr;
      options.released = [&](std::span<const TopicPartition> places) {
        if (!self->commit()) failed = true;
        for (const auto& place : places) give_up(place.partition.value);
      };
      auto joined = Consumer::join(*f.log, *f.groups, std::move(options));
      if (!joined) {
        failed = true;
        return;
      }
      self = joined->get();
      for (auto left = own() % 60; left != 0 && !all_committed(); --left) {
        auto part = self->poll(Duration::milliseconds(5));
        if (!part) failed = true;
        if (!part || part->batch.empty()) continue;
        const std::uint32_t p = part->place.partition.value;
        if (!held[p] && working[p].fetch_add(1) != 0) failed = true;
        held[p] = true;
        for (const Record& record : part->batch.records()) delivered[p][record.offset.value].fetch_add(1);
        if (own() % 4 == 0) {
          if (!self->commit()) failed = true;
          committed.fetch_add(1);
        }
      }
      for (std::uint32_t p = 0; p != partitions; ++p) give_up(p);
      if (own() % 2 == 0 && !self->commit()) failed = true;
      self->close();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i != members; ++i) threads.emplace_back(work, random());
  std::thread producer([&] {
    for (std::uint64_t i = 0; i != records; ++i)
      for (std::uint32_t p = 0; p != partitions; ++p) LogFixture::append(f.partition("t", p), 0, "k", "v");
  });
  producer.join();
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(failed);
  CHECK(committed > 0);
  for (const auto& list : delivered)
    for (const auto& times : list) CHECK(times.load() >= 1);
}
