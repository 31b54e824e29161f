// CSV by the rules of imported files: separator, encoding, classes of columns and the time column are found by themselves, or
// said by somebody who knows better.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

/// A cell of a row: a column's place and its value.
struct Cell {
  std::uint32_t column = 0;
  model::Value value;  ///< text is valid until the next row is asked for
};

/// What somebody says about one column.
struct ColumnChoice {
  std::string column;               ///< its name as found
  std::string name;                 ///< the field's; empty: as found
  std::string type;                 ///< boolean, integer, float, text, or skip; empty: as found
  std::optional<std::string> unit;  ///< nothing: as found
};

/// What somebody says about a file, in place of what would be found; absent members are found.
struct CsvChoices {
  std::optional<char> separator;
  std::optional<std::string> time_column;  ///< a column of times, or of elapsed seconds; empty: none, rows are 1 s apart
  std::string date_order;                  ///< `day` or `month`: which number comes first in `3/4/2022`
  std::vector<ColumnChoice> columns;

  bool any() const { return separator || time_column || !date_order.empty() || !columns.empty(); }
};

/// A row that cannot be taken.
struct RowProblem {
  std::uint64_t line = 0;  ///< of the file, from 1, where the row begins
  std::string reason;
};

/// What a file holds, before anything is stored.
struct CsvPreview {
  struct Column {
    std::string name;
    std::string unit;
    std::string type;                  ///< as the API says it; empty: it never holds a value
    std::uint64_t values = 0;          ///< rows in which it holds one
    bool time = false;                 ///< it gives the rows' time and is no field
    std::vector<std::string> samples;  ///< the first distinct values
  };
  char separator = ',';
  std::string encoding;
  bool header = true;  ///< false: the columns have made-up names
  std::string time_column;
  std::string pace_column;
  std::vector<std::string> time_candidates;
  std::string date_order;  ///< `day` or `month`
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> first_rows;  ///< cells as written, in UTF-8
  std::uint64_t rows = 0;                            ///< that can be taken
  std::uint64_t rejected = 0;
  std::uint64_t left_out = 0;        ///< comments, the header again, units
  std::vector<RowProblem> problems;  ///< the first 100
  std::optional<Timestamp> first_time;
  std::optional<Timestamp> last_time;
  std::uint64_t bytes = 0;
};

/// Called now and then with bytes done and bytes in all; false: stop (the work then ends with `unavailable`).
using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Reads the whole file twice, in bounded memory. Errors: not_found, io, invalid (no CSV), unprocessable (a choice that does
/// not fit), conflict (the file changed meanwhile), unavailable (stopped).
Result<CsvPreview> preview_csv(const std::string& path, const CsvChoices& choices, const Progress& progress);

/// A text with a header, looked at once as a whole, then read row by row. One thread; `text` outlives it.
class CsvTable {
 public:
  struct Row {
    std::uint64_t line = 0;         ///< where it begins, from 1
    std::string_view problem;       ///< not empty: the row cannot be taken, and there are no cells
    std::optional<Timestamp> time;  ///< from the column of times, when there is one and its cell can be read
    std::span<const Cell> cells;    ///< those that have a value, the time column's among them
  };

  /// Errors: invalid (no header, a header of values, too many columns), with the line.
  static Result<CsvTable> open(std::string_view text);
  ~CsvTable();
  CsvTable(CsvTable&&) noexcept;

  const std::vector<std::string>& columns() const;
  /// Hands out the rows in order; what a row points at is valid during the call.
  void each(const std::function<void(const Row&)>& take);

 private:
  struct Content;
  explicit CsvTable(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace iotstream::catalog
