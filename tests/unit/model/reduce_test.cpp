#include <cmath>
#include <limits>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include <iotstream/model/reduce.hpp>

using namespace iotstream::model;

namespace {

__extension__ using Wide = __int128;

/// By the definition: the rows of every column, then its four.
std::vector<bool> marked_by_definition(const std::vector<std::int64_t>& time, const std::vector<double>& values,
                                       std::int64_t begin, std::int64_t end, std::uint32_t columns) {
  std::map<std::uint64_t, std::vector<std::size_t>> rows;
  for (std::size_t i = 0; i < time.size(); ++i)
    if (time[i] >= begin && time[i] < end && !std::isnan(values[i]))
      rows[static_cast<std::uint64_t>((Wide{time[i]} - begin) * columns / (Wide{end} - begin))].push_back(i);
  std::vector<bool> keep(time.size());
  for (const auto& [column, members] : rows) {
    const auto by_value = [&](std::size_t a, std::size_t b) { return values[a] < values[b]; };
    keep[members.front()] = keep[members.back()] = true;
    keep[*std::min_element(members.begin(), members.end(), by_value)] = true;
    keep[*std::max_element(members.begin(), members.end(), by_value)] = true;
  }
  return keep;
}

}  // namespace

TEST_CASE("M4 keeps first, last, lowest and highest of every column, as its definition does") {
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::int64_t> time;
    std::vector<double> values;
    std::int64_t now = static_cast<std::int64_t>(random() % 1000) - 500;
    for (std::size_t n = random() % 300; n > 0; --n) {
      time.push_back(now);
      values.push_back(random() % 10 == 0 ? std::nan("") : static_cast<double>(random() % 20));
      now += static_cast<std::int64_t>(random() % (random() % 20 == 0 ? 500 : 4));
    }
    const auto begin = static_cast<std::int64_t>(random() % 600) - 500;
    const auto end = begin + 1 + static_cast<std::int64_t>(random() % 1500);
    const auto columns = static_cast<std::uint32_t>(1 + random() % 64);
    std::vector<bool> keep(time.size());
    m4_mark(time, values, begin, end, columns, keep);
    // std::max_element returns the first of equals, as m4_mark does.
    REQUIRE(keep == marked_by_definition(time, values, begin, end, columns));
  }
}

TEST_CASE("M4 over the whole of time does not overflow") {
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> time = {least, -1, 0, 1, most - 1, most};
  const std::vector<double> values = {1, 2, 3, 2, 1, 0};
  std::vector<bool> keep(time.size());
  m4_mark(time, values, least, most, std::numeric_limits<std::uint32_t>::max(), keep);
  REQUIRE(keep == std::vector<bool>{true, true, true, true, true, false});
}

TEST_CASE("M4 adds marks and clears none; an empty window marks nothing") {
  const std::vector<std::int64_t> time = {1, 2, 3};
  const std::vector<double> values = {1, 2, 3};
  std::vector<bool> keep = {false, true, false};
  m4_mark(time, values, 5, 5, 10, keep);
  m4_mark(time, values, 0, 10, 0, keep);
  REQUIRE(keep == std::vector<bool>{false, true, false});
  m4_mark(time, values, 0, 10, 1, keep);
  REQUIRE(keep == std::vector<bool>{true, true, true});
}
