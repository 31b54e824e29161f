// m4(): the readings that draw the same line as all of them (U. Jugel et al., "M4: A Visualization-Oriented Time Series Data
// Aggregation", VLDB 2014): of every pixel column the first, the least, the greatest and the last.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "store/buckets.hpp"
#include "store/queries.hpp"
#include "store/window.hpp"

namespace iotstream::store {

namespace {

constexpr std::uint32_t columns_max = 20'000;

__extension__ using Wide = __int128;

/// Equal columns of [begin, end): column k holds the times t with ⌊(t − begin) · columns / span⌋ = k, as model::m4_mark has it.
struct Grid {
  std::int64_t begin;
  std::int64_t span;
  std::uint32_t columns;

  std::uint64_t column_of(std::int64_t time) const { return static_cast<std::uint64_t>((Wide{time} - begin) * columns / span); }
  /// The first time of column `k`.
  std::int64_t begin_of(std::uint64_t k) const {
    return static_cast<std::int64_t>(begin + (Wide{span} * static_cast<std::int64_t>(k) + columns - 1) / columns);
  }
};

struct Point {
  std::int64_t time;
  double value;
  bool operator==(const Point&) const = default;
};

class Lines final : public WindowSink {
 public:
  Lines(Grid grid, std::size_t fields) : grid_(grid), open_(fields, Accumulator(false)), lines_(fields) {}

  void row(std::int64_t time_us, std::int64_t device, std::span<const Cell> cells) override {
    turn_to(grid_.column_of(time_us));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].there) open_[i].add(time_us, device, cells[i].number);
    }
  }

  bool rollup(const RollupPlace& place, std::span<const Rollup> rollups) override {
    // Where rows are gone, a bucket may reach over the edge of a column: it counts where it begins.
    const std::int64_t inside = std::clamp(place.begin_us, grid_.begin, grid_.begin + grid_.span - 1);
    turn_to(std::max(grid_.column_of(inside), column_ == none ? 0 : column_));
    for (std::size_t i = 0; i < rollups.size(); ++i) open_[i].merge(rollups[i], place.device);
    return true;
  }

  std::vector<M4Line> finish() {
    turn_to(none);
    return std::move(lines_);
  }

 private:
  static constexpr std::uint64_t none = UINT64_MAX;

  void turn_to(std::uint64_t column) {
    if (column == column_) return;
    for (std::size_t i = 0; i < open_.size() && column_ != none; ++i) {
      emit(open_[i].rollup(), lines_[i]);
      open_[i].clear();
    }
    column_ = column;
  }

  static void emit(const Rollup& rollup, M4Line& line) {
    if (rollup.count == 0) return;
    const Point first{rollup.first_time, rollup.first};
    const Point last{rollup.last_time, rollup.last};
    Point middle[] = {{rollup.min_time, rollup.min}, {rollup.max_time, rollup.max}};
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
  static void add(M4Line& line, const Point& point) {
    line.time.push_back(Timestamp{point.time});
    line.values.push_back(point.value);
  }

  Grid grid_;
  std::vector<Accumulator> open_;
  std::vector<M4Line> lines_;
  std::uint64_t column_ = none;
};

Status check(const M4Query& query) {
  if (query.fields.empty()) return Error{ErrorKind::invalid, "m4 needs at least one field"};
  if (query.columns == 0 || query.columns > columns_max)
    return Error{ErrorKind::invalid, fmt::format("m4 draws 1 to {} columns, not {}", columns_max, query.columns)};
  if (query.from >= query.to) return Error{ErrorKind::invalid, "the window must be longer than nothing"};
  if (query.from.us < -time_max || query.to.us > time_max)
    return Error{ErrorKind::invalid, "the window is longer than all of time"};
  return {};
}

/// Then columns need not be looked at one by one.
bool rows_only(const Sources& sources, std::int64_t from_us) {
  for (const Tier tier : rollup_tiers) {
    const auto i = static_cast<std::size_t>(tier);
    if (sources.usable[i] && sources.fits[i]) return false;
  }
  return sources.horizon[static_cast<std::size_t>(Tier::rows)] <= from_us;
}

}  // namespace

Result<M4> Queries::m4(const M4Query& query) {
  Timed timed(series_, clock_, query.dataset);
  if (auto good = check(query); !good) return timed.failed(good.error());
  const WindowQuestion question{sorted_fields(query.fields), query.device, query.where, query.from, query.to, true};
  auto picture = look(query.dataset, query.cancelled);
  if (!picture) return timed.failed(picture.error());
  auto reader = picture->read(question);
  if (!reader) return timed.failed(reader.error());

  const Grid grid{query.from.us, query.to.us - query.from.us, query.columns};
  Lines lines(grid, question.fields.size());
  // Rollups that lie in one column each, and rows at its edges: nothing is told of a column that belongs to another.
  const Sources sources = that_fit(reader->sources(), grid.span / query.columns);
  std::vector<Segment> segments;
  if (rows_only(sources, query.from.us)) {
    segments = {{Tier::rows, query.from.us, query.to.us}};
  } else {
    for (std::uint64_t k = 0; k < query.columns; ++k) {
      for (const Segment& segment : plan(grid.begin_of(k), grid.begin_of(k + 1), sources)) {
        // A bucket that reaches over several columns is read once.
        const bool again = !segments.empty() && segments.back().tier == segment.tier && segment.from < segments.back().to;
        if (again)
          segments.back().to = std::max(segments.back().to, segment.to);
        else
          segments.push_back(segment);
      }
    }
  }
  if (auto read = reader->read(segments, lines); !read) return timed.failed(read.error());
  reader->finish(lines);
  M4 answer;
  std::vector<M4Line> found = lines.finish();
  for (const FieldId field : query.fields) {
    const auto place = std::lower_bound(question.fields.begin(), question.fields.end(), field) - question.fields.begin();
    answer.lines.push_back(found[static_cast<std::size_t>(place)]);
    answer.lines.back().field = field;
  }
  answer.rows_scanned = timed.rows = reader->rows_scanned();
  answer.tier = name_of(reader->tier());
  answer.behind = reader->behind();
  return answer;
}

}  // namespace iotstream::store
