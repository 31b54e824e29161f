// The disk in memory that other rooms' crash tests stand on.
#include "support/memory_disk.hpp"

#include <catch2/catch.hpp>

#include "support/random.hpp"

using namespace iotstream;
using os::OpenMode;
using test::MemoryDisk;

namespace {

std::unique_ptr<os::File> create(MemoryDisk& disk, const std::string& path) {
  REQUIRE(disk.create_directories("d").ok());
  auto file = disk.open(path, OpenMode::create);
  REQUIRE(file.ok());
  return std::move(*file);
}

std::string text(const MemoryDisk& disk, const std::string& path) {
  const auto bytes = disk.content(path);
  return std::string(as_text(bytes));
}

/// The worst that a power cut now can do: nothing un-synced is kept.
std::shared_ptr<MemoryDisk> worst(const MemoryDisk& disk) {
  std::mt19937_64 random(1);
  return disk.after_power_cut(random, 0);
}

}  // namespace

TEST_CASE("a power cut takes what was not synced and leaves what was") {
  MemoryDisk disk;
  const auto file = create(disk, "d/a");
  REQUIRE(file->write_at(0, as_bytes("kept")).ok());
  REQUIRE(file->sync().ok());
  REQUIRE(disk.sync_directory("d").ok());
  REQUIRE(file->write_at(2, as_bytes("lost, all of it")).ok());
  CHECK(text(disk, "d/a") == "kelost, all of it");
  CHECK(text(*worst(disk), "d/a") == "kept");
  CHECK(text(*disk.copy(), "d/a") == "kelost, all of it");
}

TEST_CASE("names live and die by the sync of their folder") {
  MemoryDisk disk;
  const auto file = create(disk, "d/a");
  REQUIRE(file->sync().ok());
  CHECK(worst(disk)->list("d").value().empty());
  REQUIRE(disk.sync_directory("d").ok());
  REQUIRE(disk.rename("d/a", "d/b").ok());
  CHECK(disk.list("d").value() == std::vector<std::string>{"b"});
  CHECK(worst(disk)->list("d").value() == std::vector<std::string>{"a"});
  REQUIRE(disk.sync_directory("d").ok());
  REQUIRE(disk.remove("d/b").ok());
  CHECK(worst(disk)->list("d").value() == std::vector<std::string>{"b"});
}

TEST_CASE("a sync that failed loses its data for good, although later syncs succeed") {
  MemoryDisk disk;
  const auto file = create(disk, "d/a");
  REQUIRE(disk.sync_directory("d").ok());
  REQUIRE(file->write_at(0, as_bytes("lost")).ok());
  bool fail = true;
  disk.set_fault([&](MemoryDisk::Kind kind, const std::string&) {
    return fail && kind == MemoryDisk::Kind::sync ? std::optional(Error{ErrorKind::io, "no"}) : std::nullopt;
  });
  CHECK(file->sync().error().kind == ErrorKind::io);
  fail = false;
  REQUIRE(file->sync().ok());
  CHECK(text(disk, "d/a") == "lost");
  CHECK(text(*worst(disk), "d/a").find("lost") == std::string::npos);
  REQUIRE(file->write_at(0, as_bytes("anew")).ok());
  REQUIRE(file->sync().ok());
  CHECK(text(*worst(disk), "d/a") == "anew");
}

TEST_CASE("after a power cut each sector is old or new, never anything else") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 100; ++round) {
    MemoryDisk disk;
    const auto file = create(disk, "d/a");
    REQUIRE(file->write_at(0, as_bytes(std::string(2048, 'o'))).ok());
    REQUIRE(file->sync().ok());
    REQUIRE(disk.sync_directory("d").ok());
    REQUIRE(file->write_at(512, as_bytes(std::string(1024, 'n'))).ok());
    const std::string after = text(*disk.after_power_cut(random), "d/a");
    REQUIRE(after.size() == 2048);
    for (std::size_t sector = 0; sector < 4; ++sector) {
      const std::string part = after.substr(sector * 512, 512);
      CHECK((part == std::string(512, 'o') || (part == std::string(512, 'n') && sector > 0 && sector < 3)));
    }
  }
}

TEST_CASE("a full disk refuses what grows, and takes it when there is space again") {
  MemoryDisk disk;
  const auto file = create(disk, "d/a");
  disk.set_capacity(6);
  CHECK(file->write_at(0, as_bytes("1234")).ok());
  CHECK(file->write_at(2, as_bytes("abcdef")).error().kind == ErrorKind::disk_full);
  CHECK(file->write_at(0, as_bytes("ZZ")).ok());
  CHECK(file->allocate(0, 7).error().kind == ErrorKind::disk_full);
  CHECK(disk.free_bytes("d").value() == 2);
  disk.set_capacity(8);
  CHECK(file->write_at(2, as_bytes("abcdef")).ok());
  CHECK(text(disk, "d/a") == "ZZabcdef");
}

TEST_CASE("what was recorded makes the same content once more") {
  MemoryDisk disk;
  REQUIRE(disk.create_directories("d").ok());
  const auto start = disk.copy();
  disk.record();
  const auto file = create(disk, "d/a");
  REQUIRE(file->allocate(0, 8).ok());
  REQUIRE(file->write_at(1, as_bytes("abc")).ok());
  REQUIRE(file->sync().ok());
  REQUIRE(file->truncate(3).ok());
  REQUIRE(disk.rename("d/a", "d/b").ok());
  REQUIRE(disk.sync_directory("d").ok());
  for (const auto& step : disk.recorded()) start->replay(step.operation);
  CHECK(start->paths() == std::vector<std::string>{"d/b"});
  CHECK(text(*start, "d/b") == std::string("\0ab", 3));
  CHECK(disk.count(MemoryDisk::Kind::write) == 1);
}

TEST_CASE("damage is on the disk and in the cache, and is not undone by a power cut") {
  MemoryDisk disk;
  const auto file = create(disk, "d/a");
  REQUIRE(file->write_at(0, as_bytes("abc")).ok());
  REQUIRE(file->sync().ok());
  REQUIRE(disk.sync_directory("d").ok());
  disk.flip("d/a", 1, 0x01);
  CHECK(text(disk, "d/a") == "acc");
  CHECK(text(*worst(disk), "d/a") == "acc");
}
