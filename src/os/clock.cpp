#include <ctime>

#include <iotstream/os/clock.hpp>

namespace iotstream::os {

namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return {static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000};
  }
  std::int64_t monotonic_ns() const override {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace iotstream::os
