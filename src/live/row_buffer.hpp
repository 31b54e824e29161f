// Rows on their way to a viewer, and their reduction to what the viewer can draw.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::live {

/// One value that is present. Texts lie in the heap of their buffer: `bits` is where, `text_size` how long.
struct Cell {
  std::uint64_t bits = 0;
  std::uint32_t text_size = 0;
  std::uint16_t field = 0;
  model::ValueKind kind = model::ValueKind::missing;
};

/// How wide a viewer draws: the grid on which merge() reduces.
struct Grid {
  Duration window{300'000'000};
  std::uint32_t pixels = 800;
};

/// Rows in order of arrival, each with its device (a number of the owner's choice) and its present values. Row-wise, because
/// rows come one by one and leave once; the encoders transpose. One thread.
class RowBuffer {
 public:
  void begin_row(Timestamp time, std::uint16_t device);
  /// Adds a value to the row begun last; absent ones and null are not stored. Field ids are below 65,534.
  void add(FieldId field, const model::Value& value);
  /// Adds a value of another buffer to the row begun last.
  void add_copy(const RowBuffer& from, Cell cell);
  /// Forgets the row begun last.
  void drop_row();
  /// Appends `other`'s rows, their devices renumbered by `devices`, and what they stand for.
  void append(const RowBuffer& other, const std::vector<std::uint16_t>& devices);
  /// Forgets the first `rows` rows.
  void drop_front(std::size_t rows);
  void clear();

  std::size_t rows() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  /// Memory of what is stored.
  std::size_t bytes() const { return rows_.size() * sizeof(Row) + cells_.size() * sizeof(Cell) + heap_.size(); }
  /// Of one row; O(its cells).
  std::size_t bytes_of(std::size_t row) const;

  Timestamp time(std::size_t row) const { return {rows_[row].time_us}; }
  std::uint16_t device(std::size_t row) const { return rows_[row].device; }
  const Cell* cells_begin(std::size_t row) const { return cells_.data() + rows_[row].first_cell; }
  const Cell* cells_end(std::size_t row) const {
    return cells_.data() + (row + 1 < rows_.size() ? rows_[row + 1].first_cell : cells_.size());
  }
  std::string_view text(const Cell& cell) const { return std::string_view(heap_).substr(cell.bits, cell.text_size); }
  model::Value value(const Cell& cell) const;
  /// As model::Value::as_double(), without its detour for the kinds that fill a stream.
  double number(const Cell& cell) const {
    switch (cell.kind) {
      case model::ValueKind::integer:
        return static_cast<double>(static_cast<std::int64_t>(cell.bits));
      case model::ValueKind::real:
        return std::bit_cast<double>(cell.bits);
      default:
        return value(cell).as_double();
    }
  }

  /// Rows that the buffer stands for beyond those it holds, since take_merged().
  std::uint64_t merged() const { return merged_; }
  std::uint64_t take_merged() { return std::exchange(merged_, 0); }
  void count_merged(std::uint64_t rows) { merged_ += rows; }

  /// Reduces by M4: per device, field and column of the grid the first, last, lowest and highest value stay (of texts the first
  /// and last); a row without values left goes. A column is window / pixels wide within the newest `window`; what is older is
  /// put on as many columns, each a power of two wider. While more than `bytes_max` remain, both widths double, until a column
  /// holds everything. Columns begin at multiples of their width, so that merging again what was merged keeps what one merge of
  /// everything would keep. Rows are ordered by time afterwards. O(rows × log rows + cells).
  ///
  /// `doublings`: how often the widths are doubled from the start (what an earlier merge of these rows returned); returns how
  /// often they were in the end.
  int merge(const Grid& grid, std::size_t bytes_max, int doublings = 0);

 private:
  friend class Merge;
  struct Row {
    std::int64_t time_us;
    std::uint32_t first_cell;
    std::uint16_t device;
  };
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::string heap_;
  std::uint64_t merged_ = 0;
};

}  // namespace iotstream::live
