#include "catalog/row_batch.hpp"

#include <iotstream/base/json.hpp>

#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t rows_max = 2'000;
constexpr std::size_t cells_max = 64 * 1024;
constexpr std::size_t problems_max = 100;
constexpr std::size_t batches = 3;  // one being filled, one being stored, one between them
// A row has at most 1 MiB (CsvLimits); decoding makes three bytes of one at worst, and JSON up to twice that of some.
constexpr std::size_t row_text_max = 6u << 20;
constexpr std::size_t text_max = 8u << 20;

}  // namespace

RowBatch::RowBatch() { text.reserve(text_max); }

void RowBatch::clear() {
  rows.clear();
  cells.clear();
  text.clear();
  rejected = 0;
  problems.clear();
}

RowParser::RowParser(const CsvForm& form, const CsvPlan& plan, Encoding encoding, std::vector<std::size_t> own,
                     std::vector<std::size_t> more)
    : form_(form),
      plan_(plan),
      encoding_(encoding),
      decode_(encoding == Encoding::utf8_damaged || encoding == Encoding::windows_1252),
      own_(std::move(own)),
      more_(std::move(more)),
      clock_(plan) {}

bool RowParser::take(const CsvRow& row, RowBatch& batch) {
  const bool rows_full = batch.rows.size() >= rows_max || (!batch.rows.empty() && batch.cells.size() + places() > cells_max);
  if (rows_full || batch.text.size() + row_text_max > text_max) return false;
  const RowShape shape = shape_of(row, form_, reason_);
  if (shape != RowShape::good && shape != RowShape::bad) return true;
  std::optional<Timestamp> time;
  if (shape == RowShape::good) time = clock_.next(row.cells, encoding_, reason_);
  if (!time) {
    ++batch.rejected;
    if (batch.problems.size() < problems_max) batch.problems.push_back({row.line, reason_});
    return true;
  }
  batch.rows.push_back({row.line, time->us});
  add_cells(row.cells, batch);
  return true;
}

void RowParser::add_cells(std::span<const CsvCell> cells, RowBatch& batch) {
  const auto cell_of = [&](std::size_t column) { return column < cells.size() ? cells[column].text : std::string_view(); };
  for (const std::size_t i : own_) add_cell(plan_.columns[i], cell_of(i), batch);
  if (more_.empty()) return;
  more_json_ = "{";
  for (const std::size_t i : more_)
    if (!is_missing(cell_of(i))) add_more(plan_.columns[i], cell_of(i));
  more_json_ += '}';
  model::Value& value = batch.cells.emplace_back();
  value.kind = model::ValueKind::json;
  add_text(value, more_json_, batch);
}

void RowParser::add_cell(const PlannedColumn& column, std::string_view cell, RowBatch& batch) {
  model::Value& value = batch.cells.emplace_back();
  if (is_missing(cell)) return;
  if (column.type == ColumnClass::boolean) {
    value.kind = read_boolean(cell).value_or(false) ? model::ValueKind::true_ : model::ValueKind::false_;
    return;
  }
  if (column.type != ColumnClass::text && read_csv_number(cell, column.style, value, scratch_)) {
    if (value.kind == model::ValueKind::decimal) add_text(value, value.text, batch);
    return;
  }
  value.kind = model::ValueKind::text;
  if (!decode_) return add_text(value, cell, batch);
  scratch_.clear();
  append_decoded(scratch_, cell, encoding_);
  add_text(value, scratch_, batch);
}

void RowParser::add_text(model::Value& value, std::string_view text, RowBatch& batch) {
  const std::size_t begin = batch.text.size();
  batch.text += text;
  value.text = std::string_view(batch.text).substr(begin);
}

/// Kinds as in a column of its own: the text of a decimal is a string.
void RowParser::add_more(const PlannedColumn& column, std::string_view cell) {
  if (more_json_.size() > 1) more_json_ += ',';
  json::append_string(more_json_, column.name);
  more_json_ += ':';
  if (column.type == ColumnClass::boolean) {
    more_json_ += read_boolean(cell).value_or(false) ? "true" : "false";
    return;
  }
  model::Value value;
  const bool number = column.type != ColumnClass::text && read_csv_number(cell, column.style, value, scratch_);
  if (number && value.kind != model::ValueKind::decimal) return model::append_json(more_json_, value);
  std::string text;
  append_decoded(text, number ? value.text : cell, encoding_);
  json::append_string(more_json_, text);
}

BatchExchange::BatchExchange() {
  for (std::size_t i = 0; i < batches; ++i) empty_.push_back(std::make_unique<RowBatch>());
}

std::unique_ptr<RowBatch> BatchExchange::empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || !empty_.empty(); });
  if (stopped_) return nullptr;
  auto batch = std::move(empty_.back());
  empty_.pop_back();
  batch->clear();
  return batch;
}

void BatchExchange::push(std::unique_ptr<RowBatch> batch) {
  const std::lock_guard lock(mutex_);
  full_.push_back(std::move(batch));
  changed_.notify_all();
}

void BatchExchange::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

std::unique_ptr<RowBatch> BatchExchange::pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_ || !full_.empty(); });
  if (full_.empty()) return nullptr;
  auto batch = std::move(full_.front());
  full_.pop_front();
  return batch;
}

void BatchExchange::give_back(std::unique_ptr<RowBatch> batch) {
  const std::lock_guard lock(mutex_);
  empty_.push_back(std::move(batch));
  changed_.notify_all();
}

void BatchExchange::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace iotstream::catalog
