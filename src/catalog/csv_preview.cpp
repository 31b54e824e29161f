// A file looked at before it is taken.
#include <algorithm>

#include "catalog/csv_file.hpp"
#include "catalog/csv_plan.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t rows_shown = 20;
constexpr std::size_t samples_shown = 3;
constexpr std::size_t cell_bytes_shown = 200;
constexpr std::size_t problems_max = 100;

std::string shown(std::string_view cell, Encoding encoding) {
  std::string text;
  // A cut in the midst of a character is mended like any damage.
  append_decoded(text, cell.substr(0, cell_bytes_shown),
                 encoding == Encoding::windows_1252 ? encoding : Encoding::utf8_damaged);
  if (cell.size() > cell_bytes_shown) text += "…";
  return text;
}

class Previewer {
 public:
  explicit Previewer(CsvFile file) : file_(std::move(file)) {}

  Result<CsvPreview> run(const CsvChoices& choices, const Progress& progress) {
    const std::uint64_t total = file_.stamp().size;
    CsvProfiler profiler(file_.form());
    Status read = file_.scan([&](const CsvRow& row) { profiler.add(row); },
                             [&](std::uint64_t done) { return !progress || progress(done / 2, total); }, false);
    if (!read) return std::move(read).error();
    plan_ = profiler.finish(file_.encoding());
    candidates_ = plan_.candidates;
    names_.clear();
    for (const PlannedColumn& column : plan_.columns) names_.push_back(column.name);
    if (Status applied = apply(choices, plan_); !applied) return std::move(applied).error();
    describe(profiler);
    RowClock clock(plan_);
    read = file_.read([&](const CsvRow& row) { take(row, clock); },
                      [&](std::uint64_t done) { return !progress || progress((total + done) / 2, total); });
    if (!read) return std::move(read).error();
    return std::move(preview_);
  }

 private:
  void describe(const CsvProfiler& profiler) {
    preview_.separator = file_.form().separator;
    preview_.encoding = std::string(name_of(file_.encoding()));
    preview_.header = file_.form().header;
    preview_.time_column = plan_.time_name();
    preview_.pace_column = plan_.pace_name();
    preview_.date_order = plan_.order == DateOrder::day_first ? "day" : "month";
    preview_.left_out = profiler.left_out();
    preview_.bytes = file_.stamp().size;
    for (const std::size_t i : candidates_) preview_.time_candidates.push_back(names_[i]);
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
      const PlannedColumn& planned = plan_.columns[i];
      CsvPreview::Column column;
      column.name = planned.name;
      column.unit = planned.unit.empty() ? model::split_unit(planned.name).unit : planned.unit;
      if (planned.type != ColumnClass::empty) column.type = model::name_of(planned.field_type);
      column.values = planned.values;
      column.time = plan_.time == TimeSource::column && (i == plan_.time_column || i == plan_.clock_column);
      preview_.columns.push_back(std::move(column));
    }
  }

  void take(const CsvRow& row, RowClock& clock) {
    const RowShape shape = shape_of(row, file_.form(), reason_);
    if (shape != RowShape::good && shape != RowShape::bad) return;
    std::optional<Timestamp> time;
    if (shape == RowShape::good) time = clock.next(row.cells, file_.encoding(), reason_);
    if (!time) {
      ++preview_.rejected;
      if (preview_.problems.size() < problems_max) preview_.problems.push_back({row.line, reason_});
      return;
    }
    ++preview_.rows;
    if (plan_.time == TimeSource::column) {
      preview_.first_time = std::min(preview_.first_time.value_or(*time), *time);
      preview_.last_time = std::max(preview_.last_time.value_or(*time), *time);
    }
    show(row);
  }

  void show(const CsvRow& row) {
    if (preview_.rows <= rows_shown) {
      std::vector<std::string>& cells = preview_.first_rows.emplace_back();
      for (const CsvCell& cell : row.cells) cells.push_back(shown(cell.text, file_.encoding()));
    }
    const std::size_t count = std::min(row.cells.size(), preview_.columns.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::string>& samples = preview_.columns[i].samples;
      if (samples.size() == samples_shown || is_missing(row.cells[i].text)) continue;
      std::string text = shown(row.cells[i].text, file_.encoding());
      if (std::find(samples.begin(), samples.end(), text) == samples.end()) samples.push_back(std::move(text));
    }
  }

  CsvFile file_;
  CsvPlan plan_;
  std::vector<std::size_t> candidates_;
  std::vector<std::string> names_;
  CsvPreview preview_;
  std::string reason_;
};

}  // namespace

Result<CsvPreview> preview_csv(const std::string& path, const CsvChoices& choices, const Progress& progress) {
  auto file = CsvFile::open(path, choices.separator);
  if (!file) return std::move(file).error();
  return Previewer(std::move(*file)).run(choices, progress);
}

}  // namespace iotstream::catalog
