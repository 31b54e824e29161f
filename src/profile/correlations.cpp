#include "profile/correlations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace iotstream::profile {

Correlations::Correlations(std::vector<FieldId> fields) : fields_(std::move(fields)) {
  if (fields_.size() > correlated_max) fields_.resize(correlated_max);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (places_.size() <= fields_[i].value) places_.resize(fields_[i].value + 1, -1);
    places_[fields_[i].value] = static_cast<int>(i);
  }
  numbers_.resize(fields_.size() * block_size);
  centred_.resize(fields_.size() * block_size);
  columns_.resize(fields_.size());
  pairs_.resize(fields_.size() * (fields_.size() - (fields_.empty() ? 0 : 1)) / 2);
  clear();
}

void Correlations::clear() {
  rows_ = 0;
  std::fill(numbers_.begin(), numbers_.end(), std::numeric_limits<double>::quiet_NaN());
}

void Correlations::Pair::join(const Pair& other) {
  if (other.n == 0) return;
  const double all = n + other.n;
  const double da = other.mean_a - mean_a;
  const double db = other.mean_b - mean_b;
  const double weight = n * other.n / all;
  aa += other.aa + da * da * weight;
  bb += other.bb + db * db * weight;
  ab += other.ab + da * db * weight;
  mean_a += da * other.n / all;
  mean_b += db * other.n / all;
  n = all;
}

void Correlations::flush() {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const double* numbers = column(i);
    Column& of = columns_[i];
    of = {};
    double sum = 0;
    for (std::size_t row = 0; row < rows_; ++row) {
      if (std::isnan(numbers[row])) continue;
      sum += numbers[row];
      ++of.count;
    }
    of.mean = of.count == 0 ? 0 : sum / static_cast<double>(of.count);
    double* centred = centred_.data() + i * block_size;
    for (std::size_t row = 0; row < block_size; ++row) {
      const bool there = row < rows_ && !std::isnan(numbers[row]);
      centred[row] = there ? numbers[row] - of.mean : 0;
      of.squares += centred[row] * centred[row];
    }
  }
  std::size_t pair = 0;
  for (std::size_t a = 0; a < fields_.size(); ++a) {
    for (std::size_t b = a + 1; b < fields_.size(); ++b, ++pair) {
      if (columns_[a].count == 0 || columns_[b].count == 0) continue;
      const bool all = columns_[a].count == rows_ && columns_[b].count == rows_;
      pairs_[pair].join(all ? complete(a, b) : sparse(a, b));
    }
  }
  clear();
}

Correlations::Pair Correlations::complete(std::size_t a, std::size_t b) {
  const double* x = centred_.data() + a * block_size;
  const double* y = centred_.data() + b * block_size;
  double sums[4] = {};
  for (std::size_t row = 0; row < block_size; row += 4)
    for (std::size_t i = 0; i < 4; ++i) sums[i] += x[row + i] * y[row + i];
  return {static_cast<double>(rows_), columns_[a].mean,    columns_[b].mean,
          columns_[a].squares,        columns_[b].squares, (sums[0] + sums[1]) + (sums[2] + sums[3])};
}

Correlations::Pair Correlations::sparse(std::size_t a, std::size_t b) {
  const double* x = column(a);
  const double* y = column(b);
  Pair pair;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (std::isnan(x[row]) || std::isnan(y[row])) continue;
    pair.n += 1;
    pair.mean_a += x[row];
    pair.mean_b += y[row];
  }
  if (pair.n == 0) return pair;
  pair.mean_a /= pair.n;
  pair.mean_b /= pair.n;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (std::isnan(x[row]) || std::isnan(y[row])) continue;
    const double da = x[row] - pair.mean_a;
    const double db = y[row] - pair.mean_b;
    pair.aa += da * da;
    pair.bb += db * db;
    pair.ab += da * db;
  }
  return pair;
}

std::vector<Correlation> Correlations::finish() {
  if (rows_ > 0) flush();
  std::vector<Correlation> all;
  std::size_t place = 0;
  for (std::size_t a = 0; a < fields_.size(); ++a) {
    for (std::size_t b = a + 1; b < fields_.size(); ++b, ++place) {
      const Pair& pair = pairs_[place];
      Correlation one{fields_[a], fields_[b], static_cast<std::uint64_t>(pair.n), std::numeric_limits<double>::quiet_NaN()};
      if (pair.n > 1 && pair.aa > 0 && pair.bb > 0)
        one.r = std::clamp(pair.ab / std::sqrt(pair.aa) / std::sqrt(pair.bb), -1.0, 1.0);
      all.push_back(one);
    }
  }
  return all;
}

}  // namespace iotstream::profile
