// Times, durations and sizes, and every way of writing them that users meet.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream {

/// A length of time in microseconds; may be negative.
struct Duration {
  std::int64_t us = 0;
  constexpr auto operator<=>(const Duration&) const = default;
  static constexpr Duration milliseconds(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (as in POSIX).
struct Timestamp {
  std::int64_t us = 0;
  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(Duration d) const { return {us + d.us}; }
  constexpr Timestamp operator-(Duration d) const { return {us - d.us}; }
  constexpr Duration operator-(Timestamp other) const { return {us - other.us}; }
};

/// `2022-02-23T06:34:27.403000Z`: always UTC, always six decimals, so that texts sort as times do. Years outside of 0000 to
/// 9999 are written with a sign and six digits (`+010000-01-01T…`, as ECMA-262 does); no parser here reads those.
std::string format_rfc3339(Timestamp time);
/// `2022-02-23 06:34:27.403000`, as the reference system's `dateHour`.
std::string format_date_hour(Timestamp time);

/// Reads a recorded time. Taken: RFC 3339 and its relatives (`2018-01-19 05:37:0.612611`: a blank for the T, unpadded
/// members, no seconds, no time of day at all, up to nine decimals of which six are kept, `Z`, `+01:00`, or nothing: UTC),
/// `23-Feb-2022 06:34:27.403`, `Wed Feb 23 06:37:18 GMT+08:00 2022` (or UTC, or no zone), and whole numbers as epoch s, ms, µs
/// or ns by their magnitude: below 10^11, 10^14, 10^17, and from there. Blanks around are dropped. Allocates nothing. Nothing
/// when the text is none of these, names an impossible date, or lies outside of the years 0000 to 9999.
std::optional<Timestamp> parse_timestamp(std::string_view text);

/// A whole number as parse_timestamp() reads it.
std::optional<Timestamp> timestamp_from_epoch(std::int64_t number);

/// Reads a time as the API takes it: what parse_timestamp takes, integers as epoch µs, `now`, and `-15m`, `-2h`, `+5s`,
/// `now-15m` relative to `now`.
Result<Timestamp> parse_query_time(std::string_view text, Timestamp now);

/// Reads `100ms`, `5us`, `1.5s`, `15m`, `1min`, `2h`, `7d`, `1w`, `1y` (365 days), and `0`. Exact: what is finer than a
/// microsecond is an error. Not negative.
Result<Duration> parse_duration(std::string_view text);
/// In the largest unit that divides it: `100ms`, `15min`, `7d`. Reads back as the same.
std::string format_duration(Duration duration);

/// Reads `64MiB`, `2GiB`, `512KiB`, `10MB` (powers of 1000), or a plain number of bytes.
Result<std::uint64_t> parse_size(std::string_view text);
/// `64 MiB`, `1.5 GiB`: for people.
std::string format_size(std::uint64_t bytes);

}  // namespace iotstream
