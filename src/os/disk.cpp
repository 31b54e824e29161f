#include <algorithm>
#include <array>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <iotstream/os/disk.hpp>

#include "os/descriptor.hpp"
#include "os/errors.hpp"

namespace iotstream::os {

namespace {

/// Calls `call` again while a signal interrupts it; its result, or -1 with errno.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

off_t to_off(std::uint64_t position) {
  IOTSTREAM_ASSERT(position <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()), "file position {}", position);
  return static_cast<off_t>(position);
}

class RealFile final : public File {
 public:
  RealFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n =
          retry([&] { return ::pread(descriptor_.get(), bytes.data() + done, bytes.size() - done, to_off(position + done)); });
      if (n < 0) return system_error("read", path_, errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Status write_at(std::uint64_t position, ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n =
          retry([&] { return ::pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done, to_off(position + done)); });
      if (n < 0) return system_error("write", path_, errno);
      if (n == 0) return system_error("write", path_, EIO);  // no progress and no reason: never loop on it
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status allocate(std::uint64_t position, std::uint64_t length) override {
    if (length == 0) return {};
    const int failed = retry([&] { return ::fallocate(descriptor_.get(), 0, to_off(position), to_off(length)); });
    if (failed == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return system_error("reserve space for", path_, errno);
    return allocate_by_writing(position, length);
  }

  Status sync() override {
    // Not retried on any error: after a failed fdatasync the kernel may have dropped the pages and a second call would lie.
    if (::fdatasync(descriptor_.get()) != 0) return system_error("sync", path_, errno);
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (retry([&] { return ::ftruncate(descriptor_.get(), to_off(size)); }) != 0) return system_error("truncate", path_, errno);
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return system_error("look at", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  /// For file systems without fallocate: zeros behind the end. Holes before the end cannot be found and stay holes.
  Status allocate_by_writing(std::uint64_t position, std::uint64_t length) {
    static constexpr std::array<std::byte, 65'536> zeros{};
    const auto now = size();
    if (!now.ok()) return now.error();
    const std::uint64_t end = position + length;
    for (std::uint64_t at = std::max(position, *now); at < end;) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), end - at));
      if (auto status = write_at(at, ByteView(zeros).first(n)); !status.ok()) return status;
      at += n;
    }
    return {};
  }

  Descriptor descriptor_;
  std::string path_;
};

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int flags = mode == OpenMode::read ? O_RDONLY : mode == OpenMode::read_write ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
    Descriptor descriptor(retry([&] { return ::openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0644); }));
    if (!descriptor.valid()) return system_error(mode == OpenMode::create ? "create" : "open", path, errno);
    return std::unique_ptr<File>(std::make_unique<RealFile>(std::move(descriptor), path));
  }

  Status create_directories(const std::string& path) override {
    if (path.empty()) return {};
    if (::mkdir(path.c_str(), 0755) == 0) return sync_directory(parent(path));
    if (errno == EEXIST) return check_directory(path);
    if (errno != ENOENT) return system_error("create folder", path, errno);
    const std::string above = parent(path);
    if (above == path) return system_error("create folder", path, ENOENT);
    if (auto status = create_directories(above); !status.ok()) return status;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("create folder", path, errno);
    return sync_directory(above);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::vector<std::string> names;
    std::error_code code;
    std::filesystem::directory_iterator at(path, code);
    for (; !code && at != std::filesystem::directory_iterator(); at.increment(code))
      names.push_back(at->path().filename().string());
    if (code) return system_error("list", path, code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from + " to " + to, errno);
    return {};
  }

  Status remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0) return system_error("remove", path, errno);
    return {};
  }

  Status sync_directory(const std::string& path) override {
    Descriptor folder(retry([&] { return ::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!folder.valid()) return system_error("open folder", path, errno);
    // EINVAL: a file system whose folders need no sync.
    if (::fsync(folder.get()) != 0 && errno != EINVAL) return system_error("sync folder", path, errno);
    return {};
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status {};
    if (retry([&] { return ::statvfs(path.c_str(), &status); }) != 0) return system_error("look at", path, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

 private:
  static std::string parent(const std::string& path) {
    const std::string above =
        std::filesystem::path(path.back() == '/' && path.size() > 1 ? path.substr(0, path.size() - 1) : path)
            .parent_path()
            .string();
    return above.empty() ? "." : above;
  }

  static Status check_directory(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return system_error("look at", path, errno);
    if (!S_ISDIR(status.st_mode)) return system_error("create folder", path, ENOTDIR);
    return {};
  }
};

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Status write_temporary(Disk& disk, const std::string& path, ByteView content) {
  if (disk.exists(path)) {  // left behind by a crash
    if (auto removed = disk.remove(path); !removed.ok()) return removed;
  }
  auto file = disk.open(path, OpenMode::create);
  if (!file.ok()) return file.error();
  if (auto written = (*file)->write_at(0, content); !written.ok()) return written;
  return (*file)->sync();
}

}  // namespace

Disk& real_disk() {
  static RealDisk disk;
  return disk;
}

Status write_atomically(Disk& disk, const std::string& path, ByteView content) {
  const std::string temporary = path + ".tmp";
  Status status = write_temporary(disk, temporary, content);
  if (status.ok()) status = disk.rename(temporary, path);
  if (!status.ok()) {
    if (disk.exists(temporary)) (void)disk.remove(temporary);  // the first error is the one to tell
    return status;
  }
  return disk.sync_directory(folder_of(path));
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t size_max) {
  auto file = disk.open(path, OpenMode::read);
  if (!file.ok()) return file.error();
  std::string content;
  // The size is a hint only: files under /proc say 0, and others may grow. One byte more than allowed is asked for.
  for (std::size_t chunk = 65'536;; chunk *= 2) {
    const std::size_t done = content.size();
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, size_max - done + (size_max < UINT64_MAX)));
    content.resize(done + room);
    const auto n = (*file)->read_at(done, std::as_writable_bytes(std::span(content.data() + done, room)));
    if (!n.ok()) return n.error();
    content.resize(done + *n);
    if (content.size() > size_max) {
      return Error{ErrorKind::too_large, fmt::format("{} is larger than {} bytes", path, size_max)};
    }
    if (*n < room) return content;
  }
}

}  // namespace iotstream::os
