// Times: written, and read in every form that recorded data and users bring.
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include <iotstream/base/time.hpp>

#include "base/time_parse.hpp"

namespace iotstream {

namespace {

using base::is_digit;
using base::lower;

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t us_per_day = seconds_per_day * us_per_second;
constexpr std::int64_t us_min = base::days_from_civil(0, 1, 1) * us_per_day;
constexpr std::int64_t us_max = base::days_from_civil(10'000, 1, 1) * us_per_day - 1;

/// A date and a time of day as they are being read, still in the writer's own zone.
struct Reading {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t fraction_us = 0;
  int offset_minutes = 0;  // east of Greenwich
};

/// Reads from the front of a text. Each member says whether what it looked for was there; after a `false` the place is
/// undefined.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  /// `least` to `most` digits, as many as there are.
  bool number(unsigned& value, int least, int most) {
    value = 0;
    int digits = 0;
    for (; digits < most && at_ != end_ && is_digit(*at_); ++digits, ++at_)
      value = value * 10 + static_cast<unsigned>(*at_ - '0');
    return digits >= least;
  }

  /// Three letters, as one number, in lower case.
  bool letters(unsigned& code) {
    if (end_ - at_ < 3) return false;
    code = 0;
    for (int i = 0; i < 3; ++i, ++at_) code = code << 8 | static_cast<unsigned char>(lower(*at_));
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

constexpr unsigned letter_code(const char (&name)[4]) {
  return static_cast<unsigned>(name[0]) << 16 | static_cast<unsigned>(name[1]) << 8 | static_cast<unsigned>(name[2]);
}

/// 1 to 12; 0 when it is no month.
unsigned month_of(unsigned code) {
  switch (code) {
    case letter_code("jan"):
      return 1;
    case letter_code("feb"):
      return 2;
    case letter_code("mar"):
      return 3;
    case letter_code("apr"):
      return 4;
    case letter_code("may"):
      return 5;
    case letter_code("jun"):
      return 6;
    case letter_code("jul"):
      return 7;
    case letter_code("aug"):
      return 8;
    case letter_code("sep"):
      return 9;
    case letter_code("oct"):
      return 10;
    case letter_code("nov"):
      return 11;
    case letter_code("dec"):
      return 12;
    default:
      return 0;
  }
}

bool is_weekday(unsigned code) {
  return code == letter_code("mon") || code == letter_code("tue") || code == letter_code("wed") || code == letter_code("thu") ||
         code == letter_code("fri") || code == letter_code("sat") || code == letter_code("sun");
}

bool read_month_name(Cursor& cursor, Reading& reading) {
  unsigned code = 0;
  if (!cursor.letters(code)) return false;
  reading.month = month_of(code);
  return reading.month != 0;
}

/// Up to nine decimals; those after the sixth are read and dropped.
bool read_fraction(Cursor& cursor, Reading& reading) {
  int digits = 0;
  for (; is_digit(cursor.peek()); ++digits) {
    if (digits == 9) return false;
    unsigned digit = 0;
    if (!cursor.number(digit, 1, 1)) return false;
    if (digits < 6) reading.fraction_us = reading.fraction_us * 10 + digit;
  }
  for (int i = digits; i < 6; ++i) reading.fraction_us *= 10;
  return digits > 0;
}

/// `5:37`, `05:37:0`, `05:37:0.612611`.
bool read_clock(Cursor& cursor, Reading& reading) {
  if (!cursor.number(reading.hour, 1, 2) || !cursor.take(':') || !cursor.number(reading.minute, 1, 2)) return false;
  if (!cursor.take(':')) return true;
  if (!cursor.number(reading.second, 1, 2)) return false;
  return !cursor.take('.') || read_fraction(cursor, reading);
}

/// `+01:00`, `-0330`, `+08`; the sign is there already.
bool read_offset(Cursor& cursor, Reading& reading) {
  const bool west = cursor.peek() == '-';
  if (!cursor.take('+') && !cursor.take('-')) return false;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!cursor.number(hours, 2, 2)) return false;
  const bool colon = cursor.take(':');
  if ((colon || is_digit(cursor.peek())) && !cursor.number(minutes, 2, 2)) return false;
  if (hours > 23 || minutes > 59) return false;
  const int offset = static_cast<int>(hours * 60 + minutes);
  reading.offset_minutes = west ? -offset : offset;
  return true;
}

/// `Z`, an offset, or nothing; a blank may stand before it.
bool read_zone(Cursor& cursor, Reading& reading) {
  if (cursor.done()) return true;
  if (cursor.take(' ') && cursor.done()) return false;
  if (cursor.take('Z') || cursor.take('z')) return true;
  return read_offset(cursor, reading);
}

/// `2018-01-19`, the same with a time of day, and with a zone.
bool read_iso(Cursor& cursor, Reading& reading) {
  if (!cursor.number(reading.year, 4, 4) || !cursor.take('-') || !cursor.number(reading.month, 1, 2) || !cursor.take('-') ||
      !cursor.number(reading.day, 1, 2)) {
    return false;
  }
  if (cursor.done()) return true;
  if (!cursor.take('T') && !cursor.take(' ') && !cursor.take('t')) return false;
  return read_clock(cursor, reading) && read_zone(cursor, reading);
}

/// `23-Feb-2022 06:34:27.403`, or the date alone.
bool read_day_first(Cursor& cursor, Reading& reading) {
  if (!cursor.number(reading.day, 1, 2) || !cursor.take('-') || !read_month_name(cursor, reading) || !cursor.take('-') ||
      !cursor.number(reading.year, 4, 4)) {
    return false;
  }
  if (cursor.done()) return true;
  return cursor.take(' ') && read_clock(cursor, reading) && read_zone(cursor, reading);
}

/// `GMT+08:00`, `UTC`, `GMT`; as in Java's Date.toString, whose other zone names are ambiguous and refused.
bool read_named_zone(Cursor& cursor, Reading& reading) {
  unsigned code = 0;
  if (!cursor.letters(code) || (code != letter_code("gmt") && code != letter_code("utc"))) return false;
  return cursor.peek() == ' ' || read_offset(cursor, reading);
}

/// `Wed Feb 23 06:37:18 GMT+08:00 2022`; C's asctime, without the zone, is read too.
bool read_weekday_first(Cursor& cursor, Reading& reading) {
  unsigned weekday = 0;
  if (!cursor.letters(weekday) || !is_weekday(weekday) || !cursor.take(' ') || !read_month_name(cursor, reading) ||
      !cursor.take(' ')) {
    return false;
  }
  cursor.take(' ');  // asctime pads the day with a blank
  if (!cursor.number(reading.day, 1, 2) || !cursor.take(' ') || !read_clock(cursor, reading) || !cursor.take(' ')) return false;
  if (!is_digit(cursor.peek()) && (!read_named_zone(cursor, reading) || !cursor.take(' '))) return false;
  return cursor.number(reading.year, 4, 4);
}

std::optional<Timestamp> to_timestamp(const Reading& reading) {
  if (reading.month < 1 || reading.month > 12 || reading.day < 1 ||
      reading.day > base::days_in_month(reading.year, reading.month)) {
    return std::nullopt;
  }
  if (reading.hour > 23 || reading.minute > 59 || reading.second > 60) return std::nullopt;
  const std::int64_t seconds = base::days_from_civil(reading.year, reading.month, reading.day) * seconds_per_day +
                               (static_cast<std::int64_t>(reading.hour) * 60 + reading.minute - reading.offset_minutes) * 60 +
                               reading.second;
  // A leap second is the last of a UTC day; like POSIX, it counts as the first second of the next one.
  if (reading.second == 60 && seconds % seconds_per_day != 0) return std::nullopt;
  const std::int64_t us = seconds * us_per_second + reading.fraction_us;
  if (us < us_min || us > us_max) return std::nullopt;
  return Timestamp{us};
}

/// A whole number, all of `text`.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Epoch seconds, ms, µs or ns: each reaches to the year 5138 before it would be read as the next finer unit.
Timestamp from_epoch(std::int64_t number) {
  const std::uint64_t size = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  if (size < 100'000'000'000u) return {number * us_per_second};
  if (size < 100'000'000'000'000u) return {number * 1000};
  if (size < 100'000'000'000'000'000u) return {number};
  return {number / 1000 - (number % 1000 < 0)};  // rounded down, as all decimals are
}

/// Day, year and clock of a moment, rounded down.
struct Broken {
  base::Civil date;
  unsigned hour, minute, second, us;
};

Broken break_up(Timestamp time) {
  std::int64_t days = time.us / us_per_day;
  std::int64_t rest = time.us % us_per_day;
  if (rest < 0) {
    rest += us_per_day;
    --days;
  }
  const auto seconds = static_cast<unsigned>(rest / us_per_second);
  return {base::civil_from_days(days), seconds / 3600, seconds / 60 % 60, seconds % 60,
          static_cast<unsigned>(rest % us_per_second)};
}

std::string format(Timestamp time, char separator, std::string_view zone) {
  const Broken at = break_up(time);
  const bool four_digits = at.date.year >= 0 && at.date.year <= 9999;
  std::string text = four_digits ? fmt::format("{:04}", at.date.year) : fmt::format("{:+07}", at.date.year);
  fmt::format_to(std::back_inserter(text), "-{:02}-{:02}{}{:02}:{:02}:{:02}.{:06}{}", at.date.month, at.date.day, separator,
                 at.hour, at.minute, at.second, at.us, zone);
  return text;
}

Error not_a_time(std::string_view text) {
  return {ErrorKind::invalid,
          fmt::format("'{}' is not a time: write it as 2022-02-23T06:34:27Z, as epoch microseconds, as now, or as -15m", text)};
}

}  // namespace

std::string format_rfc3339(Timestamp time) { return format(time, 'T', "Z"); }
std::string format_date_hour(Timestamp time) { return format(time, ' ', ""); }

namespace {

/// The time, when it lies in the years 0000 to 9999: what is read can be written again.
std::optional<Timestamp> writable(Timestamp time) {
  constexpr std::int64_t first_us = -62'167'219'200'000'000;
  constexpr std::int64_t last_us = 253'402'300'799'999'999;
  return time.us >= first_us && time.us <= last_us ? std::optional(time) : std::nullopt;
}

}  // namespace

std::optional<Timestamp> timestamp_from_epoch(std::int64_t number) { return writable(from_epoch(number)); }

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  text = base::trim(text);
  if (text.empty()) return std::nullopt;
  Cursor cursor(text);
  Reading reading;
  bool read = false;
  if (text.size() > 4 && is_digit(text[0]) && text[4] == '-' && is_digit(text[3])) {
    read = read_iso(cursor, reading);
  } else if (is_digit(text[0]) && text.size() > 2 && (text[1] == '-' || text[2] == '-')) {
    read = read_day_first(cursor, reading);
  } else if (is_digit(text[0]) || text[0] == '-' || text[0] == '+') {
    const auto number = parse_integer(text);
    return number ? timestamp_from_epoch(*number) : std::nullopt;
  } else {
    read = read_weekday_first(cursor, reading);
  }
  const auto time = read && cursor.done() ? to_timestamp(reading) : std::nullopt;
  return time ? writable(*time) : std::nullopt;
}

Result<Timestamp> parse_query_time(std::string_view text, Timestamp now) {
  const std::string_view whole = text;
  text = base::trim(text);
  const bool from_now = text.starts_with("now");
  if (from_now) text.remove_prefix(3);
  if (from_now && text.empty()) return now;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    const bool past = text[0] == '-';
    if (const auto number = parse_integer(text); number && !from_now) return Timestamp{*number};
    const auto distance = parse_duration(text.substr(1));
    if (!distance.ok() || text.size() < 2 || !is_digit(text[1])) return not_a_time(whole);
    std::int64_t us = 0;
    const bool overflow =
        past ? __builtin_sub_overflow(now.us, distance->us, &us) : __builtin_add_overflow(now.us, distance->us, &us);
    if (overflow) return not_a_time(whole);
    return Timestamp{us};
  }
  if (from_now) return not_a_time(whole);
  if (const auto number = parse_integer(text)) return Timestamp{*number};
  if (const auto time = parse_timestamp(text)) return *time;
  return not_a_time(whole);
}

}  // namespace iotstream
