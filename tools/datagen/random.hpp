#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace iotstream::datagen {

/// Random numbers that are looked up instead of drawn: a value depends only on (seed, stream, channel, index), never on how
/// many values were asked for before. A new column therefore changes no other column.
///
/// The mixing function is SplitMix64's (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014,
/// with the constants of Vigna's public-domain splitmix64.c). The standard library's distributions are not used because the
/// standard leaves their algorithm to each implementation.
class Noise {
 public:
  /// `stream` names the file, so that two files of one seed have nothing in common.
  Noise(std::uint64_t seed, std::string_view stream) : key_(mix(seed ^ fnv1a(stream))) {}

  [[nodiscard]] std::uint64_t bits(std::uint64_t channel, std::int64_t index) const {
    return mix(mix(key_ + golden * (channel + 1)) + golden * static_cast<std::uint64_t>(index));
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform(std::uint64_t channel, std::int64_t index) const {
    return static_cast<double>(bits(channel, index) >> 11) * 0x1.0p-53;
  }

  /// Mean 0, standard deviation 1, never beyond ±3.5: the sum of four uniforms (Irwin–Hall), which needs no logarithm.
  [[nodiscard]] double bell(std::uint64_t channel, std::int64_t index) const {
    const std::int64_t first = index * 4;
    const double sum =
        uniform(channel, first) + uniform(channel, first + 1) + uniform(channel, first + 2) + uniform(channel, first + 3);
    return (sum - 2.0) * 1.7320508075688772;
  }

  /// Value noise in [-1, 1): one random value at each integer, joined by smooth curves (Perlin's 3t²-2t³).
  [[nodiscard]] double smooth(std::uint64_t channel, double position) const {
    const double cell = std::floor(position);
    const double within = position - cell;
    const auto index = static_cast<std::int64_t>(cell);
    const double from = uniform(channel, index) * 2.0 - 1.0;
    const double to = uniform(channel, index + 1) * 2.0 - 1.0;
    return from + (to - from) * (within * within * (3.0 - 2.0 * within));
  }

 private:
  static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  /// FNV-1a, 64 bits (Fowler, Noll, Vo).
  static constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return hash;
  }

  std::uint64_t key_;
};

}  // namespace iotstream::datagen
