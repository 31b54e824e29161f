// Readings of a machine at 10 Hz for the benchmarks of history: what they measure depends on it, so it is made to look like
// one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <iotstream/base/time.hpp>

namespace iotstream::bench {

/// A time, the device and fourteen signals: sixteen columns. The same readings for the same number of them. Loads and speeds
/// wander, some signals are noise, some stand still for minutes; two are decimals.
class Machine {
 public:
  static constexpr std::size_t signals = 14;
  static constexpr std::int64_t first_us = 1'700'000'000'000'000;
  static const std::array<const char*, signals>& names();
  /// Signals from here on are decimals with so many digits.
  static constexpr std::size_t decimals_from = 12;

  struct Reading {
    Timestamp time;
    std::array<double, signals> values{};
  };
  const Reading& next();

 private:
  std::int64_t random(std::int64_t below);
  void wander(double& value, double step, double least, double most);

  std::uint64_t state_ = 88'172'645'463'325'252u;
  std::uint64_t count_ = 0;
  double load_ = 50;
  double speed_ = 20;
  double oil_ = 60;
  Reading reading_;
};

}  // namespace iotstream::bench
