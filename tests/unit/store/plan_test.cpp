#include "store/plan.hpp"

#include <catch2/catch.hpp>

#include "support/random.hpp"

namespace iotstream::store::test {

using iotstream::test::between;

namespace {

constexpr std::int64_t s = 1'000'000;
constexpr std::int64_t hour = 3600 * s;

Sources all_of() {
  Sources sources;
  sources.usable = {true, true, true, true};
  return sources;
}

}  // namespace

TEST_CASE("a window is read from the largest buckets inside and from smaller ones towards its ends") {
  const std::vector<Segment> wanted = {{Tier::rows, hour - 61 * s - 1, hour - 61 * s},
                                       {Tier::second, hour - 61 * s, hour - 60 * s},
                                       {Tier::minute, hour - 60 * s, hour},
                                       {Tier::hour, hour, 3 * hour},
                                       {Tier::second, 3 * hour, 3 * hour + 2 * s},
                                       {Tier::rows, 3 * hour + 2 * s, 3 * hour + 2 * s + 5}};
  CHECK(plan(hour - 61 * s - 1, 3 * hour + 2 * s + 5, all_of()) == wanted);
  CHECK(plan(5, 900, all_of()) == std::vector<Segment>{{Tier::rows, 5, 900}});
  CHECK(plan(5, 5, all_of()).empty());
  CHECK(plan(9, 5, all_of()).empty());
}

TEST_CASE("every moment of a window is read once, from buckets that lie inside") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 20'000; ++round) {
    Sources sources = all_of();
    for (std::size_t i = 1; i < 4; ++i) {
      sources.usable[i] = random() % 3 != 0;
      sources.fits[i] = random() % 3 != 0;
      if (random() % 3 == 0) sources.horizon[i] = between<std::int64_t>(random, -20, 20) * hour;
    }
    std::int64_t from = between<std::int64_t>(random, -30 * hour, 30 * hour);
    std::int64_t to = from + between<std::int64_t>(random, 1, random() % 2 == 0 ? 3 * s : 40 * hour);
    if (random() % 2 == 0) from = from / hour * hour;
    if (random() % 2 == 0) to = to / (60 * s) * 60 * s;
    if (from >= to) continue;
    std::int64_t at = from;
    for (const Segment& segment : plan(from, to, sources)) {
      REQUIRE(segment.from == at);
      REQUIRE(segment.to > at);
      at = segment.to;
      REQUIRE(sources.usable[static_cast<std::size_t>(segment.tier)]);
      REQUIRE(sources.fits[static_cast<std::size_t>(segment.tier)]);  // rows always fit, and are complete here
      REQUIRE(sources.horizon[static_cast<std::size_t>(segment.tier)] <= segment.from);
      if (segment.tier != Tier::rows) {
        REQUIRE(segment.from % width_of(segment.tier) == 0);
        REQUIRE(segment.to % width_of(segment.tier) == 0);
      }
    }
    REQUIRE(at == to);
  }
}

TEST_CASE("where rows are gone, whole buckets of what is left are read") {
  Sources sources = all_of();
  sources.horizon[0] = 10 * hour;
  sources.horizon[1] = 5 * hour;
  // Before the fifth hour there are minutes only; the window begins within one.
  const auto segments = plan(2 * hour + 90 * s, 11 * hour + 1, sources);
  REQUIRE_FALSE(segments.empty());
  CHECK(segments.front() == Segment{Tier::minute, 2 * hour + 60 * s, 3 * hour});
  CHECK(segments.back() == Segment{Tier::rows, 11 * hour, 11 * hour + 1});
  // Nothing that fits is complete: the least that is.
  sources.fits[2] = false;
  CHECK(plan(6 * hour, 7 * hour, sources) == std::vector<Segment>{{Tier::hour, 6 * hour, 7 * hour}});
  sources.fits[1] = sources.fits[3] = false;
  CHECK(plan(6 * hour, 11 * hour, sources) ==
        std::vector<Segment>{{Tier::second, 6 * hour, 10 * hour}, {Tier::rows, 10 * hour, 11 * hour}});
  CHECK(plan(2 * hour, 3 * hour, sources) == std::vector<Segment>{{Tier::minute, 2 * hour, 3 * hour}});
  // Nothing is complete: what is kept longest.
  sources.horizon = {10 * hour, 10 * hour, 9 * hour, 10 * hour};
  CHECK(plan(hour, 2 * hour, sources) == std::vector<Segment>{{Tier::minute, hour, 2 * hour}});
}

TEST_CASE("tiers are used where their buckets fit") {
  CHECK(that_divide(all_of(), 90 * s).fits == std::array<bool, 4>{true, true, false, false});
  CHECK(that_divide(all_of(), 2 * hour).fits == std::array<bool, 4>{true, true, true, true});
  CHECK(that_divide(all_of(), 1500).fits == std::array<bool, 4>{true, false, false, false});
  CHECK(that_fit(all_of(), 2 * s).fits == std::array<bool, 4>{true, false, false, false});
  CHECK(that_fit(all_of(), 200 * s).fits == std::array<bool, 4>{true, true, true, false});
}

}  // namespace iotstream::store::test
