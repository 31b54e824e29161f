#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <iotstream/os/disk.hpp>

namespace iotstream::os {

namespace {

Error system_error(std::string_view what, const std::string& path, int code) {
  const ErrorKind kind = code == ENOSPC || code == EDQUOT ? ErrorKind::disk_full
                         : code == ENOENT                 ? ErrorKind::not_found
                                                          : ErrorKind::io;
  return {kind, fmt::format("cannot {} '{}': {}", what, path, std::generic_category().message(code))};
}

class RealFile final : public File {
 public:
  RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~RealFile() override { ::close(descriptor_); }
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;

  Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(position + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error("read", path_, errno);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Status write_at(std::uint64_t position, ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(position + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error("write", path_, errno);
      done += static_cast<std::size_t>(count);
    }
    return {};
  }

  Status allocate(std::uint64_t position, std::uint64_t length) override {
    int result = 0;
    do {
      result = ::fallocate(descriptor_, 0, static_cast<off_t>(position), static_cast<off_t>(length)) == 0 ? 0 : errno;
    } while (result == EINTR);
    // A file system without fallocate writes the zeros itself; posix_fallocate does that.
    if (result == EOPNOTSUPP) result = ::posix_fallocate(descriptor_, static_cast<off_t>(position), static_cast<off_t>(length));
    if (result != 0) return system_error("reserve space in", path_, result);
    return {};
  }

  Status sync() override {
    // EINTR is not tried again: after any failure the state of what was written is unknown.
    if (::fdatasync(descriptor_) != 0) return system_error("sync", path_, errno);
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return system_error("truncate", path_, errno);
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return system_error("look at", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  int descriptor_;
  std::string path_;
};

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int flags =
        O_CLOEXEC | (mode == OpenMode::read ? O_RDONLY : O_RDWR) | (mode == OpenMode::create ? O_CREAT | O_EXCL : 0);
    const int descriptor = ::open(path.c_str(), flags, 0644);
    if (descriptor < 0) return system_error(mode == OpenMode::create ? "create" : "open", path, errno);
    return std::unique_ptr<File>(std::make_unique<RealFile>(descriptor, path));
  }

  Status create_directories(const std::string& path) override {
    if (path.empty() || exists(path)) return {};
    const std::string parent = std::filesystem::path(path).parent_path().string();
    if (auto made = create_directories(parent); !made) return made;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("create the folder", path, errno);
    return sync_directory(parent.empty() ? "." : parent);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::error_code code;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code)) {
      names.push_back(entry->path().filename().string());
    }
    if (code) return system_error("list", path, code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("remove", path, errno);
    return {};
  }

  Status sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_error("open the folder", path, errno);
    const int result = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (result != 0) return system_error("sync the folder", path, result);
    return {};
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) return system_error("look at the file system of", path, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

}  // namespace

Disk& real_disk() {
  static RealDisk disk;
  return disk;
}

Status write_atomically(Disk& disk, const std::string& path, ByteView content) {
  const std::string temporary = path + ".new";
  if (disk.exists(temporary)) {
    if (auto removed = disk.remove(temporary); !removed) return removed;
  }
  {
    auto file = disk.open(temporary, OpenMode::create);
    if (!file) return file.error();
    if (auto written = (*file)->write_at(0, content); !written) return written;
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  if (auto renamed = disk.rename(temporary, path); !renamed) return renamed;
  const std::size_t slash = path.rfind('/');
  return disk.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash));
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t size_max) {
  auto file = disk.open(path, OpenMode::read);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > size_max) {
    return Error{ErrorKind::too_large, fmt::format("'{}' has {} bytes; at most {} are taken", path, *size, size_max)};
  }
  std::string content(*size, '\0');
  auto count = (*file)->read_at(0, std::as_writable_bytes(std::span(content)));
  if (!count) return count.error();
  content.resize(*count);
  return content;
}

}  // namespace iotstream::os
