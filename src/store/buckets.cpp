#include "store/buckets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace iotstream::store {

namespace {

constexpr std::array<std::string_view, 10> names = {"avg", "min", "max", "sum", "count", "first", "last", "p50", "p95", "p99"};
/// Beyond the years 0000 to 9999 by far, and such that rounding to buckets cannot overflow.
constexpr std::int64_t time_max = std::int64_t{1} << 61;

std::int64_t floor_divide(std::int64_t number, std::int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

}  // namespace

std::optional<Aggregate> aggregate_from(std::string_view name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Aggregate>(found - names.begin());
}

std::string_view name_of(Aggregate aggregate) { return names[static_cast<std::size_t>(aggregate)]; }

BucketRange BucketRange::over(Timestamp from, Timestamp to, Duration interval) {
  BucketRange range;
  range.interval_us = std::clamp<std::int64_t>(interval.us, 1, time_max);
  range.first = floor_divide(std::clamp(from.us, -time_max, time_max), range.interval_us);
  const std::int64_t last = floor_divide(std::clamp(to.us, -time_max, time_max) - 1, range.interval_us);
  if (last >= range.first) range.count = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(range.first) + 1;
  return range;
}

std::uint64_t BucketRange::index_of(std::int64_t time_us) const {
  return static_cast<std::uint64_t>(floor_divide(time_us, interval_us)) - static_cast<std::uint64_t>(first);
}

void Accumulator::add(double number) {
  ++count_;
  if (!std::isfinite(number)) return;
  if (numbers_++ == 0) {
    min_ = max_ = first_ = number;
  } else {
    min_ = std::min(min_, number);
    max_ = std::max(max_, number);
  }
  last_ = number;
  sum_ += number;
  if (keep_all_) all_.add(number);
}

void Accumulator::clear() {
  count_ = numbers_ = 0;
  sum_ = 0;
  if (keep_all_) all_.clear();
}

void Accumulator::finish() {
  constexpr double ranks[3] = {0.50, 0.95, 0.99};
  if (keep_all_) all_.at(ranks, quantiles_);
}

double Accumulator::result(Aggregate aggregate) const {
  if (aggregate == Aggregate::count) return static_cast<double>(count_);
  if (numbers_ == 0) return std::numeric_limits<double>::quiet_NaN();
  switch (aggregate) {
    case Aggregate::avg:
      return sum_ / static_cast<double>(numbers_);
    case Aggregate::min:
      return min_;
    case Aggregate::max:
      return max_;
    case Aggregate::sum:
      return sum_;
    case Aggregate::first:
      return first_;
    case Aggregate::last:
      return last_;
    case Aggregate::p50:
      return quantiles_[0];
    case Aggregate::p95:
      return quantiles_[1];
    case Aggregate::p99:
      return quantiles_[2];
    case Aggregate::count:
      break;
  }
  return static_cast<double>(count_);
}

}  // namespace iotstream::store
