#include "bench/support/bare_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/support/timing.hpp"

namespace iotstream::bench {
namespace {

bool write_at(int descriptor, const std::vector<std::byte>& piece, std::uint64_t at) {
  return ::pwrite(descriptor, piece.data(), piece.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(piece.size());
}

}  // namespace

BareFile::BareFile(std::string path) : path_(std::move(path)) {}

BareFile::~BareFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  ::unlink(path_.c_str());
}

Result<int> BareFile::open(int flags) {
  const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
  if (descriptor < 0) return Error{ErrorKind::io, fmt::format("{} could not be made", path_)};
  return descriptor;
}

Result<double> BareFile::write_rate(std::uint64_t bytes) {
  auto descriptor = open(O_APPEND);
  if (!descriptor) return descriptor.error();
  const std::vector<std::byte> piece(1u << 20, std::byte{1});
  const std::int64_t begin_ns = now_ns();
  std::uint64_t written = 0;
  while (written < bytes) {
    const ssize_t now = ::write(*descriptor, piece.data(), piece.size());
    if (now <= 0) break;
    written += static_cast<std::uint64_t>(now);
  }
  const double seconds = seconds_since(begin_ns);
  ::close(*descriptor);
  if (written < bytes) return Error{ErrorKind::io, fmt::format("{} could not be written", path_)};
  return static_cast<double>(written) / seconds;
}

Result<std::vector<double>> BareFile::overwrite_us(std::size_t size, std::uint64_t count, std::uint64_t span) {
  if (descriptor_ < 0) {
    auto descriptor = open(O_TRUNC);
    if (!descriptor) return descriptor.error();
    descriptor_ = *descriptor;
    const std::vector<std::byte> piece(size, std::byte{7});
    bool written = true;
    for (std::uint64_t at = 0; at < span && written; at += size) written = write_at(descriptor_, piece, at);
    if (!written || ::fsync(descriptor_) != 0) return Error{ErrorKind::io, fmt::format("{} could not be written", path_)};
  }
  const std::uint64_t first = overwritten_;
  overwritten_ += size * count;
  return synced_writes_us(descriptor_, size, count, [&](std::uint64_t i) { return (first + i * size) % span; });
}

Result<std::vector<double>> BareFile::first_write_us(std::size_t size, std::uint64_t count) {
  auto descriptor = open(O_TRUNC);
  if (!descriptor) return descriptor.error();
  // Where a file system cannot reserve, this writes zeros: the figure is one of overwrites there.
  const bool reserved = ::posix_fallocate(*descriptor, 0, static_cast<off_t>(size * count)) == 0 && ::fsync(*descriptor) == 0;
  auto us = reserved ? synced_writes_us(*descriptor, size, count, [&](std::uint64_t i) { return i * size; })
                     : Error{ErrorKind::io, fmt::format("no space could be reserved in {}", path_)};
  ::close(*descriptor);
  return us;
}

Result<std::vector<double>> BareFile::synced_writes_us(int descriptor, std::size_t size, std::uint64_t count,
                                                       const std::function<std::uint64_t(std::uint64_t)>& position) const {
  const std::vector<std::byte> piece(size, std::byte{7});
  std::vector<double> us;
  us.reserve(count);
  for (std::uint64_t i = 0; i != count; ++i) {
    const std::uint64_t at = position(i);
    const std::int64_t begin_ns = now_ns();
    if (!write_at(descriptor, piece, at) || ::fdatasync(descriptor) != 0)
      return Error{ErrorKind::io, fmt::format("{} could not be written and synced", path_)};
    us.push_back(static_cast<double>(now_ns() - begin_ns) / 1e3);
  }
  return us;
}

}  // namespace iotstream::bench
