#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include <iotstream/model/reduce.hpp>

#include "live/row_buffer.hpp"

namespace iotstream::live {
namespace {

/// Beyond these a time takes part as the bound itself, so that no width or sum of the grid can overflow. (±70,000 years.)
constexpr std::int64_t time_bound = std::int64_t{1} << 61;

/// `width` doubled so often; the bound itself at the most.
std::int64_t doubled(std::int64_t width, int doublings) {
  const int room =
      std::countl_zero(static_cast<std::uint64_t>(width)) - std::countl_zero(static_cast<std::uint64_t>(time_bound));
  return doublings > room ? time_bound : std::min(width << doublings, time_bound);
}

std::int64_t bounded(std::int64_t time_us) { return std::clamp(time_us, -time_bound, time_bound); }

std::int64_t floor_to(std::int64_t time, std::int64_t width) {
  const std::int64_t rest = time % width;
  return time - (rest < 0 ? rest + width : rest);
}

/// The values of one field of one device, by time.
struct Series {
  std::vector<std::int64_t> time;
  std::vector<double> values;  ///< NaN: a text
  std::vector<std::uint32_t> cells;
  bool texts = false;

  void clear() {
    time.clear();
    values.clear();
    cells.clear();
    texts = false;
  }
};

/// Where the columns of one device are: `wide` before the boundary, `width` from there on. By device, because one whose clock
/// runs ahead must not push the others out of their window.
struct Zones {
  std::int64_t oldest;
  std::int64_t newest;
  std::int64_t boundary;
  std::int64_t width;
  std::int64_t wide;

  Zones(std::int64_t oldest_us, std::int64_t newest_us, const Grid& grid, std::int64_t column_width)
      : oldest(oldest_us), newest(newest_us), boundary(oldest_us), width(column_width), wide(column_width) {
    if (oldest >= newest - grid.window.us) return;
    boundary = floor_to(newest - grid.window.us, width);
    while ((boundary - oldest) / wide > grid.pixels && wide < time_bound) wide *= 2;
  }
};

}  // namespace

/// One merge at one width of the columns.
class Merge {
 public:
  Merge(RowBuffer& buffer, const Grid& grid, std::int64_t width) : buffer_(buffer), grid_(grid), width_(width) {}

  void run() {
    order_by_time();
    group_by_device();
    keep_.assign(buffer_.cells_.size(), 0);
    for (std::size_t device = 0; device + 1 < device_begin_.size(); ++device)
      mark_device(std::span(by_device_).subspan(device_begin_[device], device_begin_[device + 1] - device_begin_[device]));
    rebuild();
  }
  /// A wider column would hold nothing more.
  bool exhausted() const { return width_ > span_max_ || width_ >= time_bound; }

 private:
  const std::vector<RowBuffer::Row>& rows() const { return buffer_.rows_; }

  void order_by_time() {
    order_.resize(rows().size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    const auto earlier = [this](std::uint32_t a, std::uint32_t b) { return rows()[a].time_us < rows()[b].time_us; };
    if (!std::is_sorted(order_.begin(), order_.end(), earlier)) std::stable_sort(order_.begin(), order_.end(), earlier);
  }

  void group_by_device() {
    std::size_t devices = 0;
    for (const auto& row : rows()) devices = std::max<std::size_t>(devices, row.device + 1u);
    device_begin_.assign(devices + 1, 0);
    for (const auto& row : rows()) ++device_begin_[row.device + 1u];
    for (std::size_t i = 1; i < device_begin_.size(); ++i) device_begin_[i] += device_begin_[i - 1];
    std::vector<std::uint32_t> next(device_begin_.begin(), device_begin_.end());
    by_device_.resize(order_.size());
    for (const std::uint32_t row : order_) by_device_[next[rows()[row].device]++] = row;
  }

  void mark_device(std::span<const std::uint32_t> device_rows) {
    if (device_rows.empty()) return;
    const std::int64_t oldest = bounded(rows()[device_rows.front()].time_us);
    const std::int64_t newest = bounded(rows()[device_rows.back()].time_us);
    span_max_ = std::max(span_max_, newest - oldest);
    const Zones zones(oldest, newest, grid_, width_);
    gather(device_rows);
    for (const std::uint16_t field : fields_) {
      mark(series_[field], zones);
      series_[field].clear();
    }
    fields_.clear();
  }

  void gather(std::span<const std::uint32_t> device_rows) {
    for (const std::uint32_t row : device_rows) {
      const Cell* const first = buffer_.cells_begin(row);
      for (const Cell* cell = first; cell != buffer_.cells_end(row); ++cell) {
        if (cell->field >= series_.size()) series_.resize(cell->field + 1u);
        Series& series = series_[cell->field];
        if (series.time.empty()) fields_.push_back(cell->field);
        series.time.push_back(bounded(rows()[row].time_us));
        series.values.push_back(buffer_.number(*cell));
        series.cells.push_back(static_cast<std::uint32_t>(cell - buffer_.cells_.data()));
        series.texts |= std::isnan(series.values.back());
      }
    }
  }

  void mark(Series& series, const Zones& zones) {
    mark_values(series, zones);
    if (series.texts) {  // a text has no height: of a column the first and the last stay
      for (double& value : series.values) value = std::isnan(value) ? 0 : std::numeric_limits<double>::quiet_NaN();
      mark_values(series, zones);
    }
  }

  void mark_values(const Series& series, const Zones& zones) {
    const auto split = std::lower_bound(series.time.begin(), series.time.end(), zones.boundary) - series.time.begin();
    const std::size_t old = static_cast<std::size_t>(split);
    mark_part(series, 0, old, zones.oldest, zones.boundary - 1, zones.wide);
    mark_part(series, old, series.time.size() - old, std::max(zones.oldest, zones.boundary), zones.newest, zones.width);
  }

  void mark_part(const Series& series, std::size_t begin, std::size_t count, std::int64_t first, std::int64_t last,
                 std::int64_t width) {
    if (count == 0) return;
    const std::int64_t from = floor_to(first, width);
    const std::int64_t to = floor_to(last, width) + width;
    part_.assign(count, false);
    model::m4_mark(std::span(series.time).subspan(begin, count), std::span(series.values).subspan(begin, count), from, to,
                   static_cast<std::uint32_t>((to - from) / width), part_);
    for (std::size_t i = 0; i < count; ++i)
      if (part_[i]) keep_[series.cells[begin + i]] = 1;
  }

  void rebuild() {
    RowBuffer reduced;
    for (const std::uint32_t row : order_) {
      reduced.begin_row({rows()[row].time_us}, rows()[row].device);
      for (const Cell* cell = buffer_.cells_begin(row); cell != buffer_.cells_end(row); ++cell)
        if (keep_[static_cast<std::size_t>(cell - buffer_.cells_.data())] != 0) reduced.add_copy(buffer_, *cell);
      if (reduced.rows_.back().first_cell == reduced.cells_.size()) reduced.rows_.pop_back();
    }
    reduced.merged_ = buffer_.merged_ + (rows().size() - reduced.rows_.size());
    buffer_ = std::move(reduced);
  }

  RowBuffer& buffer_;
  const Grid& grid_;
  std::int64_t width_;
  std::int64_t span_max_ = 0;
  std::vector<std::uint32_t> order_;      ///< rows by time, those of one time by arrival
  std::vector<std::uint32_t> by_device_;  ///< the same, device after device
  std::vector<std::uint32_t> device_begin_;
  std::vector<Series> series_;  ///< by field
  std::vector<std::uint16_t> fields_;
  std::vector<bool> part_;
  std::vector<unsigned char> keep_;  ///< by cell
};

int RowBuffer::merge(const Grid& grid, std::size_t bytes_max, int doublings) {
  const std::int64_t width = std::max<std::int64_t>(1, grid.window.us / grid.pixels);
  for (;;) {
    Merge merge(*this, grid, doubled(width, doublings));
    merge.run();
    if (bytes() <= bytes_max || merge.exhausted()) return doublings;
    // A column of twice the width halves the rows at best: so many doublings are needed at least.
    doublings += std::max(1, static_cast<int>(std::bit_width(bytes() / std::max<std::size_t>(bytes_max, 1))) - 1);
  }
}

}  // namespace iotstream::live
