// The form of a CSV file, told from its first rows: separator, what stands before the header, header or none, a row of units.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/csv_reader.hpp"

namespace iotstream::catalog {

struct CsvForm {
  char separator = ',';
  std::uint64_t first_line = 1;    ///< of the header, or of the first row where there is none; what stands before is left out
  bool header = true;              ///< that row holds names
  std::uint64_t units_line = 0;    ///< of the row of units; 0: there is none
  std::vector<std::string> names;  ///< as written; empty ones in place of a header
  std::vector<std::string> units;  ///< of the columns, as many as that row has
  std::string problem;             ///< not empty: such a file cannot be taken
};

struct FormQuestion {
  std::string_view head;          ///< the first bytes, without byte order mark, UTF-16 decoded
  bool whole = false;             ///< there are no others
  std::optional<char> separator;  ///< as somebody said, in place of looking
  bool header_needed = false;     ///< a first row of values is a problem
};
CsvForm find_form(const FormQuestion& question);

/// What a row of a file is.
enum class RowShape : unsigned char {
  good,
  before,    ///< the header, and what stands before it
  left_out,  ///< a comment, the header again, or units
  bad,       ///< cannot be taken
};
RowShape shape_of(const CsvRow& row, const CsvForm& form, std::string& reason);

inline constexpr std::size_t csv_columns_max = 10'000;

}  // namespace iotstream::catalog
