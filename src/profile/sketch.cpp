#include "profile/sketch.hpp"

#include <algorithm>

namespace iotstream::profile {

void Sketch::add(std::uint64_t key, std::uint64_t times) {
  for (std::size_t level = 0; times != 0; ++level, times >>= 1)
    if ((times & 1) != 0) put(key, level);
}

void Sketch::put(std::uint64_t key, std::size_t level) {
  while (levels_.size() <= level) levels_.emplace_back();
  if (levels_[level].size() == buffer_size) {
    std::vector<std::uint64_t> full;
    full.swap(levels_[level]);
    std::sort(full.begin(), full.end());
    for (std::size_t i = odd_ ? 1 : 0; i < full.size(); i += 2) put(full[i], level + 1);
    odd_ = !odd_;
    full.clear();
    full.swap(levels_[level]);
  }
  levels_[level].push_back(key);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Sketch::weighted() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (std::size_t level = 0; level < levels_.size(); ++level)
    for (const std::uint64_t key : levels_[level]) all.emplace_back(key, std::uint64_t{1} << level);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace iotstream::profile
