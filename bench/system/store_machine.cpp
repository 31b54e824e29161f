#include "bench/system/store_machine.hpp"

#include <algorithm>
#include <cmath>

namespace iotstream::bench {

const std::array<const char*, Machine::signals>& Machine::names() {
  static constexpr std::array<const char*, signals> all = {
      "satellites", "gear",          "brake",         "accelerator",     "speed",      "direction",        "pressure 1",
      "pressure 2", "pressure back", "pressure high", "oil_temperature", "axle speed", "gps speed (km/h)", "pump speed (1/s)"};
  return all;
}

std::int64_t Machine::random(std::int64_t below) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return static_cast<std::int64_t>(state_ % static_cast<std::uint64_t>(below));
}

void Machine::wander(double& value, double step, double least, double most) {
  value = std::clamp(value + step * static_cast<double>(random(2001) - 1000) / 1000, least, most);
}

const Machine::Reading& Machine::next() {
  // 100 ms and the jitter of a real clock.
  reading_.time = Timestamp{first_us + static_cast<std::int64_t>(count_) * 100'000 + random(1500)};
  wander(load_, 2, 0, 100);
  wander(speed_, 0.5, 0, 60);
  wander(oil_, 0.02, 40, 110);
  const bool still = count_ / 3000 % 5 == 4;  // five minutes in twenty-five
  ++count_;
  auto& v = reading_.values;
  if (count_ % 10 == 1) v[0] = static_cast<double>(88 + random(6));
  v[1] = still ? 125 : std::floor(124 + speed_ / 10);
  v[2] = still ? 130 : 125;
  v[3] = still ? 0 : std::floor(load_);
  v[4] = still ? 0 : std::floor(speed_);
  v[5] = 20;
  v[6] = 0;
  v[7] = still ? 0 : static_cast<double>(random(2));
  v[8] = still ? 0 : static_cast<double>(random(4));
  v[9] = static_cast<double>(32'820 + random(40));
  v[10] = std::floor(oil_);
  v[11] = still ? 32'767 : std::floor(32'767 + speed_ * 4);
  v[12] = still ? 0 : std::floor(speed_ * 100) / 100;
  v[13] = still ? 14.9 : std::floor(149 + load_ * 2) / 10;
  return reading_;
}

}  // namespace iotstream::bench
