#include "support/memory_disk.hpp"

#include <thread>

#include <catch2/catch.hpp>

#include "support/random.hpp"

using namespace iotstream;
using os::OpenMode;
using test::Fault;
using test::MemoryDisk;
using test::Operation;

namespace {

std::unique_ptr<os::File> create(MemoryDisk& disk, const std::string& path) {
  REQUIRE(disk.create_directories("/d").ok());
  auto file = disk.open(path, OpenMode::create);
  REQUIRE(file.ok());
  return std::move(*file);
}

}  // namespace

TEST_CASE("a crash takes what was not synced and leaves what was") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(file->write_at(0, as_bytes("kept")).ok());
  REQUIRE(file->sync().ok());
  REQUIRE(disk.sync_directory("/d").ok());
  REQUIRE(file->write_at(2, as_bytes("lost, all of it")).ok());
  CHECK(disk.content("/d/a") == "kelost, all of it");
  disk.crash();
  CHECK(disk.content("/d/a") == "kept");
}

TEST_CASE("a synced file whose name was not synced is gone after a crash") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(file->write_at(0, as_bytes("x")).ok());
  REQUIRE(file->sync().ok());
  disk.crash();
  CHECK_FALSE(disk.exists("/d/a"));
  CHECK(disk.exists("/d"));
}

TEST_CASE("a rename or removal that was not synced is undone by a crash") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(file->sync().ok());
  REQUIRE(disk.sync_directory("/d").ok());
  REQUIRE(disk.rename("/d/a", "/d/b").ok());
  CHECK(disk.list("/d").value() == std::vector<std::string>{"b"});
  disk.crash();
  CHECK(disk.list("/d").value() == std::vector<std::string>{"a"});
  REQUIRE(disk.remove("/d/a").ok());
  disk.crash();
  CHECK(disk.exists("/d/a"));
}

TEST_CASE("files of the time before a crash fail after it") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  disk.crash();
  CHECK(file->write_at(0, as_bytes("x")).error().kind == ErrorKind::io);
  CHECK(file->sync().error().kind == ErrorKind::io);
  CHECK(file->size().error().kind == ErrorKind::io);
}

TEST_CASE("a sync that failed loses its data for good, although later syncs succeed") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(disk.sync_directory("/d").ok());
  REQUIRE(file->write_at(0, as_bytes("lost")).ok());
  disk.inject({Operation::sync});
  CHECK(file->sync().error().kind == ErrorKind::io);
  REQUIRE(file->sync().ok());
  CHECK(disk.content("/d/a") == "lost");
  disk.crash();
  CHECK(disk.content("/d/a") == "");
}

TEST_CASE("the fault hits the operation it was meant for, as often as it was meant to") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  disk.inject({Operation::write, 1, 2, ErrorKind::disk_full});
  CHECK(file->write_at(0, as_bytes("1")).ok());
  CHECK(file->sync().ok());
  CHECK(file->write_at(1, as_bytes("2")).error().kind == ErrorKind::disk_full);
  CHECK(file->write_at(1, as_bytes("3")).error().kind == ErrorKind::disk_full);
  CHECK(file->write_at(1, as_bytes("4")).ok());
  CHECK(disk.content("/d/a") == "14");
  CHECK(disk.count(Operation::write) == 4);
}

TEST_CASE("a full disk takes a write as far as it fits, and all of it when there is space again") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  disk.set_capacity(6);
  CHECK(file->write_at(0, as_bytes("1234")).ok());
  CHECK(file->write_at(2, as_bytes("abcdef")).error().kind == ErrorKind::disk_full);
  CHECK(disk.content("/d/a") == "12abcd");
  CHECK(disk.free_bytes("/d").value() == 0);
  CHECK(file->write_at(0, as_bytes("ZZ")).ok());
  CHECK(file->allocate(0, 7).error().kind == ErrorKind::disk_full);
  disk.set_capacity(8);
  CHECK(file->write_at(2, as_bytes("abcdef")).ok());
  CHECK(disk.content("/d/a") == "ZZabcdef");
}

TEST_CASE("power can be cut before every single change") {
  std::uint64_t cuts = 0;
  for (bool finished = false; !finished; ++cuts) {
    MemoryDisk disk;
    REQUIRE(disk.create_directories("/d").ok());
    disk.power_off_after(cuts);
    finished = os::write_atomically(disk, "/d/a", as_bytes("new")).ok();
    CHECK(disk.powered() == finished);
    disk.crash();
    const auto content = disk.content("/d/a");
    CHECK((!content || content == "new"));
    if (finished) CHECK(content == "new");
  }
  CHECK(cuts == 6);  // create, write, sync, rename, sync of the folder, and once to the end
}

TEST_CASE("a torn crash keeps each sector of an un-synced write or its predecessor, never anything else") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 100; ++round) {
    MemoryDisk disk;
    auto file = create(disk, "/d/a");
    REQUIRE(file->write_at(0, as_bytes(std::string(2048, 'o'))).ok());
    REQUIRE(file->sync().ok());
    REQUIRE(disk.sync_directory("/d").ok());
    const auto position = test::between<std::uint64_t>(random, 0, 1000);
    REQUIRE(file->write_at(position, as_bytes(std::string(1000, 'n'))).ok());
    disk.crash(random);
    const std::string content = disk.content("/d/a").value();
    REQUIRE(content.size() == 2048);
    for (std::size_t sector = 0; sector < 4; ++sector) {
      const std::size_t first = std::max<std::size_t>(sector * 512, position);
      const std::size_t last = std::min<std::size_t>(sector * 512 + 512, position + 1000);
      if (first >= last) continue;
      const std::string part = content.substr(first, last - first);
      CHECK((part == std::string(part.size(), 'o') || part == std::string(part.size(), 'n')));
    }
    CHECK(content.substr(0, position) == std::string(position, 'o'));
    CHECK(content.substr(position + 1000) == std::string(1048 - position, 'o'));
  }
}

TEST_CASE("syncs can be held and let go") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  disk.hold_syncs();
  Status synced = Error{};
  std::thread syncer([&] { synced = file->sync(); });
  disk.wait_for_syncs(1);
  disk.release_syncs();
  syncer.join();
  CHECK(synced.ok());
}

TEST_CASE("power that fails while a sync is held fails the sync") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  disk.hold_syncs();
  Status synced;
  std::thread syncer([&] { synced = file->sync(); });
  disk.wait_for_syncs(1);
  disk.power_off();
  syncer.join();
  CHECK_FALSE(synced.ok());
}

TEST_CASE("allocated space reads as zeros, reads stop at the end, truncation cuts") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(file->allocate(2, 4).ok());
  CHECK(file->size().value() == 6);
  std::string bytes(10, 'x');
  CHECK(file->read_at(1, std::as_writable_bytes(std::span(bytes))).value() == 5);
  CHECK(bytes == std::string(5, '\0') + "xxxxx");
  CHECK(file->read_at(6, std::as_writable_bytes(std::span(bytes))).value() == 0);
  REQUIRE(file->truncate(1).ok());
  CHECK(disk.content("/d/a") == std::string(1, '\0'));
}

TEST_CASE("opening follows its mode") {
  MemoryDisk disk;
  CHECK(disk.open("/d/a", OpenMode::create).error().kind == ErrorKind::not_found);
  auto file = create(disk, "/d/a");
  CHECK(disk.open("/d/a", OpenMode::create).error().kind == ErrorKind::conflict);
  CHECK(disk.open("/d/b", OpenMode::read).error().kind == ErrorKind::not_found);
  CHECK(disk.open("/d/a", OpenMode::read).value()->write_at(0, as_bytes("x")).error().kind == ErrorKind::io);
  CHECK(disk.open("/d/a", OpenMode::read_write).value()->write_at(0, as_bytes("x")).ok());
}

TEST_CASE("rot flips bits on the disk and in the cache") {
  MemoryDisk disk;
  auto file = create(disk, "/d/a");
  REQUIRE(file->write_at(0, as_bytes("abc")).ok());
  REQUIRE(file->sync().ok());
  REQUIRE(disk.sync_directory("/d").ok());
  disk.corrupt("/d/a", 1, 0x01);
  CHECK(disk.content("/d/a") == "acc");
  disk.crash();
  CHECK(disk.content("/d/a") == "acc");
  CHECK(disk.files("/d") == std::vector<std::string>{"/d/a"});
}
