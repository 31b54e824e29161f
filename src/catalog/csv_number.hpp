// Numbers as loggers, spreadsheets and countries write them.
#pragma once

#include <string>
#include <string_view>

#include <iotstream/model/row.hpp>

namespace iotstream::catalog {

/// Ways of writing numbers. One a column: `1,234` alone does not tell.
enum class NumberStyle : unsigned char {
  point,         ///< `1234.5`, and `+5`, `.5`, `5.`, `1e3`
  comma,         ///< `1234,5`
  comma_groups,  ///< `1,234.5`
  point_groups,  ///< `1.234,5`
  blank_point,   ///< `1 234.5` and `1'234.5`: a blank, also one that does not break, thin or narrow; or an apostrophe
  blank_comma,   ///< `1 234,5`
};
inline constexpr unsigned number_styles = 6;
inline constexpr unsigned char every_style = (1u << number_styles) - 1;
constexpr unsigned char bit_of(NumberStyle style) { return static_cast<unsigned char>(1u << static_cast<unsigned>(style)); }

/// What a cell is as a number.
struct NumberLook {
  unsigned char styles = 0;   ///< under which it is one; 0: under none
  unsigned char grouped = 0;  ///< those under which it holds a separator of thousands
  bool integer = false;       ///< under `point`
  bool leading_zero = false;  ///< `007`: a code, not a number; styles is 0
};
NumberLook look_at_number(std::string_view cell);

/// Reads a cell. `scratch` holds the text of a decimal whose writing is not JSON's; `value` is untouched when it is no number
/// of that style.
bool read_csv_number(std::string_view cell, NumberStyle style, model::Value& value, std::string& scratch);

}  // namespace iotstream::catalog
