// Aggregates over time of rows that come in order of time. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <iotstream/base/time.hpp>

namespace iotstream::profile {

/// m4: the first, lowest, highest and last number of each bucket with their times; a line drawn through them equals the line
/// through all, when a bucket is a column of pixels (model/reduce.hpp).
enum class SeriesAggregate : unsigned char { avg, min, max, sum, count, first, last, p50, p95, p99, m4 };
std::optional<SeriesAggregate> series_aggregate_from(std::string_view name);
std::string_view name_of(SeriesAggregate aggregate);

struct SeriesOptions {
  Timestamp begin;       ///< of the first bucket
  Duration interval{1};  ///< > 0
  std::size_t buckets = 0;
  std::size_t fields = 0;
  std::vector<SeriesAggregate> aggregates;
};

struct SeriesLine {
  std::size_t field = 0;
  SeriesAggregate aggregate = SeriesAggregate::avg;
  std::vector<double> values;    ///< of m4 as long as `times`, else one a bucket; NaN: an empty bucket (count: 0)
  std::vector<Timestamp> times;  ///< of m4 only
};

/// Memory: 8 bytes a bucket, field and aggregate, and one open bucket a field. One thread.
class SeriesBuilder {
 public:
  explicit SeriesBuilder(SeriesOptions options);
  ~SeriesBuilder();
  /// Times never decrease; what lies outside of the buckets is ignored. `number` is finite.
  void add(std::size_t field, Timestamp time, double number);
  /// Field after field, each with all aggregates in their order. Ends the builder.
  std::vector<SeriesLine> finish();

 private:
  struct Open;
  void close(std::size_t field);
  SeriesOptions options_;
  bool quantiles_ = false;
  std::vector<Open> open_;
  std::vector<SeriesLine> lines_;
};

}  // namespace iotstream::profile
