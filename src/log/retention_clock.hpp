// What retention by age takes for the present.
#pragma once

#include <algorithm>
#include <cstdint>

#include <iotstream/base/time.hpp>

namespace iotstream::log {

/// A wall clock that jumps ahead must not make everything too old at once, and one that ran ahead must not keep records for
/// ever. So what was written by this process is as old as the monotonic clock says. What was there before is judged by a
/// present that begins where its records end (a gap of more than a quarter of the retention age between two segments counts as
/// that much), passes as the monotonic clock does, and comes nearer to the wall clock by at most a tenth of the retention age
/// an hour: after a machine was off the overdue goes within hours; after a wrong jump there are hours to notice. The present is
/// never ahead of the wall clock. Not thread-safe.
class RetentionClock {
 public:
  /// At the start. `newest_append`: of what is stored; `wall` when nothing is.
  RetentionClock(Timestamp wall, std::int64_t monotonic_ns, Timestamp newest_append)
      : started_us_(wall.us), present_us_(std::min(wall.us, newest_append.us)), looked_ns_(monotonic_ns) {}

  /// Before age_of(), as often as anybody likes.
  void look(Timestamp wall, std::int64_t monotonic_ns, Duration retention_age) {
    const std::int64_t passed_us = (monotonic_ns - looked_ns_) / 1000;
    looked_ns_ = monotonic_ns;
    const double catching_up = static_cast<double>(passed_us) / hour_us * static_cast<double>(retention_age.us) / 10;
    present_us_ =
        std::min(wall.us, present_us_ + passed_us + static_cast<std::int64_t>(std::min(catching_up, catching_up_max)));
  }

  /// Of a segment: by its last write, when this process made it (`last_write_ns` of the monotonic clock, else 0), or by its
  /// last append time. One from the future is as old as this process.
  Duration age_of(std::int64_t last_append_us, std::int64_t last_write_ns) const {
    if (last_write_ns != 0) return {(looked_ns_ - last_write_ns) / 1000};
    return {present_us_ - std::min(last_append_us, started_us_)};
  }

 private:
  static constexpr double hour_us = 3600e6;
  static constexpr double catching_up_max = 1e17;  ///< three thousand years: far inside 64 bits

  std::int64_t started_us_;
  std::int64_t present_us_;
  std::int64_t looked_ns_;
};

}  // namespace iotstream::log
