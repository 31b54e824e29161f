// Buckets of time and what is known of each: the arithmetic of series(), without SQLite.
#pragma once

#include <cstdint>
#include <vector>

#include <iotstream/store/history.hpp>

#include "store/quantiles.hpp"

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

/// Collects one field of one bucket, in order of time.
class Accumulator {
 public:
  explicit Accumulator(bool quantiles) : keep_all_(quantiles) {}

  /// A value that is there but no number: a text, JSON.
  void add_other() { ++count_; }
  /// Not a number and infinities count as values, and as nothing else.
  void add(double number);
  void clear();

  /// NaN where there was no number; count: 0. Quantiles are worked out all three at once by finish().
  void finish();
  double result(Aggregate aggregate) const;

 private:
  bool keep_all_;
  std::uint64_t count_ = 0;
  std::uint64_t numbers_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  double first_ = 0;
  double last_ = 0;
  double quantiles_[3] = {};
  Quantiles all_;
};

}  // namespace iotstream::store
