#include "profile/hyperloglog.hpp"

#include <cmath>

namespace iotstream::profile {

std::uint64_t HyperLogLog::estimate() const {
  if (registers_.empty()) return 0;
  const auto size = static_cast<double>(registers_.size());
  double sum = 0;
  double empty = 0;
  for (const std::uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1 : 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / size) * size * size / sum;
  // While many registers are empty, counting those is the better estimate.
  const double estimate = raw <= 2.5 * size && empty > 0 ? size * std::log(size / empty) : raw;
  return static_cast<std::uint64_t>(std::llround(estimate));
}

}  // namespace iotstream::profile
