// How long the writer looks for more before it parks.
#include <catch2/catch.hpp>

#include "log/workers.hpp"

using iotstream::log::Patience;

namespace {

Patience after_parks(int count, std::int64_t ns) {
  Patience patience(20'000);
  for (int i = 0; i != count; ++i) patience.parked_for(ns);
  return patience;
}

}  // namespace

TEST_CASE("a writer that nobody has waited for parks at once", "[log]") { CHECK(Patience(20'000).look_ns() == 0); }

TEST_CASE("short parks make the writer look longer, up to a bound", "[log]") {
  std::int64_t before = 0;
  for (int parks = 1; parks != 4; ++parks) {
    const std::int64_t now = after_parks(parks, 5'000).look_ns();
    CHECK(now > before);
    before = now;
  }
  // More would be wasted: a park and its wake-up cost less.
  CHECK(after_parks(1000, 5'000).look_ns() <= 20'000);
}

TEST_CASE("long parks make the writer park at once again", "[log]") {
  Patience patience = after_parks(1000, 5'000);
  patience.parked_for(1'000'000);
  CHECK(patience.look_ns() > 0);  // one long park may be chance
  for (int i = 0; i != 3; ++i) patience.parked_for(1'000'000);
  CHECK(patience.look_ns() == 0);
  CHECK(after_parks(1000, 1'000'000).look_ns() == 0);
}
