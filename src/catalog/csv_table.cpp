#include <algorithm>
#include <utility>

#include <iotstream/catalog/csv.hpp>

#include "catalog/csv_form.hpp"
#include "catalog/csv_plan.hpp"
#include "catalog/csv_reader.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t head_bytes = 1024 * 1024;

}  // namespace

struct CsvTable::Content {
  std::string decoded;  ///< of a text in UTF-16
  std::string_view text;
  Encoding encoding = Encoding::utf8;
  CsvForm form;
  CsvPlan plan;
  std::vector<std::string> names;
  std::vector<std::string> scratch;  ///< per column: texts that are not in `text` as they stand
  std::vector<Cell> cells;
  std::string reason;

  void read(const CsvReader::Sink& sink) const {
    CsvReader reader(form.separator);
    reader.feed(text, sink);
    reader.finish(sink);
  }
  void take(const CsvRow& row, const std::function<void(const Row&)>& visit);
  model::Value value_of(std::size_t column, std::string_view cell);
  std::optional<Timestamp> time_of(const CsvRow& row);
};

Result<CsvTable> CsvTable::open(std::string_view text) {
  auto content = std::make_unique<Content>();
  const auto utf16 = utf16_of(text);
  text.remove_prefix(mark_bytes(text));
  if (utf16) {
    Utf16Decoder decoder(*utf16);
    decoder.feed(text, content->decoded);
    decoder.finish(content->decoded);
    text = content->decoded;
  }
  content->text = text;
  EncodingCensus census;
  census.feed(content->text);
  content->encoding = census.encoding();
  content->form = find_form({text.substr(0, head_bytes), text.size() <= head_bytes, std::nullopt, true});
  if (!content->form.problem.empty()) return Error{ErrorKind::invalid, content->form.problem};
  CsvProfiler profiler(content->form);
  content->read([&](const CsvRow& row) { profiler.add(row); });
  content->plan = profiler.finish(content->encoding);
  for (const PlannedColumn& column : content->plan.columns) content->names.push_back(column.name);
  content->scratch.resize(content->names.size());
  return CsvTable(std::move(content));
}

CsvTable::CsvTable(std::unique_ptr<Content> content) : content_(std::move(content)) {}
CsvTable::~CsvTable() = default;
CsvTable::CsvTable(CsvTable&&) noexcept = default;

const std::vector<std::string>& CsvTable::columns() const { return content_->names; }

void CsvTable::each(const std::function<void(const Row&)>& visit) {
  content_->read([&](const CsvRow& row) { content_->take(row, visit); });
}

void CsvTable::Content::take(const CsvRow& row, const std::function<void(const Row&)>& visit) {
  const RowShape shape = shape_of(row, form, reason);
  if (shape != RowShape::good && shape != RowShape::bad) return;
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
  if (number && read_csv_number(cell, plan_of.style, value, scratch[column])) return value;
  value.kind = model::ValueKind::text;
  value.text = cell;
  if (encoding == Encoding::utf8) return value;
  scratch[column].clear();
  append_decoded(scratch[column], cell, encoding);
  value.text = scratch[column];
  return value;
}

/// Nothing where the file has no column of times: what arrives now is of now.
std::optional<Timestamp> CsvTable::Content::time_of(const CsvRow& row) {
  if (plan.time != TimeSource::column) return std::nullopt;
  return RowClock(plan).next(row.cells, encoding, reason);
}

}  // namespace iotstream::catalog
