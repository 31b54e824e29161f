// What the partitions of one log share.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <iotstream/log/log.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>

#include "log/counters.hpp"
#include "log/futex.hpp"
#include "log/segment.hpp"

namespace iotstream::log {

/// Where the writer thread parks. The handshake that loses no wake-up without a fence on the producer's way:
///   producer: claim (sequentially consistent RMW), copy, commit, then load `parked`;
///   writer:   store `parked`, then load the claim words of all its rings.
/// In the single order of these four, either the producer sees `parked` and wakes, or the writer sees the claim and stays.
class WriterPark {
 public:
  /// Any thread, after its commit.
  void wake_if_parked() {
    // Sequentially consistent: the producer's half of the handshake. A plain load on x86.
    if (parked_.load(std::memory_order_seq_cst) != 0) wake();
  }
  void wake() {
    if (parked_.exchange(0, std::memory_order_seq_cst) != 0) futex_wake(parked_);
  }

  // ---- the writer ----
  /// Announces the intention; the caller then looks for work once more and calls either cancel() or park().
  void prepare() { parked_.store(1, std::memory_order_seq_cst); }
  void cancel() { parked_.store(0, std::memory_order_relaxed); }
  void park(Duration timeout) {
    futex_wait(parked_, 1, timeout);
    cancel();
  }

 private:
  alignas(64) std::atomic<std::uint32_t> parked_{0};
};

/// The writer threads' parks, one a shard. A partition belongs to one shard for as long as it is open, so that its ring keeps
/// one consumer and its segments one writer. In turn, not by load: an idle partition costs its writer one look at a claim word.
class Shards {
 public:
  explicit Shards(unsigned count) {
    for (unsigned i = 0; i != count; ++i) parks_.push_back(std::make_unique<WriterPark>());
  }
  unsigned count() const { return static_cast<unsigned>(parks_.size()); }
  /// The shard of the next partition. Any thread.
  unsigned assign() { return next_.fetch_add(1, std::memory_order_relaxed) % count(); }
  WriterPark& park(unsigned shard) { return *parks_[shard]; }

 private:
  std::vector<std::unique_ptr<WriterPark>> parks_;
  std::atomic<unsigned> next_{0};  ///< relaxed: spreads partitions, publishes nothing
};

/// The signals of in-process consumers. Any thread.
class Subscribers {
 public:
  void add(Signal& signal, Watermark watermark) {
    std::lock_guard lock(mutex_);
    signals_.emplace_back(&signal, watermark);
  }
  /// When it returns, `signal` is not touched any more.
  void remove(Signal& signal) {
    std::lock_guard lock(mutex_);
    std::erase_if(signals_, [&signal](const auto& entry) { return entry.first == &signal; });
  }
  void notify(Watermark watermark) {
    std::lock_guard lock(mutex_);
    for (auto& [signal, wanted] : signals_)
      if (wanted == watermark) signal->notify();
  }
  void notify_all() {
    std::lock_guard lock(mutex_);
    for (auto& [signal, wanted] : signals_) signal->notify();
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<Signal*, Watermark>> signals_;
};

class PartitionLog;

/// Whom a partition asks to be synced.
class SyncRequests {
 public:
  virtual ~SyncRequests() = default;
  virtual void request(PartitionLog& partition) = 0;
};

struct Environment {
  os::Disk& disk;
  os::Clock& clock;
  Counters& counters;
  Shards& shards;
  Subscribers& subscribers;
  SyncRequests& syncs;
  std::uint64_t (*salt)() = &random_salt;  ///< another one in tests whose files must not change
};

}  // namespace iotstream::log
