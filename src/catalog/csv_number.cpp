#include "catalog/csv_number.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include <iotstream/model/number.hpp>

namespace iotstream::catalog {
namespace {

constexpr unsigned char point = bit_of(NumberStyle::point);
constexpr unsigned char comma = bit_of(NumberStyle::comma);
constexpr unsigned char comma_groups = bit_of(NumberStyle::comma_groups);
constexpr unsigned char point_groups = bit_of(NumberStyle::point_groups);
constexpr unsigned char blank_point = bit_of(NumberStyle::blank_point);
constexpr unsigned char blank_comma = bit_of(NumberStyle::blank_comma);

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of the separator of thousands at the begin of `text` that is neither point nor comma.
std::size_t blank_at(std::string_view text) {
  if (text[0] == ' ' || text[0] == '\'') return 1;
  if (text.starts_with("\xc2\xa0")) return 2;                                                           // no-break space
  if (text.starts_with("\xe2\x80\xaf") || text.starts_with("\xe2\x80\x89")) return 3;                   // narrow no-break, thin
  return text.starts_with("\xe2\x80\x99") ? 3 : (static_cast<unsigned char>(text[0]) == 0xa0 ? 1 : 0);  // ’; Latin-1
}

/// The digits before the decimals, cut at their separators of thousands; what stands behind.
struct Whole {
  std::size_t digits = 0;
  char separator = '\0';  ///< `,`, `.`, or a blank of any kind as ` `
  bool even = true;       ///< one to three digits, then three by three
  std::string_view rest;
};

/// Takes `separator` (a blank: of any kind) between digits as one of thousands.
Whole take_whole(std::string_view text, char separator) {
  Whole whole;
  std::size_t group = 0;
  while (!text.empty()) {
    if (is_digit(text[0])) {
      ++group;
      ++whole.digits;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = separator == ' ' ? blank_at(text) : (text[0] == separator ? 1 : 0);
    if (length == 0 || text.size() == length || !is_digit(text[length])) break;
    whole.even = whole.even && (whole.separator == '\0' ? group >= 1 && group <= 3 : group == 3);
    whole.separator = separator;
    group = 0;
    text.remove_prefix(length);
  }
  if (whole.separator != '\0') whole.even = whole.even && group == 3;
  whole.rest = text;
  return whole;
}

bool all_digits(std::string_view text) {
  for (const char c : text)
    if (!is_digit(c)) return false;
  return true;
}

/// Adds the style when `text` (no sign) is a number with `thousands` between its groups and `decimal` before its decimals.
void try_style(std::string_view text, char thousands, char decimal, unsigned char style, NumberLook& look) {
  const Whole whole = take_whole(text, thousands);
  if (whole.digits == 0 || !whole.even) return;
  const bool decimals = !whole.rest.empty() && whole.rest[0] == decimal;
  if (!whole.rest.empty() && (!decimals || whole.rest.size() == 1 || !all_digits(whole.rest.substr(1)))) return;
  look.styles |= style;
  if (whole.separator != '\0') look.grouped |= style;
}

/// The styles of what is no plain number: it has commas, blanks, or more points than one.
NumberLook look_at_grouped(std::string_view text) {
  NumberLook look;
  try_style(text, '\0', ',', comma, look);
  try_style(text, ',', '.', comma_groups, look);
  try_style(text, '.', ',', point_groups, look);
  try_style(text, ' ', '.', blank_point, look);
  try_style(text, ' ', ',', blank_comma, look);
  return look;
}

/// The parts of `12.5e-3`, unsigned.
struct Plain {
  std::size_t whole = 0;
  std::size_t decimals = 0;
  bool point = false;
  bool exponent = false;
  std::size_t end = 0;
};

Plain scan_plain(std::string_view text) {
  Plain plain;
  std::size_t i = 0;
  while (i < text.size() && is_digit(text[i])) ++i;
  plain.whole = i;
  if (i < text.size() && text[i] == '.') {
    plain.point = true;
    const std::size_t begin = ++i;
    while (i < text.size() && is_digit(text[i])) ++i;
    plain.decimals = i - begin;
  }
  if (i + 1 < text.size() && (text[i] | 0x20) == 'e' && plain.whole + plain.decimals > 0) {
    std::size_t at = i + 1;
    if (text[at] == '+' || text[at] == '-') ++at;
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at > begin) {
      plain.exponent = true;
      i = at;
    }
  }
  plain.end = i;
  return plain;
}

/// Most cells of most files: at most 15 digits, no exponent. Exact by the rule of model/number.hpp: an integer below 10^15, or
/// one divided by an exact power of ten, once rounded.
bool read_short(std::string_view cell, model::Value& value) {
  static constexpr std::array<double, 16> power = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = cell[0] == '-';
  const char* at = cell.data() + (negative ? 1 : 0);
  const char* const end = cell.data() + cell.size();
  if (end - at > 16 || at == end || !is_digit(*at)) return false;
  if (*at == '0' && at + 1 < end && is_digit(at[1])) return false;
  std::int64_t digits = 0;
  while (at < end && is_digit(*at)) digits = digits * 10 + (*at++ - '0');
  if (at == end) {
    if (cell.size() > 15) return false;
    value.kind = model::ValueKind::integer;
    value.integer = negative ? -digits : digits;
    value.text = cell;
    return true;
  }
  if (*at != '.' || ++at == end) return false;
  const char* const decimals = at;
  while (at < end && is_digit(*at)) digits = digits * 10 + (*at++ - '0');
  if (at != end || end - decimals > 15 || cell.size() > 16) return false;
  const double number = static_cast<double>(digits) / power[static_cast<std::size_t>(end - decimals)];
  value.kind = model::ValueKind::real;
  value.real = negative ? -number : number;
  value.text = cell;
  return true;
}

bool fits_integer(std::string_view digits, bool negative) {
  std::string text(negative ? "-" : "");
  text += digits;
  model::Value value;
  return model::read_number(text, value) && value.kind == model::ValueKind::integer;
}

/// `cell` in JSON's grammar for numbers, in `scratch`; false when no such writing is known.
bool to_json_number(std::string_view text, NumberStyle style, std::string& scratch) {
  const bool comma_decimals =
      style == NumberStyle::comma || style == NumberStyle::point_groups || style == NumberStyle::blank_comma;
  const char decimal = comma_decimals ? ',' : '.';
  const bool groups = style != NumberStyle::point && style != NumberStyle::comma;
  scratch.clear();
  if (text[0] == '-') scratch += '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] == '-' || text[0] == '+') return false;
  if (text[0] == decimal) scratch += '0';
  bool point_seen = false;
  while (!text.empty()) {
    if (text[0] == decimal) {
      if (std::exchange(point_seen, true)) return false;
      scratch += '.';
      text.remove_prefix(1);
      if (!text.empty() && is_digit(text[0])) continue;
      if (scratch.size() < 2 || !is_digit(scratch[scratch.size() - 2])) return false;
      scratch += '0';
      continue;
    }
    std::size_t skipped = 0;
    if (groups && style == NumberStyle::comma_groups && text[0] == ',') skipped = 1;
    if (groups && style == NumberStyle::point_groups && text[0] == '.') skipped = 1;
    if (style == NumberStyle::blank_point || style == NumberStyle::blank_comma) skipped = blank_at(text);
    if (skipped == 0) scratch += text[0];
    text.remove_prefix(skipped == 0 ? 1 : skipped);
  }
  return true;
}

}  // namespace

NumberLook look_at_number(std::string_view cell) {
  NumberLook look;
  if (cell.empty()) return look;
  const bool negative = cell[0] == '-';
  if (negative || cell[0] == '+') cell.remove_prefix(1);
  if (cell.empty() || !(is_digit(cell[0]) || cell[0] == '.' || cell[0] == ',')) return look;
  const Plain plain = scan_plain(cell);
  if (plain.whole > 1 && cell[0] == '0') {
    look.leading_zero = cell.find_first_not_of("0123456789.,") == std::string_view::npos;
    return look;
  }
  if (plain.end != cell.size()) {
    const char next = cell[plain.end];  // a comma, a point, or the first byte of a blank or an apostrophe
    const bool possible = next == ',' || next == '.' || next == ' ' || next == '\'' || static_cast<unsigned char>(next) >= 0x80;
    return possible ? look_at_grouped(cell) : look;
  }
  if (plain.whole + plain.decimals == 0) return look;
  if (!plain.point && !plain.exponent) {
    look.styles = every_style;
    look.integer = plain.whole <= 18 || fits_integer(cell, negative);
  } else {
    look.styles = point;
    const bool whole_and_decimals = !plain.exponent && plain.whole > 0 && plain.decimals > 0;
    if (whole_and_decimals) look.styles |= comma_groups | blank_point;
    if (whole_and_decimals && plain.whole <= 3 && plain.decimals == 3) {
      look.styles |= point_groups;
      look.grouped = point_groups;
    }
  }
  return look;
}

bool read_csv_number(std::string_view cell, NumberStyle style, model::Value& value, std::string& scratch) {
  if (cell.empty()) return false;
  if (style == NumberStyle::point || style == NumberStyle::comma_groups || style == NumberStyle::blank_point)
    if (read_short(cell, value)) return true;
  const char first = cell[0];
  if (!is_digit(first) && first != '-' && first != '+' && first != '.' && first != ',') return false;
  if (style == NumberStyle::point && model::read_number(cell, value)) return true;
  return to_json_number(cell, style, scratch) && model::read_number(scratch, value);
}

}  // namespace iotstream::catalog
