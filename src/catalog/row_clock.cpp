// The time of a row of CSV.
#include <algorithm>
#include <cmath>

#include "catalog/csv_plan.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::int64_t us_per_day = 86'400'000'000;

/// A cell for a message: UTF-8, short.
std::string shown(std::string_view cell, Encoding encoding) {
  constexpr std::size_t bytes_max = 60;
  std::string text;
  append_decoded(text, cell.substr(0, bytes_max), encoding == Encoding::windows_1252 ? encoding : Encoding::utf8_damaged);
  if (cell.size() > bytes_max) text += "…";
  return text;
}

}  // namespace

std::optional<Timestamp> RowClock::next(std::span<const CsvCell> cells, Encoding encoding, std::string& reason) {
  if (plan_.time == TimeSource::steps) return Timestamp{} + Duration::seconds(steps_++);
  if (plan_.time == TimeSource::column) return from_column(cells, encoding, reason);
  const std::string_view cell = plan_.time_column < cells.size() ? cells[plan_.time_column].text : std::string_view();
  return plan_.time == TimeSource::elapsed ? from_elapsed(cell) : from_clock(cell);
}

std::optional<Timestamp> RowClock::from_column(std::span<const CsvCell> cells, Encoding encoding, std::string& reason) {
  const auto cell_of = [&](std::size_t column) { return column < cells.size() ? cells[column].text : std::string_view(); };
  const auto missing = [&](std::size_t column) {
    reason = fmt::format("no time: '{}' is empty or '{}'", plan_.columns[column].name, shown(cell_of(column), encoding));
    return std::nullopt;
  };
  const auto unreadable = [&](std::size_t column) {
    reason = fmt::format("the time in '{}' cannot be read: '{}'", plan_.columns[column].name, shown(cell_of(column), encoding));
    return std::nullopt;
  };
  const std::string_view cell = cell_of(plan_.time_column);
  if (is_missing(cell)) return missing(plan_.time_column);
  auto time = read_csv_time(cell, plan_.order);
  if (!time) return unreadable(plan_.time_column);
  if (!plan_.clock_column) return time;
  const std::string_view clock = cell_of(*plan_.clock_column);
  if (is_missing(clock)) return missing(*plan_.clock_column);
  const auto since_midnight = read_time_of_day(clock);
  if (!since_midnight) return unreadable(*plan_.clock_column);
  return *time + *since_midnight;
}

Timestamp RowClock::from_elapsed(std::string_view cell) {
  model::Value value;
  if (!is_missing(cell) && read_csv_number(cell, plan_.columns[plan_.time_column].style, value, scratch_)) {
    elapsed_last_ = value.as_double();
    if (!elapsed_first_) elapsed_first_ = elapsed_last_;
  }
  const double us = elapsed_first_ ? (elapsed_last_ - *elapsed_first_) * plan_.elapsed_unit_us : 0;
  constexpr double us_max = 9e18;  // within int64
  return Timestamp{std::llround(std::clamp(us, 0.0, us_max))};
}

Timestamp RowClock::from_clock(std::string_view cell) {
  if (const auto since_midnight = read_time_of_day(cell)) {
    const std::int64_t us = since_midnight->us;
    if (!clock_last_us_) clock_first_us_ = us;
    // Half a day back and more is a midnight; less is a reading that came late.
    if (clock_last_us_ && us + us_per_day / 2 < *clock_last_us_) days_us_ += us_per_day;
    clock_last_us_ = us;
  }
  return Timestamp{std::max<std::int64_t>(0, days_us_ + clock_last_us_.value_or(0) - clock_first_us_)};
}

}  // namespace iotstream::catalog
