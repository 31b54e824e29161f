// A prototype's rows as an endless band: rendered once, played by all devices of a simulation, each at its own place.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/catalog/catalog.hpp>

namespace iotstream::sim {

/// One row on the tape.
struct TapeRow {
  std::int64_t at_us = 0;  ///< since the tape's first row, gaps closed
  std::uint64_t loop = 0;  ///< how often the rows had been played before it
  std::string members;     ///< `,"name":value` for every value: goes into an open JSON object that has a member already
};

/// Keeps the rows between the slowest and the fastest device, no more. Rows follow each other as recorded; a gap that is
/// negative or above ten times the median of the first hundred (between two files, or a pause of the recorder) is closed to the
/// median, as is the step from the last row to the first again. A median of nothing (rows without time) counts as a second. One
/// thread at a time.
class Tape {
 public:
  static constexpr std::size_t window_size = 4u << 20;  ///< bytes of rows over which devices may be spread

  /// Members named in `without` are left out. Errors: not_found when the prototype has no rows, those of the catalog.
  static Result<std::unique_ptr<Tape>> open(catalog::Catalog& catalog, std::string_view code,
                                            const std::vector<std::string>& without);

  /// Row `index` from the beginning, counted on over the loops; at or after the last forget_before(). Valid until the next
  /// call. Errors: those of the catalog; not_found when the rows were removed meanwhile.
  Result<const TapeRow*> row(std::uint64_t index);
  void forget_before(std::uint64_t index);
  /// Reads on until the rows from `first` on fill the window, or the tape has come round. Their number, at least 1.
  Result<std::uint64_t> fill_window(std::uint64_t first);

  std::uint64_t row_count() const { return row_count_; }  ///< of one loop, when it was opened
  std::int64_t median_gap_us() const { return median_gap_us_; }

 private:
  explicit Tape(std::unique_ptr<catalog::RowCursor> cursor) : cursor_(std::move(cursor)) {}
  Status begin();
  void name_columns();
  void rewind();
  Status read_one();
  void render(std::string& out) const;
  std::int64_t gap_before(Timestamp time) const;

  std::unique_ptr<catalog::RowCursor> cursor_;
  std::vector<std::string> without_;
  std::vector<std::string> names_;  ///< per column: `,"name":`, or empty for one that is left out
  catalog::RowCursor::Row row_;
  std::deque<TapeRow> rows_;
  std::uint64_t first_ = 0;  ///< index of rows_.front()
  std::uint64_t next_ = 0;   ///< index of the row that is read next
  std::uint64_t loop_ = 0;
  std::uint64_t row_count_ = 0;
  std::int64_t median_gap_us_ = 0;
  Timestamp last_time_;  ///< as recorded, of the row read last
  std::int64_t last_at_us_ = 0;
  bool after_rewind_ = true;
};

}  // namespace iotstream::sim
