// The thread that carries the log into history.db.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <iotstream/config/config.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

#include "store/checkpointer.hpp"
#include "store/inventory.hpp"
#include "store/recorder.hpp"
#include "store/retention.hpp"
#include "store/rollup_retention.hpp"

namespace iotstream::store {

/// Follows every topic whose name does not begin with `_` to its durable watermark. What it reads in a tenth of a second, or
/// some thousand rows, is one transaction. Without records it parks. A full disk, a lock held by another program or a failing
/// read are tried again with growing pauses: its place is what the database says.
class Writer {
 public:
  static Result<std::unique_ptr<Writer>> start(const std::string& path, const config::Store& options, log::Log& log,
                                               const catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics,
                                               Inventory& inventory);
  ~Writer() { stop(); }

  /// Makes it write what is there now instead of waiting for more. Any thread.
  void hurry();
  /// Writes what is durable (for at most a few seconds), checkpoints, ends the thread. Idempotent; one thread.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  enum class Outcome : unsigned char { idle, wrote, more, failed };
  struct Figures {
    explicit Figures(metrics::Table& metrics);
    metrics::Counter& rows;
    metrics::Counter& transactions;
    metrics::Counter& failures;
    metrics::Counter& rejected;
    metrics::Counter& skipped;
    metrics::Histogram& commit_seconds;
    metrics::Gauge& lag_records;
  };
  /// A partition to read, and where from.
  struct Source {
    log::Topic* topic;
    PartitionId id;
    log::Partition& partition() const { return topic->partition(id); }
  };

  Writer(std::unique_ptr<Recorder> recorder, std::unique_ptr<Retention> retention,
         std::unique_ptr<RollupRetention> rollup_retention, log::Log& log, os::Clock& clock, metrics::Table& metrics,
         Inventory& inventory);

  void run();
  void finish();
  /// Reads and writes one batch.
  Outcome pass();
  std::vector<Source> sources();
  /// What is new, up to some thousand rows; `more`: there may be more than that.
  std::vector<Run> gather(bool& more);
  /// Records of one partition, at most about `rows_max`; nothing when there are none.
  std::optional<Run> gather_partition(const Source& source, std::size_t rows_max, bool& more);
  Offset next_of(const Source& source, const log::Watermarks& marks);
  /// Where reading goes on when nothing can be read at `next` though records should be there.
  static Offset beyond_damage(const Source& source, Offset next);
  void note_skipped(const Run& run, Offset from, std::size_t records);
  bool retention_step();
  bool roll_up_step();
  void failed(const Error& error);
  void update_lag();

  bool stopping();
  /// Waits for records, at most until there is other work.
  void park();
  /// Waits for `pause`, less when there is a hurry.
  void pause(std::chrono::milliseconds pause);

  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<RollupRetention> rollup_retention_;
  log::Log& log_;
  os::Clock& clock_;
  Inventory& inventory_;
  Checkpointer checkpointer_;
  Figures figures_;
  log::Signal signal_;
  std::unordered_set<const log::Partition*> pinned_;
  bool retry_ = false;                     ///< a partition could not be read
  std::size_t turn_ = 0;                   ///< the partition that is read first takes turns
  std::chrono::milliseconds back_off_{0};  ///< after failures
  std::string last_failure_;               ///< each is printed once until something was written again

  std::mutex mutex_;  ///< guards the two flags
  std::condition_variable wake_;
  bool stop_ = false;
  bool hurry_ = false;
  std::thread thread_;
};

}  // namespace iotstream::store
