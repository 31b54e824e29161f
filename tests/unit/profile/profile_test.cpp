#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include <iotstream/profile/profile.hpp>

using namespace iotstream;
using model::Value;
using model::ValueKind;
using profile::Options;
using profile::Profiler;

namespace {

using Row = std::vector<std::pair<FieldId, Value>>;

Value integer(std::int64_t number) {
  Value value;
  value.kind = ValueKind::integer;
  value.integer = number;
  return value;
}
Value real(double number) {
  Value value;
  value.kind = ValueKind::real;
  value.real = number;
  return value;
}
Value text(std::string_view of) {
  Value value;
  value.kind = ValueKind::text;
  value.text = of;
  return value;
}
Value of_kind(ValueKind kind) {
  Value value;
  value.kind = kind;
  return value;
}

/// What plain loops find in one column of numbers.
struct Plain {
  double mean = 0, stddev = 0;
  std::vector<double> quantiles;
  std::size_t distinct = 0;
  std::uint64_t below = 0, above = 0;
};

Plain plain(std::vector<double> numbers) {
  Plain plain;
  std::sort(numbers.begin(), numbers.end());
  const auto n = static_cast<long double>(numbers.size());
  long double sum = 0;
  for (const double number : numbers) sum += number;
  long double squares = 0;
  for (const double number : numbers) squares += (number - sum / n) * (number - sum / n);
  plain.mean = static_cast<double>(sum / n);
  plain.stddev = numbers.size() > 1 ? static_cast<double>(std::sqrt(squares / (n - 1))) : 0;
  for (const double rank : profile::quantile_ranks) {
    const double place = rank * static_cast<double>(numbers.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, numbers.size() - 1);
    plain.quantiles.push_back(numbers[low] + (numbers[high] - numbers[low]) * (place - std::floor(place)));
  }
  plain.distinct = std::set<double>(numbers.begin(), numbers.end()).size();
  const double reach = 1.5 * (plain.quantiles[4] - plain.quantiles[2]);
  for (const double number : numbers) {
    plain.below += number < plain.quantiles[2] - reach ? 1 : 0;
    plain.above += number > plain.quantiles[4] + reach ? 1 : 0;
  }
  return plain;
}

void check_numbers(const profile::FieldProfile& field, const std::vector<double>& numbers) {
  const Plain expected = plain(numbers);
  CHECK(field.numbers == numbers.size());
  CHECK(field.mean == Approx(expected.mean).epsilon(1e-12).margin(1e-12));
  CHECK(field.stddev == Approx(expected.stddev).epsilon(1e-10).margin(1e-12));
  CHECK(field.min_number == *std::min_element(numbers.begin(), numbers.end()));
  CHECK(field.max_number == *std::max_element(numbers.begin(), numbers.end()));
  REQUIRE(field.quantiles.size() == expected.quantiles.size());
  for (std::size_t i = 0; i < expected.quantiles.size(); ++i)
    CHECK(field.quantiles[i] == Approx(expected.quantiles[i]).epsilon(1e-14));
  CHECK(field.distinct == expected.distinct);
  CHECK(field.distinct_exact);
  CHECK(field.rank_error == 0);
  CHECK(field.outliers->below == expected.below);
  CHECK(field.outliers->above == expected.above);
  REQUIRE(field.histogram);
  std::uint64_t in_bins = 0;
  for (const std::uint64_t count : field.histogram->counts) in_bins += count;
  CHECK(in_bins == numbers.size());
}

}  // namespace

TEST_CASE("figures of random numbers are those of plain loops, in every stage") {
  std::mt19937_64 random(7);
  for (const std::size_t rows : {1U, 2U, 3U, 100U, 9'999U, 40'000U}) {
    for (int shape = 0; shape < 4; ++shape) {
      std::vector<double> numbers;
      Profiler profiler(Options{.fields = 1});
      std::normal_distribution<double> normal(1e6, 3);
      for (std::size_t i = 0; i < rows; ++i) {
        Value value = shape == 0   ? integer(static_cast<std::int64_t>(random() % 200) - 100)
                      : shape == 1 ? integer(static_cast<std::int64_t>(random() % 1'000'000'000) - 500'000'000)
                      : shape == 2 ? real(normal(random))
                                   : (i % 3 == 0 ? real(static_cast<double>(random() % 60'000) / 4)
                                                 : integer(static_cast<std::int64_t>(random() % 50'000)));
        numbers.push_back(value.as_double());
        profiler.row(Timestamp{static_cast<std::int64_t>(i)}, Row{{FieldId(0), value}});
      }
      const auto found = profiler.finish();
      INFO("rows " << rows << ", shape " << shape);
      check_numbers(found.fields[0], numbers);
      std::map<double, std::uint64_t> counts;
      for (const double number : numbers) ++counts[number];
      std::uint64_t most = 0;
      for (const auto& [number, count] : counts) most = std::max(most, count);
      CHECK(found.fields[0].top.at(0).count == most);
      CHECK(found.fields[0].top_error == 0);
    }
  }
}

TEST_CASE("without room the figures are estimates within what they say") {
  std::mt19937_64 random(11);
  Options options{.fields = 2};
  options.numbers_max = 20'000;
  Profiler profiler(std::move(options));
  std::vector<double> numbers;
  std::lognormal_distribution<double> shape(3, 1);
  for (std::int64_t i = 0; i < 300'000; ++i) {
    // One value in ten is always the same: it must be found.
    const double number = i % 10 == 0 ? 42.5 : shape(random);
    numbers.push_back(number);
    profiler.row(Timestamp{i}, Row{{FieldId(0), real(number)}, {FieldId(1), integer(i)}});
  }
  const auto found = profiler.finish();
  const auto& field = found.fields[0];
  CHECK(field.rank_error > 0);
  CHECK(field.rank_error < 0.01);
  CHECK_FALSE(field.distinct_exact);
  CHECK(static_cast<double>(field.distinct) == Approx(270'001).epsilon(0.04));
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < std::size(profile::quantile_ranks); ++i) {
    const auto low = std::lower_bound(numbers.begin(), numbers.end(), field.quantiles[i]) - numbers.begin();
    const auto high = std::upper_bound(numbers.begin(), numbers.end(), field.quantiles[i]) - numbers.begin();
    const double size = static_cast<double>(numbers.size());
    CHECK(static_cast<double>(low) / size <= profile::quantile_ranks[i] + field.rank_error);
    CHECK(static_cast<double>(high) / size >= profile::quantile_ranks[i] - field.rank_error);
  }
  REQUIRE_FALSE(field.top.empty());
  CHECK(field.top[0].json == "42.5");
  CHECK(field.top[0].count <= 30'000);
  CHECK(field.top[0].count + field.top_error >= 30'000);
  CHECK(field.mean == Approx(plain(numbers).mean).epsilon(1e-10));
  CHECK(found.fields[1].min == "0");
  CHECK(found.fields[1].max == "299999");
}

TEST_CASE("whole numbers stay whole beyond 2^53, until one comes that is not") {
  Profiler profiler(Options{.fields = 2});
  profiler.row(Timestamp{1}, Row{{FieldId(0), integer(9'007'199'254'740'993)}, {FieldId(1), integer(3)}});
  profiler.row(Timestamp{2}, Row{{FieldId(0), integer(9'007'199'254'740'992)}, {FieldId(1), real(3.0)}});
  profiler.row(Timestamp{3}, Row{{FieldId(0), integer(INT64_MIN)}, {FieldId(1), real(-0.0)}});
  profiler.row(Timestamp{4}, Row{{FieldId(0), integer(INT64_MAX)}, {FieldId(1), integer(0)}});
  const auto found = profiler.finish();
  CHECK(found.fields[0].distinct == 4);
  CHECK(found.fields[0].min == "-9223372036854775808");
  CHECK(found.fields[0].max == "9223372036854775807");
  CHECK(found.fields[1].distinct == 2);
  CHECK(found.fields[1].max == "3.0");
}

TEST_CASE("classes, nulls, missing ones and texts are counted") {
  Profiler profiler(Options{.fields = 3});
  const Row rows[] = {{{FieldId(0), text("eco")}, {FieldId(1), of_kind(ValueKind::true_)}},
                      {{FieldId(0), text("eco")}, {FieldId(1), of_kind(ValueKind::false_)}},
                      {{FieldId(0), of_kind(ValueKind::null)}, {FieldId(1), of_kind(ValueKind::true_)}},
                      {{FieldId(0), integer(5)}},
                      {{FieldId(0), text("\"; drop")}}};
  std::int64_t time = 0;
  for (const Row& row : rows) profiler.row(Timestamp{time += 10}, row);
  const auto found = profiler.finish();
  const auto& first = found.fields[0];
  CHECK(found.rows == 5);
  CHECK(first.count == 4);
  CHECK(first.nulls == 1);
  CHECK(first.texts == 3);
  CHECK(first.numbers == 1);
  CHECK(first.distinct == 3);
  CHECK(first.top.at(0).json == "\"eco\"");
  CHECK(first.top.at(0).count == 2);
  CHECK(first.longest_missing->rows == 1);
  CHECK(first.longest_missing->from.us == 20);
  CHECK(first.longest_missing->to.us == 40);
  const auto& second = found.fields[1];
  CHECK(second.booleans == 3);
  CHECK(second.trues == 2);
  CHECK(second.distinct == 2);
  CHECK(second.first->us == 10);
  CHECK(second.last->us == 30);
  CHECK(second.longest_missing->rows == 2);
  CHECK(second.longest_missing->to.us == 50);
  CHECK(found.fields[2].count == 0);
  CHECK(found.fields[2].longest_missing->rows == 5);
}

TEST_CASE("many long texts stay within their room") {
  Profiler profiler(Options{.fields = 1});
  std::string long_text(10'000, 'x');
  for (int i = 0; i < 30'000; ++i) {
    const std::string own = long_text + std::to_string(i);
    const Value value = text(i % 5 == 0 ? std::string_view("often") : std::string_view(own));
    profiler.row(Timestamp{i}, Row{{FieldId(0), value}});
  }
  const auto found = profiler.finish();
  const auto& field = found.fields[0];
  CHECK_FALSE(field.distinct_exact);
  CHECK(static_cast<double>(field.distinct) == Approx(24'001).epsilon(0.04));
  CHECK(field.top.at(0).json == "\"often\"");
  CHECK(field.top.at(0).count + field.top_error >= 6'000);
}

TEST_CASE("correlations are those of plain loops, pair by pair") {
  std::mt19937_64 random(3);
  constexpr std::size_t fields = 6;
  for (const std::size_t rows : {2U, 511U, 512U, 513U, 5'000U}) {
    Options options{.fields = fields};
    for (std::uint32_t i = 0; i < fields; ++i) options.correlated.emplace_back(i);
    Profiler profiler(std::move(options));
    std::vector<std::vector<double>> columns(fields);
    std::normal_distribution<double> noise(0, 1);
    for (std::size_t i = 0; i < rows; ++i) {
      Row row;
      const double x = noise(random);
      const double values[fields] = {x + 1e9, -2 * x + noise(random), 7.0, noise(random), x * x, 3 * x};
      for (std::uint32_t f = 0; f < fields; ++f) {
        const bool missing = f == 3 && random() % 3 == 0;
        columns[f].push_back(missing ? std::nan("") : values[f]);
        if (!missing) row.emplace_back(FieldId(f), real(values[f]));
      }
      profiler.row(Timestamp{static_cast<std::int64_t>(i)}, row);
    }
    const auto found = profiler.finish();
    REQUIRE(found.correlations.size() == fields * (fields - 1) / 2);
    for (const profile::Correlation& one : found.correlations) {
      const auto& a = columns[one.a.value];
      const auto& b = columns[one.b.value];
      long double n = 0, sa = 0, sb = 0;
      for (std::size_t i = 0; i < rows; ++i)
        if (!std::isnan(a[i]) && !std::isnan(b[i])) n += 1, sa += a[i], sb += b[i];
      long double aa = 0, bb = 0, ab = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        if (std::isnan(a[i]) || std::isnan(b[i])) continue;
        aa += (a[i] - sa / n) * (a[i] - sa / n);
        bb += (b[i] - sb / n) * (b[i] - sb / n);
        ab += (a[i] - sa / n) * (b[i] - sb / n);
      }
      INFO("rows " << rows << ", pair " << one.a.value << " " << one.b.value);
      CHECK(one.n == static_cast<std::uint64_t>(n));
      if (n < 2 || aa == 0 || bb == 0)
        CHECK(std::isnan(one.r));
      else
        CHECK(one.r == Approx(static_cast<double>(ab / std::sqrt(aa * bb))).margin(1e-6));
    }
  }
}

TEST_CASE("silences are found in either order of time") {
  for (const bool backwards : {false, true}) {
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i < 1'000; ++i) times.push_back(i * 100 + (i >= 300 ? 90'000 : 0) + (i >= 700 ? 1'000 : 0));
    if (backwards) std::reverse(times.begin(), times.end());
    Profiler profiler(Options{.fields = 0});
    for (const std::int64_t time : times) profiler.row(Timestamp{time}, {});
    const auto found = profiler.finish();
    CHECK(found.time.interval->us == 100);
    REQUIRE(found.time.gaps.size() == 2);
    CHECK(found.time.gaps[0].from.us == 29'900);
    CHECK(found.time.gaps[0].to.us == 120'000);
    CHECK(found.time.gaps[1].to.us == 161'000);
    CHECK(found.time.first->us == 0);
  }
}

TEST_CASE("nothing at all has a profile, too") {
  Profiler profiler(Options{.fields = 2});
  const auto found = profiler.finish();
  CHECK(found.rows == 0);
  CHECK(found.fields.size() == 2);
  CHECK_FALSE(found.time.first);
  CHECK_FALSE(found.fields[0].longest_missing);
}
