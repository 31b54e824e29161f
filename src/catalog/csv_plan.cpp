#include "catalog/csv_plan.hpp"

#include <algorithm>
#include <array>
#include <simdjson.h>
#include <unordered_map>

namespace iotstream::catalog {
namespace {

constexpr std::size_t columns_max = 1'900;  // SQLite's default bound is 2,000 a table
constexpr std::size_t name_bytes_max = 500;
constexpr std::uint64_t time_sample_rows = 10'000;
constexpr std::array<std::string_view, 5> class_names = {"empty", "number", "boolean", "text", "mixed"};

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Words under which loggers write points and lengths of time. Whether the values are such is looked at besides.
bool named_like_time(std::string_view name) {
  const std::string lower = lowered(name);
  if (lower == "t" || lower == "ts") return true;
  static constexpr std::array<std::string_view, 8> words = {"time", "date",    "stamp",  "epoch",
                                                            "run",  "elapsed", "second", "hour"};
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

double unit_us(std::string_view name) {
  const std::string unit = lowered(model::split_unit(name).unit);
  if (unit == "us" || unit == "µs") return 1;
  if (unit == "ms" || unit.starts_with("millis")) return 1e3;
  if (unit.starts_with("min")) return 60e6;
  if (unit == "h" || unit.starts_with("hour")) return 3600e6;
  return 1e6;
}

/// `007`, `-05.3`; not `0`, `0.5`.
bool has_leading_zero(std::string_view cell) {
  if (!cell.empty() && (cell[0] == '-' || cell[0] == '+')) cell.remove_prefix(1);
  return cell.size() > 1 && cell[0] == '0' && cell[1] >= '0' && cell[1] <= '9' &&
         cell.find_first_not_of("0123456789.,") == std::string_view::npos;
}

/// `1,5`, `-12,75`.
bool has_decimal_comma(std::string_view cell) {
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos || comma + 1 == cell.size()) return false;
  std::string_view whole = cell.substr(0, comma);
  if (!whole.empty() && whole[0] == '-') whole.remove_prefix(1);
  constexpr std::string_view digits = "0123456789";
  return !whole.empty() && whole.find_first_not_of(digits) == std::string_view::npos &&
         cell.find_first_not_of(digits, comma + 1) == std::string_view::npos;
}

/// The header's cells as names: decoded, `column_7` for an empty one, ` (2)` behind the second of a kind.
std::vector<std::string> unique_names(const std::vector<std::string>& header, Encoding encoding) {
  std::vector<std::string> names;
  std::unordered_set<std::string> taken;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string base;
    append_decoded(base, trim_blanks(header[i]), encoding);
    if (base.empty()) base = fmt::format("column_{}", i + 1);
    std::string name = base;
    for (int copy = 2; !taken.insert(name).second; ++copy) name = fmt::format("{} ({})", base, copy);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::string_view name_of(ColumnClass type) { return class_names[static_cast<std::size_t>(type)]; }

std::optional<ColumnClass> column_class_from(std::string_view name) {
  const auto found = std::find(class_names.begin(), class_names.end(), name);
  if (found == class_names.end()) return std::nullopt;
  return static_cast<ColumnClass>(found - class_names.begin());
}

void CsvProfiler::add(const CsvRow& row) {
  if (!header_seen_) {
    add_header(row);
    return;
  }
  if (columns_.empty() || shape_of(row, header_, reason_) != RowShape::good) return;
  ++rows_;
  const std::size_t cells = std::min(row.cells.size(), columns_.size());
  for (std::size_t i = 0; i < cells; ++i)
    if (!is_missing(row.cells[i].text)) add_cell(columns_[i], row.cells[i].text);
}

void CsvProfiler::add_header(const CsvRow& row) {
  header_seen_ = true;
  header_line_ = row.line;
  if (!row.problem.empty()) {
    problem_ = row.problem;
    return;
  }
  if (row.cells.size() > columns_max) {
    problem_ = fmt::format("{} columns; {} are allowed", row.cells.size(), columns_max);
    return;
  }
  bool values = true;
  model::Value value;
  for (const CsvCell& cell : row.cells) {
    if (cell.text.size() > name_bytes_max) problem_ = fmt::format("a column's name has {} bytes", cell.text.size());
    if (cell.text.find('\0') != std::string_view::npos) problem_ = "it holds zero bytes; this is no CSV";
    values = values && (is_missing(cell.text) || read_csv_number(cell.text, separator_ != ',', value, scratch_) ||
                        read_csv_time(cell.text));
    header_.emplace_back(cell.text);
  }
  if (values) problem_ = "it holds values, not names: the file has no header";
  if (!problem_.empty()) return;
  names_ = unique_names(header_, encoding_);
  columns_.resize(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) columns_[i].named_like_time = named_like_time(names_[i]);
}

void CsvProfiler::add_cell(Column& column, std::string_view cell) {
  ++column.values;
  model::Value value;
  if (has_leading_zero(cell)) {
    ++column.leading_zeros;
  } else if (read_csv_number(cell, false, value, scratch_)) {
    add_number(column, value);
    if (column.named_like_time) try_time(column, cell);
    return;
  } else if (has_decimal_comma(cell)) {
    ++column.commas;
    return;
  } else if (read_boolean(cell)) {
    ++column.booleans;
    return;
  }
  try_time(column, cell);
}

void CsvProfiler::add_number(Column& column, const model::Value& value) {
  ++column.numbers;
  if (value.kind == model::ValueKind::integer) ++column.integers;
  if (!column.named_like_time) return;
  const double number = value.as_double();
  const bool first = column.numbers == 1;
  if (!first && number < column.last) column.rising = false;
  if (!first && number > column.last) ++column.rises;
  column.last = number;
}

void CsvProfiler::try_time(Column& column, std::string_view cell) {
  constexpr std::int64_t year_1990 = 631'152'000'000'000;
  constexpr std::int64_t year_2100 = 4'102'444'800'000'000;
  constexpr std::uint64_t patience = 50;  // a column of words costs no more attempts than this
  if (rows_ > time_sample_rows || (column.tried >= patience && column.times * 2 < column.tried)) return;
  ++column.tried;
  const auto time = read_csv_time(cell);
  // Any whole number is a time of some epoch; only those of our days are taken for one.
  if (!time || (column.numbers > 0 && (time->us < year_1990 || time->us >= year_2100))) return;
  ++column.times;
  column.distinct_times.insert(time->us);
}

PlannedColumn CsvProfiler::plan_column(const Column& column, std::string name) const {
  using model::FieldType;
  PlannedColumn plan{std::move(name), ColumnClass::text, false, column.values, FieldType::text};
  const auto all = [&](std::uint64_t count) { return count == column.values; };
  if (column.values == 0) {
    plan.type = ColumnClass::empty;
  } else if (all(column.booleans)) {
    plan.type = ColumnClass::boolean;
    plan.field_type = FieldType::boolean;
  } else if (all(column.numbers)) {
    plan.type = ColumnClass::number;
    plan.field_type = all(column.integers) ? FieldType::integer : FieldType::real;
  } else if (separator_ != ',' && column.commas > 0 && all(column.commas + column.integers)) {
    plan.type = ColumnClass::number;
    plan.field_type = FieldType::real;
    plan.decimal_comma = true;
  } else if (column.leading_zeros == 0 && column.numbers * 10 >= column.values * 9) {
    plan.type = ColumnClass::mixed;
  }
  return plan;
}

std::optional<std::size_t> CsvProfiler::find_time_column() const {
  const std::uint64_t sample = std::min(rows_, time_sample_rows);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    // A column that calls itself a time is one even when many of its cells are broken: those rows are then named as bad.
    const std::uint64_t percent_min = column.named_like_time ? 50 : 95;
    const bool readable = column.times > 0 && column.times * 100 >= column.tried * percent_min;
    const bool filled = column.tried * 2 >= sample;
    const bool moving = column.distinct_times.size() > 1 || sample <= 2;
    if (!readable || !filled || !moving) continue;
    if (!best) {
      best = i;
      continue;
    }
    const Column& other = columns_[*best];
    const bool fuller = column.tried > other.tried;
    if (fuller || (column.tried == other.tried && column.distinct_times.size() > other.distinct_times.size())) best = i;
  }
  return best;
}

std::optional<std::size_t> CsvProfiler::find_elapsed_column() const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const bool numbers = column.named_like_time && column.numbers == column.values && column.values * 20 >= rows_ * 19;
    if (!numbers || !column.rising || column.rises == 0) continue;
    if (!best || column.rises > columns_[*best].rises) best = i;
  }
  return best;
}

Result<CsvPlan> CsvProfiler::finish() {
  if (!header_seen_) return Error{ErrorKind::invalid, "the file is empty: a header with the names of the columns is needed"};
  if (!problem_.empty())
    return Error{ErrorKind::invalid, fmt::format("line {}: the header cannot be used: {}", header_line_, problem_)};
  CsvPlan plan;
  plan.header = std::move(header_);
  for (std::size_t i = 0; i < columns_.size(); ++i) plan.columns.push_back(plan_column(columns_[i], std::move(names_[i])));
  if (const auto time = find_time_column()) {
    plan.time = TimeSource::column;
    plan.time_column = *time;
  } else if (const auto elapsed = find_elapsed_column()) {
    plan.time = TimeSource::elapsed;
    plan.time_column = *elapsed;
    plan.elapsed_unit_us = unit_us(plan.columns[*elapsed].name);
  }
  return plan;
}

}  // namespace iotstream::catalog
