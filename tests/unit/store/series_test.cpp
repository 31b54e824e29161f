#include <cmath>
#include <map>
#include <random>
#include <set>

#include "store/buckets.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

constexpr Aggregate all_aggregates[] = {Aggregate::avg,   Aggregate::min,  Aggregate::max, Aggregate::sum, Aggregate::count,
                                        Aggregate::first, Aggregate::last, Aggregate::p50, Aggregate::p95, Aggregate::p99};
constexpr Aggregate of_rollups[] = {Aggregate::avg,   Aggregate::min,   Aggregate::max, Aggregate::sum,
                                    Aggregate::count, Aggregate::first, Aggregate::last};

double number_of(const OwnedValue& value) {
  switch (value.kind) {
    case model::ValueKind::true_:
      return 1;
    case model::ValueKind::false_:
      return 0;
    case model::ValueKind::integer:
      return static_cast<double>(value.integer);
    case model::ValueKind::real:
      return value.real;
    case model::ValueKind::decimal:
      return std::strtod(value.text.c_str(), nullptr);
    default:
      return std::nan("");
  }
}

double quantile(std::vector<double> numbers, double q) {
  std::sort(numbers.begin(), numbers.end());
  const double place = q * static_cast<double>(numbers.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, numbers.size() - 1);
  return numbers[low] + (numbers[high] - numbers[low]) * (place - static_cast<double>(low));
}

/// The same by plain loops: `values` are one field's in one bucket, in order.
double reference(const std::vector<OwnedValue>& values, Aggregate aggregate) {
  std::vector<double> numbers;
  for (const OwnedValue& value : values) {
    const double number = number_of(value);
    if (std::isfinite(number)) numbers.push_back(number);
  }
  if (aggregate == Aggregate::count) return static_cast<double>(values.size());
  if (numbers.empty()) return std::nan("");
  double sum = 0;
  for (const double number : numbers) sum += number;
  switch (aggregate) {
    case Aggregate::avg:
      return sum / static_cast<double>(numbers.size());
    case Aggregate::min:
      return *std::min_element(numbers.begin(), numbers.end());
    case Aggregate::max:
      return *std::max_element(numbers.begin(), numbers.end());
    case Aggregate::sum:
      return sum;
    case Aggregate::first:
      return numbers.front();
    case Aggregate::last:
      return numbers.back();
    case Aggregate::p50:
      return quantile(numbers, 0.50);
    case Aggregate::p95:
      return quantile(numbers, 0.95);
    default:
      return quantile(numbers, 0.99);
  }
}

bool same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

std::int64_t floor_to(std::int64_t time, std::int64_t interval) {
  std::int64_t start = time / interval * interval;
  if (start > time) start -= interval;
  return start;
}

/// Checks every bucket, column and value of `series` against loops over `events`.
void check_series(const Series& series, const SeriesQuery& query, const std::vector<OwnedEvent>& events) {
  std::vector<std::int64_t> starts;
  for (std::int64_t start = floor_to(query.from.us, query.interval.us); start < query.to.us; start += query.interval.us) {
    starts.push_back(start);
  }
  REQUIRE(series.time.size() == starts.size());
  REQUIRE(series.columns.size() == query.fields.size() * query.aggregates.size());
  std::map<std::pair<std::int64_t, std::uint32_t>, std::vector<OwnedValue>> buckets;
  for (const OwnedEvent& event : events) {
    if (event.time < query.from || event.time >= query.to) continue;
    if (!query.device.empty() && event.device != query.device) continue;
    for (const auto& [field, value] : event.values) {
      if (value.kind != model::ValueKind::null)
        buckets[{floor_to(event.time.us, query.interval.us), field.value}].push_back(value);
    }
  }
  std::size_t column = 0;
  for (const FieldId field : query.fields) {
    for (const Aggregate aggregate : query.aggregates) {
      const SeriesColumn& found = series.columns[column++];
      CHECK(found.field == field);
      CHECK(found.aggregate == aggregate);
      REQUIRE(found.values.size() == starts.size());
      for (std::size_t i = 0; i < starts.size(); ++i) {
        CHECK(series.time[i] == Timestamp{starts[i]});
        const double wanted = reference(buckets[{starts[i], field.value}], aggregate);
        if (same(found.values[i], wanted)) continue;
        FAIL_CHECK("field " << field.value << ", " << name_of(aggregate) << ", bucket " << starts[i] << ": " << found.values[i]
                            << " instead of " << wanted);
      }
    }
  }
}

SeriesQuery query_of(std::vector<FieldId> fields, std::int64_t from, std::int64_t to, std::int64_t interval) {
  SeriesQuery query;
  query.dataset = "1";
  query.fields = std::move(fields);
  query.aggregates.assign(std::begin(all_aggregates), std::end(all_aggregates));
  query.from = Timestamp{from};
  query.to = Timestamp{to};
  query.interval = Duration{interval};
  return query;
}

}  // namespace

TEST_CASE("every aggregate of every window equals plain loops over random events with gaps, repeats and late ones") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  HistoryFixture f;
  f.open();
  const OwnedValue odd[] = {V::of("text"),      V::of(true), V::of(false),
                            V::json("[1]"),     V::null(),   V::decimal("12345678901234567890"),
                            V::decimal("1e400")};
  for (int i = 0; i < 1500; ++i) {
    // Clusters with gaps between them, on both sides of 1970. A device repeats its times; no two devices have one in common:
    // then the device decides, by a number that only the database knows.
    const auto device = static_cast<std::int64_t>(random() % 3);
    const std::int64_t time =
        static_cast<std::int64_t>(random() % 10) * 99'999 - 399'999 + static_cast<std::int64_t>(random() % 3000) * 3 + device;
    Members members{{"int", V::of(static_cast<int>(random() % 1000) - 500)}};
    if (random() % 2 == 0) members.emplace_back("real", V::of(static_cast<double>(random() % 1'000'000) / 997.0));
    if (random() % 3 == 0) members.emplace_back("odd", odd[random() % std::size(odd)]);
    f.send("1", time, "d" + std::to_string(device), members, 2);
  }
  f.drain();
  const std::vector<OwnedEvent> events = f.expected("1");
  for (int i = 0; i < 25; ++i) {
    const std::int64_t from = static_cast<std::int64_t>(random() % 1'000'000) - 500'000;
    const std::int64_t to = from + 1 + static_cast<std::int64_t>(random() % 900'000);
    SeriesQuery query =
        query_of({FieldId(0), FieldId(2), FieldId(1)}, from, to, 1000 + static_cast<std::int64_t>(random() % 200'000));
    if (random() % 2 == 0) query.device = "d1";
    const auto series = f.history->series(query);
    REQUIRE(series.ok());
    check_series(*series, query, events);
  }
}

TEST_CASE("windows answered from rollups equal plain loops over the events, with rows and the tail at their ends") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  HistoryFixture f;
  f.open();
  const OwnedValue odd[] = {V::of("text"),      V::of(true), V::json("[1]"), V::null(), V::decimal("12345678901234567890"),
                            V::decimal("1e400")};
  const unsigned devices = seed % 2 == 0 ? 3 : 20;  // with many, one device's rollups are found one by one
  for (int i = 0; i < 4000; ++i) {
    // Four hours, no two events at the same time.
    const std::int64_t time = (static_cast<std::int64_t>(random() % 14'400) - 7200) * 1'000'000 + (random() % 10) * 100'000 + i;
    Members members{{"int", V::of(static_cast<int>(random() % 1000) - 500)}};
    if (random() % 2 == 0) members.emplace_back("real", V::of(static_cast<double>(random() % 1'000'000) / 100.0));
    if (random() % 3 == 0) members.emplace_back("odd", odd[random() % std::size(odd)]);
    f.send("1", time, "d" + std::to_string(random() % devices), members, 2);
    if (i == 3900) f.drain();
  }
  const std::vector<OwnedEvent> events = f.expected("1");
  std::map<std::string, int> tiers;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t from = (static_cast<std::int64_t>(random() % 15'000) - 7500) * 1'000'000 + random() % 2'000'000;
    const std::int64_t to = from + 1 + static_cast<std::int64_t>(random() % 9'000) * 1'000'000 + random() % 2'000'000;
    constexpr std::int64_t intervals[] = {1, 5, 60, 90, 300, 3600, 7200};
    SeriesQuery query = query_of({FieldId(0), FieldId(2), FieldId(1)}, from, to, intervals[random() % 7] * 1'000'000);
    query.aggregates.assign(std::begin(of_rollups), std::end(of_rollups));
    if (random() % 2 == 0) query.device = "d1";
    const auto series = f.history->series(query);
    REQUIRE(series.ok());
    check_series(*series, query, events);
    ++tiers[std::string(series->tier)];
  }
  CHECK(tiers["1s"] > 0);
  CHECK(tiers["1min"] > 0);
}

TEST_CASE("the rate of a counter goes up with it, also when it begins anew, and of each device by itself") {
  HistoryFixture f;
  f.open();
  std::map<std::int64_t, double> increase;
  std::map<std::string, double> counters;
  std::mt19937 random(7);
  std::set<std::string> known;
  for (int i = 0; i < 3000; ++i) {
    const std::int64_t time = i * 400'000;
    const std::string device = "d" + std::to_string(random() % 3);
    const bool anew = random() % 50 == 0;
    const double step = static_cast<double>(random() % 10);
    const double before = counters[device];
    counters[device] = anew ? step : before + step;
    if (known.contains(device))
      increase[floor_to(time, 60'000'000)] += counters[device] >= before ? counters[device] - before : counters[device];
    known.insert(device);
    f.send("1", time, device, {{"n", V::of(counters[device])}}, 2);
  }
  f.drain();
  for (const std::int64_t interval : {60'000'000, 60'000'001}) {
    SeriesQuery query = query_of({FieldId(0)}, 0, 1'200'000'000, interval);
    query.aggregates = {Aggregate::rate};
    const auto series = f.history->series(query);
    REQUIRE(series.ok());
    double total = 0;
    for (std::size_t i = 0; i < series->time.size(); ++i) {
      if (!std::isnan(series->columns[0].values[i])) total += series->columns[0].values[i] * 60;
      if (interval == 60'000'000) CHECK(same(series->columns[0].values[i], increase[series->time[i].us] / 60));
    }
    double wanted = 0;
    for (const auto& [bucket, up] : increase) wanted += up;
    CHECK(std::abs(total - wanted) < wanted * 0.01);
    CHECK(series->tier == (interval == 60'000'000 ? "1min" : "rows"));
  }
  // One reading has none before it.
  SeriesQuery query = query_of({FieldId(0)}, 0, 400'000, 400'000);
  query.aggregates = {Aggregate::rate};
  CHECK(std::isnan(f.history->series(query)->columns[0].values[0]));
}

TEST_CASE("buckets without events are there, and empty") {
  HistoryFixture f;
  f.open();
  f.send("1", 25, "d", {{"a", V::of(3)}});
  f.drain();
  auto series = f.history->series(query_of({FieldId(0)}, 5, 45, 10));
  REQUIRE(series.ok());
  CHECK(series->time == std::vector<Timestamp>{{0}, {10}, {20}, {30}, {40}});
  CHECK(series->rows_scanned == 1);
  CHECK(series->columns[0].values[2] == 3);
  CHECK(std::isnan(series->columns[0].values[1]));
  CHECK(series->columns[4].values == std::vector<double>{0, 0, 1, 0, 0});
  // Nobody's events: the same, all empty.
  SeriesQuery query = query_of({FieldId(0)}, 5, 45, 10);
  query.device = "nobody";
  series = f.history->series(query);
  REQUIRE(series.ok());
  CHECK(series->columns[4].values == std::vector<double>(5, 0));
}

TEST_CASE("a field that history has not met yet is empty") {
  HistoryFixture f;
  f.open();
  f.send("1", 25, "d", {{"a", V::of(3)}});
  f.drain();
  const auto series = f.history->series(query_of({FieldId(9), FieldId(0)}, 20, 30, 10));
  REQUIRE(series.ok());
  CHECK(std::isnan(series->columns[0].values[0]));
  CHECK(series->columns[10].values[0] == 3);
}

TEST_CASE("impossible series are refused with a reason") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(3)}});
  f.drain();
  const auto kind_of = [&](const SeriesQuery& query) {
    const auto series = f.history->series(query);
    REQUIRE_FALSE(series.ok());
    return series.error().kind;
  };
  CHECK(kind_of(query_of({}, 0, 10, 1)) == ErrorKind::invalid);
  CHECK(kind_of(query_of({FieldId(0)}, 0, 100'001, 1)) == ErrorKind::invalid);
  CHECK(kind_of(query_of({FieldId(0)}, 0, 10, 0)) == ErrorKind::invalid);
  CHECK(kind_of(query_of({FieldId(0)}, INT64_MIN, INT64_MAX, 1)) == ErrorKind::invalid);
  SeriesQuery query = query_of({FieldId(0)}, 0, 10, 1);
  query.aggregates.clear();
  CHECK(kind_of(query) == ErrorKind::invalid);
  query = query_of({FieldId(0)}, 0, 10, 1);
  query.dataset = "none";
  CHECK(kind_of(query) == ErrorKind::not_found);
  CHECK(f.history->series(query_of({FieldId(0)}, 0, 100'000, 1)).ok());
  CHECK(f.history->series(query_of({FieldId(0)}, INT64_MIN, INT64_MAX, INT64_MAX)).ok());
  CHECK(f.history->series(query_of({FieldId(0)}, 10, 0, 1))->time.empty());
}

TEST_CASE("aggregates have names") {
  for (const Aggregate aggregate : all_aggregates) CHECK(aggregate_from(name_of(aggregate)) == aggregate);
  CHECK(aggregate_from("rate") == Aggregate::rate);
  CHECK_FALSE(aggregate_from("median"));
  CHECK_FALSE(aggregate_from(""));
}

}  // namespace iotstream::store::test
