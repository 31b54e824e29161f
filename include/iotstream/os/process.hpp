// This process and this machine: names of threads, memory, processor time, signals, the lock of a data directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::os {

/// Names the calling thread (15 bytes are kept) for debuggers and `top -H`.
void name_thread(std::string_view name);

struct ProcessUsage {
  std::uint64_t rss_bytes = 0;      ///< resident memory now
  std::uint64_t rss_bytes_max = 0;  ///< its peak
  double cpu_seconds = 0;           ///< user and system, all threads, since the start
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0;
};
ProcessUsage process_usage();

struct Machine {
  std::string processor;  ///< model name
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
};
Machine machine();
/// Share of processor time taken by the host since boot's counters `before`, in percent; for benchmarks.
struct CpuTimes {
  std::uint64_t total = 0;
  std::uint64_t steal = 0;
};
CpuTimes cpu_times();
double steal_percent(CpuTimes before, CpuTimes after);

/// Holds the exclusive lock of a data directory while it lives: an OFD lock on `<directory>/LOCK`, in which the holder's pid
/// and start stand, so that it falls with the process however that ends.
class DirectoryLock {
 public:
  /// conflict when another process holds it; the message says which.
  static Result<std::unique_ptr<DirectoryLock>> acquire(const std::string& directory);
  /// For who only reads: several may hold it at a time, and none while another process holds the exclusive one (conflict).
  /// Writes nothing, so it can be had on a read-only file system too, and where nobody ever locked.
  static Result<std::unique_ptr<DirectoryLock>> acquire_shared(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Blocks SIGINT and SIGTERM in the calling thread and those it starts, and ignores SIGPIPE. Call first in main.
void block_stop_signals();
/// Waits for SIGINT or SIGTERM (after block_stop_signals) and returns which. Parks.
int wait_for_stop_signal();

/// `count` bytes from the system's secure source.
std::string random_bytes(std::size_t count);

}  // namespace iotstream::os
