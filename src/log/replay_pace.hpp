// The clock of a replay: which moment of the recording it is now.
#pragma once

#include <cmath>
#include <cstdint>

#include <iotstream/base/time.hpp>

namespace iotstream::log {

/// A line through one anchor: that moment of the recording was at that time of the monotonic clock; from there it goes at its
/// speed. One thread at a time.
class ReplayPace {
 public:
  explicit ReplayPace(double speed) : speed_(speed) {}

  bool started() const { return started_; }
  bool paused() const { return paused_; }
  double speed() const { return speed_; }
  bool unbounded() const { return speed_ == 0; }

  void start_at(std::int64_t recorded_us, std::int64_t now_ns) {
    started_ = true;
    recorded_us_ = recorded_us;
    at_ns_ = now_ns;
  }
  void forget() { started_ = false; }
  /// As fast as possible: the recording is where its last record was.
  void delivered(std::int64_t recorded_us) {
    if (unbounded() && recorded_us > recorded_us_) recorded_us_ = recorded_us;
  }

  std::int64_t position_us(std::int64_t now_ns) const {
    if (!started_ || paused_ || unbounded()) return recorded_us_;
    const double ahead = static_cast<double>(now_ns - at_ns_) / 1000 * speed_;
    const double left = static_cast<double>(INT64_MAX) - static_cast<double>(recorded_us_);
    return ahead >= left ? INT64_MAX : recorded_us_ + static_cast<std::int64_t>(ahead);
  }
  /// When that moment comes; it may have passed.
  std::int64_t due_ns(std::int64_t recorded_us) const {
    if (unbounded()) return INT64_MIN;
    const double distance = static_cast<double>(recorded_us) - static_cast<double>(recorded_us_);
    const double ns = std::ceil(distance * 1000 / speed_);
    if (std::abs(ns) < 9e18) return at_ns_ + static_cast<std::int64_t>(ns);
    return ns < 0 ? INT64_MIN : INT64_MAX;
  }

  void pause(std::int64_t now_ns) {
    if (paused_) return;
    recorded_us_ = position_us(now_ns);
    paused_ = true;
  }
  void resume(std::int64_t now_ns) {
    if (!paused_) return;
    paused_ = false;
    at_ns_ = now_ns;
  }
  void set_speed(double speed, std::int64_t now_ns) {
    recorded_us_ = position_us(now_ns);
    at_ns_ = now_ns;
    speed_ = speed;
  }

 private:
  double speed_;  ///< 0: as fast as possible
  bool started_ = false;
  bool paused_ = false;
  std::int64_t recorded_us_ = 0;
  std::int64_t at_ns_ = 0;
};

}  // namespace iotstream::log
