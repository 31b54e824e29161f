// What a CSV file holds, decided from all of its rows before the first of them is stored: names, classes of columns, where time
// comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>

#include "catalog/csv_reader.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {

/// How the cells of a column are read. One class a column and file, so that a column of codes keeps its zeros and a stray word
/// does not turn measures into text.
enum class ColumnClass : unsigned char {
  empty,    ///< no value in any row
  number,   ///< integer, real or decimal, each by itself
  boolean,  ///< `true` and `false` in any case
  text,     ///< as written
  mixed,    ///< at least nine in ten are numbers; the others are text
};
std::string_view name_of(ColumnClass type);
std::optional<ColumnClass> column_class_from(std::string_view name);

struct PlannedColumn {
  std::string name;
  ColumnClass type = ColumnClass::empty;
  bool decimal_comma = false;  ///< `1,5` is one and a half
  std::uint64_t values = 0;
  model::FieldType field_type = model::FieldType::integer;
};

enum class TimeSource : unsigned char {
  column,   ///< a column of times
  elapsed,  ///< a column of elapsed time: the pace, from an origin of zero
  steps,    ///< neither: rows are 1 s apart
};

struct CsvPlan {
  std::vector<PlannedColumn> columns;  ///< as in the header
  std::vector<std::string> header;     ///< its cells as written: a row that repeats them is left out
  TimeSource time = TimeSource::steps;
  std::size_t time_column = 0;  ///< of `column` and `elapsed`
  double elapsed_unit_us = 1e6;
};

/// Whether a row can be one of the file: nothing, or why not.
enum class RowShape : unsigned char { good, header_again, bad };
RowShape shape_of(const CsvRow& row, const std::vector<std::string>& header, std::string& reason);

/// A number as loggers write them: JSON's grammar, and `+5`, `.5`, `5.`, and `1,5` where `decimal_comma`. `scratch` holds the
/// text of a decimal then.
bool read_csv_number(std::string_view cell, bool decimal_comma, model::Value& value, std::string& scratch);
std::optional<bool> read_boolean(std::string_view cell);
/// parse_timestamp, and seconds since the epoch with a fraction.
std::optional<Timestamp> read_csv_time(std::string_view cell);

/// Sees every row of a file once, the header first. One thread; memory grows with the columns, not with the rows.
class CsvProfiler {
 public:
  CsvProfiler(char separator, Encoding encoding) : separator_(separator), encoding_(encoding) {}
  void add(const CsvRow& row);
  /// Errors: invalid (no header, a header of numbers, too many columns).
  Result<CsvPlan> finish();

 private:
  struct Column {
    std::uint64_t values = 0;
    std::uint64_t integers = 0;
    std::uint64_t numbers = 0;  ///< integers among them
    std::uint64_t booleans = 0;
    std::uint64_t commas = 0;         ///< `1,5`
    std::uint64_t leading_zeros = 0;  ///< `007`
    bool named_like_time = false;

    bool rising = true;  ///< its numbers never fall
    double last = 0;
    std::uint64_t rises = 0;

    std::uint64_t tried = 0;  ///< as a time, in the sample
    std::uint64_t times = 0;
    std::unordered_set<std::int64_t> distinct_times;
  };

  void add_header(const CsvRow& row);
  void add_cell(Column& column, std::string_view cell);
  void add_number(Column& column, const model::Value& value);
  void try_time(Column& column, std::string_view cell);
  PlannedColumn plan_column(const Column& column, std::string name) const;
  std::optional<std::size_t> find_time_column() const;
  std::optional<std::size_t> find_elapsed_column() const;

  char separator_;
  Encoding encoding_;
  bool header_seen_ = false;
  std::uint64_t header_line_ = 0;
  std::string problem_;  ///< of the header
  std::vector<std::string> header_;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  std::uint64_t rows_ = 0;
  std::string scratch_;
  std::string reason_;
};

}  // namespace iotstream::catalog
