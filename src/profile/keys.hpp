// Numbers as 64 bits whose order is that of the numbers, for one sort and one table of either kind.
#pragma once

#include <bit>
#include <cstdint>

namespace iotstream::profile {

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

constexpr std::uint64_t key_of_integer(std::int64_t number) { return static_cast<std::uint64_t>(number) ^ sign_bit; }
constexpr std::int64_t integer_of_key(std::uint64_t key) { return static_cast<std::int64_t>(key ^ sign_bit); }

/// -0.0 is 0.0: they are the same number.
constexpr std::uint64_t key_of_real(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number + 0.0);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}
constexpr double real_of_key(std::uint64_t key) {
  return std::bit_cast<double>((key & sign_bit) != 0 ? key & ~sign_bit : ~key);
}

/// Spreads the bits: a bijection (the finalizer of MurmurHash3).
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

}  // namespace iotstream::profile
