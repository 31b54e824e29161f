// Time enters here, so that tests can hold it.
#pragma once

#include <atomic>
#include <cstdint>

#include <iotstream/base/time.hpp>

namespace iotstream::os {

/// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock; may jump.
  virtual Timestamp now() const = 0;
  /// Never goes back; its zero means nothing.
  virtual std::int64_t monotonic_ns() const = 0;
};

Clock& system_clock();

/// A clock that stands still until it is moved. For tests of this and other rooms.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_us_(start.us), passed_us_(start.us) {}
  Timestamp now() const override { return {now_us_.load(std::memory_order_relaxed)}; }
  std::int64_t monotonic_ns() const override { return passed_us_.load(std::memory_order_relaxed) * 1000; }
  /// Time passes. A negative `by` sets the wall clock back, as jump() does.
  void advance(Duration by) {
    now_us_.fetch_add(by.us, std::memory_order_relaxed);
    if (by.us > 0) passed_us_.fetch_add(by.us, std::memory_order_relaxed);
  }
  /// Somebody sets the wall clock.
  void jump(Duration by) { now_us_.fetch_add(by.us, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> passed_us_;
};

}  // namespace iotstream::os
