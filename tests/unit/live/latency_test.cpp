#include "live/latency.hpp"

#include <catch2/catch.hpp>

namespace iotstream::live::test {
namespace {

constexpr std::int64_t second = 1'000'000'000;

TEST_CASE("quantiles are right to an eighth over nine powers of ten") {
  for (std::int64_t us = 1; us < 1'000'000'000; us = us * 3 + 1) {
    LatencyWindow window;
    window.record(second, us, 1);
    const auto found = window.quantile_us(second, 0.5);
    REQUIRE(found);
    CHECK(*found > static_cast<double>(us));
    CHECK(*found <= static_cast<double>(us) * 1.125 + 1);
  }
}

TEST_CASE("the share of rows decides, not the number of calls") {
  LatencyWindow window;
  window.record(second, 100, 99);
  window.record(second, 100'000, 1);
  CHECK(*window.quantile_us(second, 0.5) < 120);
  CHECK(*window.quantile_us(second, 0.99) < 120);
  CHECK(*window.quantile_us(second, 1) > 100'000);
}

TEST_CASE("what is older than ten seconds is forgotten; no rows have no latency") {
  LatencyWindow window;
  CHECK_FALSE(window.quantile_us(0, 0.5));
  window.record(5 * second, 7, 1);
  CHECK(window.quantile_us(14 * second, 0.5));
  CHECK_FALSE(window.quantile_us(15 * second, 0.5));
  window.record(25 * second, 9, 1);
  CHECK(*window.quantile_us(25 * second, 0) == 10);
}

TEST_CASE("clocks that jumped back and latencies beyond measure stay in the table") {
  LatencyWindow window;
  window.record(second, -5, 1);
  window.record(second, std::int64_t{1} << 60, 1);
  CHECK(*window.quantile_us(second, 0) == 1);
  CHECK(*window.quantile_us(second, 1) >= 1e9);
}

}  // namespace
}  // namespace iotstream::live::test
