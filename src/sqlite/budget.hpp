// What SQLite may take on one thread: memory and room for temporary files.
#pragma once

#include <cstdint>
#include <string>

#include <iotstream/base/result.hpp>

namespace iotstream::sqlite {

/// Puts in place the counting allocator, and a file system (a sqlite3_vfs) whose temporary files count; for threads without a
/// Budget both do as SQLite's own. SQLite takes an allocator only before its first use: the first
/// Database::open calls this. Idempotent; any thread.
void install_budgets();

/// While it lives, what SQLite allocates on this thread is counted, and refused beyond the limit: SQLite then ends the
/// statement in order, as out of memory. (SQLite's own limit is one for the whole process: a stranger's statement would starve
/// the writer of history.) One a thread at a time.
class Budget {
 public:
  Budget(std::uint64_t memory, std::uint64_t temporary, std::string folder);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  bool memory_refused() const { return memory_refused_; }
  bool temporary_refused() const { return temporary_refused_; }

  /// For the allocator and the file system: false when it is too much.
  bool take_memory(std::int64_t bytes);
  void give_memory(std::int64_t bytes) { memory_used_ -= bytes; }
  bool take_temporary(std::int64_t bytes);
  void give_temporary(std::int64_t bytes) { temporary_used_ -= bytes; }
  const std::string& folder() const { return folder_; }
  /// This thread's; nullptr: nothing is counted.
  static Budget* current();

 private:
  std::int64_t memory_max_;
  std::int64_t temporary_max_;
  std::string folder_;
  std::int64_t memory_used_ = 0;  ///< may fall below 0: what was there before may be given back
  std::int64_t temporary_used_ = 0;
  bool memory_refused_ = false;
  bool temporary_refused_ = false;
};

}  // namespace iotstream::sqlite
