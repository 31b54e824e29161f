#include <catch2/catch.hpp>

#include <iotstream/store/slow_queries.hpp>

using namespace iotstream;

TEST_CASE("only slow queries are kept, the newest fifty first") {
  store::SlowQueries slow(Duration{1000});
  slow.note(Timestamp{1}, "sql", "quick", Duration{999}, 1);
  CHECK(slow.list().empty());
  for (int i = 0; i < 60; ++i) slow.note(Timestamp{i}, "sql", "SELECT " + std::to_string(i), Duration{1000 + i}, 3, "ended");
  const auto kept = slow.list();
  REQUIRE(kept.size() == 50);
  CHECK(kept.front().what == "SELECT 59");
  CHECK(kept.back().what == "SELECT 10");
  CHECK(kept.front().outcome == "ended");
}

TEST_CASE("long texts are cut between characters") {
  store::SlowQueries slow(Duration{0});
  std::string text(199, 'a');
  text += "é and more";
  slow.note(Timestamp{1}, "sql", text, Duration{5}, 0);
  CHECK(slow.list().front().what == std::string(199, 'a') + "…");
}
