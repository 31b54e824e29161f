// Reads and writes that the system does in part, or interrupts: nobody above may notice. The linker puts the functions below in
// the place of pread and pwrite (tests/CMakeLists.txt).
#include <atomic>
#include <cerrno>
#include <random>
#include <string>

#include <catch2/catch.hpp>
#include <sys/types.h>

#include <iotstream/os/disk.hpp>

#include "support/random.hpp"
#include "support/temporary_directory.hpp"

using namespace iotstream;
using os::OpenMode;

namespace {

/// What happens to the next calls; nothing while there is no source of chance.
std::mt19937_64* chance = nullptr;
int shortened = 0;
int interrupted = 0;

/// How much of a call to do; 0: interrupt it.
std::size_t part_of(std::size_t size) {
  if (chance == nullptr || size == 0) return size;
  if ((*chance)() % 3 == 0) {
    ++interrupted;
    return 0;
  }
  const std::size_t part = 1 + (*chance)() % size;
  shortened += part < size ? 1 : 0;
  return part;
}

}  // namespace

extern "C" {
ssize_t __real_pread(int descriptor, void* bytes, size_t size, off_t position);         // NOLINT: the linker's names
ssize_t __real_pwrite(int descriptor, const void* bytes, size_t size, off_t position);  // NOLINT

ssize_t __wrap_pread(int descriptor, void* bytes, size_t size, off_t position) {  // NOLINT
  const std::size_t part = part_of(size);
  if (part == 0 && size != 0) {
    errno = EINTR;
    return -1;
  }
  return __real_pread(descriptor, bytes, part, position);
}

ssize_t __wrap_pwrite(int descriptor, const void* bytes, size_t size, off_t position) {  // NOLINT
  const std::size_t part = part_of(size);
  if (part == 0 && size != 0) {
    errno = EINTR;
    return -1;
  }
  return __real_pwrite(descriptor, bytes, part, position);
}
}

TEST_CASE("short and interrupted reads and writes are made whole") {
  IOTSTREAM_SEEDED(random);
  const iotstream::test::TemporaryDirectory directory;
  auto file = os::real_disk().open(directory / "a", OpenMode::create).value();
  std::string expected(200'000, '\0');
  REQUIRE(file->allocate(0, expected.size()).ok());
  shortened = interrupted = 0;
  chance = &random;
  for (int i = 0; i != 300; ++i) {
    const std::size_t size = random() % 5000;
    const std::size_t position = random() % (expected.size() - size);
    if (i % 2 == 0) {
      const std::string bytes(size, static_cast<char>('a' + i % 26));
      REQUIRE(file->write_at(position, as_bytes(bytes)).ok());
      expected.replace(position, size, bytes);
    } else {
      std::string bytes(size, '?');
      REQUIRE(file->read_at(position, std::as_writable_bytes(std::span(bytes))).value() == size);
      REQUIRE(bytes == expected.substr(position, size));
    }
  }
  std::string rest(1000, '?');
  CHECK(file->read_at(expected.size() - 10, std::as_writable_bytes(std::span(rest))).value() == 10);
  chance = nullptr;
  CHECK(shortened > 200);
  CHECK(interrupted > 100);
}
