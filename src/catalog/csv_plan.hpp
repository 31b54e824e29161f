// What a CSV file holds, decided from all of its rows before the first of them is stored: names, classes of columns, where time
// comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/csv.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>

#include "catalog/csv_encoding.hpp"
#include "catalog/csv_form.hpp"
#include "catalog/csv_number.hpp"
#include "catalog/csv_reader.hpp"
#include "catalog/csv_time.hpp"

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
  std::string unit;  ///< as a row of units or somebody said; empty: the name's own
  ColumnClass type = ColumnClass::empty;
  NumberStyle style = NumberStyle::point;
  std::uint64_t values = 0;
  model::FieldType field_type = model::FieldType::integer;
  bool skipped = false;  ///< somebody said so
};

enum class TimeSource : unsigned char {
  column,   ///< a column of times, or one of dates and one of times of day
  elapsed,  ///< a column of elapsed time: the pace, from an origin of zero
  clock,    ///< a column of times of day alone: the pace; one before its forerunner is of the next day
  steps,    ///< none of these: rows are 1 s apart
};

struct CsvPlan {
  std::vector<PlannedColumn> columns;  ///< as in the header
  TimeSource time = TimeSource::steps;
  std::size_t time_column = 0;              ///< of all but `steps`
  std::optional<std::size_t> clock_column;  ///< of `column`: where the time of day stands, when the dates have none
  DateOrder order = DateOrder::day_first;
  double elapsed_unit_us = 1e6;
  std::vector<std::size_t> candidates;  ///< columns that could give the time

  /// The column's values become rows of the table: neither empty, nor skipped, nor the time itself.
  bool stored(std::size_t column) const;
  /// `Date + Time`; empty without a column of times.
  std::string time_name() const;
  std::string pace_name() const;
};

/// The time of one row after the other. One thread; `plan` outlives it.
class RowClock {
 public:
  explicit RowClock(const CsvPlan& plan) : plan_(plan) {}
  /// Nothing: `reason` says why. Columns are the row's cells as written; `encoding` is theirs, for the message.
  std::optional<Timestamp> next(std::span<const CsvCell> cells, Encoding encoding, std::string& reason);

 private:
  std::optional<Timestamp> from_column(std::span<const CsvCell> cells, Encoding encoding, std::string& reason);
  Timestamp from_elapsed(std::string_view cell);
  Timestamp from_clock(std::string_view cell);

  const CsvPlan& plan_;
  std::int64_t steps_ = 0;
  std::optional<double> elapsed_first_;
  double elapsed_last_ = 0;
  std::optional<std::int64_t> clock_last_us_;
  std::int64_t clock_first_us_ = 0;
  std::int64_t days_us_ = 0;
  std::string scratch_;
};

std::optional<bool> read_boolean(std::string_view cell);

/// Sees every row of a file once. One thread; memory grows with the columns, not with the rows.
class CsvProfiler {
 public:
  explicit CsvProfiler(const CsvForm& form);
  void add(const CsvRow& row);
  CsvPlan finish(Encoding encoding);

  std::uint64_t rows() const { return rows_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Column {
    std::uint64_t values = 0;
    std::uint64_t integers = 0;
    std::uint64_t numbers = 0;  ///< in the style of a point; integers among them
    std::uint64_t others = 0;   ///< in another style only
    std::uint64_t booleans = 0;
    std::uint64_t leading_zeros = 0;  ///< `007`
    unsigned char styles = every_style;
    unsigned char grouped = 0;
    bool named_like_time = false;

    bool rising = true;  ///< its numbers never fall
    double last = 0;
    std::uint64_t rises = 0;

    std::uint64_t tried = 0;  ///< as a time, in the sample
    std::uint64_t times = 0;
    std::uint64_t dates_only = 0;
    std::uint64_t clocks = 0;  ///< times of day
    std::uint64_t moves = 0;   ///< steps from one time to another
    std::int64_t last_time_us = 0;
    std::uint64_t days_first = 0;    ///< numeric dates that are one with the day first only
    std::uint64_t months_first = 0;  ///< … with the month first only
    std::uint64_t twelve_hours = 0;
    bool numeric_dates = false;
    bool slashes = false;  ///< … written with them
  };

  void add_cell(Column& column, std::string_view cell);
  void add_number(Column& column, std::string_view cell, bool integer);
  void try_time(Column& column, std::string_view cell);
  std::optional<NumberStyle> style_of(const Column& column) const;
  PlannedColumn plan_column(const Column& column, std::string name) const;
  bool is_time(const Column& column, std::uint64_t found) const;
  std::optional<std::size_t> best_time(bool dates_only) const;
  std::optional<std::size_t> best_clock() const;
  std::optional<std::size_t> find_elapsed_column() const;
  void plan_time(CsvPlan& plan) const;
  DateOrder order_of(std::size_t column) const;

  const CsvForm& form_;
  std::vector<Column> columns_;
  std::uint64_t rows_ = 0;
  std::uint64_t left_out_ = 0;
  std::string scratch_;
  std::string reason_;
};

/// Puts what somebody said in place of what was found. Errors: unprocessable, naming the column.
Status apply(const CsvChoices& choices, CsvPlan& plan);

}  // namespace iotstream::catalog
