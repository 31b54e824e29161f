// The most frequent of many values in a bounded table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace iotstream::profile {

/// J. Misra and D. Gries ("Finding repeated elements", 1982), with the reduction by the median: when the table is full, the
/// median count is taken from all, and those that have nothing left go. A count is then too low by at most error().
template <class Key, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class Frequent {
 public:
  explicit Frequent(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 16)) {}

  template <class Look>
  void add(const Look& key, std::uint64_t times) {
    if (const auto found = counts_.find(key); found != counts_.end()) {
      found->second += times;
      return;
    }
    if (counts_.size() >= capacity_) reduce();
    counts_.emplace(Key(key), times);
  }
  std::uint64_t error() const { return error_; }
  const std::unordered_map<Key, std::uint64_t, Hash, Equal>& counts() const { return counts_; }
  std::unordered_map<Key, std::uint64_t, Hash, Equal>& counts() { return counts_; }
  std::size_t capacity() const { return capacity_; }

  void reduce() {
    std::vector<std::uint64_t> all;
    all.reserve(counts_.size());
    for (const auto& [key, count] : counts_) all.push_back(count);
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    const std::uint64_t taken = *middle;
    error_ += taken;
    for (auto& [key, count] : counts_) count -= std::min(count, taken);
    std::erase_if(counts_, [](const auto& entry) { return entry.second == 0; });
  }

 private:
  std::size_t capacity_;
  std::uint64_t error_ = 0;
  std::unordered_map<Key, std::uint64_t, Hash, Equal> counts_;
};

}  // namespace iotstream::profile
