#include <algorithm>
#include <utility>

#include <iotstream/catalog/csv.hpp>

#include "catalog/csv_plan.hpp"
#include "catalog/csv_reader.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t head_bytes = 64 * 1024;

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

}  // namespace

struct CsvTable::Content {
  std::string_view text;
  Encoding encoding = Encoding::utf8;
  char separator = ',';
  CsvPlan plan;
  std::vector<std::string> names;
  std::vector<std::string> scratch;  ///< per column: texts that are not in `text` as they stand
  std::vector<Cell> cells;
  std::string reason;

  void read(const CsvReader::Sink& sink) const {
    CsvReader reader(separator);
    reader.feed(text, sink);
    reader.finish(sink);
  }
  void take(const CsvRow& row, const std::function<void(const Row&)>& visit);
  model::Value value_of(std::size_t column, std::string_view cell);
  std::optional<Timestamp> time_of(const CsvRow& row) const;
};

Result<CsvTable> CsvTable::open(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Error{ErrorKind::invalid, "line 1: the text is UTF-16; send it as UTF-8"};
  auto content = std::make_unique<Content>();
  content->text = without_mark(text);
  EncodingCensus census;
  census.feed(content->text);
  content->encoding = census.encoding();
  content->separator = find_separator(content->text.substr(0, head_bytes), content->text.size() <= head_bytes);
  CsvProfiler profiler(content->separator, content->encoding);
  content->read([&](const CsvRow& row) { profiler.add(row); });
  auto plan = profiler.finish();
  if (!plan) return std::move(plan).error();
  content->plan = std::move(*plan);
  for (const PlannedColumn& column : content->plan.columns) content->names.push_back(column.name);
  content->scratch.resize(content->names.size());
  return CsvTable(std::move(content));
}

CsvTable::CsvTable(std::unique_ptr<Content> content) : content_(std::move(content)) {}
CsvTable::~CsvTable() = default;
CsvTable::CsvTable(CsvTable&&) noexcept = default;

const std::vector<std::string>& CsvTable::columns() const { return content_->names; }

void CsvTable::each(const std::function<void(const Row&)>& visit) {
  bool header = true;
  content_->read([&](const CsvRow& row) {
    if (!std::exchange(header, false)) content_->take(row, visit);
  });
}

void CsvTable::Content::take(const CsvRow& row, const std::function<void(const Row&)>& visit) {
  const RowShape shape = shape_of(row, plan.header, reason);
  if (shape == RowShape::header_again) return;
  Row out;
  out.line = row.line;
  if (shape == RowShape::bad) {
    out.problem = reason;
    return visit(out);
  }
  cells.clear();
  const std::size_t count = std::min(row.cells.size(), names.size());
  for (std::size_t i = 0; i < count; ++i)
    if (!is_missing(row.cells[i].text)) cells.push_back({static_cast<std::uint32_t>(i), value_of(i, row.cells[i].text)});
  out.time = time_of(row);
  out.cells = cells;
  visit(out);
}

model::Value CsvTable::Content::value_of(std::size_t column, std::string_view cell) {
  const PlannedColumn& plan_of = plan.columns[column];
  model::Value value;
  if (plan_of.type == ColumnClass::boolean) {
    value.kind = read_boolean(cell).value_or(false) ? model::ValueKind::true_ : model::ValueKind::false_;
    return value;
  }
  const bool number = plan_of.type == ColumnClass::number || plan_of.type == ColumnClass::mixed;
  if (number && read_csv_number(cell, plan_of.decimal_comma, value, scratch[column])) return value;
  value.kind = model::ValueKind::text;
  value.text = cell;
  if (encoding == Encoding::utf8) return value;
  scratch[column].clear();
  append_decoded(scratch[column], cell, encoding);
  value.text = scratch[column];
  return value;
}

std::optional<Timestamp> CsvTable::Content::time_of(const CsvRow& row) const {
  if (plan.time != TimeSource::column || plan.time_column >= row.cells.size()) return std::nullopt;
  const std::string_view cell = row.cells[plan.time_column].text;
  return is_missing(cell) ? std::nullopt : read_csv_time(cell);
}

}  // namespace iotstream::catalog
