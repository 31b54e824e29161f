// The columns of a picture, filled one by one from the largest buckets that lie in one of them; where a column's edge cuts a
// bucket, smaller ones and rows are looked at only as far as they could change what is drawn.
#pragma once

#include <cstdint>
#include <vector>

#include <iotstream/store/history.hpp>

#include "store/buckets.hpp"
#include "store/window.hpp"

namespace iotstream::store {

/// Equal columns of [begin, begin + span): column k holds the times t with ⌊(t − begin) · columns / span⌋ = k, as
/// model::m4_mark has it.
struct Grid {
  std::int64_t begin;
  std::int64_t span;
  std::uint32_t columns;

  std::uint64_t column_of(std::int64_t time) const;
  /// The first time of column `k`; of `columns`: where the last one ends.
  std::int64_t begin_of(std::uint64_t k) const;
};

/// Adds the first, the least, the greatest and the last reading of a column to `line`, each once, in order of time.
void add_column(const Rollup& column, M4Line& line);

/// One picture, of a window in which retention has been at none of the tiers.
class ColumnReader final : private WindowSink {
 public:
  /// `tiers`: what may be read, ascending, beginning with the rows; a column holds some whole buckets of each.
  ColumnReader(WindowReader& reader, const Grid& grid, std::vector<Tier> tiers, std::size_t fields)
      : reader_(reader),
        grid_(grid),
        tiers_(std::move(tiers)),
        column_(fields, Accumulator(false)),
        next_(fields, Accumulator(false)),
        lines_(fields) {}
  /// Lines by place in the question's fields. Once. Errors: as of WindowReader::read.
  Result<std::vector<M4Line>> read();

 private:
  /// What a device's bucket over an edge holds.
  struct Part {
    std::int64_t device;
    std::vector<Rollup> fields;
  };
  /// A bucket [begin, end) with an edge inside, and the smaller buckets of `tier` beside it: [low, high), which has the edge
  /// inside as well, has been looked at; [begin, low) and [high, end) only if they have to be.
  struct Level {
    Tier tier;
    std::int64_t begin;
    std::int64_t low;
    std::int64_t high;
    std::int64_t end;
    std::vector<Part> bucket;
  };
  /// The innermost level first.
  using Edge = std::vector<Level>;
  enum class Side : unsigned char { left, right };

  void row(std::int64_t time_us, std::int64_t device, std::span<const Cell> cells) override;
  bool rollup(const RollupPlace& place, std::span<const Rollup> rollups) override;

  Result<Edge> look_at_edge(std::int64_t edge);
  Status look_into(std::size_t tier, std::int64_t begin, std::int64_t end, Edge& levels);
  Status settle(const Edge& edge, Side side);
  bool is_settled(const Level& level, Side side);
  Status read(Tier tier, std::int64_t from, std::int64_t to);

  WindowReader& reader_;
  Grid grid_;
  std::vector<Tier> tiers_;
  std::int64_t edge_ = INT64_MAX;       ///< what lies before it is column_'s, the rest next_'s
  std::vector<Part>* parts_ = nullptr;  ///< where whole buckets go in place of the columns
  std::vector<Accumulator> column_;     ///< by field
  std::vector<Accumulator> next_;       ///< what the edge's own readings told of the column behind it
  std::vector<M4Line> lines_;
};

}  // namespace iotstream::store
