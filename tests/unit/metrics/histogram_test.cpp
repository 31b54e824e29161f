#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/metrics/metrics.hpp>

#include "support/random.hpp"

using iotstream::metrics::Histogram;

TEST_CASE("a histogram without values has nothing to tell") {
  const Histogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.sum_us() == 0);
  CHECK(histogram.quantile_us(0.5) == 0);
  CHECK(histogram.count_below_us(1'000'000) == 0);
}

TEST_CASE("small values are told exactly") {
  Histogram histogram;
  for (std::int64_t us = 0; us < 16; ++us) histogram.record_us(us);
  CHECK(histogram.count() == 16);
  CHECK(histogram.sum_us() == 120);
  CHECK(histogram.quantile_us(0) == 0);
  CHECK(histogram.quantile_us(0.5) == 7);
  CHECK(histogram.quantile_us(1) == 15);
  CHECK(histogram.count_below_us(9) == 10);
  CHECK(histogram.count_below_us(-1) == 0);
}

TEST_CASE("any value is told with an error of at most an eighth, upwards") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 10'000; ++round) {
    const std::int64_t us = iotstream::test::between<std::int64_t>(random, 1, (std::int64_t{1} << 38) - 1) >>
                            iotstream::test::between(random, 0, 37);
    Histogram histogram;
    histogram.record_us(us);
    const double told = histogram.quantile_us(0.5);
    CAPTURE(us);
    CHECK((told >= static_cast<double>(us) && told <= static_cast<double>(us) * 1.125));
    CHECK(histogram.count_below_us(static_cast<std::int64_t>(told)) == 1);
    CHECK(histogram.count_below_us(us - 1) == 0);
  }
}

TEST_CASE("values beyond the last bucket and before the first count there") {
  Histogram histogram;
  histogram.record_us(std::numeric_limits<std::int64_t>::max());
  CHECK(histogram.quantile_us(1) == std::ldexp(1.0, 38) - 1);
  Histogram negative;
  negative.record_us(-5);
  CHECK(negative.count() == 1);
  CHECK(negative.sum_us() == 0);
  CHECK(negative.quantile_us(1) == 0);
}

TEST_CASE("shares outside of 0 and 1 are taken as the nearest of them") {
  Histogram histogram;
  histogram.record_us(1);
  histogram.record_us(7);
  CHECK(histogram.quantile_us(-1) == 1);
  CHECK(histogram.quantile_us(2) == 7);
  CHECK(histogram.quantile_us(std::nan("")) == 1);
}

TEST_CASE("threads record side by side and nothing is lost") {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) histogram.record_us(n);
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(histogram.count() == 40'000);
  CHECK(histogram.sum_us() == 4.0 * 9'999 * 10'000 / 2);
}
