#include "text.hpp"

#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace iotstream::datagen {

namespace {

// A double below 1e17 printed with at most 20 digits after the point.
using Digits = std::array<char, 64>;

}  // namespace

void append_integer(std::string& out, std::int64_t value) {
  Digits digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

void append_shortest(std::string& out, double value) {
  Digits digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out.append(text);
  if (text.find('.') == std::string_view::npos) out.append(".0");
}

void append_fixed(std::string& out, double value, int digits_after_point) {
  Digits digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, digits_after_point);
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  // A small negative value rounds to "-0.00", which no recorder writes.
  const bool negative_zero = text.starts_with('-') && text.find_first_not_of("-0.") == std::string_view::npos;
  out.append(negative_zero ? text.substr(1) : text);
}

void append_trimmed(std::string& out, double value, int digits_after_point) {
  append_fixed(out, value, digits_after_point);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

void append_clock(std::string& out, int second_of_day, char separator) {
  fmt::format_to(std::back_inserter(out), "{:02}{}{:02}{}{:02}", second_of_day / 3600, separator, second_of_day / 60 % 60,
                 separator, second_of_day % 60);
}

void append_quoted(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace iotstream::datagen
