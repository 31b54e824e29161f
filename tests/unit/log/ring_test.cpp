#include "log/ring.hpp"

#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "log/format.hpp"
#include "support/random.hpp"

using namespace iotstream;
using log::StagingRing;

namespace {

struct Taken {
  std::uint64_t offset;
  std::int64_t time_us;
  std::string key;
  std::string value;
  bool operator==(const Taken&) const = default;
};

/// Takes what is committed, at most `size_max`, but at least one record.
std::vector<Taken> take(StagingRing& ring, std::size_t size_max = 1u << 20) {
  std::vector<std::byte> bytes(size_max);
  auto run = ring.take(bytes);
  if (run.records == 0 && run.bytes != 0) {  // the first alone is longer
    CHECK(run.bytes > size_max);
    bytes.resize(run.bytes);
    run = ring.take(bytes);
    REQUIRE(run.records == 1);
  }
  bytes.resize(run.bytes);
  std::vector<Taken> taken;
  const std::byte* at = bytes.data();
  for (std::uint32_t i = 0; i != run.records; ++i) {
    const auto record = log::format::parse_record(at, bytes.data() + bytes.size());
    REQUIRE(record);
    taken.push_back({run.first_offset + i, record->time_us, std::string(record->key), std::string(as_text(record->value))});
  }
  REQUIRE(at == bytes.data() + bytes.size());
  return taken;
}

std::string text_of(std::mt19937_64& random, std::size_t size_max) {
  return std::string(random() % (size_max + 1), static_cast<char>(random() % 256));
}

}  // namespace

TEST_CASE("a record comes out as it went in, with its offset") {
  StagingRing ring(16u << 10, 41);
  CHECK_FALSE(ring.has_claims());
  const auto claimed = ring.append(Timestamp{7}, "device", as_bytes("value"));
  REQUIRE(claimed.outcome == StagingRing::Outcome::accepted);
  CHECK(claimed.offset == 41);
  CHECK(ring.has_claims());
  CHECK(take(ring) == std::vector<Taken>{{41, 7, "device", "value"}});
  CHECK_FALSE(ring.has_claims());
  CHECK(take(ring).empty());
}

TEST_CASE("positions and counts survive the edges of 32 bits, with every mixture of lengths") {
  // The position overflows in the first, the count in the second, both at once in the third: there the carry of the count meets
  // it.
  struct Edge {
    std::uint64_t offset;
    std::uint32_t position;
  };
  IOTSTREAM_SEEDED(seeds);
  for (const Edge edge : {Edge{0, 0xffffff00u}, Edge{0xffffff00u, 0}, Edge{0xffffffc0u, 0xfffffe00u},
                          Edge{0x5ffffffc0u, 0x7fffffe0u}, Edge{0xfffffffffffffu, 0xffffffffu}}) {
    std::mt19937_64 random(seeds());
    StagingRing ring(16u << 10, edge.offset, edge.position);
    std::deque<Taken> expected;
    std::uint64_t next = edge.offset;
    for (int step = 0; step != 3000; ++step) {
      if (random() % 3 != 0) {
        const auto key = text_of(random, 40);
        const auto value = text_of(random, random() % 20 == 0 ? 6000 : 300);
        const auto claimed = ring.append(Timestamp{step}, key, as_bytes(value));
        if (claimed.outcome == StagingRing::Outcome::full) continue;
        REQUIRE(claimed.offset == next);
        expected.push_back({next++, step, key, value});
      } else {
        for (const Taken& taken : take(ring, random() % 5000)) {
          REQUIRE_FALSE(expected.empty());
          REQUIRE(taken == expected.front());
          expected.pop_front();
        }
      }
    }
    for (auto batch = take(ring); !batch.empty(); batch = take(ring))
      for (const Taken& taken : batch) {
        REQUIRE(taken == expected.front());
        expected.pop_front();
      }
    CHECK(expected.empty());
  }
}

TEST_CASE("a full ring says so at once, and takes again when there is room") {
  StagingRing ring(16u << 10, 0);
  int accepted = 0;
  while (ring.append(Timestamp{1}, "k", as_bytes(std::string(100, 'x'))).outcome == StagingRing::Outcome::accepted) ++accepted;
  // Three quarters of 512 units, four units a record, and one kept for the carry.
  CHECK(accepted == 95);
  CHECK(take(ring, 500).size() == 4);
  CHECK(ring.append(Timestamp{1}, "k", as_bytes(std::string(100, 'x'))).outcome == StagingRing::Outcome::accepted);
}

TEST_CASE("records longer than a quarter of the ring pass, within a bound") {
  StagingRing ring(16u << 10, 0);
  const std::string large(600'000, 'L');
  CHECK(ring.append(Timestamp{1}, "big", as_bytes(large)).outcome == StagingRing::Outcome::accepted);
  CHECK(ring.append(Timestamp{2}, "big", as_bytes(large)).outcome == StagingRing::Outcome::full);
  CHECK(ring.append(Timestamp{3}, "small", as_bytes("s")).outcome == StagingRing::Outcome::accepted);
  const auto taken = take(ring, 100);  // at least one record, however small the wish
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].value == large);
  CHECK(taken[0].key == "big");
  CHECK(take(ring) == std::vector<Taken>{{1, 3, "small", "s"}});
  CHECK(ring.append(Timestamp{2}, "big", as_bytes(large)).outcome == StagingRing::Outcome::accepted);
  // Left inside on purpose: the destructor frees it (the address sanitizer watches).
}

TEST_CASE("a sealed ring accepts nothing more and gives out what it has") {
  StagingRing ring(16u << 10, 5);
  ring.append(Timestamp{1}, "a", as_bytes("1"));
  ring.seal();
  CHECK_FALSE(ring.drained());
  CHECK(ring.has_claims());
  for (int i = 0; i != 10'000; ++i)
    REQUIRE(ring.append(Timestamp{1}, "b", as_bytes("2")).outcome != StagingRing::Outcome::accepted);
  CHECK(take(ring).size() == 1);
  CHECK(ring.drained());
  CHECK_FALSE(ring.has_claims());
}

TEST_CASE("four producers and the consumer at once: offsets dense, order per producer, nothing torn", "[threads]") {
  // A small ring that starts just below the edges, so that it wraps, fills and carries all the time.
  constexpr std::uint64_t first = 0xffffff00u;
  StagingRing ring(16u << 10, first, 0xfffff000u);
  constexpr unsigned producers = 4;
  constexpr std::uint64_t each = 20'000;
  std::atomic<unsigned> running{producers};
  std::vector<std::thread> threads;
  for (unsigned p = 0; p != producers; ++p)
    threads.emplace_back([&ring, &running, p] {
      std::mt19937_64 random(p);
      std::uint64_t last = 0;
      for (std::uint64_t i = 0; i != each;) {
        const std::string value(8 + random() % (p == 3 ? 3000 : 120), static_cast<char>('a' + p));
        std::string content = value;
        std::memcpy(content.data(), &i, sizeof i);
        const auto claimed =
            ring.append(Timestamp{static_cast<std::int64_t>(i)}, std::string(1, static_cast<char>(p)), as_bytes(content));
        if (claimed.outcome == StagingRing::Outcome::full) {
          std::this_thread::yield();
          continue;
        }
        if (i != 0 && claimed.offset <= last) std::abort();
        last = claimed.offset;
        ++i;
      }
      running.fetch_sub(1);
    });
  std::uint64_t next = first;
  std::uint64_t next_of[producers] = {};
  while (running.load() != 0 || ring.has_claims()) {
    const auto batch = take(ring, 4000);
    if (batch.empty()) std::this_thread::yield();
    for (const Taken& taken : batch) {
      if (taken.offset != next) FAIL("offset " << taken.offset << " after " << next - 1);
      ++next;
      const auto p = static_cast<unsigned>(taken.key[0]);
      std::uint64_t number = 0;
      std::memcpy(&number, taken.value.data(), sizeof number);
      if (number != next_of[p] || taken.value.find_first_not_of(static_cast<char>('a' + p), 8) != std::string::npos)
        FAIL("record " << number << " of producer " << p << " where " << next_of[p] << " belongs");
      ++next_of[p];
    }
  }
  for (auto& thread : threads) thread.join();
  CHECK(next == first + producers * each);
}
