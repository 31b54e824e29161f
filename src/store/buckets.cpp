#include "store/buckets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "store/plan.hpp"

namespace iotstream::store {

namespace {

constexpr std::array<std::string_view, 11> names = {"avg",  "min",  "max", "sum", "count", "first",
                                                    "last", "rate", "p50", "p95", "p99"};

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

void Accumulator::add(std::int64_t time_us, std::int64_t device, double number) {
  if (!std::isfinite(number)) {
    ++all_.others;
    return;
  }
  if (all_.count > 0 && time_us <= all_.last_time) {
    // Not the ordinary case, which is the next reading in order of time.
    Rollup one;
    one.add(time_us, number);
    merge(one, device);
  } else {
    if (all_.count == 0) first_device_ = device;
    all_.add(time_us, number);
    last_device_ = device;
  }
  if (keep_all_) numbers_.add(number);
}

void Accumulator::merge(const Rollup& rollup, std::int64_t device) {
  if (rollup.count == 0) {
    all_.others += rollup.others;
    return;
  }
  const bool none = all_.count == 0;
  const bool begins =
      none || rollup.first_time < all_.first_time || (rollup.first_time == all_.first_time && device < first_device_);
  const bool ends = none || rollup.last_time > all_.last_time || (rollup.last_time == all_.last_time && device >= last_device_);
  const double first = begins ? rollup.first : all_.first;
  const double last = ends ? rollup.last : all_.last;
  all_.merge(rollup);
  all_.first = first;
  all_.last = last;
  if (begins) first_device_ = device;
  if (ends) last_device_ = device;
}

void Accumulator::clear() {
  all_ = {};
  if (keep_all_) numbers_.clear();
}

void Accumulator::finish() {
  constexpr double ranks[3] = {0.50, 0.95, 0.99};
  if (keep_all_) numbers_.at(ranks, quantiles_);
}

double Accumulator::result(Aggregate aggregate) const {
  if (aggregate == Aggregate::count) return static_cast<double>(all_.count + all_.others);
  if (all_.count == 0) return std::numeric_limits<double>::quiet_NaN();
  switch (aggregate) {
    case Aggregate::avg:
      return all_.sum / static_cast<double>(all_.count);
    case Aggregate::min:
      return all_.min;
    case Aggregate::max:
      return all_.max;
    case Aggregate::sum:
      return all_.sum;
    case Aggregate::first:
      return all_.first;
    case Aggregate::last:
      return all_.last;
    case Aggregate::p50:
      return quantiles_[0];
    case Aggregate::p95:
      return quantiles_[1];
    case Aggregate::p99:
      return quantiles_[2];
    case Aggregate::rate:
    case Aggregate::count:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void Increase::add(std::int64_t device, double number) {
  if (!std::isfinite(number)) return;
  const auto [last, is_first] = last_.try_emplace(device, number);
  if (is_first) return;
  any_ = true;
  increase_ += number >= last->second ? number - last->second : number;
  last->second = number;
}

void Increase::merge(std::int64_t device, const Rollup& rollup) {
  if (rollup.count == 0) return;
  add(device, rollup.first);
  if (rollup.count == 1) return;
  any_ = true;
  increase_ += told_by(rollup) ? rollup.last - rollup.first : rollup.max - rollup.first + rollup.last;
  last_[device] = rollup.last;
}

double Increase::take() {
  const double taken = any_ ? increase_ : std::numeric_limits<double>::quiet_NaN();
  increase_ = 0;
  any_ = false;
  return taken;
}

}  // namespace iotstream::store
