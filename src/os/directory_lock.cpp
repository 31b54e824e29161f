#include <array>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include <iotstream/os/clock.hpp>
#include <iotstream/os/process.hpp>

#include "os/descriptor.hpp"
#include "os/errors.hpp"

namespace iotstream::os {

namespace {

/// What the holder wrote: `process 1234, since 2022-…`; empty while it is just starting.
std::string read_holder(int descriptor) {
  std::array<char, 128> text{};
  const ssize_t n = ::pread(descriptor, text.data(), text.size(), 0);
  std::string_view holder(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return std::string(holder.substr(0, holder.find('\n')));
}

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

Error held(const std::string& directory, int descriptor) {
  struct flock other = whole_file(F_WRLCK);
  const bool by_reader = ::fcntl(descriptor, F_OFD_GETLK, &other) == 0 && other.l_type == F_RDLCK;
  if (by_reader)
    return {
        ErrorKind::conflict,
        fmt::format("the data directory {} is being read by another process, which verifies it: wait for its end", directory)};
  const std::string holder = read_holder(descriptor);
  return {ErrorKind::conflict,
          fmt::format("the data directory {} is in use by {}: stop that process, or choose another data_dir", directory,
                      holder.empty() ? "another process" : holder)};
}

bool write_holder(int descriptor) {
  const std::string text = fmt::format("process {}, since {}\n", ::getpid(), format_rfc3339(system_clock().now()));
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  Descriptor descriptor(::openat(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!descriptor.valid()) return system_error("open", path, errno);
  struct flock lock = whole_file(F_WRLCK);
  // Of the open file, not of the process: it also holds against a second opening by this process.
  if (::fcntl(descriptor.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return held(directory, descriptor.get());
    return system_error("lock", path, errno);
  }
  // On a full disk the lock holds all the same; only the message of a second process is less precise then.
  (void)write_holder(descriptor.get());
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor.release()));
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire_shared(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  Descriptor descriptor(::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.valid() && errno == ENOENT) return std::unique_ptr<DirectoryLock>(new DirectoryLock(-1));
  if (!descriptor.valid()) return system_error("open", path, errno);
  struct flock lock = whole_file(F_RDLCK);
  if (::fcntl(descriptor.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return held(directory, descriptor.get());
    return system_error("lock", path, errno);
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor.release()));
}

DirectoryLock::~DirectoryLock() {
  // The file stays: removing it would let two processes lock two files of the same name.
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace iotstream::os
