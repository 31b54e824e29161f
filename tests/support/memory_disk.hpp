// A disk in memory that behaves as badly as a real one may: it forgets what was not synced, tears writes, fills up and fails.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <iotstream/os/disk.hpp>

namespace iotstream::test {

/// What a fault or a counter is about. `any` stands for all of them.
enum class Operation : unsigned char { open, read, write, allocate, sync, truncate, list, rename, remove, sync_directory, any };

/// From the operation number `skip` (0: the next one) of its kind on, `times` of them fail with `kind`.
struct Fault {
  Operation operation = Operation::any;
  std::uint64_t skip = 0;
  std::uint64_t times = 1;
  ErrorKind kind = ErrorKind::io;
};

/// Folders and files are durable by the letter of POSIX, no more: a file's content by File::sync, its name by sync_directory of
/// its folder (folders made by create_directories are durable at once, as that promises). A sync that was made to fail drops
/// what it should have synced: like the kernel, later syncs succeed and never write it. Paths are compared as text.
/// Thread-safe.
class MemoryDisk final : public os::Disk {
 public:
  MemoryDisk();
  ~MemoryDisk() override;

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override;
  Status create_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  /// Loses everything that was not synced. Files opened before fail from now on, as those of a dead process.
  void crash();
  /// The same, but each un-synced change may have reached the disk: whole, in some of its 512-byte sectors, or not; names of a
  /// folder all or none.
  void crash(std::mt19937_64& random);
  /// Everything fails, until crash(): so that what the dead process still does can do no harm.
  void power_off();
  /// Power fails at the change number `changes` from now (0: the next write, allocate, sync, truncate, rename, remove or folder
  /// sync, or the next open that creates), which is not done any more. A loop over `changes` visits every moment of a run.
  void power_off_after(std::uint64_t changes);
  bool powered() const;

  void inject(Fault fault);
  void clear_faults();
  /// The most bytes that all files together may have; a write beyond is done as far as it fits, and then disk_full.
  void set_capacity(std::uint64_t bytes);
  /// Calls of File::sync wait until release_syncs(). waiting_syncs() of them do now.
  void hold_syncs();
  void release_syncs();
  /// Parks until `count` calls of File::sync wait.
  void wait_for_syncs(std::size_t count);

  /// How often an operation was asked for, failed ones included.
  std::uint64_t count(Operation operation) const;
  /// The content now; nothing when there is no such file.
  std::optional<std::string> content(const std::string& path) const;
  /// Flips the bits of `mask` in one byte, on the disk and in the cache: rot.
  void corrupt(const std::string& path, std::uint64_t position, unsigned char mask = 0xff);
  /// Files whose path begins with `prefix`, sorted.
  std::vector<std::string> files(const std::string& prefix = "") const;

 private:
  class OpenFile;
  struct Change;
  struct Inode;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  std::optional<Error> begin(Operation operation, const std::string& path, bool changes);
  Status write(Inode& inode, const std::string& path, std::uint64_t position, ByteView bytes);
  Status allocate(Inode& inode, const std::string& path, std::uint64_t position, std::uint64_t length);
  Status sync(std::unique_lock<std::mutex>& lock, Inode& inode, const std::string& path, std::uint64_t life);
  std::uint64_t used() const;
  void restart(std::mt19937_64* random);

  mutable std::mutex mutex_;
  std::condition_variable syncs_changed_;
  Names names_;          ///< as a running process sees them
  Names durable_names_;  ///< as they are after a crash
  std::set<std::string> folders_;
  std::vector<Fault> faults_;
  std::array<std::uint64_t, static_cast<std::size_t>(Operation::any) + 1> counts_{};
  std::uint64_t capacity_ = UINT64_MAX;
  std::optional<std::uint64_t> changes_left_;
  std::uint64_t life_ = 0;  ///< number of crashes; a file belongs to the life it was opened in
  bool powered_ = true;
  bool syncs_held_ = false;
  std::size_t syncs_waiting_ = 0;
};

}  // namespace iotstream::test
