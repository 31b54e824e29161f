// One stretch of one partition under replay: read ahead over a window, given in order of event time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <iotstream/log/log.hpp>

namespace iotstream::log {

/// What is wanted of a recording.
struct ReplayRange {
  std::int64_t from_us = INT64_MIN;  ///< inclusive
  std::int64_t to_us = INT64_MAX;    ///< exclusive
  std::string key;                   ///< empty: all
  bool wants(const Record& record) const {
    return record.time.us >= from_us && record.time.us < to_us && (key.empty() || record.key == key);
  }
};

/// A copy: a batch whose views were kept would stay in memory as long as its last record out of order.
struct HeldRecord {
  std::int64_t time_us = 0;
  std::int64_t append_us = 0;
  std::uint64_t offset = 0;
  std::size_t key_size = 0;
  std::string bytes;  ///< key, value
  std::size_t size() const { return bytes.size() + sizeof(HeldRecord); }
};

/// One thread at a time. The partition outlives it.
class ReplayRun {
 public:
  ReplayRun(Partition& partition, PartitionId id, Offset first, Offset next, std::size_t window)
      : partition_(partition), id_(id), next_(first), end_(next), window_(window) {}

  /// Reads until the window is full or the stretch is at its end: true. False when `budget` bytes were read before that: call
  /// it again. Errors: io; nothing is lost then.
  Result<bool> fill(const ReplayRange& range, std::size_t& budget);

  bool empty() const { return window_records_.empty(); }
  /// The least of the window by time, then offset.
  const HeldRecord& head() const { return window_records_.front(); }
  HeldRecord take();
  PartitionId partition() const { return id_; }
  /// Bytes that it holds, or will once its window is full; those of the batch it reads from count as another window.
  std::size_t cost() const { return read_out() ? held_bytes_ : std::max(held_bytes_, window_) + window_; }
  /// Offsets that retention took away; counted once.
  std::uint64_t take_missed() { return std::exchange(missed_, 0); }

 private:
  bool read_out() const { return next_ >= end_ && at_ == batch_.records().size(); }
  Status read_on(std::size_t& budget);
  void miss_until(Offset offset);

  Partition& partition_;
  PartitionId id_;
  Offset next_;  ///< to be read
  Offset end_;
  std::size_t window_;
  Batch batch_;
  std::size_t at_ = 0;                      ///< in batch_
  std::vector<HeldRecord> window_records_;  ///< a heap, the least in front
  std::size_t held_bytes_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace iotstream::log
