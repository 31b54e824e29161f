// Fewer points, same picture: M4 (U. Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014). Per
// pixel column keep the first, last, lowest and highest value: a line drawn through them equals, pixel by pixel, the line
// through all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace iotstream::model {

/// Marks in `keep` (one per row, set to true, never cleared) the rows that M4 keeps of one series over `columns` equal columns
/// of [begin, end). `time` is in µs and not decreasing; NaN values are absent. O(rows), no allocation.
void m4_mark(std::span<const std::int64_t> time, std::span<const double> values, std::int64_t begin, std::int64_t end,
             std::uint32_t columns, std::vector<bool>& keep);

}  // namespace iotstream::model
