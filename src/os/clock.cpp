#include <time.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::os {

namespace {

timespec read(clockid_t id) {
  timespec time{};
  const int failed = ::clock_gettime(id, &time);
  IOTSTREAM_ASSERT(failed == 0, "clock {} cannot be read", id);
  return time;
}

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    const timespec time = read(CLOCK_REALTIME);
    return {static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000};
  }
  std::int64_t monotonic_ns() const override {
    const timespec time = read(CLOCK_MONOTONIC);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace iotstream::os
