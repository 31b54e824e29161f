// Durations and sizes: a number and a unit.
#include <array>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include <iotstream/base/time.hpp>

#include "base/time_parse.hpp"

namespace iotstream {

namespace {

__extension__ typedef unsigned __int128 Wide;  // a fraction of a large unit needs more than 64 bits on the way

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::uint64_t second = 1'000'000;
constexpr std::uint64_t day = 86'400 * second;
constexpr std::array<Unit, 11> duration_units{{{"us", 1},
                                               {"µs", 1},
                                               {"μs", 1},
                                               {"ms", 1000},
                                               {"s", second},
                                               {"m", 60 * second},
                                               {"min", 60 * second},
                                               {"h", 3600 * second},
                                               {"d", day},
                                               {"w", 7 * day},
                                               {"y", 365 * day}}};
constexpr std::array<Unit, 11> size_units{{{"", 1},
                                           {"B", 1},
                                           {"KiB", 1u << 10},
                                           {"MiB", 1u << 20},
                                           {"GiB", 1u << 30},
                                           {"TiB", 1ull << 40},
                                           {"kB", 1000},
                                           {"KB", 1000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000}}};

/// Digits, and at most nine decimals: all exact.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;  ///< fraction / scale is what stands behind the point
};

/// Takes a decimal from the front of `text`.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  std::size_t at = 0;
  for (; at < text.size() && base::is_digit(text[at]); ++at) {
    if (__builtin_mul_overflow(number.whole, std::uint64_t{10}, &number.whole) ||
        __builtin_add_overflow(number.whole, static_cast<std::uint64_t>(text[at] - '0'), &number.whole)) {
      return std::nullopt;
    }
  }
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    for (; at < text.size() && base::is_digit(text[at]); ++at, number.scale *= 10) {
      if (at - first == 9) return std::nullopt;
      number.fraction = number.fraction * 10 + static_cast<std::uint64_t>(text[at] - '0');
    }
    if (at == first) return std::nullopt;
  }
  text.remove_prefix(at);
  return number;
}

/// number × unit when that is a whole number of at most `most`.
std::optional<std::uint64_t> scale(const Decimal& number, std::uint64_t unit, std::uint64_t most) {
  const Wide fraction = static_cast<Wide>(number.fraction) * unit;
  if (fraction % number.scale != 0) return std::nullopt;
  const Wide total = static_cast<Wide>(number.whole) * unit + fraction / number.scale;
  if (total > most) return std::nullopt;
  return static_cast<std::uint64_t>(total);
}

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, std::uint64_t most) {
  text = base::trim(text);
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  text = base::trim(text);
  for (const Unit& unit : units) {
    if (unit.name == text) return scale(*number, unit.size, most);
  }
  return std::nullopt;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (base::trim(text) == "0") return Duration{};
  const auto us = parse(text, duration_units, std::numeric_limits<std::int64_t>::max());
  if (us) return Duration{static_cast<std::int64_t>(*us)};
  return Error{ErrorKind::invalid,
               fmt::format("'{}' is not a duration: write a number and us, ms, s, min, h, d, w or y, for example 100ms; it "
                           "must be a whole number of microseconds",
                           text)};
}

std::string format_duration(Duration duration) {
  constexpr std::array<Unit, 7> units{
      {{"y", 365 * day}, {"d", day}, {"h", 3600 * second}, {"min", 60 * second}, {"s", second}, {"ms", 1000}, {"us", 1}}};
  if (duration.us == 0) return "0s";
  for (const Unit& unit : units) {
    const auto size = static_cast<std::int64_t>(unit.size);
    if (duration.us % size == 0) return fmt::format("{}{}", duration.us / size, unit.name);
  }
  return {};  // not reached: every number is a multiple of 1 µs
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = parse(text, size_units, std::numeric_limits<std::uint64_t>::max());
  if (bytes) return *bytes;
  return Error{
      ErrorKind::invalid,
      fmt::format("'{}' is not a size: write a whole number of bytes, or a number and KiB, MiB, GiB, TiB, kB, MB, GB or "
                  "TB, for example 64MiB",
                  text)};
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0: that is one of the next unit.
  for (; size >= 1023.95 && unit + 1 < units.size(); ++unit) size /= 1024;
  std::string number = fmt::format("{:.1f}", size);
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return fmt::format("{} {}", number, units[unit]);
}

}  // namespace iotstream
