// Quantiles of any number of numbers in bounded memory.
#pragma once

#include <cstdint>
#include <vector>

namespace iotstream::profile {

/// After J. I. Munro and M. S. Paterson ("Selection and sorting with limited storage", 1980), as in the MRL and KLL sketches: a
/// full buffer is sorted and every other key of it goes up a level, where each stands for twice as many. Without chance: the
/// same numbers in the same order give the same answer.
class Sketch {
 public:
  static constexpr std::size_t buffer_size = 4'096;

  /// `times` > 0.
  void add(std::uint64_t key, std::uint64_t times = 1);
  /// Rewrites all keys by an order-keeping function.
  template <class Function>
  void map(Function&& function) {
    for (auto& level : levels_)
      for (std::uint64_t& key : level) key = function(key);
  }
  /// What is left, ascending: keys with how many numbers each stands for; the weights add up to all that was added.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> weighted() const;
  /// A rank is wrong by at most this part of all.
  double rank_error() const { return levels_.size() <= 1 ? 0 : static_cast<double>(levels_.size()) / buffer_size; }

 private:
  void put(std::uint64_t key, std::size_t level);

  std::vector<std::vector<std::uint64_t>> levels_;
  bool odd_ = false;  ///< which half goes up: takes turns
};

}  // namespace iotstream::profile
