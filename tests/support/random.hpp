// Random tests that can be repeated: the seed is $IOTSTREAM_SEED, or new each time, and is printed with every failure.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string_view>

#include <catch2/catch.hpp>

namespace iotstream::test {

inline std::uint64_t seed() {
  if (const char* given = std::getenv("IOTSTREAM_SEED"); given != nullptr) {  // NOLINT: nobody sets variables here
    const std::string_view text = given;
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

/// A whole number in [least, most].
template <class Number>
Number between(std::mt19937_64& random, Number least, Number most) {
  return std::uniform_int_distribution<Number>(least, most)(random);
}

/// Any bit pattern of a double but NaN and infinities.
inline double any_double(std::mt19937_64& random) {
  for (;;) {
    const auto number = std::bit_cast<double>(random());
    if (number - number == 0) return number;
  }
}

}  // namespace iotstream::test

/// IOTSTREAM_SEEDED(random): declares a std::mt19937_64 of that name for the rest of the scope.
#define IOTSTREAM_SEEDED(name)                                 \
  const std::uint64_t name##_seed = ::iotstream::test::seed(); \
  INFO("repeat with IOTSTREAM_SEED=" << name##_seed);          \
  std::mt19937_64 name(name##_seed)
