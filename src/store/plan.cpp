#include "store/plan.hpp"

#include <algorithm>
#include <optional>

namespace iotstream::store {

namespace {

constexpr std::int64_t fit = 3;  ///< below so many buckets, reading rows costs less than the detour

class Planner {
 public:
  /// A stretch in which the same tiers are complete.
  void stretch(std::int64_t from, std::int64_t to, const Sources& sources) {
    tiers_.clear();
    std::optional<Tier> least;
    for (std::size_t i = 0; i < sources.usable.size(); ++i) {
      if (!sources.usable[i] || sources.horizon[i] > from) continue;
      if (sources.fits[i]) tiers_.push_back(static_cast<Tier>(i));
      if (!least) least = static_cast<Tier>(i);
    }
    if (tiers_.empty()) tiers_.push_back(least.value_or(longest_kept(sources)));
    cover(from, to, tiers_.size());
  }
  std::vector<Segment> take() { return std::move(segments_); }

 private:
  static Tier longest_kept(const Sources& sources) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < sources.usable.size(); ++i) {
      if (sources.usable[i] && (!sources.usable[best] || sources.horizon[i] < sources.horizon[best])) best = i;
    }
    return static_cast<Tier>(best);
  }

  /// With the first `count` of tiers_.
  void cover(std::int64_t from, std::int64_t to, std::size_t count) {
    if (from >= to) return;
    const Tier tier = tiers_[count - 1];
    if (tier == Tier::rows) return add({tier, from, to});
    const std::int64_t width = width_of(tier);
    if (count == 1) return add({tier, down_to(from, width), up_to(to, width)});
    const std::int64_t begin = up_to(from, width);
    const std::int64_t end = down_to(to, width);
    if (begin >= end) return cover(from, to, count - 1);
    cover(from, begin, count - 1);
    add({tier, begin, end});
    cover(end, to, count - 1);
  }

  void add(Segment segment) {
    if (!segments_.empty() && segments_.back().tier == segment.tier && segments_.back().to == segment.from)
      segments_.back().to = segment.to;
    else
      segments_.push_back(segment);
  }

  std::vector<Tier> tiers_;
  std::vector<Segment> segments_;
};

}  // namespace

std::int64_t down_to(std::int64_t time, std::int64_t width) { return width == 0 ? time : floor_divide(time, width) * width; }
std::int64_t up_to(std::int64_t time, std::int64_t width) { return -down_to(-time, width); }

std::vector<Segment> plan(std::int64_t from, std::int64_t to, const Sources& sources) {
  from = std::clamp(from, -time_max, time_max);
  to = std::clamp(to, -time_max, time_max);
  Planner planner;
  std::vector<std::int64_t> borders(sources.horizon.begin(), sources.horizon.end());
  std::sort(borders.begin(), borders.end());
  for (const std::int64_t border : borders) {
    if (border <= from || border >= to) continue;
    planner.stretch(from, border, sources);
    from = border;
  }
  if (from < to) planner.stretch(from, to, sources);
  return planner.take();
}

Sources that_divide(Sources sources, std::int64_t interval_us) {
  for (const Tier tier : rollup_tiers) {
    if (interval_us % width_of(tier) != 0) sources.fits[static_cast<std::size_t>(tier)] = false;
  }
  return sources;
}

Sources that_fit(Sources sources, std::int64_t length_us) {
  for (const Tier tier : rollup_tiers) {
    if (length_us / fit < width_of(tier)) sources.fits[static_cast<std::size_t>(tier)] = false;
  }
  return sources;
}

}  // namespace iotstream::store
