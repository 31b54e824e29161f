// Merged rows draw the same picture in bounded memory.
#include <map>
#include <random>

#include "bench.hpp"
#include "support/random.hpp"

namespace iotstream::live::test {
namespace {

/// Everything a viewer could compare of a buffer's rows.
std::string dump(const RowBuffer& rows) {
  std::string out;
  for (std::size_t row = 0; row != rows.rows(); ++row) {
    out += fmt::format("{} {}:", rows.time(row).us, rows.device(row));
    for (const Cell* cell = rows.cells_begin(row); cell != rows.cells_end(row); ++cell) {
      out += fmt::format(" {}=", cell->field);
      model::append_json(out, rows.value(*cell));
    }
    out += '\n';
  }
  return out;
}

struct Extremes {
  std::optional<double> first, last, lowest, highest;
  std::int64_t first_time = 0;
  std::int64_t last_time = 0;
  bool operator==(const Extremes&) const = default;
};

/// By device and field, over all rows by time.
std::map<std::pair<int, int>, Extremes> extremes_of(const RowBuffer& rows) {
  std::vector<std::size_t> order(rows.rows());
  for (std::size_t i = 0; i != order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rows.time(a) < rows.time(b); });
  std::map<std::pair<int, int>, Extremes> extremes;
  for (const std::size_t row : order)
    for (const Cell* cell = rows.cells_begin(row); cell != rows.cells_end(row); ++cell) {
      const double value = rows.value(*cell).as_double();
      if (std::isnan(value)) continue;
      Extremes& of = extremes[{rows.device(row), cell->field}];
      if (!of.first) {
        of.first = value;
        of.first_time = rows.time(row).us;
      }
      of.last = value;
      of.last_time = rows.time(row).us;
      of.lowest = std::min(of.lowest.value_or(value), value);
      of.highest = std::max(of.highest.value_or(value), value);
    }
  return extremes;
}

class Rows {
 public:
  explicit Rows(std::uint32_t seed, bool texts = false) : random_(seed), texts_(texts) {}
  std::uint32_t below(std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_); }
  /// One more row, by the clock of the walk; sometimes a late one.
  void add(RowBuffer& to) {
    time_ += below(20'000);
    const std::int64_t time = below(50) == 0 ? time_ - below(1'000'000) : time_;
    const auto device = static_cast<std::uint16_t>(below(3));
    to.begin_row({time}, device);
    for (std::uint32_t field = 0; field != 4; ++field) {
      if (below(3) == 0) continue;
      if (texts_ && field == 3)
        to.add(FieldId(field), text(fmt::format("state {}", below(100))));
      else if (field == 0)
        to.add(FieldId(field), integer(static_cast<std::int64_t>(below(2000)) - 1000));
      else
        to.add(FieldId(field), real(static_cast<double>(below(100'000)) / 7));
    }
  }

 private:
  std::mt19937 random_;
  bool texts_;
  std::int64_t time_ = 1'700'000'000'000'000;
};

constexpr std::size_t unbounded = SIZE_MAX;

TEST_CASE("first, last, lowest and highest of every series survive, and every row is counted") {
  const std::uint32_t begin = static_cast<std::uint32_t>(::iotstream::test::seed());
  for (std::uint32_t seed = begin; seed != begin + 40; ++seed) {
    INFO("seed " << seed);
    Rows random(seed);
    RowBuffer all;
    const std::uint32_t count = 2000 + random.below(5000);
    for (std::uint32_t i = 0; i != count; ++i) random.add(all);
    const auto before = extremes_of(all);
    const std::size_t bytes_max = random.below(2) == 0 ? unbounded : 4096 + random.below(100'000);
    all.merge({Duration::seconds(1 + random.below(100)), 16 + random.below(200)}, bytes_max);
    CHECK(extremes_of(all) == before);
    CHECK(all.rows() + all.merged() == count);
    CHECK(all.rows() < count);
    if (bytes_max != unbounded) CHECK(all.bytes() <= std::max<std::size_t>(bytes_max, 12 * 4 * 2 * 2 * 32));
  }
}

TEST_CASE("merging again and again keeps what one merge of everything keeps") {
  const std::uint32_t begin = static_cast<std::uint32_t>(::iotstream::test::seed());
  for (std::uint32_t seed = begin; seed != begin + 40; ++seed) {
    INFO("seed " << seed);
    Rows random(seed, true);
    const Grid grid{Duration::seconds(5 + random.below(60)), 16 + random.below(200)};
    Rows again = random;
    RowBuffer once;
    RowBuffer often;
    for (int i = 0; i != 4000; ++i) {
      random.add(once);
      again.add(often);
      if (i % 500 == 499) often.merge(grid, unbounded);
    }
    once.merge(grid, unbounded);
    often.merge(grid, unbounded);
    CHECK(often.rows() + often.merged() == 4000);
    // A column older than the window is wider, the older the wider: merged early or late, on nested columns it is the same.
    CHECK(dump(often) == dump(once));
  }
}

TEST_CASE("the newest window keeps its pixels while the rest is kept coarse") {
  RowBuffer rows;
  const std::int64_t hours = 8;
  for (std::int64_t i = 0; i != hours * 3600; ++i) {
    rows.begin_row({i * 1'000'000}, 0);
    rows.add(FieldId(0), integer(i % 97));
  }
  rows.merge({Duration::seconds(300), 300}, unbounded);
  std::size_t recent = 0;
  for (std::size_t row = 0; row != rows.rows(); ++row) recent += rows.time(row).us > (hours * 3600 - 300) * 1'000'000;
  CHECK(recent == 299);  // one a pixel: all stay
  CHECK(rows.rows() - recent <= 4 * 302);
  CHECK(rows.rows() - recent >= 300);
}

TEST_CASE("a device whose clock is a year ahead does not coarsen the others") {
  RowBuffer rows;
  rows.begin_row({365LL * 86'400 * 1'000'000}, 1);
  rows.add(FieldId(0), integer(1));
  for (std::int64_t i = 0; i != 1000; ++i) {
    rows.begin_row({i * 100'000}, 0);
    rows.add(FieldId(0), integer(i));
  }
  rows.merge({Duration::seconds(100), 1000}, unbounded);
  CHECK(rows.rows() == 1001);
}

TEST_CASE("of texts the first and the last of a pixel stay") {
  RowBuffer rows;
  for (int i = 0; i != 10; ++i) {
    rows.begin_row({1'000'000 + i}, 0);
    rows.add(FieldId(0), text(fmt::format("t{}", i)));
  }
  rows.merge({Duration::seconds(16), 16}, unbounded);
  CHECK(dump(rows) == "1000000 0: 0=\"t0\"\n1000009 0: 0=\"t9\"\n");
  CHECK(rows.merged() == 8);
}

TEST_CASE("times at the ends of time do not break the grid") {
  RowBuffer rows;
  for (const std::int64_t time : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
                                  std::numeric_limits<std::int64_t>::max()}) {
    rows.begin_row({time}, 0);
    rows.add(FieldId(0), integer(time / 2));
  }
  rows.merge({Duration::seconds(1), 16}, 1);
  CHECK(rows.rows() >= 2);
  CHECK(rows.time(0).us == std::numeric_limits<std::int64_t>::min());
  CHECK(rows.time(rows.rows() - 1).us == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("rows that leave in front take their values and texts along") {
  const std::uint32_t seed = static_cast<std::uint32_t>(::iotstream::test::seed());
  INFO("seed " << seed);
  Rows random(seed, true);
  RowBuffer whole;
  for (int i = 0; i != 300; ++i) random.add(whole);
  RowBuffer copy = whole;
  std::string parts;
  while (!copy.empty()) {
    const std::size_t take = 1 + random.below(40);
    RowBuffer front = copy;
    RowBuffer head;
    std::vector<std::uint16_t> same{0, 1, 2};
    const std::string text = dump(front);
    std::size_t end = 0;
    for (std::size_t i = 0; i != std::min(take, copy.rows()); ++i) end = text.find('\n', end) + 1;
    parts += text.substr(0, end);
    copy.drop_front(take);
  }
  CHECK(parts == dump(whole));
}

TEST_CASE("a row that was dropped leaves nothing behind") {
  RowBuffer rows;
  rows.begin_row({1}, 0);
  rows.add(FieldId(0), text("stays"));
  const std::size_t bytes = rows.bytes();
  rows.begin_row({2}, 0);
  rows.add(FieldId(0), integer(1));
  rows.add(FieldId(1), text("goes"));
  rows.drop_row();
  CHECK(rows.bytes() == bytes);
  rows.begin_row({3}, 0);
  rows.add(FieldId(1), text("new"));
  CHECK(dump(rows) == "1 0: 0=\"stays\"\n3 0: 1=\"new\"\n");
}

TEST_CASE("appending renumbers devices and moves texts") {
  RowBuffer first;
  first.begin_row({1}, 0);
  first.add(FieldId(0), text("one"));
  RowBuffer second;
  second.begin_row({2}, 0);
  second.add(FieldId(0), text("two"));
  second.begin_row({3}, 1);
  second.add(FieldId(1), integer(3));
  first.append(second, {5, 0});
  CHECK(dump(first) == "1 0: 0=\"one\"\n2 5: 0=\"two\"\n3 0: 1=3\n");
}

}  // namespace
}  // namespace iotstream::live::test
