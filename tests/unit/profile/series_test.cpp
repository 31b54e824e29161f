#include <algorithm>
#include <cmath>
#include <random>

#include <catch2/catch.hpp>

#include <iotstream/profile/series.hpp>

using namespace iotstream;
using profile::SeriesAggregate;
using profile::SeriesBuilder;

TEST_CASE("aggregates of buckets are those of plain loops") {
  std::mt19937_64 random(5);
  std::vector<std::pair<std::int64_t, double>> rows;
  std::int64_t time = 1'000;
  for (int i = 0; i < 3'000; ++i) {
    time += static_cast<std::int64_t>(random() % 40);
    if (random() % 200 == 0) time += 1'000;
    rows.emplace_back(time, static_cast<double>(random() % 1'000) / 7);
  }
  constexpr std::int64_t interval = 500;
  const std::size_t buckets = static_cast<std::size_t>(time / interval) + 1;
  using enum SeriesAggregate;
  const std::vector<SeriesAggregate> aggregates = {avg, min, max, sum, count, first, last, p50, p95, p99, m4};
  SeriesBuilder builder({Timestamp{0}, Duration{interval}, buckets, 2, aggregates});
  for (const auto& [at, number] : rows) builder.add(1, Timestamp{at}, number);
  const auto lines = builder.finish();
  REQUIRE(lines.size() == 22);
  for (std::size_t i = 0; i < 10; ++i)
    CHECK((lines[i].aggregate == count ? lines[i].values[0] == 0 : std::isnan(lines[i].values[0])));
  std::vector<std::pair<std::int64_t, double>> points;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    std::vector<double> numbers;
    double sum_of = 0;
    std::pair<std::int64_t, double> ends[4];
    for (const auto& row : rows) {
      if (static_cast<std::size_t>(row.first / interval) != bucket) continue;
      if (numbers.empty()) ends[0] = ends[1] = ends[2] = row;
      if (row.second < ends[1].second) ends[1] = row;
      if (row.second > ends[2].second) ends[2] = row;
      ends[3] = row;
      numbers.push_back(row.second);
      sum_of += row.second;
    }
    const auto value = [&](SeriesAggregate of) { return lines[11 + static_cast<std::size_t>(of)].values[bucket]; };
    CHECK(value(count) == static_cast<double>(numbers.size()));
    if (numbers.empty()) {
      CHECK(std::isnan(value(avg)));
      continue;
    }
    CHECK(value(sum) == sum_of);
    CHECK(value(avg) == sum_of / static_cast<double>(numbers.size()));
    CHECK(value(first) == numbers.front());
    CHECK(value(last) == numbers.back());
    CHECK(value(min) == ends[1].second);
    CHECK(value(max) == ends[2].second);
    std::sort(numbers.begin(), numbers.end());
    for (const auto& [of, rank] : {std::pair(p50, 0.5), std::pair(p95, 0.95), std::pair(p99, 0.99)}) {
      const double place = rank * static_cast<double>(numbers.size() - 1);
      const auto low = static_cast<std::size_t>(place);
      const std::size_t high = std::min(low + 1, numbers.size() - 1);
      CHECK(value(of) == Approx(numbers[low] + (numbers[high] - numbers[low]) * (place - std::floor(place))));
    }
    if (ends[2].first < ends[1].first) std::swap(ends[1], ends[2]);
    for (const auto& end : ends)
      if (points.empty() || points.back() != end || &end == &ends[0]) points.push_back(end);
  }
  std::vector<std::pair<std::int64_t, double>> found;
  for (std::size_t i = 0; i < lines[21].times.size(); ++i) found.emplace_back(lines[21].times[i].us, lines[21].values[i]);
  CHECK(found == points);
}

TEST_CASE("names of aggregates are read back") {
  for (const std::string_view name : {"avg", "min", "max", "sum", "count", "first", "last", "p50", "p95", "p99", "m4"})
    CHECK(profile::name_of(*profile::series_aggregate_from(name)) == name);
  CHECK_FALSE(profile::series_aggregate_from("mean"));
}
