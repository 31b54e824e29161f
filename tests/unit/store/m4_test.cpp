// A line through the points of m4() against a line through all readings, pixel by pixel.
#include <cmath>
#include <map>
#include <set>

#include "support/random.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;
using iotstream::test::between;

namespace {

struct Point {
  std::int64_t time;
  double value;
};

/// Which pixels a line through points touches: in each column the heights between where it comes in and where it goes out, of
/// every piece of the line.
class Canvas {
 public:
  Canvas(std::int64_t from, std::int64_t to, std::uint32_t columns, double least, double greatest)
      : from_(from), to_(to), columns_(columns), least_(least), greatest_(greatest), touched_(columns * rows) {}

  void draw(const std::vector<Point>& points) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (i > 0) draw(points[i - 1], points[i]);
      touch(static_cast<std::uint32_t>(x_of(points[i].time)), y_of(points[i].value), y_of(points[i].value));
    }
  }
  bool operator==(const Canvas& other) const { return touched_ == other.touched_; }
  std::size_t pixels() const { return static_cast<std::size_t>(std::count(touched_.begin(), touched_.end(), true)); }

 private:
  static constexpr std::uint32_t rows = 97;

  double x_of(std::int64_t time) const {
    // The whole part exactly: which column a time belongs to must not depend on rounding.
    __extension__ using Wide = __int128;
    const Wide scaled = (Wide{time} - from_) * columns_;
    const Wide span = Wide{to_} - from_;
    return static_cast<double>(scaled / span) +
           std::min(0.999999, static_cast<double>(scaled % span) / static_cast<double>(span));
  }
  double y_of(double value) const { return (value - least_) / (greatest_ - least_) * (rows - 1); }

  void draw(const Point& a, const Point& b) {
    const double xa = x_of(a.time);
    const double xb = x_of(b.time);
    const double ya = y_of(a.value);
    const double yb = y_of(b.value);
    const auto height = [&](double x) { return xb == xa ? yb : ya + (yb - ya) * (x - xa) / (xb - xa); };
    for (auto column = static_cast<std::uint32_t>(xa); column <= static_cast<std::uint32_t>(xb); ++column) {
      const double in = std::max(xa, static_cast<double>(column));
      const double out = std::min(xb, static_cast<double>(column + 1));
      // Within one column: from the one point to the other, without the rounding of a division.
      if (static_cast<std::uint32_t>(xa) == static_cast<std::uint32_t>(xb))
        touch(column, ya, yb);
      else
        touch(column, in == xa ? ya : height(in), out == xb ? yb : height(out));
    }
  }
  void touch(std::uint32_t column, double a, double b) {
    const auto low = static_cast<std::uint32_t>(std::lround(std::min(a, b)));
    const auto high = static_cast<std::uint32_t>(std::lround(std::max(a, b)));
    for (std::uint32_t y = low; y <= high; ++y) touched_.at(column * rows + y) = true;
  }

  std::int64_t from_;
  std::int64_t to_;
  std::uint32_t columns_;
  double least_;
  double greatest_;
  std::vector<bool> touched_;
};

std::vector<Point> points_of(const std::vector<OwnedEvent>& events, FieldId field, const M4Query& query) {
  std::vector<Point> points;
  for (const OwnedEvent& event : events) {
    if (event.time < query.from || event.time >= query.to) continue;
    if (!query.device.empty() && event.device != query.device) continue;
    for (const auto& [id, value] : event.values) {
      if (id == field && value.kind == model::ValueKind::real) points.push_back({event.time.us, value.real});
    }
  }
  return points;
}

std::vector<Point> points_of(const M4Line& line) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < line.time.size(); ++i) points.push_back({line.time[i].us, line.values[i]});
  return points;
}

void check_picture(const M4Line& line, const std::vector<Point>& all, const M4Query& query) {
  const std::vector<Point> few = points_of(line);
  CHECK(few.size() <= std::size_t{4} * query.columns);
  REQUIRE(few.empty() == all.empty());
  if (all.empty()) return;
  const auto [least, greatest] =
      std::minmax_element(all.begin(), all.end(), [](const Point& a, const Point& b) { return a.value < b.value; });
  Canvas by_all(query.from.us, query.to.us, query.columns, least->value - 1, greatest->value + 1);
  Canvas by_few = by_all;
  by_all.draw(all);
  by_few.draw(few);
  CHECK(by_all.pixels() > 0);
  if (!(by_all == by_few))
    FAIL_CHECK(query.columns << " columns of " << query.from.us << " to " << query.to.us << ": another picture");
  for (std::size_t i = 1; i < few.size(); ++i) CHECK(few[i - 1].time <= few[i].time);
}

M4Query query_of(std::int64_t from, std::int64_t to, std::uint32_t columns) {
  M4Query query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.from = Timestamp{from};
  query.to = Timestamp{to};
  query.columns = columns;
  return query;
}

}  // namespace

TEST_CASE("a line through the points of m4 has the pixels of the line through all readings") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  std::set<std::int64_t> used;
  double value = 0;
  // Ten hours of readings in clusters, with gaps; each at a time of its own, some late.
  for (int i = 0; i < 6000; ++i) {
    std::int64_t time = static_cast<std::int64_t>(i / 100) * 600'000'000 + between<std::int64_t>(random, 0, 200'000'000);
    while (!used.insert(time).second) ++time;
    value += static_cast<double>(between(random, -100, 100)) / 10;
    Members members{{"real", V::of(value + 0.25)}};
    if (random() % 5 == 0) members.emplace_back("text", V::of("x"));
    f.send("1", time, "d" + std::to_string(random() % 3), members, 2);
    if (i % 1500 == 0) f.drain();
  }
  f.drain();
  const std::vector<OwnedEvent> events = f.expected("1");
  std::set<std::string> tiers;
  for (int i = 0; i < 150; ++i) {
    const std::int64_t from = between<std::int64_t>(random, -10'000'000, 36'000'000'000);
    const std::int64_t to = from + between<std::int64_t>(random, 1, i % 3 == 0 ? 100'000'000 : 40'000'000'000);
    M4Query query = query_of(from, to, between(random, 1u, 300u));
    if (random() % 3 == 0) query.device = "d1";
    const auto m4 = f.history->m4(query);
    REQUIRE(m4.ok());
    REQUIRE(m4->lines.size() == 1);
    check_picture(m4->lines[0], points_of(events, FieldId(0), query), query);
    tiers.insert(std::string(m4->tier));
  }
  CHECK(tiers.contains("rows"));
  CHECK(tiers.contains("1s"));
  CHECK(tiers.contains("1min"));
}

namespace {

/// The first, least, greatest and last of each column, each once, by looking at every reading.
std::vector<Point> four_of_each(const std::vector<Point>& all, const M4Query& query) {
  __extension__ using Wide = __int128;
  std::map<std::int64_t, std::vector<Point>> columns;
  for (const Point& point : all) {
    const Wide scaled = (Wide{point.time} - query.from.us) * query.columns;
    columns[static_cast<std::int64_t>(scaled / (query.to.us - query.from.us))].push_back(point);
  }
  std::vector<Point> few;
  for (auto& [column, points] : columns) {
    std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.time < b.time; });
    const auto by_value = [](const Point& a, const Point& b) { return a.value < b.value; };
    // Of equals the earliest, on both sides.
    std::set<std::int64_t> kept{points.front().time, points.back().time,
                                std::min_element(points.begin(), points.end(), by_value)->time,
                                std::max_element(points.begin(), points.end(), by_value)->time};
    for (const Point& point : points) {
      if (kept.contains(point.time)) few.push_back(point);
    }
  }
  return few;
}

}  // namespace

TEST_CASE("m4 finds in rollups the very readings that all rows give") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  // Thirty hours, close enough for minutes full of readings; values that repeat, and a device that is silent for hours.
  std::int64_t time = 0;
  for (int i = 0; i < 9000; ++i) {
    time += between<std::int64_t>(random, 1, i % 400 == 0 ? 3'000'000'000 : 16'000'000);
    const bool second = time > 40'000'000'000 && random() % 2 == 0;
    f.send("1", time, second ? "b" : "a", {{"real", V::of(static_cast<double>(between(random, -40, 40)) / 2 + 0.25)}});
    if (i == 5000) f.drain();
  }
  f.drain();
  const std::vector<OwnedEvent> events = f.expected("1");
  std::set<std::string> tiers;
  for (int i = 0; i < 120; ++i) {
    // At whole minutes, at whole seconds, and anywhere; of all lengths.
    const std::int64_t grain = i % 3 == 0 ? 60'000'000 : i % 3 == 1 ? 1'000'000 : 1;
    const bool wide = i % 4 == 0;  // some in which hours lie
    const std::int64_t from = between<std::int64_t>(random, 0, time / (wide ? 20 : 2) / grain) * grain;
    const std::int64_t length = (time - from) / grain;
    const std::int64_t to = from + between<std::int64_t>(random, wide ? length / 2 : 1, length) * grain;
    M4Query query = query_of(from, to, between(random, 1u, wide ? 3u : 120u));
    if (random() % 3 == 0) query.device = "b";
    const auto m4 = f.history->m4(query);
    REQUIRE(m4.ok());
    const std::vector<Point> expected = four_of_each(points_of(events, FieldId(0), query), query);
    const std::vector<Point> found = points_of(m4->lines[0]);
    CAPTURE(from, to, query.columns, query.device, m4->tier);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
      REQUIRE(found[k].time == expected[k].time);
      REQUIRE(found[k].value == expected[k].value);
    }
    tiers.insert(std::string(m4->tier));
  }
  CHECK(tiers.contains("1s"));
  CHECK(tiers.contains("1min"));
  CHECK(tiers.contains("1h"));
}

TEST_CASE("m4 reads smaller rollups at the edges of its columns only where they could change the picture") {
  HistoryFixture f;
  f.open();
  // At 4 Hz, never another value: after its first reading a column can draw nothing but its last.
  for (std::int64_t i = 0; i < std::int64_t{4} * 3700; ++i) {
    f.send("1", i * 250'000, "d", {{"constant", V::of(7.5)}});
    if (i % 3000 == 0) f.drain();
  }
  f.drain();
  // Three minutes a column, and edges within a second.
  const auto m4 = f.history->m4(query_of(17'600'000, 17'600'000 + std::int64_t{20} * 180'000'000, 20));
  REQUIRE(m4.ok());
  CHECK(m4->tier == "1min");
  CHECK(m4->lines[0].values.size() == 40);
  // A column has two whole minutes; at each of 21 edges are the minute and the second that it cuts, and the second's rows.
  CHECK(m4->rows_scanned <= 20 * 2 + 21 * (2 + 4));
}

TEST_CASE("m4 gives the four of a column, each once, in order of time") {
  HistoryFixture f;
  f.open();
  const double values[] = {3, 9, 1, 4};
  for (int i = 0; i < 4; ++i) f.send("1", i * 10, "d", {{"a", V::of(values[i])}});
  f.send("1", 100, "d", {{"a", V::of(7.5)}});
  f.send("1", 140, "d", {{"a", V::of("text")}});
  f.drain();
  const auto m4 = f.history->m4(query_of(0, 150, 3));
  REQUIRE(m4.ok());
  CHECK(m4->lines[0].time == std::vector<Timestamp>{{0}, {10}, {20}, {30}, {100}});
  CHECK(m4->lines[0].values == std::vector<double>{3, 9, 1, 4, 7.5});
  CHECK(m4->tier == "rows");
  CHECK(m4->behind == 0);
}

TEST_CASE("impossible pictures are refused with a reason") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(3)}});
  f.drain();
  const auto kind_of = [&](const M4Query& query) {
    const auto m4 = f.history->m4(query);
    REQUIRE_FALSE(m4.ok());
    return m4.error().kind;
  };
  CHECK(kind_of(query_of(0, 10, 0)) == ErrorKind::invalid);
  CHECK(kind_of(query_of(0, 10, 100'000)) == ErrorKind::invalid);
  CHECK(kind_of(query_of(10, 10, 5)) == ErrorKind::invalid);
  CHECK(kind_of(query_of(INT64_MIN, INT64_MAX, 5)) == ErrorKind::invalid);
  M4Query query = query_of(0, 10, 5);
  query.fields.clear();
  CHECK(kind_of(query) == ErrorKind::invalid);
  query = query_of(0, 10, 5);
  query.dataset = "none";
  CHECK(kind_of(query) == ErrorKind::not_found);
}

}  // namespace iotstream::store::test
