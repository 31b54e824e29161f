// What a set of events holds, field by field, in one pass and bounded memory. Pure: no I/O, no clock, no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::profile {

/// The ranks of FieldProfile::quantiles.
inline constexpr double quantile_ranks[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

struct Options {
  std::size_t fields = 0;
  /// Up to so many distinct values of a field are counted one by one. Datasets of very many fields get fewer, so that all
  /// together stay within some 100 MiB.
  std::size_t distinct_max = 10'000;
  /// Numbers that are kept beyond that, of all fields together (8 bytes each). While they fit everything is exact; then the
  /// fields go over to sketches.
  std::size_t numbers_max = 16'500'000;
  std::size_t top = 10;                  ///< most frequent values that are told
  std::vector<FieldId> correlated = {};  ///< fields whose correlations are wanted: at most correlated_max
};
inline constexpr std::size_t correlated_max = 64;

/// Equal bins of [from, to]; the last one holds `to` as well. Of whole numbers within a small range each bin is one number.
struct Histogram {
  double from = 0;
  double to = 0;
  std::vector<std::uint64_t> counts;
};

/// Tukey's rule: what lies more than 1.5 times the distance of the quartiles outside of them.
struct Outliers {
  double low = 0;   ///< below this
  double high = 0;  ///< above this
  std::uint64_t below = 0;
  std::uint64_t above = 0;
};

struct TopValue {
  std::string json;  ///< the value as JSON; long texts are cut
  std::uint64_t count = 0;
};

/// Consecutive events without a value.
struct Stretch {
  std::uint64_t rows = 0;
  Timestamp from;  ///< the last event before that has one, else the first of all
  Timestamp to;    ///< the first event after that has one, else the last of all
};

struct FieldProfile {
  std::uint64_t count = 0;                                            ///< events with a value that is not null
  std::uint64_t nulls = 0;                                            ///< events that sent null
  std::uint64_t numbers = 0, texts = 0, booleans = 0, documents = 0;  ///< of `count`, by class; documents: arrays and objects
  std::uint64_t trues = 0;                                            ///< of `booleans`
  std::uint64_t beyond = 0;  ///< of `numbers`: larger than a double; they are in no figure below
  std::uint64_t distinct = 0;
  bool distinct_exact = true;  ///< else HyperLogLog's estimate: standard error 0.8 %
  std::optional<Timestamp> first, last;

  // Of the numbers; absent without any.
  std::string min, max;  ///< as JSON: integers in full
  double min_number = 0, max_number = 0;
  double mean = 0;
  double stddev = 0;              ///< of the sample (n - 1), 0 for one number
  std::vector<double> quantiles;  ///< at quantile_ranks, between the two nearest numbers in proportion
  /// 0: exact. Else each quantile's rank is wrong by at most this (0.003: p50 lies between p49.7 and p50.3), and histogram and
  /// outliers are estimates as well.
  double rank_error = 0;
  std::optional<Histogram> histogram;
  std::optional<Outliers> outliers;

  std::vector<TopValue> top;    ///< most frequent first
  std::uint64_t top_error = 0;  ///< 0: exact. Else each count may be too low by this, and rarer values may be missing
  std::optional<Stretch> longest_missing;
};

/// r of each pair of Options::correlated, over the events that have both (pairwise complete).
struct Correlation {
  FieldId a, b;
  std::uint64_t n = 0;
  double r = 0;  ///< NaN: one of them never changes, or n < 2
};

struct TimeProfile {
  std::optional<Timestamp> first, last;
  std::optional<Duration> interval;  ///< median time between neighbours
  std::vector<Stretch> gaps;         ///< the longest silences of more than five times that, at most 10; rows is 0
};

struct Profile {
  std::uint64_t rows = 0;
  TimeProfile time;
  std::vector<FieldProfile> fields;  ///< by FieldId
  std::vector<Correlation> correlations;
};

/// Takes events in order of time, or in the opposite order. One thread.
class Profiler {
 public:
  explicit Profiler(Options options);
  ~Profiler();
  Profiler(Profiler&&) noexcept;

  /// The values in field order, each field once; fields from Options::fields on are ignored.
  void row(Timestamp time, std::span<const std::pair<FieldId, model::Value>> values);
  /// What was seen. Ends the profiler.
  Profile finish();

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace iotstream::profile
