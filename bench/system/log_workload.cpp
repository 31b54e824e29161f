#include "bench/system/log_workload.hpp"

#include <atomic>
#include <optional>
#include <thread>

#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::bench {

Result<std::unique_ptr<OwnLog>> OwnLog::open(const std::string& directory, std::uint64_t cache_size) {
  auto own = std::make_unique<OwnLog>();
  log::LogOptions options;
  options.directory = directory;
  options.cache_size = cache_size;
  auto opened = log::Log::open(options, os::real_disk(), os::system_clock(), own->metrics_);
  if (!opened) return opened.error();
  own->log_ = std::move(*opened);
  return own;
}

Result<log::Partition*> OwnLog::partition(std::string_view topic, log::Sync sync) {
  log::TopicOptions options;
  options.partitions = 1;
  options.sync = sync;
  options.retention_size = 0;
  options.retention_age = {};
  auto found = log_->topic(topic, options);
  if (!found) return found.error();
  return &(*found)->partition(PartitionId(0));
}

Result<Offset> append(log::Partition& partition, Timestamp time, ByteView value) {
  // Half of what the staging ring takes.
  static const std::uint64_t half = log::LogOptions().staging_size * 3 / 4 / (record_size + 32) / 2;
  for (std::optional<Offset> written;;) {
    const auto appended = partition.append(time, record_key, value);
    if (appended.status == log::AppendStatus::accepted) return appended.offset;
    if (appended.status != log::AppendStatus::back_pressured)
      return Error{ErrorKind::unavailable, std::string(log::describe(appended.status))};
    if (!written) {
      written = partition.watermarks().written;
      continue;
    }
    // The ring was full when this much was written, so twice `half` was claimed beyond it. Parked until one is written: who
    // only tries again takes from the writer the processor that it needs.
    if (auto status = wait_for(partition, log::Watermark::written, Offset(written->value + half)); !status)
      return status.error();
    written.reset();
  }
}

Status wait_for(log::Partition& partition, log::Watermark watermark, Offset next) {
  if (next == Offset(0)) return {};
  Status status;
  log::Signal reached;
  partition.when(watermark, Offset(next.value - 1), [&](Status said) {
    status = std::move(said);
    reached.notify();
  });
  reached.wait({-1});
  return status;
}

namespace {

/// What append_acknowledged() and the calls of its records share.
struct Acknowledged {
  std::atomic<std::uint64_t> count{0};  ///< release by the log, which calls one at a time: publishes `failed`
  std::atomic<std::uint64_t> ended{0};  ///< release, the last that a call does: nothing of this is touched by it any more
  std::atomic<bool> failed{false};
  log::Signal moved;
  const std::thread::id producer = std::this_thread::get_id();
  std::uint64_t at_once = 0;  ///< on the producer's own thread, maybe beside a call of the log

  void call(const Status& status) {
    if (!status) failed.store(true, std::memory_order_relaxed);
    if (std::this_thread::get_id() == producer) {
      ++at_once;
      return;
    }
    const std::uint64_t now = count.load(std::memory_order_relaxed) + 1;
    count.store(now, std::memory_order_release);
    // Not at each: the producer is woken when there is something to do for it.
    if (now % 256 == 0) moved.notify();
    ended.store(now, std::memory_order_release);
  }
  void wait_until(std::uint64_t least) {
    // With a timeout, since the last are fewer than a notification is for.
    while (count.load(std::memory_order_acquire) + at_once < least) moved.wait(Duration::milliseconds(1));
  }
};

}  // namespace

Status append_acknowledged(log::Partition& partition, ByteView value, std::uint64_t count, std::uint64_t outstanding,
                           log::Watermark watermark) {
  Acknowledged acknowledged;
  Status status;
  std::uint64_t appended = 0;
  while (appended != count) {
    auto offset = append(partition, Timestamp{1}, value);
    if (!offset) {
      status = offset.error();
      break;
    }
    ++appended;
    partition.when(watermark, *offset, [&acknowledged](Status said) { acknowledged.call(said); });
    if (appended > outstanding) acknowledged.wait_until(appended - outstanding);
  }
  acknowledged.wait_until(appended);
  while (acknowledged.ended.load(std::memory_order_acquire) + acknowledged.at_once != appended) std::this_thread::yield();
  if (acknowledged.failed.load(std::memory_order_relaxed))
    return Error{ErrorKind::unavailable, "the log could not keep its word for a record"};
  return status;
}

}  // namespace iotstream::bench
