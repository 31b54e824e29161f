#include "bench/support/timing.hpp"

#include <algorithm>
#include <ctime>

#include <iotstream/os/clock.hpp>

namespace iotstream::bench {

std::int64_t now_ns() { return os::system_clock().monotonic_ns(); }

double seconds_since(std::int64_t begin_ns) { return static_cast<double>(now_ns() - begin_ns) / 1e9; }

void sleep_until_ns(std::int64_t at_ns) {
  timespec at{at_ns / 1'000'000'000, at_ns % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {
  }
}

void sleep_for_ms(std::int64_t ms) { sleep_until_ns(now_ns() + ms * 1'000'000); }

std::vector<double> TimerLateness::stop_ms() {
  stopping_.store(true, std::memory_order_relaxed);
  thread_.join();
  return std::move(lateness_ms_);
}

void TimerLateness::run() {
  for (std::int64_t at = now_ns() + 1'000'000; !stopping_.load(std::memory_order_relaxed);
       at = std::max(at + 1'000'000, now_ns())) {
    sleep_until_ns(at);
    lateness_ms_.push_back(static_cast<double>(now_ns() - at) / 1e6);
  }
}

Result<InTurns> InTurns::run(std::uint64_t rounds, const std::function<Result<double>()>& ours,
                             const std::function<Result<double>()>& limit) {
  InTurns turns;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // Who begins changes too: the second finds what the first left behind, in caches and on the disk.
    for (const bool is_limit : {round % 2 == 0, round % 2 != 0}) {
      auto value = (is_limit ? limit : ours)();
      if (!value) return value.error();
      (is_limit ? turns.limit : turns.ours).push_back(*value);
    }
  }
  return turns;
}

Figure InTurns::figure(std::string name, std::string unit, std::string limit_name, double target_ratio, Good good) const {
  return {std::move(name),       median(ours),  std::move(unit), ours.size(),
          std::move(limit_name), median(limit), target_ratio,    good};
}

Figure beside_target(std::string name, const std::vector<double>& values, std::string unit, double target, Good good) {
  return {std::move(name), median(values), std::move(unit), values.size(), "target", target, 1, good};
}

}  // namespace iotstream::bench
