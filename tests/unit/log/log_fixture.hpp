// What the tests of the log share: a log on a disk in memory, and helpers that wait without sleeping.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/log/log.hpp>

#include "support/memory_disk.hpp"

namespace iotstream::log::test {

using iotstream::test::MemoryDisk;

struct LogFixture {
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics;
  LogOptions options;
  std::unique_ptr<Log> log;

  LogFixture() {
    options.directory = "data/log";
    options.topic_defaults.partitions = 1;
    options.topic_defaults.segment_size = 64u << 10;
    options.staging_size = 64u << 10;
    options.cache_size = 0;  // every read goes to the disk
  }

  void open() {
    auto opened = Log::open(options, *disk, clock, metrics);
    if (!opened) FAIL("the log does not open: " << opened.error().message);
    log = std::move(*opened);
  }
  void close() {
    if (log) (void)log->close().ok();
    log.reset();
  }
  /// As a killed process: what it wrote stays, nothing is finished.
  void reopen_on(std::shared_ptr<MemoryDisk> image) {
    close();
    disk = std::move(image);
    open();
  }

  Topic& topic(std::string_view name = "t") {
    auto found = log->topic(name);
    if (!found) FAIL("no topic: " << found.error().message);
    return **found;
  }
  Partition& partition(std::string_view name = "t", std::uint32_t id = 0) { return topic(name).partition(PartitionId(id)); }

  /// Appends, again while the ring is full, and returns the offset.
  static Offset append(Partition& partition, std::int64_t time_us, std::string_view key, std::string_view value) {
    for (;;) {
      const Appended appended = partition.append(Timestamp{time_us}, key, as_bytes(value));
      if (appended.status == AppendStatus::accepted) return appended.offset;
      if (appended.status != AppendStatus::back_pressured) FAIL("append: " << describe(appended.status));
      std::this_thread::yield();
    }
  }
  static Status wait(Partition& partition, Watermark watermark, Offset offset) {
    auto promise = std::make_shared<std::promise<Status>>();
    auto done = promise->get_future();
    partition.when(watermark, offset, [promise](Status status) { promise->set_value(std::move(status)); });
    return done.get();
  }
  static Offset append_durably(Partition& partition, std::int64_t time_us, std::string_view key, std::string_view value) {
    const Offset offset = append(partition, time_us, key, value);
    if (auto status = wait(partition, Watermark::durable, offset); !status) FAIL("not durable: " << status.error().message);
    return offset;
  }

  struct Seen {
    std::uint64_t offset;
    std::int64_t time_us;
    std::string key;
    std::string value;
    bool operator==(const Seen&) const = default;
  };
  /// Everything from `from` to the watermark.
  static std::vector<Seen> read_all(Partition& partition, Offset from = Offset(0), Watermark limit = Watermark::durable,
                                    std::size_t bytes_max = 4096) {
    std::vector<Seen> seen;
    for (;;) {
      auto batch = partition.read(from, bytes_max, limit);
      if (!batch) FAIL("read: " << batch.error().message);
      if (batch->empty()) return seen;
      for (const Record& record : batch->records()) {
        seen.push_back({record.offset.value, record.time.us, std::string(record.key), std::string(as_text(record.value))});
        from = record.offset + 1;
      }
    }
  }
};

inline std::string segment_path(std::uint64_t base = 0, std::string_view topic = "t", std::uint32_t partition = 0) {
  return fmt::format("data/log/{}/{}/{:020}.segment", topic, partition, base);
}

}  // namespace iotstream::log::test
