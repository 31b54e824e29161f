#include <cmath>

#include <iotstream/base/assert.hpp>
#include <iotstream/model/reduce.hpp>

namespace iotstream::model {
namespace {

__extension__ using Wide = unsigned __int128;  // a span of 2^63 µs times 2^32 columns

/// Equal columns of [begin, end): column k holds the times t with ⌊(t − begin)·columns / span⌋ = k.
struct Columns {
  std::int64_t begin;
  std::uint64_t span;
  std::uint32_t count;

  std::uint64_t of(std::int64_t time) const { return static_cast<std::uint64_t>(Wide{from_begin(time)} * count / span); }
  /// The first time after column `k`, counted from begin.
  std::uint64_t end_of(std::uint64_t k) const { return static_cast<std::uint64_t>((Wide{span} * (k + 1) + count - 1) / count); }
  std::uint64_t from_begin(std::int64_t time) const {
    return static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(begin);
  }
};

/// The rows to keep of the column being read.
struct Extremes {
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t lowest = 0;
  std::size_t highest = 0;
  bool any = false;

  void add(std::size_t row, std::span<const double> values) {
    if (!any) {
      first = lowest = highest = row;
      any = true;
    }
    last = row;
    if (values[row] < values[lowest]) lowest = row;
    if (values[row] > values[highest]) highest = row;
  }
  void mark(std::vector<bool>& keep) {
    if (any) keep[first] = keep[last] = keep[lowest] = keep[highest] = true;
    any = false;
  }
};

}  // namespace

void m4_mark(std::span<const std::int64_t> time, std::span<const double> values, std::int64_t begin, std::int64_t end,
             std::uint32_t columns, std::vector<bool>& keep) {
  IOTSTREAM_ASSERT(time.size() == values.size() && time.size() == keep.size(), "{} times, {} values, {} marks", time.size(),
                   values.size(), keep.size());
  if (begin >= end || columns == 0) return;
  const Columns grid{begin, static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin), columns};
  Extremes extremes;
  std::uint64_t column_end = 0;
  for (std::size_t row = 0; row < time.size(); ++row) {
    if (time[row] < begin || std::isnan(values[row])) continue;
    if (time[row] >= end) break;
    if (grid.from_begin(time[row]) >= column_end) {
      extremes.mark(keep);
      column_end = grid.end_of(grid.of(time[row]));  // the only divisions: once a column that has rows
    }
    extremes.add(row, values);
  }
  extremes.mark(keep);
}

}  // namespace iotstream::model
