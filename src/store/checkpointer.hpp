// When history.db is made durable, and what of the log may go then.
#pragma once

#include <chrono>
#include <cstdint>

#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/state.hpp"

namespace iotstream::store {

/// Commits are not synced (synchronous=NORMAL): a power cut may take back the last of them, rows and offsets together, and the
/// log has them still, because it is pinned where the last complete checkpoint stood. The writer's thread only.
class Checkpointer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Checkpointer(sqlite::Database& database, log::Log& log, metrics::Table& metrics);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  /// After a commit: checkpoints when there is much to do or the last time was long ago.
  void after_commit(const State& state, Time now);
  /// Checkpoints now; pins the log when all of it reached the file. Failures wait for the next time.
  void checkpoint(const State& state, Time now);
  bool dirty() const { return pages_ > 0; }

 private:
  static int note_pages(void* self, sqlite3* database, const char* name, int pages);
  void pin(const State& state);

  sqlite::Database& database_;
  log::Log& log_;
  metrics::Counter& checkpoints_;
  metrics::Gauge& wal_pages_;
  int pages_ = 0;       ///< in the write-ahead log and not known to be in the file
  int pages_next_ = 0;  ///< how many make a checkpoint
  Time last_;
};

}  // namespace iotstream::store
