// Buckets of time and what is known of each: the arithmetic of series(), without SQLite.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <iotstream/store/history.hpp>

#include "store/quantiles.hpp"
#include "store/rollup.hpp"

namespace iotstream::store {

/// The buckets that [from, to) touches: bucket i begins at (first + i) · interval. Times before 1970 round down, too.
struct BucketRange {
  std::int64_t first = 0;
  std::uint64_t count = 0;
  std::int64_t interval_us = 1;

  static BucketRange over(Timestamp from, Timestamp to, Duration interval);
  std::uint64_t index_of(std::int64_t time_us) const;
  Timestamp start_of(std::uint64_t index) const {
    return {static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + index) * interval_us};
  }
};

/// Collects one field of one bucket, from readings and from rollups, of several devices. Of readings at the same time the first
/// one is that of the least device, the last one that of the greatest, whatever they come from.
class Accumulator {
 public:
  explicit Accumulator(bool quantiles) : keep_all_(quantiles) {}

  /// Not a number and infinities count as values, and as nothing else. Of one device in order of time.
  void add(std::int64_t time_us, std::int64_t device, double number);
  /// Quantiles do not know of it.
  void merge(const Rollup& rollup, std::int64_t device);
  void clear();

  /// Quantiles are worked out all three at once by finish().
  void finish();
  /// NaN where there was no number; count: 0. Not of rate.
  double result(Aggregate aggregate) const;
  const Rollup& rollup() const { return all_; }

 private:
  bool keep_all_;
  Rollup all_;
  std::int64_t first_device_ = 0;
  std::int64_t last_device_ = 0;
  double quantiles_[3] = {};
  Quantiles numbers_;
};

/// How much a counter went up, of one field: from reading to reading of a device, and from 0 where a reading is less than the
/// one before (the counter began anew).
class Increase {
 public:
  void add(std::int64_t device, double number);
  /// Whether rollup() can be told from the rollup alone: it only went up.
  static bool told_by(const Rollup& rollup) { return rollup.rising; }
  /// Of one that went down, too, as if it had begun anew once.
  void merge(std::int64_t device, const Rollup& rollup);
  /// Since the last call; NaN when no reading had one before it.
  double take();

 private:
  std::unordered_map<std::int64_t, double> last_;  ///< of each device
  double increase_ = 0;
  bool any_ = false;
};

}  // namespace iotstream::store
