// How many distinct values there are, about.
#pragma once

#include <cstdint>
#include <vector>

namespace iotstream::profile {

/// HyperLogLog (P. Flajolet et al., 2007) with 2^14 registers and 64-bit hashes: standard error 0.81 %, 16 KiB.
class HyperLogLog {
 public:
  void add(std::uint64_t hash) {
    if (registers_.empty()) registers_.resize(std::size_t{1} << index_bits);
    const std::uint64_t rest = hash << index_bits | std::uint64_t{1} << (index_bits - 1);
    auto& rank = registers_[hash >> (64 - index_bits)];
    const auto found = static_cast<std::uint8_t>(__builtin_clzll(rest) + 1);
    if (found > rank) rank = found;
  }
  std::uint64_t estimate() const;

 private:
  static constexpr int index_bits = 14;
  std::vector<std::uint8_t> registers_;
};

}  // namespace iotstream::profile
