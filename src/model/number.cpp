#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include <iotstream/model/number.hpp>

namespace iotstream::model {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where the parts of a literal stand.
struct Literal {
  bool negative = false;
  bool plain = true;          // neither fraction nor exponent
  std::string_view whole;     // digits before the point
  std::string_view fraction;  // digits after it
  std::int64_t exponent = 0;  // held within ±exponent_bound

  std::size_t digits() const { return whole.size() + fraction.size(); }
  char digit(std::size_t i) const { return i < whole.size() ? whole[i] : fraction[i - whole.size()]; }
};

// Far outside a double's range and far inside int64's: sums with lengths of texts cannot overflow.
constexpr std::int64_t exponent_bound = 1'000'000'000'000;

std::string_view take_digits(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && is_digit(rest[n])) ++n;
  const std::string_view digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

bool take_exponent(std::string_view& rest, std::int64_t& exponent) {
  rest.remove_prefix(1);
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const std::string_view digits = take_digits(rest);
  for (char c : digits)
    if (exponent < exponent_bound) exponent = exponent * 10 + (c - '0');
  if (negative) exponent = -exponent;
  return !digits.empty();
}

bool scan(std::string_view text, Literal& out) {
  if (!text.empty() && text[0] == '-') {
    out.negative = true;
    text.remove_prefix(1);
  }
  out.whole = take_digits(text);
  if (out.whole.empty() || (out.whole.size() > 1 && out.whole[0] == '0')) return false;
  if (!text.empty() && text[0] == '.') {
    out.plain = false;
    text.remove_prefix(1);
    out.fraction = take_digits(text);
    if (out.fraction.empty()) return false;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    out.plain = false;
    if (!take_exponent(text, out.exponent)) return false;
  }
  return text.empty();
}

bool read_integer(const Literal& literal, std::int64_t& value) {
  if (literal.whole.size() > 19) return false;
  std::uint64_t magnitude = 0;  // 19 digits fit
  for (char c : literal.whole) magnitude = magnitude * 10 + static_cast<std::uint64_t>(c - '0');
  constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
  if (magnitude > limit + (literal.negative ? 1 : 0)) return false;
  value = static_cast<std::int64_t>(literal.negative ? 0 - magnitude : magnitude);
  return true;
}

// The number without leading and trailing zeros: `mantissa` × 10^`exponent`; `count` digits.
struct Significant {
  std::uint64_t mantissa = 0;
  int count = 0;
  std::int64_t exponent = 0;
  bool operator==(const Significant&) const = default;
};

// False when there are more digits than any shortest writing of a double has (17).
bool significant(const Literal& literal, Significant& out) {
  const std::size_t total = literal.digits();
  std::size_t first = 0;
  while (first < total && literal.digit(first) == '0') ++first;
  if (first == total) return true;
  std::size_t last = total - 1;
  while (literal.digit(last) == '0') --last;
  if (last - first >= 17) return false;
  for (std::size_t i = first; i <= last; ++i)
    out.mantissa = out.mantissa * 10 + static_cast<std::uint64_t>(literal.digit(i) - '0');
  out.count = static_cast<int>(last - first + 1);
  out.exponent = static_cast<std::int64_t>(literal.whole.size()) - 1 - static_cast<std::int64_t>(last) + literal.exponent;
  return true;
}

// All powers of ten that are doubles.
constexpr std::array<double, 23> power = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Exact when mantissa and power are both exact doubles: one correctly rounded operation (W. D. Clinger, "How to Read Floating
// Point Numbers Accurately", PLDI 1990).
bool exact_double(const Significant& number, double& value) {
  if (number.mantissa > (1ull << 53) || number.exponent < -22 || number.exponent > 22) return false;
  value = static_cast<double>(number.mantissa);
  if (number.exponent < 0)
    value /= power[static_cast<std::size_t>(-number.exponent)];
  else
    value *= power[static_cast<std::size_t>(number.exponent)];
  return true;
}

bool shortest_equals(double value, const Significant& number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
  Literal literal;
  Significant shortest;
  return scan({text.data(), static_cast<std::size_t>(end - text.data())}, literal) && significant(literal, shortest) &&
         shortest == number;
}

bool read_real(std::string_view text, const Literal& literal, double& value) {
  Significant number;
  if (!significant(literal, number)) return false;
  if (!exact_double(number, value)) {
    const char* begin = text.data() + (literal.negative ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (error != std::errc() || !std::isfinite(value)) return false;
  }
  // Up to 15 digits every decimal in the normal range survives the way into a double and back (IEEE 754, 5.12.2), so its
  // shortest writing is itself.
  const bool survives = number.count <= 15 && number.exponent > -290 && number.exponent < 290;
  if (!survives && !shortest_equals(value, number)) return false;
  if (literal.negative) value = -value;
  return true;
}

// What nearly all readings are: digits, 18 at most, or 15 with a point among them, so that all of read_integer()'s and
// read_real()'s questions are answered by their number. In one pass.
struct Short {
  const char* behind = nullptr;  // the literal; nullptr: it is none of these
  bool negative = false;
  bool real = false;
  std::size_t fraction_digits = 0;
  std::uint64_t mantissa = 0;

  void give(Value& value, const char* begin) const {
    value.text = {begin, static_cast<std::size_t>(behind - begin)};
    if (!real) {
      value.kind = ValueKind::integer;
      value.integer = static_cast<std::int64_t>(negative ? 0 - mantissa : mantissa);
      return;
    }
    const double magnitude = static_cast<double>(static_cast<std::int64_t>(mantissa)) / power[fraction_digits];
    value.kind = ValueKind::real;
    value.real = negative ? -magnitude : magnitude;
  }
};

[[gnu::always_inline]] inline Short short_number(const char* at, const char* end) {
  constexpr std::size_t integer_digits_max = 18;
  constexpr std::size_t real_digits_max = 15;
  // No longer than a sign, a point and so many digits, and one to see that there are too many.
  if (static_cast<std::size_t>(end - at) > integer_digits_max + 2) end = at + integer_digits_max + 2;
  Short number;
  number.negative = at != end && *at == '-';
  if (number.negative) ++at;
  const char* const whole = at;
  std::uint64_t mantissa = 0;
  for (; at != end && is_digit(*at); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
  const auto whole_digits = static_cast<std::size_t>(at - whole);
  if (whole_digits - 1 > integer_digits_max - 1 || (whole_digits > 1 && *whole == '0')) return {};
  if (at != end && *at == '.') {
    number.real = true;
    const char* const fraction = ++at;
    for (; at != end && is_digit(*at); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
    number.fraction_digits = static_cast<std::size_t>(at - fraction);
    if (number.fraction_digits == 0 || whole_digits + number.fraction_digits > real_digits_max) return {};
  }
  number.mantissa = mantissa;
  number.behind = at;
  return number;
}

// Whether a literal that ends before `c` would go on with it.
bool goes_on(char c) { return is_digit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'; }

}  // namespace

bool read_number(std::string_view text, Value& value) {
  const char* const end = text.data() + text.size();
  if (const Short number = short_number(text.data(), end); number.behind != nullptr && number.behind == end) {
    number.give(value, text.data());
    return true;
  }
  Literal literal;
  if (!scan(text, literal)) return false;
  value.text = text;
  if (literal.plain) {
    value.kind = read_integer(literal, value.integer) ? ValueKind::integer : ValueKind::decimal;
    return true;
  }
  value.kind = read_real(text, literal, value.real) ? ValueKind::real : ValueKind::decimal;
  return true;
}

std::size_t take_number(std::string_view text, Value& value) {
  const char* const end = text.data() + text.size();
  if (const Short number = short_number(text.data(), end);
      number.behind != nullptr && (number.behind == end || !goes_on(*number.behind))) {
    number.give(value, text.data());
    return value.text.size();
  }
  const auto literal =
      text.substr(0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), goes_on) - text.begin()));
  return read_number(literal, value) ? literal.size() : 0;
}

double nearest_double(std::string_view literal) {
  double number = 0;
  const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), number);
  // from_chars does not say on which side a literal left the range; strtod does.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(literal).c_str(), nullptr);
  return number;
}

}  // namespace iotstream::model
