#include "catalog/csv_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

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

double unit_us(const PlannedColumn& column) {
  const std::string unit = lowered(column.unit.empty() ? model::split_unit(column.name).unit : column.unit);
  if (unit == "us" || unit == "µs") return 1;
  if (unit == "ms" || unit.starts_with("millis")) return 1e3;
  if (unit.starts_with("min")) return 60e6;
  if (unit == "h" || unit.starts_with("hour")) return 3600e6;
  return 1e6;
}

/// The header's cells as names: decoded, `column_7` for an empty one, ` #2` behind the second of a kind.
std::vector<std::string> unique_names(const std::vector<std::string>& header, Encoding encoding) {
  std::vector<std::string> names;
  std::unordered_set<std::string> taken;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string base;
    append_decoded(base, trim_blanks(header[i]), encoding);
    if (base.empty()) base = fmt::format("column_{}", i + 1);
    std::string name = base;
    for (int copy = 2; !taken.insert(name).second; ++copy) name = fmt::format("{} #{}", base, copy);
    names.push_back(std::move(name));
  }
  return names;
}

/// `Speed (km/h) #2` has its unit in the midst.
std::string unit_of_copy(std::string_view name, std::string_view written, Encoding encoding) {
  std::string base;
  append_decoded(base, trim_blanks(written), encoding);
  return name == base ? std::string() : model::split_unit(base).unit;
}

}  // namespace

std::string_view name_of(ColumnClass type) { return class_names[static_cast<std::size_t>(type)]; }

std::optional<ColumnClass> column_class_from(std::string_view name) {
  const auto found = std::find(class_names.begin(), class_names.end(), name);
  if (found == class_names.end()) return std::nullopt;
  return static_cast<ColumnClass>(found - class_names.begin());
}

std::optional<bool> read_boolean(std::string_view cell) {
  const auto is = [cell](std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i)
      if ((cell[i] | 0x20) != word[i]) return false;
    return true;
  };
  if (cell.size() == 4 && is("true")) return true;
  if (cell.size() == 5 && is("false")) return false;
  return std::nullopt;
}

bool CsvPlan::stored(std::size_t column) const {
  const bool gives_time = time == TimeSource::column && (column == time_column || column == clock_column);
  return !gives_time && !columns[column].skipped && columns[column].type != ColumnClass::empty;
}

std::string CsvPlan::time_name() const {
  if (time != TimeSource::column) return {};
  return clock_column ? fmt::format("{} + {}", columns[time_column].name, columns[*clock_column].name)
                      : columns[time_column].name;
}

std::string CsvPlan::pace_name() const {
  return time == TimeSource::elapsed || time == TimeSource::clock ? columns[time_column].name : std::string();
}

CsvProfiler::CsvProfiler(const CsvForm& form) : form_(form), columns_(form.names.size()) {
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].named_like_time = named_like_time(form.names[i]);
}

void CsvProfiler::add(const CsvRow& row) {
  const RowShape shape = shape_of(row, form_, reason_);
  if (shape == RowShape::left_out) ++left_out_;
  if (shape != RowShape::good) return;
  ++rows_;
  const std::size_t cells = std::min(row.cells.size(), columns_.size());
  for (std::size_t i = 0; i < cells; ++i)
    if (!is_missing(row.cells[i].text)) add_cell(columns_[i], row.cells[i].text);
}

void CsvProfiler::add_cell(Column& column, std::string_view cell) {
  ++column.values;
  const NumberLook look = look_at_number(cell);
  if (look.leading_zero) ++column.leading_zeros;
  if ((look.styles & bit_of(NumberStyle::point)) != 0) {
    column.styles &= look.styles;
    column.grouped |= look.grouped;
    return add_number(column, cell, look.integer);
  }
  if (look.styles != 0) {
    ++column.others;
    column.styles &= look.styles;
    column.grouped |= look.grouped;
    return;
  }
  if (!look.leading_zero && read_boolean(cell)) {
    ++column.booleans;
    return;
  }
  try_time(column, cell);
}

void CsvProfiler::add_number(Column& column, std::string_view cell, bool integer) {
  ++column.numbers;
  if (integer) ++column.integers;
  if (!column.named_like_time) return;
  model::Value value;
  if (read_csv_number(cell, NumberStyle::point, value, scratch_)) {
    const double number = value.as_double();
    const bool first = column.numbers == 1;
    if (!first && number < column.last) column.rising = false;
    if (!first && number > column.last) ++column.rises;
    column.last = number;
  }
  try_time(column, cell);
}

void CsvProfiler::try_time(Column& column, std::string_view cell) {
  constexpr std::int64_t year_1990 = 631'152'000'000'000;
  constexpr std::int64_t year_2100 = 4'102'444'800'000'000;
  constexpr std::uint64_t patience = 50;  // a column of words costs no more attempts than this
  if (column.tried >= patience && (column.times + column.clocks) * 2 < column.tried) return;
  // Beyond the sample only the order of day and month is still of interest.
  if (rows_ > time_sample_rows && !column.numeric_dates) return;
  const TimeLook look = look_at_time(cell, DateOrder::day_first);
  if (look.numeric_date) {
    column.numeric_dates = true;
    column.slashes = column.slashes || cell.find('/') != std::string_view::npos;
    if (look.only_order) ++column.days_first;
    if (look.other_order) ++column.months_first;
    if (look.twelve_hours) ++column.twelve_hours;
  }
  if (rows_ > time_sample_rows) return;
  ++column.tried;
  if (!look.time) {
    if (read_time_of_day(cell)) ++column.clocks;
    return;
  }
  // Any whole number is a time of some epoch; only those of our days are taken for one.
  if (column.numbers > 0 && (look.time->us < year_1990 || look.time->us >= year_2100)) return;
  if (column.times++ > 0 && look.time->us != column.last_time_us) ++column.moves;
  column.last_time_us = look.time->us;
  if (look.date_only) ++column.dates_only;
}

/// The style other than that of the point in which all the column's numbers are written. A comma cannot mark decimals where it
/// separates cells, and what holds no group does not tell where groups end.
std::optional<NumberStyle> CsvProfiler::style_of(const Column& column) const {
  for (unsigned i = 1; i < number_styles; ++i) {
    const auto style = static_cast<NumberStyle>(i);
    const bool possible = (column.styles & bit_of(style)) != 0;
    const bool shown = style == NumberStyle::comma ? form_.separator != ',' : (column.grouped & bit_of(style)) != 0;
    if (possible && shown) return style;
  }
  return std::nullopt;
}

PlannedColumn CsvProfiler::plan_column(const Column& column, std::string name) const {
  using model::FieldType;
  PlannedColumn plan;
  plan.name = std::move(name);
  plan.type = ColumnClass::text;
  plan.values = column.values;
  plan.field_type = FieldType::text;
  const auto all = [&](std::uint64_t count) { return count == column.values; };
  if (column.values == 0) {
    plan.type = ColumnClass::empty;
  } else if (all(column.booleans)) {
    plan.type = ColumnClass::boolean;
    plan.field_type = FieldType::boolean;
  } else if (all(column.numbers)) {
    plan.type = ColumnClass::number;
    plan.field_type = all(column.integers) ? FieldType::integer : FieldType::real;
  } else if (const auto style = style_of(column); style && all(column.numbers + column.others)) {
    plan.type = ColumnClass::number;
    plan.field_type = FieldType::real;
    plan.style = *style;
  } else if (column.leading_zeros == 0 && column.numbers * 10 >= column.values * 9) {
    plan.type = ColumnClass::mixed;
  }
  return plan;
}

/// `found` of the column's cells were of the kind looked for.
bool CsvProfiler::is_time(const Column& column, std::uint64_t found) const {
  const std::uint64_t sample = std::min(rows_, time_sample_rows);
  // A column that calls itself a time is one even when many of its cells are broken: those rows are then named as bad.
  const std::uint64_t percent_min = column.named_like_time ? 50 : 95;
  const bool readable = found > 0 && found * 100 >= column.tried * percent_min;
  return readable && column.tried * 2 >= sample;
}

std::optional<std::size_t> CsvProfiler::best_time(bool dates_only) const {
  const std::uint64_t sample = std::min(rows_, time_sample_rows);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const bool only_dates = column.dates_only * 2 > column.times;
    const bool moving = column.moves > 0 || sample <= 2 || dates_only;
    if (!is_time(column, column.times) || only_dates != dates_only || !moving) continue;
    if (!best) {
      best = i;
      continue;
    }
    const Column& other = columns_[*best];
    const bool fuller = column.tried > other.tried;
    if (fuller || (column.tried == other.tried && column.moves > other.moves)) best = i;
  }
  return best;
}

std::optional<std::size_t> CsvProfiler::best_clock() const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (is_time(columns_[i], columns_[i].clocks) && (!best || columns_[i].tried > columns_[*best].tried)) best = i;
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

void CsvProfiler::plan_time(CsvPlan& plan) const {
  const auto whole = best_time(false);
  const auto dates = best_time(true);
  const auto clock = best_clock();
  if (whole || dates) {
    plan.time = TimeSource::column;
    plan.time_column = whole ? *whole : *dates;
    if (!whole && clock) plan.clock_column = clock;
    // Dates alone, all of one day, are no time: something else sets the pace.
    const bool still = !whole && !clock && columns_[*dates].moves == 0 && rows_ > 2;
    if (!still) return;
  }
  plan.time = TimeSource::steps;
  if (const auto elapsed = find_elapsed_column()) {
    plan.time = TimeSource::elapsed;
    plan.time_column = *elapsed;
    plan.elapsed_unit_us = unit_us(plan.columns[*elapsed]);
  } else if (clock) {
    plan.time = TimeSource::clock;
    plan.time_column = *clock;
  }
}

CsvPlan CsvProfiler::finish(Encoding encoding) {
  CsvPlan plan;
  std::vector<std::string> names = unique_names(form_.names, encoding);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    plan.columns.push_back(plan_column(columns_[i], std::move(names[i])));
    if (i < form_.units.size()) plan.columns[i].unit = form_.units[i];
    if (plan.columns[i].unit.empty()) plan.columns[i].unit = unit_of_copy(plan.columns[i].name, form_.names[i], encoding);
    if (is_time(columns_[i], columns_[i].times)) plan.candidates.push_back(i);
  }
  plan_time(plan);
  if (plan.time == TimeSource::column) plan.order = order_of(plan.time_column);
  return plan;
}

DateOrder CsvProfiler::order_of(std::size_t index) const {
  const Column& column = columns_[index];
  if (column.days_first != column.months_first)
    return column.months_first > column.days_first ? DateOrder::month_first : DateOrder::day_first;
  // Twelve hours and slashes are American; all others begin with the day.
  const bool american = column.twelve_hours > 0 && column.slashes;
  return american ? DateOrder::month_first : DateOrder::day_first;
}

namespace {

std::optional<std::size_t> index_of(const CsvPlan& plan, std::string_view name) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i)
    if (plan.columns[i].name == name) return i;
  return std::nullopt;
}

Error no_column(std::string_view name) { return {ErrorKind::unprocessable, fmt::format("the file has no column '{}'", name)}; }

Status apply_time(const CsvChoices& choices, CsvPlan& plan) {
  if (choices.date_order == "day")
    plan.order = DateOrder::day_first;
  else if (choices.date_order == "month")
    plan.order = DateOrder::month_first;
  else if (!choices.date_order.empty())
    return Error{ErrorKind::unprocessable, fmt::format("date_order is day or month, not '{}'", choices.date_order)};
  if (!choices.time_column) return {};
  plan.clock_column.reset();
  if (choices.time_column->empty()) {
    plan.time = TimeSource::steps;
    return {};
  }
  const auto index = index_of(plan, *choices.time_column);
  if (!index) return no_column(*choices.time_column);
  const ColumnClass type = plan.columns[*index].type;
  const bool candidate = std::find(plan.candidates.begin(), plan.candidates.end(), *index) != plan.candidates.end();
  plan.time = type == ColumnClass::number && !candidate ? TimeSource::elapsed : TimeSource::column;
  plan.time_column = *index;
  plan.elapsed_unit_us = unit_us(plan.columns[*index]);
  return {};
}

Status apply_type(std::string_view type, PlannedColumn& column) {
  using model::FieldType;
  if (type.empty() || column.type == ColumnClass::empty) return {};
  if (type == "skip") {
    column.skipped = true;
    return {};
  }
  const auto wanted = model::field_type_from(type);
  if (!wanted || *wanted == FieldType::json)
    return Error{ErrorKind::unprocessable,
                 fmt::format("the type of '{}' is boolean, integer, float, text or skip, not '{}'", column.name, type)};
  if (*wanted == FieldType::text) {
    column.type = ColumnClass::text;
  } else if (*wanted == FieldType::boolean && column.type != ColumnClass::boolean) {
    return Error{ErrorKind::unprocessable, fmt::format("'{}' holds more than true and false", column.name)};
  } else if (column.type == ColumnClass::text) {
    column.type = ColumnClass::mixed;  // what is no number stays the text it is
  }
  column.field_type = model::widen(column.type == ColumnClass::mixed ? FieldType::text : column.field_type, *wanted);
  return {};
}

}  // namespace

Status apply(const CsvChoices& choices, CsvPlan& plan) {
  if (Status done = apply_time(choices, plan); !done) return done;
  for (const ColumnChoice& choice : choices.columns) {
    const auto index = index_of(plan, choice.column);
    if (!index) return no_column(choice.column);
    PlannedColumn& column = plan.columns[*index];
    if (choice.unit) column.unit = *choice.unit;
    if (Status done = apply_type(choice.type, column); !done) return done;
  }
  std::unordered_set<std::string> names;
  for (const ColumnChoice& choice : choices.columns)
    if (!choice.name.empty()) plan.columns[*index_of(plan, choice.column)].name = choice.name;
  for (const PlannedColumn& column : plan.columns)
    if (!names.insert(column.name).second)
      return Error{ErrorKind::unprocessable, fmt::format("two columns are called '{}'", column.name)};
  return {};
}

}  // namespace iotstream::catalog
