#include <random>

#include "log/format.hpp"
#include "log_fixture.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;
using iotstream::log::test::segment_path;
using iotstream::test::MemoryDisk;

namespace {

std::string value_of(std::uint64_t i) { return fmt::format("value {} {}", i, std::string(i % 50, 'z')); }

/// A log of durable single-record batches, and where each of them ends in the segment.
std::vector<std::uint64_t> fill(LogFixture& f, std::uint64_t records) {
  std::vector<std::uint64_t> ends;
  auto& partition = f.partition();
  const auto before = partition.watermarks().durable.value;
  for (std::uint64_t i = before; i != before + records; ++i) {
    REQUIRE(LogFixture::append_durably(partition, static_cast<std::int64_t>(i), "k", value_of(i)).value == i);
    ends.push_back(partition.status().bytes);
  }
  return ends;
}

void check_values(const std::vector<LogFixture::Seen>& seen) {
  for (const auto& record : seen) CHECK(record.value == value_of(record.offset));
}

bool has_file_like(const MemoryDisk& disk, std::string_view part) {
  for (const auto& path : disk.paths())
    if (path.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("a segment cut at every byte between two commits opens at the first of them") {
  LogFixture f;
  f.open();
  const auto ends = fill(f, 5);
  const auto image = f.disk->copy();  // no mark is written yet, as after kill -9
  f.close();
  const auto whole = image->content(segment_path());
  for (std::uint64_t cut = ends[3]; cut <= ends[4]; ++cut) {
    for (const bool zeros : {false, true}) {
      LogFixture g;
      g.disk = image->copy();
      auto bytes = whole;
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), std::byte{0});
      if (!zeros) bytes.resize(cut);
      g.disk->set_content(segment_path(), bytes);
      g.open();
      auto& partition = g.partition();
      const auto seen = LogFixture::read_all(partition);
      // The padding of the last frame is zeros: cut there it is whole.
      const bool whole_again = bytes.size() >= ends[4] &&
                               std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(ends[4]), whole.begin());
      CHECK(seen.size() == (whole_again ? 5 : 4));
      check_values(seen);
      CHECK(partition.status().damage.empty());
      const bool tail = has_file_like(*g.disk, ".tail.");
      if (cut == ends[3]) CHECK_FALSE(tail);
      // It goes on at the offset behind, and stays whole.
      const auto next = seen.size();
      REQUIRE(LogFixture::append_durably(partition, 1, "k", value_of(next)).value == next);
      g.close();
      g.open();
      CHECK(LogFixture::read_all(g.partition()).size() == next + 1);
    }
  }
}

TEST_CASE("a torn tail is kept beside, byte for byte") {
  LogFixture f;
  f.open();
  const auto ends = fill(f, 4);
  f.reopen_on([&] {
    auto image = f.disk->copy();
    image->flip(segment_path(), ends[2] + 80);
    return image;
  }());
  CHECK(f.partition().watermarks().durable == Offset(3));
  CHECK(f.partition().status().damage.empty());
  std::string tail;
  for (const auto& path : f.disk->paths())
    if (path.find(".tail.") != std::string::npos) tail = path;
  REQUIRE_FALSE(tail.empty());
  CHECK(f.disk->content(tail).size() >= ends[3] - ends[2] - 8);
  CHECK(f.disk->content(tail).size() <= ends[3] - ends[2]);
}

TEST_CASE("a flipped bit below a later good batch is damage: exactly its offsets are lost, the rest is served") {
  LogFixture f;
  f.open();
  const auto ends = fill(f, 12);
  const auto image = f.disk->copy();
  for (std::size_t victim = 0; victim != 10; ++victim) {
    const std::uint64_t begin = victim == 0 ? format::frames_begin : ends[victim - 1];
    for (const std::uint64_t at : {begin + 1, begin + 5, begin + 9, begin + 18, begin + 60, begin + 66, ends[victim] - 1}) {
      LogFixture g;
      g.disk = image->copy();
      g.disk->flip(segment_path(), at, 0x10);
      g.open();
      auto& partition = g.partition();
      const auto seen = LogFixture::read_all(partition);
      CHECK(seen.size() == 11);
      for (const auto& record : seen) CHECK(record.offset != victim);
      check_values(seen);
      const auto damage = partition.status().damage;
      REQUIRE(damage.size() == 1);
      CHECK(damage[0].first == Offset(victim));
      CHECK(damage[0].next == Offset(victim + 1));
      CHECK(damage[0].position == begin);
      CHECK(LogFixture::append_durably(partition, 1, "k", value_of(12)) == Offset(12));
    }
  }
  f.close();
}

TEST_CASE("below the durable mark even the last batch is damage, and its offset is never used again") {
  LogFixture f;
  f.open();
  const auto ends = fill(f, 4);
  f.close();  // writes the mark
  f.disk->flip(segment_path(), ends[2] + 70);
  f.open();
  {
    auto& partition = f.partition();
    // Trusted up to the mark, and checked when it is read.
    CHECK(partition.watermarks().durable == Offset(4));
    const auto seen = LogFixture::read_all(partition);
    CHECK(seen.size() == 3);
    const auto damage = partition.status().damage;
    REQUIRE(damage.size() == 1);
    CHECK(damage[0].first == Offset(3));
    CHECK(damage[0].next == Offset(4));
    CHECK(LogFixture::append_durably(partition, 1, "k", value_of(4)) == Offset(4));
    CHECK(LogFixture::read_all(partition).size() == 4);
  }
}

TEST_CASE("a segment shorter than the mark says has lost records: named, not reused") {
  LogFixture f;
  f.open();
  const auto ends = fill(f, 6);
  f.close();
  auto bytes = f.disk->content(segment_path());
  bytes.resize(ends[3]);
  f.disk->set_content(segment_path(), bytes);
  for (int start = 0; start != 2; ++start) {
    f.open();
    auto& partition = f.partition();
    const auto damage = partition.status().damage;
    REQUIRE(damage.size() == 1);
    CHECK(damage[0].first == Offset(4));
    CHECK(damage[0].next == Offset(6));
    CHECK(LogFixture::read_all(partition).size() == 4 + static_cast<std::size_t>(start));
    CHECK(LogFixture::append_durably(partition, 1, "k", value_of(6 + static_cast<std::uint64_t>(start))) ==
          Offset(6 + static_cast<std::uint64_t>(start)));
    f.close();
  }
}

TEST_CASE("one bad copy of a segment's header costs nothing, two cost the segment") {
  LogFixture f;
  f.open();
  fill(f, 4);
  f.close();
  f.disk->flip(segment_path(), 20);
  f.open();
  CHECK(LogFixture::read_all(f.partition()).size() == 4);
  f.close();
  f.disk->flip(segment_path(), 512 + 20);
  f.open();
  CHECK(LogFixture::read_all(f.partition()).empty());
  CHECK(f.partition().status().damage.size() == 1);
  CHECK(has_file_like(*f.disk, ".damaged."));
  CHECK(LogFixture::append_durably(f.partition(), 1, "k", value_of(4)) == Offset(4));
}

TEST_CASE("an index that is absent, damaged or another's is rebuilt to the same bytes") {
  LogFixture f;
  f.open();
  for (int i = 0; i != 3; ++i) {
    auto& partition = f.partition();
    for (int k = 0; k != 200; ++k) LogFixture::append(partition, 1000 - k, "k", std::string(200, 'v'));
    REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(static_cast<std::uint64_t>(i) * 200 + 199)));
  }
  f.close();
  std::string index;
  for (const auto& path : f.disk->paths())
    if (path.ends_with(".index")) index = path;
  REQUIRE_FALSE(index.empty());
  const auto good = f.disk->content(index);
  const auto image = f.disk->copy();
  auto damage = GENERATE(0, 1, 2, 3, 4);
  LogFixture g;
  g.disk = image->copy();
  auto bad = good;
  if (damage == 0) REQUIRE(g.disk->remove(index));
  if (damage == 1) bad.resize(60);
  if (damage == 2) bad[16] ^= std::byte{1};
  if (damage == 3) bad.back() ^= std::byte{1};
  if (damage == 4) bad.clear();
  if (damage != 0) g.disk->set_content(index, bad);
  g.open();
  auto& partition = g.partition();
  CHECK(LogFixture::read_all(partition).size() == 600);
  CHECK(*partition.seek(Timestamp{900}) == Offset(0));
  CHECK(partition.status().damage.empty());
  if (damage != 3) CHECK(g.disk->content(index) == good);
}

TEST_CASE("a missing segment in the middle is a named gap, the rest is served") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  for (std::uint64_t i = 0; i != 1000; ++i) LogFixture::append(partition, 1, "k", std::string(250, 'v'));
  REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(999)));
  f.close();
  std::vector<std::string> segments;
  for (const auto& path : f.disk->paths())
    if (path.ends_with(".segment")) segments.push_back(path);
  REQUIRE(segments.size() >= 4);
  REQUIRE(f.disk->remove(segments[1]));
  f.open();
  const auto seen = LogFixture::read_all(f.partition());
  const auto status = f.partition().status();
  REQUIRE(status.damage.size() == 1);
  CHECK(seen.size() == 1000 - (status.damage[0].next - status.damage[0].first));
  CHECK(status.watermarks.durable == Offset(1000));
}

TEST_CASE("after a power cut everything acknowledged is there, once, in order, at its offset") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 60; ++round) {
    LogFixture f;
    f.open();
    std::uint64_t next = 0;
    std::uint64_t acknowledged = 0;
    for (int life = 0; life != 4; ++life) {
      auto& partition = f.partition();
      const auto end = partition.watermarks().durable.value;
      REQUIRE(end >= acknowledged);
      const auto seen = LogFixture::read_all(partition);
      REQUIRE(seen.size() == end);
      for (std::uint64_t i = 0; i != end; ++i)
        if (seen[i].offset != i || seen[i].value != value_of(i)) FAIL("offset " << seen[i].offset << " in place " << i);
      CHECK(partition.status().damage.empty());
      next = end;
      for (auto left = 1 + random() % 200; left != 0; --left) {
        REQUIRE(LogFixture::append(partition, static_cast<std::int64_t>(next), "k", value_of(next)).value == next);
        ++next;
        if (random() % 20 == 0) {
          REQUIRE(LogFixture::wait(partition, Watermark::durable, Offset(next - 1)));
          acknowledged = next;
        }
      }
      acknowledged = std::max(acknowledged, partition.watermarks().durable.value);
      const unsigned keep = static_cast<unsigned>(random() % 101);
      f.reopen_on(f.disk->after_power_cut(random, keep));
    }
  }
}
