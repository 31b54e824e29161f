// Where the answer to a question about a window of time is read: from the rows, or from rollups. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "store/rollup.hpp"

namespace iotstream::store {

/// Windows are asked for up to all of time. This many µs on either side of 1970 is beyond the years 0000 to 9999 by far, and
/// such that rounding to buckets cannot overflow.
inline constexpr std::int64_t time_max = std::int64_t{1} << 61;

/// A part of the window and the tier that it is read from. Of a rollup's tier whole buckets.
struct Segment {
  Tier tier = Tier::rows;
  std::int64_t from = 0;  ///< µs, inclusive
  std::int64_t to = 0;    ///< µs, exclusive
  bool operator==(const Segment&) const = default;
};

/// What there is to read from. By Tier.
struct Sources {
  std::array<bool, 4> usable = {true, false, false, false};
  /// Before this time the tier may lack something, because retention was there; at hours. INT64_MIN: nothing.
  std::array<std::int64_t, 4> horizon = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
  /// Whether its buckets suit the question. One that does not is read only where no other is complete.
  std::array<bool, 4> fits = {true, true, true, true};
};

/// The next multiple of `width` at or before / behind `time`; of Tier::rows, whose width is 0, the time itself.
std::int64_t down_to(std::int64_t time, std::int64_t width);
std::int64_t up_to(std::int64_t time, std::int64_t width);

/// Parts in order of time that cover [from, to): the largest buckets inside, smaller ones towards the ends, rows at the very
/// ends. Where retention was, the least tier that is complete, else the one that is kept longest; if that is not the rows, the
/// ends are widened to whole buckets.
std::vector<Segment> plan(std::int64_t from, std::int64_t to, const Sources& sources);

/// What fits: tiers whose buckets lie in one bucket each when those are `interval_us` long and begin at its multiples.
Sources that_divide(Sources sources, std::int64_t interval_us);
/// What fits: tiers of which a stretch of `length_us`, wherever it begins, holds some whole buckets.
Sources that_fit(Sources sources, std::int64_t length_us);

}  // namespace iotstream::store
