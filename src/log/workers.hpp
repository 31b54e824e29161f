// The threads of a log: one writer a shard, one that syncs. All park without a timeout when there is nothing to do.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "log/environment.hpp"
#include "log/partition.hpp"

namespace iotstream::log {

/// How long a thread looks for more before it parks. A park and its wake-up are a system call on both sides and mostly a
/// switch of threads: under load, when producer and writer share a core, that would be paid for each handful of records. After
/// Linux's halt polling: a park that was short makes the next look longer, a park that was long makes it shorter, so that who
/// gets records seldom parks at once, and nothing is looked for longer than parking and waking would have cost.
class Patience {
 public:
  /// `look_ns_max`: what a park and a wake-up cost the one who waits for it.
  explicit Patience(std::int64_t look_ns_max) : look_ns_max_(look_ns_max) {}
  std::int64_t look_ns() const { return look_ns_; }
  void parked_for(std::int64_t ns) {
    look_ns_ = ns <= look_ns_max_ ? std::min(std::max(2 * look_ns_, look_ns_min), look_ns_max_) : look_ns_ / 2;
    if (look_ns_ < look_ns_min) look_ns_ = 0;
  }

 private:
  static constexpr std::int64_t look_ns_min = 2'500;
  std::int64_t look_ns_max_;
  std::int64_t look_ns_ = 0;
};

/// Serves the staging rings of its shard's partitions.
class Writer {
 public:
  Writer(WriterPark& park, unsigned shard) : park_(park), shard_(shard) {}
  ~Writer() { stop(); }

  void start();
  /// Any thread. Partitions live until stop() has returned.
  void add(const std::vector<PartitionLog*>& partitions);
  /// Writes what was accepted, refuses the rest, joins. The partitions refuse appends already. Idempotent.
  void stop();

 private:
  void run();
  void adopt();
  bool look_for_more() const;
  void rest(bool stalled);
  bool has_claims() const;

  WriterPark& park_;
  unsigned shard_;
  std::thread thread_;
  std::mutex added_mutex_;
  std::vector<PartitionLog*> added_;
  std::atomic<bool> has_added_{false};     ///< release: publishes added_, which its mutex guards as well; only a hint to look
  std::atomic<bool> stopping_{false};      ///< sequentially consistent through the park's exchange, which follows the store
  std::vector<PartitionLog*> partitions_;  ///< the thread's own, as is the next
  Patience patience_{20'000};
};

/// Group commit: collects the partitions that have new batches and syncs them in rounds; writes durable marks and keeps
/// retention behind it.
class Syncer final : public SyncRequests {
 public:
  using Clock = std::chrono::steady_clock;

  /// `retain` is called on the sync thread: a minute after the start, whenever segments were sealed later, and at most a minute
  /// after any work.
  explicit Syncer(std::function<void()> retain) : retain_(std::move(retain)) {}
  ~Syncer() override { stop({}); }

  void start();
  void request(PartitionLog& partition) override;
  /// Syncs everything once more, writes the marks, joins. After the writer has stopped. Idempotent.
  void stop(const std::vector<PartitionLog*>& partitions);

 private:
  struct Request {
    PartitionLog* partition;
    Clock::time_point due;
  };
  void run();
  bool add(const Request& wanted);
  std::vector<PartitionLog*> take_due(Clock::time_point now);
  Clock::time_point next_due() const;
  void write_marks(Clock::time_point now);
  void keep_retention(Clock::time_point now);

  std::function<void()> retain_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> requests_;  ///< at most one for each partition
  bool stopping_ = false;

  bool look_for_requests(std::unique_lock<std::mutex>& lock);
  /// Relaxed: only a hint to look under the mutex.
  std::atomic<bool> asked_{false};

  // The thread's own.
  std::vector<PartitionLog*> marks_behind_;
  Clock::time_point marks_due_ = Clock::time_point::max();
  Clock::time_point retention_due_ = Clock::time_point::max();
  /// A sync takes about as long: who waits for one alone, append after append, is answered a fifth sooner when this thread is
  /// still awake, and one that waits for nobody parks at once.
  Patience patience_{100'000};
};

}  // namespace iotstream::log
