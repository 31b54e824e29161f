// Single cells and rows of CSV, read.
#include <cmath>

#include <iotstream/model/number.hpp>

#include "catalog/csv_plan.hpp"

namespace iotstream::catalog {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `text` in JSON's grammar for numbers, in `scratch`; false when no such writing is known.
bool to_json_number(std::string_view text, bool decimal_comma, std::string& scratch) {
  scratch.clear();
  if (text[0] == '-') scratch += '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] == '-' || text[0] == '+') return false;
  if (text[0] == '.') scratch += '0';
  bool point = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ',' && decimal_comma) c = '.';
    if (c == '.') {
      if (point) return false;
      point = true;
      scratch += c;
      if (i + 1 == text.size() || !is_digit(text[i + 1])) {
        if (i == 0) return false;
        scratch += '0';
      }
      continue;
    }
    scratch += c;
  }
  return true;
}

}  // namespace

bool read_csv_number(std::string_view cell, bool decimal_comma, model::Value& value, std::string& scratch) {
  if (cell.empty()) return false;
  const char first = cell[0];
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return false;
  if (model::read_number(cell, value)) return true;
  return to_json_number(cell, decimal_comma, scratch) && model::read_number(scratch, value);
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

std::optional<Timestamp> read_csv_time(std::string_view cell) {
  if (const auto time = parse_timestamp(cell)) return time;
  model::Value value;
  // As many seconds as the years 1990 to 2100 have.
  if (!model::read_number(cell, value) || value.kind == model::ValueKind::integer) return std::nullopt;
  const double seconds = value.as_double();
  if (!(seconds >= 631'152'000 && seconds < 4'133'980'800)) return std::nullopt;
  return Timestamp{std::llround(seconds * 1e6)};
}

RowShape shape_of(const CsvRow& row, const std::vector<std::string>& header, std::string& reason) {
  if (!row.problem.empty()) {
    reason = row.problem;
    return RowShape::bad;
  }
  const std::size_t wanted = header.size();
  if (!row.ended && row.cells.size() < wanted) {
    reason = fmt::format("cut short: {} of {} cells", row.cells.size(), wanted);
    return RowShape::bad;
  }
  bool empty = true;
  bool again = row.cells.size() >= wanted;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string_view text = row.cells[i].text;
    if (i >= wanted && !text.empty()) {
      reason = fmt::format("{} cells, the header has {}", row.cells.size(), wanted);
      return RowShape::bad;
    }
    empty = empty && is_missing(text);
    again = again && (i >= wanted || text == header[i]);
  }
  if (again) return RowShape::header_again;
  if (!empty) return RowShape::good;
  reason = "no value in any cell";
  return RowShape::bad;
}

}  // namespace iotstream::catalog
