// Times on the monotonic clock as wall times that are as even as their deadlines.
#pragma once

#include <cstdint>

#include <iotstream/os/clock.hpp>

namespace iotstream::sim {

/// The two clocks are compared at every look; the difference that is used follows only when it is off by more than 1 ms, so
/// that 10 Hz has stamps that are exactly 100 ms apart, and a wall clock that is set is followed at once. One thread at a time.
class WallTime {
 public:
  static constexpr std::int64_t tolerance_us = 1000;

  explicit WallTime(const os::Clock& clock) : clock_(clock) { difference_us_ = measure(); }
  /// Compares the clocks; returns the monotonic time.
  std::int64_t look() {
    const std::int64_t difference_us = measure();
    const std::int64_t off = difference_us - difference_us_;
    if (off > tolerance_us || off < -tolerance_us) difference_us_ = difference_us;
    return now_ns_;
  }
  Timestamp at(std::int64_t monotonic_ns) const { return {monotonic_ns / 1000 + difference_us_}; }

 private:
  // A thread that is put aside between two looks at the clocks would see them apart: the tightest of three counts.
  std::int64_t measure() {
    std::int64_t best_ns = -1;
    std::int64_t difference_us = 0;
    for (int i = 0; i < 3; ++i) {
      const std::int64_t before_ns = clock_.monotonic_ns();
      const Timestamp wall = clock_.now();
      now_ns_ = clock_.monotonic_ns();
      if (best_ns >= 0 && now_ns_ - before_ns >= best_ns) continue;
      best_ns = now_ns_ - before_ns;
      difference_us = wall.us - before_ns / 1000;
      if (best_ns < 50'000) break;
    }
    return difference_us;
  }

  const os::Clock& clock_;
  std::int64_t difference_us_ = 0;
  std::int64_t now_ns_ = 0;
};

}  // namespace iotstream::sim
