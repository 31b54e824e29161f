#include "log/groups.hpp"

#include <random>

#include <catch2/catch.hpp>

#include "support/memory_disk.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::test::MemoryDisk;

namespace {

std::unique_ptr<Groups> open(MemoryDisk& disk) {
  REQUIRE(disk.create_directories("log"));
  auto groups = Groups::open(disk, "log", Timestamp{5});
  REQUIRE(groups);
  return std::move(*groups);
}

GroupOffset at(std::string group, std::uint32_t partition, std::uint64_t offset) {
  return {std::move(group), "topic", PartitionId(partition), Offset(offset)};
}

}  // namespace

TEST_CASE("groups are independent, and their offsets survive a restart") {
  MemoryDisk disk;
  auto groups = open(disk);
  const std::vector<GroupOffset> first{at("store", 0, 10), at("store", 1, 20), at("alert", 0, 3)};
  REQUIRE(groups->commit(first, false));
  REQUIRE(groups->commit(std::vector{at("store", 0, 11)}, false));
  groups = open(disk);
  CHECK(groups->committed("store", "topic", PartitionId(0)) == Offset(11));
  CHECK(groups->committed("store", "topic", PartitionId(1)) == Offset(20));
  CHECK(groups->committed("alert", "topic", PartitionId(0)) == Offset(3));
  CHECK_FALSE(groups->committed("alert", "topic", PartitionId(1)));
  CHECK(groups->all().size() == 3);
}

TEST_CASE("a commit below what is committed is refused whole, unless it is asked for") {
  MemoryDisk disk;
  auto groups = open(disk);
  REQUIRE(groups->commit(std::vector{at("g", 0, 10), at("g", 1, 10)}, false));
  CHECK(groups->commit(std::vector{at("g", 0, 12), at("g", 1, 9)}, false).error().kind == ErrorKind::conflict);
  CHECK(groups->committed("g", "topic", PartitionId(0)) == Offset(10));
  REQUIRE(groups->commit(std::vector{at("g", 0, 12), at("g", 1, 9)}, true));
  CHECK(groups->committed("g", "topic", PartitionId(1)) == Offset(9));
  CHECK(groups->commit(std::vector{at("", 0, 1)}, false).error().kind == ErrorKind::invalid);
}

TEST_CASE("a power cut at any moment leaves a commit whole or absent, never an older one than the last that returned") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 200; ++round) {
    MemoryDisk disk;
    auto groups = open(disk);
    std::uint64_t committed = 0;
    std::shared_ptr<MemoryDisk> image;
    // The cut comes at the n-th operation of the disk.
    const auto cut_at = random() % 60;
    std::uint64_t operations = 0;
    std::uint64_t committed_at_cut = 0;
    disk.set_fault([&](MemoryDisk::Kind, const std::string&) -> std::optional<Error> {
      if (operations++ == cut_at) {
        image = disk.after_power_cut(random);
        committed_at_cut = committed;
      }
      return std::nullopt;
    });
    for (std::uint64_t i = 1; i != 30 && image == nullptr; ++i) {
      std::vector<GroupOffset> offsets;
      for (std::uint32_t p = 0; p != 1 + i % 60; ++p) offsets.push_back(at("a group of some length", p, i));
      REQUIRE(groups->commit(offsets, false));
      committed = i;
    }
    if (image == nullptr) continue;
    auto recovered = open(*image);
    const auto found = recovered->committed("a group of some length", "topic", PartitionId(0));
    const std::uint64_t value = found ? found->value : 0;
    CHECK(value >= committed_at_cut);
    CHECK(value <= committed + 1);
    for (const auto& offset : recovered->all())
      if (offset.partition.value < 1 + value % 60) CHECK(offset.committed == Offset(value));
  }
}

TEST_CASE("one damaged file costs the last commit at most; two are kept beside and said") {
  MemoryDisk disk;
  auto groups = open(disk);
  for (std::uint64_t i = 1; i != 5; ++i) REQUIRE(groups->commit(std::vector{at("g", 0, i)}, false));
  disk.flip("log/groups.0", 40);
  groups = open(disk);
  CHECK(groups->committed("g", "topic", PartitionId(0)) == Offset(3));
  disk.flip("log/groups.1", 40);
  groups = open(disk);
  CHECK(groups->all().empty());
  CHECK(disk.exists("log/groups.0.damaged.5"));
  REQUIRE(groups->commit(std::vector{at("g", 0, 9)}, false));
  CHECK(open(disk)->committed("g", "topic", PartitionId(0)) == Offset(9));
}

TEST_CASE("after a failed sync no commit is taken until the restart") {
  MemoryDisk disk;
  auto groups = open(disk);
  REQUIRE(groups->commit(std::vector{at("g", 0, 1)}, false));
  bool once = true;
  disk.set_fault([&once](MemoryDisk::Kind kind, const std::string&) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::sync || !std::exchange(once, false)) return std::nullopt;
    return Error{ErrorKind::io, "sync failed"};
  });
  CHECK(groups->commit(std::vector{at("g", 0, 2)}, false).error().kind == ErrorKind::io);
  CHECK(groups->commit(std::vector{at("g", 0, 3)}, false).error().kind == ErrorKind::unavailable);
  CHECK(groups->committed("g", "topic", PartitionId(0)) == Offset(1));
}

TEST_CASE("a forgotten group is gone after a restart, and the others are not") {
  MemoryDisk disk;
  auto groups = open(disk);
  REQUIRE(groups->commit(std::vector{at("g", 0, 1), at("g", 1, 2), at("h", 0, 3)}, false));
  REQUIRE(groups->forget("g"));
  CHECK(groups->forget("g").error().kind == ErrorKind::not_found);
  groups = open(disk);
  CHECK(groups->all().size() == 1);
  CHECK(groups->committed("h", "topic", PartitionId(0)) == Offset(3));
}

TEST_CASE("commits that would not be readable at the next start are refused, and what is there stays") {
  MemoryDisk disk;
  auto groups = open(disk);
  REQUIRE(groups->commit(std::vector{at("g", 0, 1)}, false));
  std::vector<GroupOffset> many;
  const std::string name(200, 'g');
  for (std::uint32_t p = 0; p != 310'000; ++p) many.push_back(at(name, p, 1));
  CHECK(groups->commit(many, false).error().kind == ErrorKind::too_large);
  REQUIRE(groups->commit(std::vector{at("g", 0, 2)}, false));
  CHECK(open(disk)->all().size() == 1);
}
