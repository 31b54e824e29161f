#include "bench/system/log_workload.hpp"

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
  for (;;) {
    const auto appended = partition.append(time, record_key, value);
    if (appended.status == log::AppendStatus::accepted) return appended.offset;
    if (appended.status != log::AppendStatus::back_pressured)
      return Error{ErrorKind::unavailable, std::string(log::describe(appended.status))};
    std::this_thread::yield();
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

}  // namespace iotstream::bench
