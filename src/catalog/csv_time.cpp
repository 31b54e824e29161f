#include "catalog/csv_time.hpp"

#include <array>
#include <chrono>
#include <cmath>

#include <iotstream/model/number.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t us_per_day = 86'400 * us_per_second;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

/// Reads from the front of a text.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_[0]; }
  bool take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void blanks() {
    while (take(' ')) {
    }
  }
  /// One to `most` digits; how many there were.
  int number(unsigned& value, int most) {
    value = 0;
    int digits = 0;
    for (; digits < most && is_digit(peek()); ++digits) {
      value = value * 10 + static_cast<unsigned>(peek() - '0');
      text_.remove_prefix(1);
    }
    return digits;
  }
  /// The letters that stand here, in lower case, at most nine.
  std::string_view word() {
    std::size_t length = 0;
    for (; length < letters_.size() && length < text_.size() && is_letter(text_[length]); ++length)
      letters_[length] = static_cast<char>(text_[length] | 0x20);
    text_.remove_prefix(length);
    return {letters_.data(), length};
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
  std::array<char, 9> letters_{};
};

constexpr std::array<std::string_view, 12> months = {"january", "february", "march",     "april",   "may",      "june",
                                                     "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> weekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                      "friday", "saturday", "sunday"};

/// The index of the name that `word` is, or its first three letters (or four, as Sept); -1: none.
template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i)
    if (word == names[i] || ((word.size() == 3 || word.size() == 4) && names[i].starts_with(word))) return static_cast<int>(i);
  return -1;
}

struct Date {
  unsigned numbers[3] = {0, 0, 0};  ///< as written
  int digits[3] = {0, 0, 0};
  unsigned month = 0;  ///< by name
  bool year_first = false;
  std::size_t named_at = 3;  ///< place of the month's name
};

unsigned full_year(unsigned year, int digits) { return digits > 2 ? year : year + (year < 70 ? 2000 : 1900); }

bool take_between(Scan& scan, char& separator) {
  const char c = scan.peek();
  if (separator != '\0' && c == separator) return scan.take(c);
  if (separator != '\0' || (c != '/' && c != '.' && c != '-' && c != ' ')) return false;
  separator = c;
  return scan.take(c);
}

/// Three parts: numbers, or a month's name among them.
bool read_date(Scan& scan, Date& date) {
  if (is_letter(scan.peek())) {  // a weekday, or the month of `Feb 23, 2022`
    Scan ahead = scan;
    if (index_of(weekdays, ahead.word()) >= 0) {
      if (!ahead.take(',')) ahead.take('.');
      ahead.blanks();
      scan = ahead;
    }
  }
  char separator = '\0';
  for (std::size_t part = 0; part < 3; ++part) {
    if (part > 0 && !take_between(scan, separator)) {
      // `Feb 23, 2022`
      if (!(part == 2 && date.named_at == 0 && scan.take(','))) return false;
      scan.blanks();
    }
    if (part > 0 && separator == ' ') scan.blanks();
    if (is_letter(scan.peek())) {
      if (date.named_at != 3 || part == 2) return false;
      const int month = index_of(months, scan.word());
      if (month < 0) return false;
      scan.take('.');
      date.month = static_cast<unsigned>(month) + 1;
      date.named_at = part;
      continue;
    }
    date.digits[part] = scan.number(date.numbers[part], 4);
    if (date.digits[part] == 0 || date.digits[part] == 3) return false;
    if (part == 1 && date.named_at == 0 && scan.peek() == ',') {
      scan.take(',');
      scan.blanks();
      date.digits[2] = scan.number(date.numbers[2], 4);
      return date.digits[2] == 4 || date.digits[2] == 2;
    }
  }
  // Blanks alone make no date of three numbers: `1 2 2022` is anything.
  return !(separator == ' ' && date.named_at == 3);
}

std::optional<std::int64_t> days_of(unsigned year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<std::int64_t> named_days(const Date& date) {
  const unsigned* n = date.numbers;
  if (date.named_at == 0) return days_of(full_year(n[2], date.digits[2]), date.month, n[1]);
  if (date.digits[0] == 4) return days_of(n[0], date.month, n[2]);
  return days_of(full_year(n[2], date.digits[2]), date.month, n[0]);
}

/// Days since 1970 of a date of three numbers, and what the order had to do with it.
std::optional<std::int64_t> numeric_days(const Date& date, DateOrder order, TimeLook& look) {
  const unsigned* n = date.numbers;
  if (date.digits[0] == 4) return date.digits[1] <= 2 && date.digits[2] <= 2 ? days_of(n[0], n[1], n[2]) : std::nullopt;
  if (date.digits[0] > 2 || date.digits[1] > 2 || date.digits[2] < 2) return std::nullopt;
  look.numeric_date = true;
  const unsigned year = full_year(n[2], date.digits[2]);
  const auto day_first = days_of(year, n[1], n[0]);
  const auto month_first = days_of(year, n[0], n[1]);
  const auto& asked = order == DateOrder::day_first ? day_first : month_first;
  const auto& other = order == DateOrder::day_first ? month_first : day_first;
  look.other_order = !asked && other;
  look.only_order = asked && !other;
  return asked ? asked : other;
}

bool read_decimals(Scan& scan, std::int64_t& us) {
  us = 0;
  int digits = 0;
  for (; is_digit(scan.peek()); ++digits) {
    unsigned digit = 0;
    scan.number(digit, 1);
    if (digits == 9) return false;
    if (digits < 6) us = us * 10 + digit;
  }
  for (int i = digits; i < 6; ++i) us *= 10;
  return digits > 0;
}

/// `6:34`, `06:34:27,403 PM`: µs since midnight.
bool read_clock(Scan& scan, std::int64_t& us, TimeLook& look) {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t decimals = 0;
  if (scan.number(hour, 2) == 0 || !scan.take(':') || scan.number(minute, 2) == 0) return false;
  if (scan.take(':')) {
    if (scan.number(second, 2) == 0) return false;
    if ((scan.take('.') || scan.take(',')) && !read_decimals(scan, decimals)) return false;
  }
  Scan ahead = scan;
  ahead.blanks();
  // `p.m.` as Spanish and others write it.
  const char half = static_cast<char>(ahead.peek() | 0x20);
  if ((half == 'a' || half == 'p') && ahead.take(ahead.peek())) {
    ahead.take('.');
    ahead.blanks();
    if ((ahead.take('m') || ahead.take('M')) && !is_letter(ahead.peek())) {
      ahead.take('.');
      if (hour < 1 || hour > 12) return false;
      hour = hour % 12 + (half == 'p' ? 12 : 0);
      look.twelve_hours = true;
      scan = ahead;
    }
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  us = ((static_cast<std::int64_t>(hour) * 60 + minute) * 60 + second) * us_per_second + decimals;
  return true;
}

/// Nothing, `Z`, `UTC`, `GMT`, `+01:00`, `-0330`, and the latter behind GMT: minutes east of Greenwich.
bool read_zone(Scan& scan, int& minutes) {
  minutes = 0;
  scan.blanks();
  if (is_letter(scan.peek())) {
    const std::string_view word = scan.word();
    if (word == "z") return scan.done();
    if (word != "utc" && word != "gmt") return false;
  }
  if (scan.done()) return true;
  const bool west = scan.peek() == '-';
  if (!scan.take('+') && !scan.take('-')) return false;
  unsigned hour = 0;
  unsigned minute = 0;
  if (scan.number(hour, 2) != 2) return false;
  const bool colon = scan.take(':');
  if ((colon || !scan.done()) && scan.number(minute, 2) != 2) return false;
  if (hour > 23 || minute > 59) return false;
  minutes = static_cast<int>(hour * 60 + minute) * (west ? -1 : 1);
  return scan.done();
}

void read_written(std::string_view cell, DateOrder order, TimeLook& look) {
  Scan scan(cell);
  Date date;
  if (!read_date(scan, date)) return;
  const auto days = date.named_at != 3 ? named_days(date) : numeric_days(date, order, look);
  if (!days) return;
  std::int64_t clock_us = 0;
  int zone = 0;
  if (!scan.done()) {
    const bool joined = scan.take('T') || scan.take(',') || scan.peek() == ' ';
    if (!joined) return;
    scan.blanks();
    scan.take('-');  // `23.02.2022 - 06:34`
    scan.blanks();
    if (!read_clock(scan, clock_us, look) || !read_zone(scan, zone)) return;
  } else {
    look.date_only = true;
  }
  look.time = Timestamp{*days * us_per_day + clock_us - std::int64_t{zone} * 60 * us_per_second};
}

/// `20220223063427`, the same with milliseconds, `20220223T063427Z`, of 1990 to 2099. As epoch times their digits would mean a
/// year beyond 2600.
std::optional<Timestamp> read_compact(std::string_view cell) {
  if (cell.size() < 14 || cell.size() > 20) return std::nullopt;
  Scan scan(cell);
  unsigned parts[6] = {};
  for (std::size_t i = 0; i < 6; ++i) {
    if (i == 3 && !scan.take('T')) scan.take('t');
    if (scan.number(parts[i], i == 0 ? 4 : 2) != (i == 0 ? 4 : 2)) return std::nullopt;
  }
  std::int64_t decimals = 0;
  const bool point = scan.take('.');
  if ((point || is_digit(scan.peek())) && (!read_decimals(scan, decimals) || (!point && cell.size() != 17)))
    return std::nullopt;
  if (!scan.done() && !(scan.take('Z') && scan.done())) return std::nullopt;
  if (parts[0] < 1990 || parts[0] > 2099 || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return std::nullopt;
  const auto days = days_of(parts[0], parts[1], parts[2]);
  if (!days) return std::nullopt;
  const std::int64_t seconds = (std::int64_t{parts[3]} * 60 + parts[4]) * 60 + parts[5];
  return Timestamp{*days * us_per_day + seconds * us_per_second + decimals};
}

/// `1645598067.25`: as many seconds as the years 1990 to 2100 have.
std::optional<Timestamp> read_epoch_seconds(std::string_view cell) {
  model::Value value;
  if (!model::read_number(cell, value) || value.kind == model::ValueKind::integer) return std::nullopt;
  const double seconds = value.as_double();
  if (!(seconds >= 631'152'000 && seconds < 4'133'980'800)) return std::nullopt;
  return Timestamp{std::llround(seconds * 1e6)};
}

}  // namespace

TimeLook look_at_time(std::string_view cell, DateOrder order) {
  TimeLook look;
  if ((look.time = read_compact(cell))) return look;
  look.time = parse_timestamp(cell);
  if (look.time) {
    look.date_only = cell.find(':') == std::string_view::npos && cell.find('-', 1) != std::string_view::npos;
    return look;
  }
  constexpr std::size_t longest = 64;
  if (cell.empty() || cell.size() > longest) return look;
  look.time = read_epoch_seconds(cell);
  if (!look.time) read_written(cell, order, look);
  return look;
}

std::optional<Timestamp> read_csv_time(std::string_view cell, DateOrder order) {
  if (const auto time = cell.size() != 14 && cell.size() != 17 ? parse_timestamp(cell) : std::nullopt) return time;
  return look_at_time(cell, order).time;
}

std::optional<Duration> read_time_of_day(std::string_view cell) {
  Scan scan(cell);
  TimeLook look;
  Duration since_midnight;
  if (!is_digit(scan.peek()) || !read_clock(scan, since_midnight.us, look) || !scan.done()) return std::nullopt;
  return since_midnight;
}

}  // namespace iotstream::catalog
