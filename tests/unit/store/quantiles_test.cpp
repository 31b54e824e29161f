#include "store/quantiles.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <catch2/catch.hpp>

namespace iotstream::store::test {

namespace {

double exact(const std::vector<double>& sorted, double rank) {
  const double place = rank * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const double high = sorted[std::min(low + 1, sorted.size() - 1)];
  return sorted[low] + (high - sorted[low]) * (place - static_cast<double>(low));
}

}  // namespace

TEST_CASE("quantiles are exact up to the size of the buffer") {
  std::mt19937 random(7);
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000}, Quantiles::buffer_size}) {
    Quantiles quantiles;
    std::vector<double> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(static_cast<double>(random()) / 3);
      quantiles.add(numbers.back());
    }
    std::sort(numbers.begin(), numbers.end());
    const double ranks[] = {0, 0.5, 0.95, 0.99, 1};
    double values[5];
    quantiles.at(ranks, values);
    for (int i = 0; i < 5; ++i) CHECK(values[i] == exact(numbers, ranks[i]));
  }
}

TEST_CASE("beyond that their ranks are as near as promised, whatever the order") {
  constexpr std::size_t count = 600'000;
  std::mt19937 random(11);
  for (int order = 0; order < 3; ++order) {
    Quantiles quantiles;
    std::vector<double> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<double>(i);
    if (order == 1) std::reverse(numbers.begin(), numbers.end());
    if (order == 2) std::shuffle(numbers.begin(), numbers.end(), random);
    for (const double number : numbers) quantiles.add(number);
    const double ranks[] = {0.01, 0.5, 0.95, 0.99};
    double values[4];
    quantiles.at(ranks, values);
    // Here a number is its own rank. 600,000 fill levels 0 to 4.
    for (int i = 0; i < 4; ++i) CHECK(std::abs(values[i] / count - ranks[i]) <= 5.0 / 65'536);
  }
}

TEST_CASE("without numbers quantiles are NaN, also after clear") {
  Quantiles quantiles;
  double value = 0;
  const double rank = 0.5;
  quantiles.at({&rank, 1}, {&value, 1});
  CHECK(std::isnan(value));
  quantiles.add(5);
  quantiles.clear();
  quantiles.at({&rank, 1}, {&value, 1});
  CHECK(std::isnan(value));
  quantiles.add(6);
  quantiles.at({&rank, 1}, {&value, 1});
  CHECK(value == 6);
}

}  // namespace iotstream::store::test
