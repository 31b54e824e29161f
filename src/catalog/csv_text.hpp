// What surrounds CSV cells: blanks, and words that mean "no value".
#pragma once

#include <string_view>

namespace iotstream::catalog {

/// Empty, `-`, `--`, `NaN`, `null`, `NA`, `N/A`, `#N/A`, `#DIV/0!` and the like of spreadsheets, `\N`, and infinities: nothing
/// that a sensor measured.
bool is_missing_word(std::string_view cell);
inline bool is_missing(std::string_view cell) {
  return cell.empty() || ((cell[0] < '0' || cell[0] > '9') && is_missing_word(cell));
}

std::string_view trim_blanks(std::string_view text);

}  // namespace iotstream::catalog
