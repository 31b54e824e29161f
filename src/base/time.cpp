#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <iotstream/base/time.hpp>

namespace iotstream {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t day_us = 86'400 * second_us;

/// Days since 1970-01-01 of a civil date, and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

struct Civil {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

constexpr Civil civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2), month, day};
}

constexpr bool leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : days[month - 1];
}

std::string format_time(Timestamp time, char between, bool zulu) {
  const std::int64_t days = time.us >= 0 ? time.us / day_us : -((-time.us + day_us - 1) / day_us);
  const std::int64_t rest = time.us - days * day_us;
  const Civil date = civil_from_days(days);
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:06}{}", date.year, date.month, date.day, between,
                     rest / (3600 * second_us), rest / (60 * second_us) % 60, rest / second_us % 60, rest % second_us,
                     zulu ? "Z" : "");
}

/// Reads a text from the left; every member returns false and the whole fails when something else is there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool skip(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ') text_.remove_prefix(1);
  }
  /// From `least` to `most` digits, all there are.
  bool digits(unsigned least, unsigned most, unsigned& number) {
    unsigned count = 0;
    number = 0;
    while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') {
      if (++count > most) return false;
      number = number * 10 + static_cast<unsigned>(text_[count - 1] - '0');
    }
    text_.remove_prefix(count);
    return count >= least;
  }
  /// `.612611`: up to nine digits, of which six are kept.
  bool fraction(std::int64_t& us) {
    us = 0;
    if (!skip('.') && !skip(',')) return true;
    unsigned count = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1)) {
      if (++count > 9) return false;
      if (count <= 6) us = us * 10 + (text_.front() - '0');
    }
    for (unsigned i = count; i < 6; ++i) us *= 10;
    return count > 0;
  }
  /// A month's English name, first three letters, any case.
  bool month(unsigned& month) {
    constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (text_.size() < 3) return false;
    std::array<char, 3> word;
    for (std::size_t i = 0; i < 3; ++i) word[i] = static_cast<char>(text_[i] | 0x20);
    const std::size_t at = names.find(std::string_view(word.data(), 3));
    if (at == std::string_view::npos || at % 3 != 0) return false;
    month = static_cast<unsigned>(at / 3) + 1;
    text_.remove_prefix(3);
    return true;
  }

 private:
  std::string_view text_;
};

struct Clock {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t us = 0;
};

bool scan_clock(Scanner& scanner, Clock& clock) {
  if (!scanner.digits(1, 2, clock.hour) || !scanner.skip(':') || !scanner.digits(1, 2, clock.minute)) return false;
  if (scanner.skip(':') && (!scanner.digits(1, 2, clock.second) || !scanner.fraction(clock.us))) return false;
  return clock.hour < 24 && clock.minute < 60 && clock.second < 61;
}

/// `Z`, `+01:00`, `-0530`, `+01`; nothing: UTC.
bool scan_zone(Scanner& scanner, std::int64_t& offset_us) {
  offset_us = 0;
  scanner.skip_blanks();
  if (scanner.done() || scanner.skip('Z') || scanner.skip('z')) return true;
  const bool west = scanner.peek() == '-';
  if (!scanner.skip('+') && !scanner.skip('-')) return false;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!scanner.digits(2, 4, hours)) return false;
  if (hours > 99) {
    minutes = hours % 100;
    hours /= 100;
  } else if (scanner.skip(':') && !scanner.digits(2, 2, minutes)) {
    return false;
  }
  if (hours > 23 || minutes > 59) return false;
  offset_us = (static_cast<std::int64_t>(hours) * 3600 + minutes * 60) * second_us * (west ? -1 : 1);
  return true;
}

std::optional<Timestamp> assemble(std::int64_t year, unsigned month, unsigned day, const Clock& clock, std::int64_t offset_us) {
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  const std::int64_t seconds = clock.hour * 3600ll + clock.minute * 60ll + clock.second;
  return Timestamp{days_from_civil(year, month, day) * day_us + seconds * second_us + clock.us - offset_us};
}

/// `2018-01-19 05:37:0.612611`, `2018/01/19T05:37Z`, `2018-01-19`.
std::optional<Timestamp> parse_iso(std::string_view text) {
  Scanner scanner(text);
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  Clock clock;
  std::int64_t offset_us = 0;
  if (!scanner.digits(4, 4, year)) return std::nullopt;
  const char dash = scanner.peek();
  if ((dash != '-' && dash != '/') || !scanner.skip(dash) || !scanner.digits(1, 2, month) || !scanner.skip(dash) ||
      !scanner.digits(1, 2, day))
    return std::nullopt;
  if (!scanner.done()) {
    if (!scanner.skip('T') && !scanner.skip('t') && !scanner.skip(' ')) return std::nullopt;
    scanner.skip_blanks();
    if (!scan_clock(scanner, clock) || !scan_zone(scanner, offset_us) || !scanner.done()) return std::nullopt;
  }
  return assemble(year, month, day, clock, offset_us);
}

/// `23-Feb-2022 06:34:27.403`.
std::optional<Timestamp> parse_day_month_year(std::string_view text) {
  Scanner scanner(text);
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  Clock clock;
  std::int64_t offset_us = 0;
  if (!scanner.digits(1, 2, day) || !scanner.skip('-') || !scanner.month(month) || !scanner.skip('-') ||
      !scanner.digits(4, 4, year))
    return std::nullopt;
  scanner.skip_blanks();
  if (!scan_clock(scanner, clock) || !scan_zone(scanner, offset_us) || !scanner.done()) return std::nullopt;
  return assemble(year, month, day, clock, offset_us);
}

/// `Wed Feb 23 06:37:18 GMT+08:00 2022` (Java's Date.toString). The week day is not checked.
std::optional<Timestamp> parse_java_date(std::string_view text) {
  if (text.size() < 20 || text[3] != ' ') return std::nullopt;
  Scanner scanner(text.substr(4));
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  Clock clock;
  if (!scanner.month(month) || !scanner.skip(' ') || !scanner.digits(1, 2, day) || !scanner.skip(' ') ||
      !scan_clock(scanner, clock) || !scanner.skip(' '))
    return std::nullopt;
  if (!scanner.skip("GMT") && !scanner.skip("UTC")) return std::nullopt;
  std::int64_t offset_us = 0;
  const bool west = scanner.peek() == '-';
  if (scanner.skip('+') || scanner.skip('-')) {
    unsigned hours = 0;
    unsigned minutes = 0;
    if (!scanner.digits(2, 2, hours) || !scanner.skip(':') || !scanner.digits(2, 2, minutes) || hours > 23 || minutes > 59)
      return std::nullopt;
    offset_us = (static_cast<std::int64_t>(hours) * 3600 + minutes * 60) * second_us * (west ? -1 : 1);
  }
  if (!scanner.skip(' ') || !scanner.digits(4, 4, year) || !scanner.done()) return std::nullopt;
  return assemble(year, month, day, clock, offset_us);
}

/// Whole numbers by magnitude: seconds below 1e11 (year 5138), milliseconds below 1e14, microseconds below 1e17, else
/// nanoseconds.
std::optional<Timestamp> parse_epoch(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  const std::int64_t magnitude = number < 0 ? -number : number;
  if (magnitude < 100'000'000'000) return Timestamp{number * second_us};
  if (magnitude < 100'000'000'000'000) return Timestamp{number * 1000};
  if (magnitude < 100'000'000'000'000'000) return Timestamp{number};
  return Timestamp{number / 1000};
}

struct Unit {
  std::string_view name;
  std::int64_t us;
};
/// Longest first where one begins another; the first of a length is the one that is written.
constexpr Unit duration_units[] = {{"us", 1},
                                   {"µs", 1},
                                   {"ms", 1000},
                                   {"s", second_us},
                                   {"min", 60 * second_us},
                                   {"m", 60 * second_us},
                                   {"h", 3600 * second_us},
                                   {"d", day_us},
                                   {"w", 7 * day_us},
                                   {"y", 365 * day_us}};

}  // namespace

std::string format_rfc3339(Timestamp time) { return format_time(time, 'T', true); }
std::string format_date_hour(Timestamp time) { return format_time(time, ' ', false); }

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() < 6) return std::nullopt;
  const bool letter = (text.front() | 0x20) >= 'a' && (text.front() | 0x20) <= 'z';
  if (letter) return parse_java_date(text);
  if (text.size() >= 8 && (text[4] == '-' || text[4] == '/')) return parse_iso(text);
  if (text[1] == '-' || text[2] == '-') return parse_day_month_year(text);
  return parse_epoch(text);
}

Result<Timestamp> parse_query_time(std::string_view text, Timestamp now) {
  if (text == "now") return now;
  if (!text.empty() && (text.front() == '-' || text.front() == '+') &&
      text.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    auto duration = parse_duration(text.substr(1));
    if (!duration) return duration.error();
    return text.front() == '-' ? now - *duration : now + *duration;
  }
  std::int64_t us = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (code == std::errc() && end == text.data() + text.size()) return Timestamp{us};
  if (const auto time = parse_timestamp(text)) return *time;
  return Error{ErrorKind::invalid,
               fmt::format("'{}' is no time: take RFC 3339 (2022-02-23T06:34:27Z), epoch microseconds, now, or -15m", text)};
}

Result<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code == std::errc() && number >= 0) {
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& known : duration_units) {
      if (unit != known.name) continue;
      const double us = number * static_cast<double>(known.us);
      if (us < 9e18) return Duration{std::llround(us)};
    }
  }
  return Error{ErrorKind::invalid,
               fmt::format("'{}' is no duration: take a number and us, ms, s, min, h, d, w or y, as 100ms or 7d", text)};
}

std::string format_duration(Duration duration) {
  constexpr Unit written[] = {{"d", day_us}, {"h", 3600 * second_us}, {"min", 60 * second_us}, {"s", second_us}, {"ms", 1000}};
  if (duration.us != 0) {
    for (const Unit& unit : written) {
      if (duration.us % unit.us == 0) return fmt::format("{}{}", duration.us / unit.us, unit.name);
    }
  }
  return fmt::format("{}us", duration.us);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::pair<std::string_view, std::uint64_t> units[] = {
      {"", 1},       {"B", 1},      {"KiB", 1ull << 10}, {"MiB", 1ull << 20},   {"GiB", 1ull << 30},      {"TiB", 1ull << 40},
      {"kB", 1'000}, {"KB", 1'000}, {"MB", 1'000'000},   {"GB", 1'000'000'000}, {"TB", 1'000'000'000'000}};
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code == std::errc() && number >= 0) {
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    for (const auto& [name, factor] : units) {
      if (unit != name) continue;
      const double bytes = number * static_cast<double>(factor);
      if (bytes < 1.8e19) return static_cast<std::uint64_t>(bytes);
    }
  }
  return Error{ErrorKind::invalid, fmt::format("'{}' is no size: take a number and B, KiB, MiB or GiB, as 64MiB", text)};
}

std::string format_size(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1024 && unit < 6; ++unit) number /= 1024;
  if (number == std::floor(number)) return fmt::format("{:.0f} {}", number, units[unit]);
  return fmt::format("{:.1f} {}", number, units[unit]);
}

}  // namespace iotstream
