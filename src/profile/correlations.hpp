// r of every pair of some fields, in one pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <iotstream/profile/profile.hpp>

namespace iotstream::profile {

/// Events are taken in blocks of some hundred: within a block the products of centred columns are summed, which a compiler
/// makes vector instructions of; blocks are joined by the rule of T. Chan et al. (1979), which stays exact where sums of
/// squares do not. A pair counts the events that have both (pairwise complete).
class Correlations {
 public:
  explicit Correlations(std::vector<FieldId> fields);

  /// The place of a field; -1: it is not looked at.
  int place(FieldId field) const { return field.value < places_.size() ? places_[field.value] : -1; }
  void set(int place, double number) { column(static_cast<std::size_t>(place))[rows_] = number; }
  void end_row() {
    if (++rows_ == block_size) flush();
  }
  std::vector<Correlation> finish();

 private:
  static constexpr std::size_t block_size = 512;
  struct Pair {
    double n = 0, mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    void join(const Pair& other);
  };
  struct Column {
    std::size_t count = 0;  ///< in this block
    double mean = 0;
    double squares = 0;  ///< of the distances from the mean
  };

  double* column(std::size_t place) { return numbers_.data() + place * block_size; }
  void flush();
  Pair complete(std::size_t a, std::size_t b);
  Pair sparse(std::size_t a, std::size_t b);
  void clear();

  std::vector<FieldId> fields_;
  std::vector<int> places_;      ///< by field id
  std::vector<double> numbers_;  ///< column after column; NaN: none
  std::vector<double> centred_;  ///< the same less the column's mean; 0: none
  std::vector<Column> columns_;
  std::size_t rows_ = 0;
  std::vector<Pair> pairs_;
};

}  // namespace iotstream::profile
