#include "catalog/csv_form.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "catalog/csv_encoding.hpp"
#include "catalog/csv_number.hpp"
#include "catalog/csv_text.hpp"
#include "catalog/csv_time.hpp"
#include "catalog/csv_units.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t sample_rows = 60;
constexpr std::size_t name_bytes_max = 500;

struct SampleRow {
  std::uint64_t line = 0;
  std::vector<std::string> cells;
  std::string problem;
  bool comment = false;  ///< begins with an unquoted #

  /// Cells without the empty ones at the end.
  std::size_t filled() const {
    std::size_t count = cells.size();
    while (count > 0 && cells[count - 1].empty()) --count;
    return count;
  }
};

/// The first rows as one separator cuts them.
struct Sample {
  char separator = ',';
  std::vector<SampleRow> rows;
  std::size_t columns = 0;  ///< the number of cells that most rows have
  std::size_t even = 0;     ///< rows with that many cells; one more is allowed when it is empty
  std::size_t counted = 0;
  std::size_t readable = 0;  ///< cells that are numbers, times or nothing

  bool better_than(const Sample& other) const {
    const std::size_t mine = even * std::max<std::size_t>(other.counted, 1);
    const std::size_t theirs = other.even * std::max<std::size_t>(counted, 1);
    if (mine != theirs) return mine > theirs;
    // `1,5;2,5` is cut evenly by both: one of them leaves cells that can be read.
    const auto share = [](const Sample& sample) {
      return static_cast<double>(sample.readable) /
             static_cast<double>(std::max<std::size_t>(1, sample.columns * sample.counted));
    };
    if (share(*this) != share(other)) return share(*this) > share(other);
    return columns > other.columns;
  }
};

bool is_value(std::string_view cell) {
  if (is_missing(cell)) return true;
  const NumberLook look = look_at_number(cell);
  if (look.styles != 0 || look.leading_zero || cell == "true" || cell == "false") return true;
  return look_at_time(cell, DateOrder::day_first).time.has_value() || read_time_of_day(cell).has_value();
}

/// `sep=;`, also between quotes: Excel's own way of telling. Its separator; nothing when `line` is no such line.
std::optional<char> separator_line(std::string_view line) {
  line = trim_blanks(line);
  if (line.size() >= 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
  if (line.size() < 5 || line.size() > 6) return std::nullopt;
  const bool named = (line[0] | 0x20) == 's' && (line[1] | 0x20) == 'e' && (line[2] | 0x20) == 'p' && line[3] == '=';
  if (!named) return std::nullopt;
  return line.substr(4) == "\\t" ? '\t' : line.size() == 5 ? std::optional(line[4]) : std::nullopt;
}

void count_columns(Sample& sample) {
  std::map<std::size_t, std::size_t> sizes;
  for (const SampleRow& row : sample.rows)
    if (!row.comment && row.problem.empty()) ++sizes[row.filled()];
  std::size_t most = 0;
  for (const auto& [size, count] : sizes)
    if (count >= most && size > 0) {
      most = count;
      sample.columns = size;
    }
  // Rows whose last cells are empty often are as wide as the header all the same.
  for (const SampleRow& row : sample.rows) {
    if (row.comment || !row.problem.empty()) continue;
    ++sample.counted;
    const std::size_t size = row.cells.size();
    const bool one_more = size == sample.columns + 1 && row.cells.back().empty();
    if (size == sample.columns || one_more || row.filled() == sample.columns) ++sample.even;
    if (sample.counted > 1 || sample.rows.size() == 1)
      sample.readable += static_cast<std::size_t>(std::count_if(row.cells.begin(), row.cells.end(), is_value));
  }
}

Sample sample_of(const FormQuestion& question, char separator) {
  Sample sample;
  sample.separator = separator;
  CsvReader reader(separator);
  const auto take = [&](const CsvRow& row) {
    if (sample.rows.size() >= sample_rows) return;
    SampleRow kept{row.line, {}, std::string(row.problem), false};
    for (const CsvCell& cell : row.cells) kept.cells.emplace_back(cell.text);
    kept.comment =
        !row.cells.empty() && !row.cells[0].quoted && row.cells[0].text.starts_with('#') && row.cells[0].text != "#N/A";
    sample.rows.push_back(std::move(kept));
  };
  constexpr std::size_t step = 16 * 1024;
  std::size_t fed = 0;
  for (; fed < question.head.size() && sample.rows.size() < sample_rows; fed += step)
    reader.feed(question.head.substr(fed, step), take);
  if (fed < question.head.size()) return sample;
  if (question.whole || sample.rows.empty()) reader.finish(take);  // else the last row may be cut by the end of the sample
  return sample;
}

Sample best_sample(const FormQuestion& question, bool skip_first) {
  std::optional<Sample> best;
  const auto consider = [&](char separator) {
    Sample sample = sample_of(question, separator);
    if (skip_first && !sample.rows.empty()) sample.rows.erase(sample.rows.begin());
    count_columns(sample);
    const bool first = !best;
    if (first || (sample.columns >= 2 && (best->columns < 2 || sample.better_than(*best)))) best = std::move(sample);
  };
  if (question.separator) {
    consider(*question.separator);
  } else {
    for (const char separator : {',', ';', '\t', '|'}) consider(separator);
  }
  return std::move(*best);
}

bool is_title(const SampleRow& row, std::size_t columns) {
  // Spreadsheets pad a title with separators.
  const bool narrow = columns >= 2 && row.cells.size() <= std::max<std::size_t>(1, columns / 2);
  return narrow || (columns >= 3 && row.filled() <= 1);
}

/// Values and no names: every cell is one, or one is a whole point in time.
bool holds_values(const SampleRow& row) {
  bool all = true;
  for (const std::string& cell : row.cells) {
    if (cell.find(':') != std::string::npos && look_at_time(cell, DateOrder::day_first).time) return true;
    all = all && is_value(cell);
  }
  return all;
}

/// `# time a b` above rows without a header: its names, when there are as many as the rows have cells.
std::vector<std::string> names_in_comment(const SampleRow& comment, std::size_t columns) {
  std::vector<std::string> names = comment.cells;
  names[0] = std::string(trim_blanks(std::string_view(names[0]).substr(1)));
  while (names.size() > columns && names.back().empty()) names.pop_back();
  return names.size() == columns && columns >= 2 && !names[0].empty() ? names : std::vector<std::string>{};
}

/// Whether `row`, below the header, holds units and no values.
bool holds_units(const SampleRow& row, const SampleRow* below, Encoding encoding) {
  std::size_t named = 0;
  for (const std::string& raw : row.cells) {
    std::string cell;
    append_decoded(cell, raw, encoding);
    if (cell.empty()) continue;
    const UnitLook look = look_at_unit(cell);
    if (!look.known) return false;
    if (!look.unit.empty()) ++named;
  }
  if (named == 0 || below == nullptr) return false;
  return std::any_of(below->cells.begin(), below->cells.end(), [](const std::string& cell) {
    return look_at_number(cell).styles != 0 || look_at_time(cell, DateOrder::day_first).time;
  });
}

void check_names(CsvForm& form) {
  if (form.names.size() > csv_columns_max) {
    form.problem = fmt::format("{} columns; {} are allowed", form.names.size(), csv_columns_max);
    return;
  }
  for (const std::string& name : form.names)
    if (name.size() > name_bytes_max) form.problem = fmt::format("a column's name has {} bytes", name.size());
}

/// The first row that is neither title nor comment; the sample's size when there is none.
std::size_t first_row(const Sample& sample) {
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    const SampleRow& row = sample.rows[i];
    if (!row.comment && (!row.problem.empty() || !is_title(row, sample.columns))) return i;
  }
  return sample.rows.size();
}

void read_units(CsvForm& form, const Sample& sample, std::size_t header, Encoding encoding) {
  const std::size_t next = header + 1;
  if (next >= sample.rows.size() || !sample.rows[next].problem.empty() ||
      sample.rows[next].cells.size() > form.names.size() + 1)
    return;
  const SampleRow* below = next + 1 < sample.rows.size() ? &sample.rows[next + 1] : nullptr;
  if (!holds_units(sample.rows[next], below, encoding)) return;
  form.units_line = sample.rows[next].line;
  for (const std::string& raw : sample.rows[next].cells) {
    std::string cell;
    append_decoded(cell, raw, encoding);
    form.units.push_back(look_at_unit(cell).unit);
  }
}

void read_header(CsvForm& form, const Sample& sample, const FormQuestion& question) {
  const std::size_t at = first_row(sample);
  if (at == sample.rows.size()) {
    // Comments alone: the last may be a header without rows. Else there is nothing to take a name from.
    form.problem = sample.rows.empty() ? "the file is empty: a header with the names of the columns is needed"
                                       : "there are comments and titles only";
    return;
  }
  const SampleRow& row = sample.rows[at];
  form.first_line = row.line;
  if (!row.problem.empty()) {
    form.problem = row.problem == "too many cells" ? fmt::format("more than {} columns", csv_columns_max) : row.problem;
    return;
  }
  if (!holds_values(row)) {
    form.names = row.cells;
    EncodingCensus census;
    census.feed(question.head);
    read_units(form, sample, at, census.encoding());
    return;
  }
  if (at > 0 && sample.rows[at - 1].comment) form.names = names_in_comment(sample.rows[at - 1], row.filled());
  if (!form.names.empty()) {
    form.header = false;
    return;
  }
  if (question.header_needed) {
    form.problem = "it holds values, not names: the file has no header";
    return;
  }
  form.header = false;
  form.names.resize(std::max(row.filled(), sample.columns));
}

/// What the file is when it is no CSV at all; empty: it may be one.
std::string other_format(std::string_view head) {
  const std::string_view text = trim_blanks(head.substr(0, 4096));
  if (text.size() > 1 && text[0] == '<' &&
      (text[1] == '!' || text[1] == '?' || text.starts_with("<html") || text.starts_with("<HTML")))
    return "this is a page of HTML or XML, not CSV";
  if (text.starts_with("{\"") || text.starts_with("[{")) return "this is JSON, not CSV: post it as events";
  // Text has tabs and line breaks, and now and then damage; it is not full of control characters.
  const auto control = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c > 0 && c < 9) || (c > 13 && c < 32 && c != 27); }));
  return control > 2 && control * 50 > text.size() ? "this is no text, and no CSV" : std::string();
}

}  // namespace

CsvForm find_form(const FormQuestion& question) {
  CsvForm form;
  if (form.problem = other_format(question.head); !form.problem.empty()) return form;
  const std::size_t begin = question.head.find_first_not_of("\r\n");
  const std::string_view first = begin == std::string_view::npos
                                     ? std::string_view()
                                     : question.head.substr(begin, question.head.find_first_of("\r\n", begin) - begin);
  FormQuestion asked = question;
  const auto told = separator_line(first);
  if (told && !asked.separator && *told != '"' && *told != '\n') asked.separator = told;
  const Sample sample = best_sample(asked, told.has_value());
  form.separator = sample.separator;
  read_header(form, sample, question);
  if (form.problem.empty()) check_names(form);
  if (!form.problem.empty() && !sample.rows.empty())
    form.problem = fmt::format("line {}: the header cannot be used: {}", form.first_line, form.problem);
  return form;
}

RowShape shape_of(const CsvRow& row, const CsvForm& form, std::string& reason) {
  if (row.line <= form.first_line && (row.line < form.first_line || form.header)) return RowShape::before;
  if (!row.problem.empty()) {
    reason = row.problem;
    return RowShape::bad;
  }
  const std::size_t wanted = form.names.size();
  const std::size_t count = row.cells.size();
  if (count != wanted && !row.cells[0].quoted && row.cells[0].text.starts_with('#')) return RowShape::left_out;
  if (row.line == form.units_line) return RowShape::left_out;
  if (!row.ended && count < wanted) {
    reason = fmt::format("cut short: {} of {} cells", count, wanted);
    return RowShape::bad;
  }
  for (std::size_t i = wanted; i < count; ++i) {
    if (row.cells[i].text.empty()) continue;
    reason = form.header ? fmt::format("{} cells, the header has {}", count, wanted)
                         : fmt::format("{} cells, the first row has {}", count, wanted);
    return RowShape::bad;
  }
  const std::size_t both = std::min(count, wanted);
  std::size_t same = 0;
  while (same < both && row.cells[same].text == form.names[same]) ++same;
  if (same == wanted && form.header) return RowShape::left_out;
  for (std::size_t i = 0; i < both; ++i)
    if (!is_missing(row.cells[i].text)) return RowShape::good;
  reason = "no value in any cell";
  return RowShape::bad;
}

}  // namespace iotstream::catalog
