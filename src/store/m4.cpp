// m4(): the readings that draw the same line as all of them (U. Jugel et al., "M4: A Visualization-Oriented Time Series Data
// Aggregation", VLDB 2014): of every pixel column the first, the least, the greatest and the last.
#include <algorithm>

#include <fmt/format.h>

#include "store/m4_columns.hpp"
#include "store/queries.hpp"
#include "store/window.hpp"

namespace iotstream::store {

namespace {

constexpr std::uint32_t columns_max = 20'000;

/// Columns in order of time, from buckets that lie in one each; where rows are gone, from buckets that begin in one.
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
      add_column(open_[i].rollup(), lines_[i]);
      open_[i].clear();
    }
    column_ = column;
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

/// What columns may be read from, ascending.
std::vector<Tier> tiers_of(const Sources& sources) {
  std::vector<Tier> tiers;
  for (std::size_t i = 0; i < sources.usable.size(); ++i) {
    if (sources.usable[i] && sources.fits[i]) tiers.push_back(static_cast<Tier>(i));
  }
  return tiers;
}

bool all_there(const Sources& sources, const std::vector<Tier>& tiers, std::int64_t from_us) {
  return std::all_of(tiers.begin(), tiers.end(),
                     [&](Tier tier) { return sources.horizon[static_cast<std::size_t>(tier)] <= from_us; });
}

/// Rollups that lie in one column each, and smaller ones and rows at its edges: nothing is told of a column that belongs to
/// another.
std::vector<Segment> by_columns(const Grid& grid, const Sources& sources) {
  std::vector<Segment> segments;
  for (std::uint64_t k = 0; k < grid.columns; ++k) {
    for (const Segment& segment : plan(grid.begin_of(k), grid.begin_of(k + 1), sources)) {
      // A bucket that reaches over several columns is read once.
      const bool again = !segments.empty() && segments.back().tier == segment.tier && segment.from < segments.back().to;
      if (again)
        segments.back().to = std::max(segments.back().to, segment.to);
      else
        segments.push_back(segment);
    }
  }
  return segments;
}

Result<std::vector<M4Line>> read_lines(WindowReader& reader, std::size_t fields, const Grid& grid) {
  const Sources sources = that_fit(reader.sources(), grid.span / grid.columns);
  const std::vector<Tier> tiers = tiers_of(sources);
  const bool whole = all_there(sources, tiers, grid.begin);
  if (whole && tiers.size() > 1) return ColumnReader(reader, grid, tiers, fields).read();
  Lines lines(grid, fields);
  const auto segments =
      whole ? std::vector<Segment>{{Tier::rows, grid.begin, grid.begin + grid.span}} : by_columns(grid, sources);
  if (auto read = reader.read(segments, lines); !read) return read.error();
  reader.finish(lines);
  return lines.finish();
}

}  // namespace

Result<M4> Queries::m4(const M4Query& query) {
  Timed timed(series_, clock_, query.dataset);
  if (auto good = check(query); !good) return timed.failed(good.error());
  const WindowQuestion question{sorted_fields(query.fields), query.device, query.where, query.from, query.to};
  auto picture = look(query.dataset, query.cancelled);
  if (!picture) return timed.failed(picture.error());
  auto reader = picture->read(question);
  if (!reader) return timed.failed(reader.error());

  auto found = read_lines(*reader, question.fields.size(), {query.from.us, query.to.us - query.from.us, query.columns});
  if (!found) return timed.failed(found.error());
  M4 answer;
  for (const FieldId field : query.fields) {
    const auto place = std::lower_bound(question.fields.begin(), question.fields.end(), field) - question.fields.begin();
    answer.lines.push_back((*found)[static_cast<std::size_t>(place)]);
    answer.lines.back().field = field;
  }
  answer.rows_scanned = timed.rows = reader->rows_scanned();
  answer.tier = name_of(reader->tier());
  answer.behind = reader->behind();
  return answer;
}

}  // namespace iotstream::store
