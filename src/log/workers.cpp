#include "log/workers.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <iotstream/os/process.hpp>

namespace iotstream::log {
namespace {

constexpr Duration retry_after_full = Duration::milliseconds(200);
constexpr std::chrono::milliseconds retry_of_sync{200};
constexpr std::chrono::seconds mark_lag{1};
/// Retention waits after the start: the holders of pins must have had time to set them.
constexpr std::chrono::seconds retention_pause{60};

/// Not the log's clock, which tests hold: this one times threads.
std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Writer::start() {
  thread_ = std::thread([this] {
    os::name_thread(fmt::format("log-writer-{}", shard_));
    run();
  });
}

void Writer::add(const std::vector<PartitionLog*>& partitions) {
  {
    std::lock_guard lock(added_mutex_);
    added_.insert(added_.end(), partitions.begin(), partitions.end());
  }
  has_added_.store(true, std::memory_order_seq_cst);
  park_.wake();
}

void Writer::adopt() {
  if (!has_added_.load(std::memory_order_seq_cst)) return;
  std::lock_guard lock(added_mutex_);
  has_added_.store(false, std::memory_order_relaxed);
  partitions_.insert(partitions_.end(), added_.begin(), added_.end());
  added_.clear();
}

void Writer::run() {
  while (!stopping_.load(std::memory_order_seq_cst)) {
    adopt();
    bool worked = false;
    bool stalled = false;
    for (PartitionLog* partition : partitions_) {
      const auto work = partition->serve();
      worked |= work == PartitionLog::Work::done;
      stalled |= work == PartitionLog::Work::stalled;
    }
    if (!worked) rest(stalled);
  }
  adopt();
  for (PartitionLog* partition : partitions_) partition->finish_writing();
}

bool Writer::has_claims() const {
  return std::any_of(partitions_.begin(), partitions_.end(), [](const PartitionLog* p) { return p->has_claims(); });
}

/// Yields rather than spins: on a shared core it is the producer who must run for something to come.
bool Writer::look_for_more() const {
  if (patience_.look_ns() == 0) return false;
  const std::int64_t end_ns = monotonic_ns() + patience_.look_ns();
  do {
    std::this_thread::yield();
    if (has_claims()) return true;
  } while (monotonic_ns() < end_ns);
  return false;
}

void Writer::rest(bool stalled) {
  if (!stalled && look_for_more()) return;
  park_.prepare();
  if (stopping_.load(std::memory_order_seq_cst) || has_added_.load(std::memory_order_seq_cst)) {
    park_.cancel();
  } else if (has_claims()) {
    // Claimed and not committed: a producer that was interrupted in its copy. It needs the processor, not a wake-up.
    park_.cancel();
    std::this_thread::yield();
  } else {
    const std::int64_t begin_ns = monotonic_ns();
    park_.park(stalled ? retry_after_full : forever);
    patience_.parked_for(monotonic_ns() - begin_ns);
  }
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  park_.wake();
  thread_.join();
}

void Syncer::start() {
  thread_ = std::thread([this] {
    os::name_thread("log-sync");
    run();
  });
}

void Syncer::request(PartitionLog& partition) {
  auto due = Clock::now();
  if (partition.syncs_by_interval()) due += std::chrono::microseconds(partition.options().sync_interval.us);
  {
    std::lock_guard lock(mutex_);
    if (!add({&partition, due})) return;
    asked_.store(true, std::memory_order_relaxed);
  }
  wake_.notify_one();
}

/// False when the partition is asked for already.
bool Syncer::add(const Request& wanted) {
  for (const Request& request : requests_)
    if (request.partition == wanted.partition) return false;
  requests_.push_back(wanted);
  return true;
}

std::vector<PartitionLog*> Syncer::take_due(Clock::time_point now) {
  std::vector<PartitionLog*> due;
  std::erase_if(requests_, [&due, now](const Request& request) {
    if (request.due > now) return false;
    due.push_back(request.partition);
    return true;
  });
  return due;
}

Syncer::Clock::time_point Syncer::next_due() const {
  auto due = std::min(marks_due_, retention_due_);
  for (const Request& request : requests_) due = std::min(due, request.due);
  return due;
}

void Syncer::run() {
  const auto started = Clock::now();
  retention_due_ = started + retention_pause;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto due_at = next_due();
    if (due_at > Clock::now()) {
      if (requests_.empty() && look_for_requests(lock)) continue;
      const auto parked = Clock::now();
      if (due_at == Clock::time_point::max())
        wake_.wait(lock);
      else
        wake_.wait_until(lock, due_at);
      patience_.parked_for((Clock::now() - parked) / std::chrono::nanoseconds(1));
      continue;
    }
    const auto now = Clock::now();
    const auto due = take_due(now);
    lock.unlock();
    bool sealed = false;
    for (PartitionLog* partition : due) sealed |= partition->sync();
    for (PartitionLog* partition : due)
      if (partition->mark_is_behind() &&
          std::find(marks_behind_.begin(), marks_behind_.end(), partition) == marks_behind_.end())
        marks_behind_.push_back(partition);
    if (!marks_behind_.empty() && marks_due_ == Clock::time_point::max()) marks_due_ = now + mark_lag;
    if (!due.empty()) retention_due_ = std::min(retention_due_, now + retention_pause);
    if (sealed) retention_due_ = std::min(retention_due_, std::max(now, started + retention_pause));
    write_marks(now);
    keep_retention(now);
    lock.lock();
    for (PartitionLog* partition : due)
      if (partition->wants_another_round()) add({partition, now + retry_of_sync});
  }
}

/// True when something is asked for, after at most what patience allows.
bool Syncer::look_for_requests(std::unique_lock<std::mutex>& lock) {
  if (patience_.look_ns() == 0 || stopping_) return false;
  asked_.store(false, std::memory_order_relaxed);
  lock.unlock();
  const auto until = Clock::now() + std::chrono::nanoseconds(patience_.look_ns());
  while (!asked_.load(std::memory_order_relaxed) && Clock::now() < until) std::this_thread::yield();
  lock.lock();
  return !requests_.empty() || stopping_;  // its notification may have come while nobody waited
}

void Syncer::write_marks(Clock::time_point now) {
  if (marks_due_ > now) return;
  for (PartitionLog* partition : marks_behind_) partition->write_mark();
  marks_behind_.clear();
  marks_due_ = Clock::time_point::max();
}

/// Once a minute while records come; when none come there is nothing that grows, and what grows too old waits for the next.
void Syncer::keep_retention(Clock::time_point now) {
  if (retention_due_ > now) return;
  retain_();
  retention_due_ = Clock::time_point::max();
}

void Syncer::stop(const std::vector<PartitionLog*>& partitions) {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  for (PartitionLog* partition : partitions) partition->finish_syncing();
}

}  // namespace iotstream::log
