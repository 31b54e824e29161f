#include "report/html.hpp"

#include <cmath>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>

namespace iotstream::report {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// The length of the character at the beginning of `text` when it is well-formed; 0 otherwise.
std::size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return length <= text.size() && is_utf8(text.substr(0, length)) ? length : 0;
}

/// Thin spaces between groups of three digits.
std::string grouped(std::string digits) {
  const std::size_t begin = digits.starts_with('-') ? 1 : 0;
  for (std::size_t place = std::min(digits.find('.'), digits.size()); place > begin + 3;) {
    place -= 3;
    digits.insert(place, "\u2009");
  }
  return digits;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = character(text);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (length == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == '\x7f')
      out += replacement;
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string shown(double number) {
  const double size = std::abs(number);
  if (!std::isfinite(number)) return "–";
  if (number == std::trunc(number) && size < 1e7) return grouped(fmt::format("{:.0f}", number));
  if (size >= 1e7 || size < 1e-4) return fmt::format("{:.3g}", number);
  if (size >= 1000) return grouped(fmt::format("{:.0f}", number));
  return fmt::format("{:.4g}", number);
}

std::string shown_count(std::uint64_t count) { return grouped(std::to_string(count)); }

std::string shown_time(Timestamp time) {
  std::string text = format_rfc3339(time);
  if (text.size() < 19) return text;
  text.resize(19);
  text[10] = ' ';
  return text;
}

std::string shown_length(Duration length) {
  const auto us = static_cast<double>(length.us);
  if (length.us < 1'000'000) return fmt::format("{:.4g} ms", us / 1e3);
  const std::int64_t seconds = length.us / 1'000'000;
  if (seconds < 60) return fmt::format("{:.3g} s", us / 1e6);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 2 * 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds / 3600 % 24);
}

}  // namespace iotstream::report
