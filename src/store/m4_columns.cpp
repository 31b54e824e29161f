#include "store/m4_columns.hpp"

#include <algorithm>
#include <utility>

#include "store/plan.hpp"

namespace iotstream::store {

namespace {

__extension__ using Wide = __int128;

struct Point {
  std::int64_t time;
  double value;
  bool operator==(const Point&) const = default;
};

void add(M4Line& line, const Point& point) {
  line.time.push_back(Timestamp{point.time});
  line.values.push_back(point.value);
}

}  // namespace

std::uint64_t Grid::column_of(std::int64_t time) const {
  return static_cast<std::uint64_t>((Wide{time} - begin) * columns / span);
}

std::int64_t Grid::begin_of(std::uint64_t k) const {
  return static_cast<std::int64_t>(begin + (Wide{span} * static_cast<std::int64_t>(k) + columns - 1) / columns);
}

void add_column(const Rollup& column, M4Line& line) {
  if (column.count == 0) return;
  const Point first{column.first_time, column.first};
  const Point last{column.last_time, column.last};
  Point middle[] = {{column.min_time, column.min}, {column.max_time, column.max}};
  if (middle[1].time < middle[0].time) std::swap(middle[0], middle[1]);
  add(line, first);
  Point before = first;
  for (const Point& point : middle) {
    if (point == before || point == first || point == last) continue;
    add(line, point);
    before = point;
  }
  if (last != first) add(line, last);
}

Result<std::vector<M4Line>> ColumnReader::read() {
  const Tier largest = tiers_.back();
  reader_.hold_tail();
  auto left = look_at_edge(grid_.begin);
  if (!left) return left.error();
  for (std::uint64_t k = 0; k < grid_.columns; ++k) {
    const std::int64_t from = grid_.begin_of(k);
    const std::int64_t to = grid_.begin_of(k + 1);
    std::swap(column_, next_);
    for (Accumulator& field : next_) field.clear();
    if (auto status = read(largest, up_to(from, width_of(largest)), down_to(to, width_of(largest))); !status)
      return status.error();
    auto right = look_at_edge(to);
    if (!right) return right.error();
    if (auto status = settle(*left, Side::right); !status) return status.error();
    if (auto status = settle(*right, Side::left); !status) return status.error();
    reader_.feed_tail(to, *this);
    for (std::size_t i = 0; i < column_.size(); ++i) add_column(column_[i].rollup(), lines_[i]);
    left = std::move(right);
  }
  return std::move(lines_);
}

/// Reads what stands directly beside the edge into both columns: so the last reading of the one and the first of the other are
/// known, as a rule.
Result<ColumnReader::Edge> ColumnReader::look_at_edge(std::int64_t edge) {
  const std::int64_t width = width_of(tiers_.back());
  const std::int64_t begin = down_to(edge, width);
  Edge levels;
  if (begin == edge) return levels;
  edge_ = edge;
  auto status = look_into(tiers_.size() - 1, begin, begin + width, levels);
  edge_ = INT64_MAX;
  if (!status) return status.error();
  return levels;
}

/// A bucket [begin, end) of tiers_[tier], with edge_ inside.
Status ColumnReader::look_into(std::size_t tier, std::int64_t begin, std::int64_t end, Edge& levels) {
  const Tier smaller = tiers_[tier - 1];
  if (smaller == Tier::rows) return read(Tier::rows, begin, end);
  const std::int64_t width = width_of(smaller);
  Level level{smaller, begin, down_to(edge_, width), up_to(edge_, width), end, {}};
  parts_ = &level.bucket;
  auto status = read(tiers_[tier], begin, end);
  parts_ = nullptr;
  if (!status) return status;
  if (level.low == level.high) {
    level.low -= width;
    level.high += width;
    status = read(smaller, level.low, level.high);
  } else {
    status = look_into(tier - 1, level.low, level.high, levels);
  }
  levels.push_back(std::move(level));
  return status;
}

Status ColumnReader::settle(const Edge& edge, Side side) {
  for (const Level& level : edge) {
    if (is_settled(level, side)) continue;
    auto status = side == Side::left ? read(level.tier, level.begin, level.low) : read(level.tier, level.high, level.end);
    if (!status) return status;
  }
  return {};
}

/// Whether what stands between the edge's own readings and the bucket's end can be no first, last, least or greatest reading of
/// the column, by what the whole bucket tells. Its least and greatest are taken over where they lie in there.
bool ColumnReader::is_settled(const Level& level, Side side) {
  const std::int64_t from = side == Side::left ? level.begin : level.high;
  const std::int64_t to = side == Side::left ? level.low : level.end;
  if (from >= to) return true;
  // Of equals the earliest is drawn; the bucket tells where its own earliest is.
  const auto may_be_earlier = [&](std::int64_t time, std::int64_t known) { return time < to && from < known && time < known; };
  for (const Part& part : level.bucket) {
    for (std::size_t i = 0; i < part.fields.size(); ++i) {
      const Rollup& all = part.fields[i];
      if (all.count == 0) continue;
      const Rollup& known = column_[i].rollup();
      if (known.count == 0 || known.first_time >= from || known.last_time < to) return false;
      const struct {
        std::int64_t time;
        double value;
        bool open;
      } extremes[] = {{all.min_time, all.min,
                       all.min < known.min || (all.min == known.min && may_be_earlier(all.min_time, known.min_time))},
                      {all.max_time, all.max,
                       all.max > known.max || (all.max == known.max && may_be_earlier(all.max_time, known.max_time))}};
      for (const auto& [time, value, open] : extremes) {
        if (!open) continue;
        if (time < from || time >= to) return false;
        column_[i].add(time, part.device, value);
      }
    }
  }
  return true;
}

Status ColumnReader::read(Tier tier, std::int64_t from, std::int64_t to) {
  if (from >= to) return {};
  return reader_.read({{tier, from, to}}, *this);
}

void ColumnReader::row(std::int64_t time_us, std::int64_t device, std::span<const Cell> cells) {
  std::vector<Accumulator>& fields = time_us < edge_ ? column_ : next_;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].there) fields[i].add(time_us, device, cells[i].number);
  }
}

bool ColumnReader::rollup(const RollupPlace& place, std::span<const Rollup> rollups) {
  if (parts_ != nullptr) {
    parts_->push_back({place.device, {rollups.begin(), rollups.end()}});
    return true;
  }
  std::vector<Accumulator>& fields = place.begin_us < edge_ ? column_ : next_;
  for (std::size_t i = 0; i < rollups.size(); ++i) fields[i].merge(rollups[i], place.device);
  return true;
}

}  // namespace iotstream::store
