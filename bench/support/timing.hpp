// Time in benchmarks: one clock, sleeping to a moment, and what the machine itself is late by.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/bench.hpp"

namespace iotstream::bench {

/// Monotonic.
std::int64_t now_ns();
/// Seconds since `begin_ns`, a value of now_ns().
double seconds_since(std::int64_t begin_ns);
void sleep_until_ns(std::int64_t at_ns);
void sleep_for_ms(std::int64_t ms);

/// How late a bare 1 ms timer of this process is while it lives: the machine's own share in every latency measured meanwhile.
class TimerLateness {
 public:
  TimerLateness() : thread_([this] { run(); }) {}
  ~TimerLateness() {
    if (thread_.joinable()) static_cast<void>(stop_ms());
  }
  std::vector<double> stop_ms();

 private:
  void run();

  std::atomic<bool> stopping_{false};  ///< relaxed: nothing else depends on it
  std::vector<double> lateness_ms_;    ///< the thread's, until it is joined
  std::thread thread_;
};

/// The same thing done by us and by what limits us, in turns, so that both meet the same machine.
struct InTurns {
  std::vector<double> ours;
  std::vector<double> limit;

  /// Errors: of the first that failed.
  static Result<InTurns> run(std::uint64_t rounds, const std::function<Result<double>()>& ours,
                             const std::function<Result<double>()>& limit);
  Figure figure(std::string name, std::string unit, std::string limit_name, double target_ratio, Good good) const;
};

/// A median beside an absolute target.
Figure beside_target(std::string name, const std::vector<double>& values, std::string unit, double target, Good good);

}  // namespace iotstream::bench
