// The machine's own disk, and the two helpers that work on any disk.
#include <filesystem>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <iotstream/os/disk.hpp>

#include "support/memory_disk.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

using namespace iotstream;
using os::OpenMode;
using os::real_disk;

namespace {

std::string read_all(const os::File& file) {
  std::string bytes(file.size().value(), '\0');
  REQUIRE(file.read_at(0, std::as_writable_bytes(std::span(bytes))).value() == bytes.size());
  return bytes;
}

MutableByteView writable(std::string& text) { return std::as_writable_bytes(std::span(text)); }

}  // namespace

TEST_CASE("a file is written, read and measured at any position") {
  const test::TemporaryDirectory directory;
  auto file = real_disk().open(directory / "a", OpenMode::create).value();
  REQUIRE(file->write_at(3, as_bytes("def")).ok());
  REQUIRE(file->write_at(0, as_bytes("abc")).ok());
  REQUIRE(file->write_at(6, {}).ok());
  CHECK(file->size().value() == 6);
  CHECK(read_all(*file) == "abcdef");
  std::string part(10, '.');
  CHECK(file->read_at(4, writable(part)).value() == 2);
  CHECK(part == "ef........");
  CHECK(file->read_at(6, writable(part)).value() == 0);
  CHECK(file->read_at(1000, writable(part)).value() == 0);
  CHECK(file->sync().ok());
  REQUIRE(file->truncate(2).ok());
  CHECK(read_all(*file) == "ab");
}

TEST_CASE("allocated space belongs to the file and reads as zeros") {
  const test::TemporaryDirectory directory;
  auto file = real_disk().open(directory / "a", OpenMode::create).value();
  REQUIRE(file->write_at(0, as_bytes("ab")).ok());
  REQUIRE(file->allocate(0, 100'000).ok());
  REQUIRE(file->allocate(0, 0).ok());
  CHECK(file->size().value() == 100'000);
  CHECK(read_all(*file) == "ab" + std::string(99'998, '\0'));
  struct stat status {};
  REQUIRE(::stat((directory / "a").c_str(), &status) == 0);
  CHECK(status.st_blocks * 512 >= 100'000);
}

TEST_CASE("opening follows its mode, and errors name the path and the reason") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  const auto missing = real_disk().open(path, OpenMode::read);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().message == "cannot open " + path + ": No such file or directory");
  CHECK(real_disk().open(path, OpenMode::read_write).error().kind == ErrorKind::not_found);
  REQUIRE(real_disk().open(path, OpenMode::create).ok());
  CHECK(real_disk().open(path, OpenMode::create).error().kind == ErrorKind::conflict);
  auto reader = real_disk().open(path, OpenMode::read).value();
  CHECK(reader->write_at(0, as_bytes("x")).error().kind == ErrorKind::io);
  CHECK(real_disk().open(directory.path(), OpenMode::read_write).error().kind == ErrorKind::io);
}

TEST_CASE("open files are not handed on to programs that are started") {
  const test::TemporaryDirectory directory;
  const auto file = real_disk().open(directory / "a", OpenMode::create).value();
  bool found = false;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code code;
    if (std::filesystem::read_symlink(entry.path(), code) != directory / "a") continue;
    found = true;
    const auto info = os::read_file(real_disk(), "/proc/self/fdinfo/" + entry.path().filename().string(), 4096).value();
    CHECK((std::stoul(info.substr(info.find("flags:") + 6), nullptr, 8) & 02000000u) != 0);  // O_CLOEXEC
  }
  CHECK(found);
}

TEST_CASE("a full device is told as a full disk") {
  auto file = real_disk().open("/dev/full", OpenMode::read_write);
  REQUIRE(file.ok());
  CHECK((*file)->write_at(0, as_bytes("x")).error().kind == ErrorKind::disk_full);
}

TEST_CASE("folders are created with their parents, listed in order, and may be there already") {
  const test::TemporaryDirectory directory;
  const std::string deep = directory / "a/b/c";
  REQUIRE(real_disk().create_directories(deep).ok());
  REQUIRE(real_disk().create_directories(deep).ok());
  REQUIRE(real_disk().create_directories(directory / "x/y/").ok());
  REQUIRE(real_disk().open(deep + "/2", OpenMode::create).ok());
  REQUIRE(real_disk().open(deep + "/1", OpenMode::create).ok());
  CHECK(real_disk().list(deep).value() == std::vector<std::string>{"1", "2"});
  CHECK(real_disk().list(directory.path()).value() == std::vector<std::string>{"a", "x"});
  CHECK(real_disk().create_directories(deep + "/1").error().kind == ErrorKind::io);
  CHECK_FALSE(real_disk().create_directories(deep + "/1/below").ok());
  CHECK(real_disk().list(directory / "none").error().kind == ErrorKind::not_found);
}

TEST_CASE("files are renamed over others, removed, and looked for") {
  const test::TemporaryDirectory directory;
  REQUIRE(real_disk().open(directory / "a", OpenMode::create).value()->write_at(0, as_bytes("new")).ok());
  REQUIRE(real_disk().open(directory / "b", OpenMode::create).ok());
  REQUIRE(real_disk().rename(directory / "a", directory / "b").ok());
  CHECK_FALSE(real_disk().exists(directory / "a"));
  CHECK(os::read_file(real_disk(), directory / "b", 100).value() == "new");
  CHECK(real_disk().sync_directory(directory.path()).ok());
  REQUIRE(real_disk().remove(directory / "b").ok());
  CHECK(real_disk().remove(directory / "b").error().kind == ErrorKind::not_found);
  CHECK(real_disk().rename(directory / "b", directory / "c").error().kind == ErrorKind::not_found);
  CHECK_FALSE(real_disk().sync_directory(directory / "none").ok());
  CHECK(real_disk().free_bytes(directory.path()).value() > 0);
}

TEST_CASE("a file is read whole, up to a limit") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 300'000u}) {
    const std::string content(size, 'x');
    REQUIRE(os::write_atomically(real_disk(), path, as_bytes(content)).ok());
    CHECK(os::read_file(real_disk(), path, UINT64_MAX).value() == content);
    CHECK(os::read_file(real_disk(), path, size).value() == content);
    if (size > 0) CHECK(os::read_file(real_disk(), path, size - 1).error().kind == ErrorKind::too_large);
  }
  CHECK_FALSE(os::read_file(real_disk(), "/proc/self/status", 1 << 20).value().empty());
  CHECK(os::read_file(real_disk(), directory / "none", 1).error().kind == ErrorKind::not_found);
  CHECK(os::read_file(real_disk(), directory.path(), 1).error().kind == ErrorKind::io);
}

TEST_CASE("writing atomically replaces, and cleans up what a crash left behind") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a";
  REQUIRE(os::write_atomically(real_disk(), path + ".tmp", as_bytes("half")).ok());
  REQUIRE(os::write_atomically(real_disk(), path, as_bytes("one")).ok());
  REQUIRE(os::write_atomically(real_disk(), path, as_bytes("two")).ok());
  CHECK(os::read_file(real_disk(), path, 100).value() == "two");
  CHECK(real_disk().list(directory.path()).value() == std::vector<std::string>{"a"});
  CHECK(os::write_atomically(real_disk(), directory / "none/a", as_bytes("x")).error().kind == ErrorKind::not_found);
}

TEST_CASE("whatever moment the power fails at, old or new content is there, whole") {
  IOTSTREAM_SEEDED(random);
  const std::string before(2000, 'o');
  const std::string after(3000, 'n');
  for (int round = 0; round < 50; ++round) {
    test::MemoryDisk disk;
    REQUIRE(disk.create_directories("d").ok());
    REQUIRE(os::write_atomically(disk, "d/a", as_bytes(before)).ok());
    const auto start = disk.copy();
    disk.record();
    REQUIRE(os::write_atomically(disk, "d/a", as_bytes(after)).ok());
    const auto steps = disk.recorded();
    CHECK(steps.size() == 5);  // create, write, sync, rename, sync of the folder
    for (std::size_t done = 0; done <= steps.size(); ++done) {
      const auto run = start->copy();
      for (std::size_t i = 0; i < done; ++i) run->replay(steps[i].operation);
      const auto image = run->after_power_cut(random);
      const auto bytes = image->content("d/a");
      const std::string content(as_text(bytes));
      CHECK((content == before || content == after));
      if (done == steps.size()) CHECK(content == after);
    }
  }
}

TEST_CASE("writing atomically on a full disk leaves the old content and no litter") {
  test::MemoryDisk disk;
  REQUIRE(disk.create_directories("d").ok());
  REQUIRE(os::write_atomically(disk, "d/a", as_bytes("old")).ok());
  disk.set_capacity(4);
  CHECK(os::write_atomically(disk, "d/a", as_bytes("newer")).error().kind == ErrorKind::disk_full);
  CHECK(as_text(disk.content("d/a")) == "old");
  CHECK(disk.list("d").value() == std::vector<std::string>{"a"});
}

TEST_CASE("a sync that fails while writing atomically leaves the old content") {
  test::MemoryDisk disk;
  REQUIRE(disk.create_directories("d").ok());
  REQUIRE(os::write_atomically(disk, "d/a", as_bytes("old")).ok());
  disk.set_fault([](test::MemoryDisk::Kind kind, const std::string&) {
    return kind == test::MemoryDisk::Kind::sync ? std::optional(Error{ErrorKind::io, "no"}) : std::nullopt;
  });
  CHECK(os::write_atomically(disk, "d/a", as_bytes("new")).error().kind == ErrorKind::io);
  CHECK(as_text(disk.content("d/a")) == "old");
  CHECK(disk.list("d").value() == std::vector<std::string>{"a"});
}
