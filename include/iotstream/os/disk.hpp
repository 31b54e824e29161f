// Files. Everything that must survive a crash goes through here, so that tests can let faults in: a Disk of their own forgets
// what was not synced, tears writes, fills up, or fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/result.hpp>

namespace iotstream::os {

/// An open file. Distinct files may be used from distinct threads; one file may be read by many threads while one thread writes
/// it. Errors: disk_full for ENOSPC and EDQUOT, io for everything else; the message names the path and the system's reason.
class File {
 public:
  virtual ~File() = default;

  /// Reads up to bytes.size() at `position`; fewer only at the end of the file. EINTR and short reads are dealt with.
  virtual Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const = 0;
  /// Writes all of `bytes` at `position`. After an error an unknown part of them may be in the file. After success they are
  /// in the page cache: they survive the process, not the machine.
  virtual Status write_at(std::uint64_t position, ByteView bytes) = 0;
  /// Reserves space for [position, position + length) and extends the file's size over it; what is new reads as zeros.
  virtual Status allocate(std::uint64_t position, std::uint64_t length) = 0;
  /// fdatasync: when it returns well, everything written before is on stable storage. When it fails, what was written since the
  /// last success is in an unknown state, and a later success says nothing about it.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() const = 0;
};

enum class OpenMode : unsigned char {
  read,        ///< must exist
  read_write,  ///< must exist
  create,      ///< must not exist; read and write
};

/// A file system. All paths are used as given. Any thread. Errors: not_found for what is not there, conflict for what is there
/// already, disk_full, busy when too many files are open, io; the message names the path and the system's reason.
class Disk {
 public:
  virtual ~Disk() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Creates the folder and its parents; well when it is there already. Parents are synced.
  virtual Status create_directories(const std::string& path) = 0;
  /// Names (not paths) of the entries of a folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// Makes creations, renames and removals in the folder durable.
  virtual Status sync_directory(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

/// The machine's own file system.
Disk& real_disk();

/// Writes a whole small file so that after a crash either the old or the new content is there: a temporary beside it, sync,
/// rename, sync of the folder.
Status write_atomically(Disk& disk, const std::string& path, ByteView content);
/// Reads a whole file, refusing (too_large) one above `size_max`.
Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t size_max);

}  // namespace iotstream::os
