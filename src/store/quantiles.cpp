#include "store/quantiles.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace iotstream::store {

namespace {

struct Weighted {
  double number;
  std::uint64_t weight;
};

/// The number that stands at `place` when each is repeated as often as it weighs. `sorted` is not empty; places only grow.
class Walk {
 public:
  explicit Walk(const std::vector<Weighted>& sorted) : sorted_(sorted) {}
  double at(std::uint64_t place) {
    while (index_ + 1 < sorted_.size() && before_ + sorted_[index_].weight <= place) before_ += sorted_[index_++].weight;
    return sorted_[index_].number;
  }

 private:
  const std::vector<Weighted>& sorted_;
  std::size_t index_ = 0;
  std::uint64_t before_ = 0;
};

}  // namespace

void Quantiles::add(double number) {
  // Before, not after: as many numbers as fit are exact.
  if (levels_[0].size() == buffer_size) promote(0);
  levels_[0].push_back(number);
}

void Quantiles::clear() {
  levels_.resize(1);
  levels_[0].clear();
  odd_ = false;
}

// The buffers are full when they go up and their size is even: the weights always add up to the count.
void Quantiles::promote(std::size_t level) {
  if (levels_.size() == level + 1) levels_.emplace_back();
  if (levels_[level + 1].size() == buffer_size) promote(level + 1);
  std::vector<double>& from = levels_[level];
  std::sort(from.begin(), from.end());
  for (std::size_t i = odd_ ? 1 : 0; i < from.size(); i += 2) levels_[level + 1].push_back(from[i]);
  odd_ = !odd_;
  from.clear();
}

void Quantiles::at(std::span<const double> ranks, std::span<double> values) const {
  std::vector<Weighted> sorted;
  std::uint64_t total = 0;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double number : levels_[level]) sorted.push_back({number, std::uint64_t{1} << level});
    total += levels_[level].size() << level;
  }
  if (sorted.empty()) {
    std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
    return;
  }
  std::sort(sorted.begin(), sorted.end(), [](const Weighted& a, const Weighted& b) { return a.number < b.number; });
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    Walk walk(sorted);
    const double place = ranks[i] * static_cast<double>(total - 1);
    const double below = std::floor(place);
    const double low = walk.at(static_cast<std::uint64_t>(below));
    const double high = walk.at(static_cast<std::uint64_t>(below) + 1);
    values[i] = place == below ? low : low + (high - low) * (place - below);
  }
}

}  // namespace iotstream::store
