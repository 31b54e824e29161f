#include <algorithm>
#include <cstddef>

#include <iotstream/base/nearest.hpp>

namespace iotstream {

namespace {

/// Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions, deletions, replacements and
/// swaps of neighbours. Three rows of the table are enough.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& valid) {
  constexpr std::size_t name_size_max = 200;  // the cost is a product of lengths; nobody mistypes a longer one
  if (name.empty() || name.size() > name_size_max) return std::nullopt;
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& candidate : valid) {
    const std::size_t length = std::max(name.size(), candidate.size());
    const std::size_t limit = std::max<std::size_t>(1, std::min<std::size_t>(3, length / 3));
    const std::size_t edits = distance(name, candidate);
    const bool prefix = name.size() >= 3 && (candidate.starts_with(name) || name.starts_with(candidate));
    if (edits > limit && !prefix) continue;
    if (best == nullptr || edits < best_distance) {
      best = &candidate;
      best_distance = edits;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace iotstream
