#include "live/row_buffer.hpp"

#include <bit>
#include <limits>

#include <iotstream/base/assert.hpp>

namespace iotstream::live {

using model::ValueKind;

void RowBuffer::begin_row(Timestamp time, std::uint16_t device) {
  IOTSTREAM_ASSERT(cells_.size() < std::numeric_limits<std::uint32_t>::max(), "{} cells", cells_.size());
  rows_.push_back({time.us, static_cast<std::uint32_t>(cells_.size()), device});
}

void RowBuffer::add(FieldId field, const model::Value& value) {
  if (!value.present()) return;
  Cell cell;
  cell.field = static_cast<std::uint16_t>(field.value);
  cell.kind = value.kind;
  switch (value.kind) {
    case ValueKind::integer:
      cell.bits = static_cast<std::uint64_t>(value.integer);
      break;
    case ValueKind::real:
      cell.bits = std::bit_cast<std::uint64_t>(value.real);
      break;
    case ValueKind::false_:
    case ValueKind::true_:
      break;
    default:
      if (cell.kind == ValueKind::key) cell.kind = ValueKind::text;  // the key does not travel with the buffer
      cell.bits = heap_.size();
      cell.text_size = static_cast<std::uint32_t>(value.text.size());
      heap_.append(value.text);
  }
  cells_.push_back(cell);
}

void RowBuffer::add_copy(const RowBuffer& from, Cell cell) {
  if (cell.text_size != 0) {
    const std::uint64_t at = heap_.size();
    heap_.append(from.text(cell));
    cell.bits = at;
  }
  cells_.push_back(cell);
}

void RowBuffer::drop_row() {
  IOTSTREAM_ASSERT(!rows_.empty(), "no row to drop");
  const std::uint32_t first = rows_.back().first_cell;
  for (std::size_t i = first; i < cells_.size(); ++i) {
    if (cells_[i].text_size == 0) continue;
    heap_.resize(cells_[i].bits);
    break;
  }
  cells_.resize(first);
  rows_.pop_back();
}

void RowBuffer::append(const RowBuffer& other, const std::vector<std::uint16_t>& devices) {
  const auto cell_shift = static_cast<std::uint32_t>(cells_.size());
  const std::uint64_t heap_shift = heap_.size();
  rows_.reserve(rows_.size() + other.rows_.size());
  for (const Row& row : other.rows_) rows_.push_back({row.time_us, row.first_cell + cell_shift, devices[row.device]});
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
  heap_ += other.heap_;
  for (std::size_t i = cell_shift; i < cells_.size(); ++i)
    if (cells_[i].text_size != 0) cells_[i].bits += heap_shift;
  merged_ += other.merged_;
}

void RowBuffer::drop_front(std::size_t rows) {
  if (rows >= rows_.size()) {
    const std::uint64_t merged = merged_;
    clear();
    merged_ = merged;
    return;
  }
  if (rows == 0) return;
  const std::uint32_t cells = rows_[rows].first_cell;
  // Texts lie in the order of their cells, so those of the rows that go are a prefix of the heap.
  std::uint64_t text = heap_.size();
  for (std::size_t i = cells; i < cells_.size(); ++i) {
    if (cells_[i].text_size == 0) continue;
    text = cells_[i].bits;
    break;
  }
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(rows));
  cells_.erase(cells_.begin(), cells_.begin() + cells);
  heap_.erase(0, text);
  for (Row& row : rows_) row.first_cell -= cells;
  for (Cell& cell : cells_)
    if (cell.text_size != 0) cell.bits -= text;
}

void RowBuffer::clear() {
  rows_.clear();
  cells_.clear();
  heap_.clear();
  merged_ = 0;
}

std::size_t RowBuffer::bytes_of(std::size_t row) const {
  std::size_t bytes = sizeof(Row);
  for (const Cell* cell = cells_begin(row); cell != cells_end(row); ++cell) bytes += sizeof(Cell) + cell->text_size;
  return bytes;
}

model::Value RowBuffer::value(const Cell& cell) const {
  model::Value value;
  value.kind = cell.kind;
  if (cell.kind == ValueKind::integer) value.integer = static_cast<std::int64_t>(cell.bits);
  if (cell.kind == ValueKind::real) value.real = std::bit_cast<double>(cell.bits);
  if (cell.text_size != 0) value.text = text(cell);
  return value;
}

}  // namespace iotstream::live
