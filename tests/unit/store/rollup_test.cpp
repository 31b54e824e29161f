#include "store/rollup.hpp"

#include <cmath>
#include <map>

#include "store/rollup_writer.hpp"
#include "support/random.hpp"
#include "unit/store/history_fixture.hpp"
#include "unit/store/rollups.hpp"

namespace iotstream::store::test {

using V = OwnedValue;
using iotstream::test::between;

namespace {

double any_number(std::mt19937_64& random, unsigned kind) {
  switch (kind) {
    case 0:
      return static_cast<double>(between(random, -3, 3));
    case 1:
      return static_cast<double>(between<std::int64_t>(random, -(std::int64_t{1} << 53), std::int64_t{1} << 53));
    case 2:
      return static_cast<double>(between(random, -100'000, 100'000)) / 100;
    case 3:
      return 5;
    case 4:
      return random() % 2 == 0 ? 0.0 : -0.0;
    default:
      return iotstream::test::any_double(random);
  }
}

bool near(double a, double b, double scale) {
  return a == b || std::abs(a - b) <= 1e-12 * scale || (std::isinf(a) && std::isinf(b));
}

}  // namespace

TEST_CASE("a bucket is read as it was written, whatever its numbers") {
  IOTSTREAM_SEEDED(random);
  std::string bytes;
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t begin = between<std::int64_t>(random, -1000, 1000) * 60'000'000;
    Bucket bucket;
    const unsigned fields = between(random, 1u, 20u);
    std::vector<unsigned> kinds;
    for (unsigned i = 0; i < fields; ++i) kinds.push_back(static_cast<unsigned>(random() % 6));
    std::map<std::uint32_t, double> greatest;
    for (int rows = between(random, 1, 40); rows > 0; --rows) {
      Numbers numbers;
      for (unsigned i = 0; i < fields; ++i) {
        if (random() % 8 == 0) continue;
        const double number = random() % 20 == 0 ? std::nan("") : any_number(random, kinds[i]);
        numbers.emplace_back(FieldId(i * (i % 3 + 1)), number);
        if (std::isfinite(number))
          greatest[numbers.back().first.value] = std::max(greatest[numbers.back().first.value], std::abs(number));
      }
      std::sort(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      numbers.erase(
          std::unique(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
          numbers.end());
      bucket.add(begin + between<std::int64_t>(random, 0, 59'999'999), numbers);
    }
    encode(bucket, begin, bytes);
    Bucket read;
    REQUIRE(decode(bytes, begin, read).ok());
    REQUIRE(read.rows == bucket.rows);
    REQUIRE(read.fields.size() == bucket.fields.size());
    for (std::size_t i = 0; i < read.fields.size(); ++i) {
      REQUIRE(read.fields[i].first == bucket.fields[i].first);
      Rollup wanted = bucket.fields[i].second;
      const Rollup& found = read.fields[i].second;
      const double scale = greatest[read.fields[i].first.value] * static_cast<double>(wanted.count) + 1e-300;
      REQUIRE(near(found.sum, wanted.sum, scale));
      wanted.sum = found.sum;
      REQUIRE(found == wanted);
      REQUIRE(std::signbit(found.first) == std::signbit(wanted.first));
    }
    // Some fields only, with and without times.
    std::vector<FieldId> some;
    for (std::uint32_t id = 0; id < 60; id += between(random, 1u, 7u)) some.emplace_back(id);
    std::vector<Rollup> rollups;
    const bool times = random() % 2 == 0;
    REQUIRE(decode_fields(bytes, begin, some, times, rollups).ok());
    for (std::size_t i = 0; i < some.size(); ++i) {
      const auto at = std::find_if(read.fields.begin(), read.fields.end(), [&](const auto& f) { return f.first == some[i]; });
      Rollup wanted = at == read.fields.end() ? Rollup{} : at->second;
      if (!times) {
        wanted.min_time = rollups[i].min_time;
        wanted.max_time = rollups[i].max_time;
        wanted.first_time = rollups[i].first_time;
        wanted.last_time = rollups[i].last_time;
      }
      REQUIRE(rollups[i] == wanted);
    }
  }
}

TEST_CASE("broken bytes of a bucket are refused or read as something, and do no harm") {
  IOTSTREAM_SEEDED(random);
  Bucket bucket;
  for (int i = 0; i < 20; ++i)
    bucket.add(i, {{FieldId(0), i}, {FieldId(3), i / 8.0}, {FieldId(7), std::nan("")}, {FieldId(9), 1e300 * i}});
  std::string good;
  encode(bucket, 0, good);
  Bucket read;
  std::vector<Rollup> rollups;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (auto changes = random() % 4; changes > 0; --changes) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    static_cast<void>(decode(bytes, 0, read));
    static_cast<void>(decode_fields(bytes, 0, {FieldId(3), FieldId(9)}, true, rollups));
  }
  CHECK_FALSE(decode(good.substr(0, good.size() - 1), 0, read).ok());
}

TEST_CASE("steady signals take few bytes") {
  Bucket bucket;
  for (int i = 0; i < 10; ++i) {
    Numbers numbers;
    for (std::uint32_t field = 0; field < 10; ++field) numbers.emplace_back(FieldId(field), 125 + field);
    bucket.add(i * 100'000, numbers);
  }
  std::string bytes;
  encode(bucket, 0, bytes);
  CHECK(bytes.size() <= 50);
}

TEST_CASE("rollups equal what is recomputed from the rows, after late, doubled and disordered readings") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  const OwnedValue odd[] = {V::of("text"),      V::of(true), V::json("[1]"), V::null(), V::decimal("12345678901234567890"),
                            V::decimal("1e400")};
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 300; ++i) {
      // Seconds of some minutes of two hours, on both sides of 1970; many at the same time.
      const std::int64_t time =
          between<std::int64_t>(random, -30, 30) * 120'000'000 + between<std::int64_t>(random, 0, 40) * 250'000;
      Members members{{"int", V::of(between(random, -500, 500))}};
      if (random() % 2 == 0) members.emplace_back("real", V::of(static_cast<double>(between(random, 0, 1'000'000)) / 100));
      if (random() % 3 == 0) members.emplace_back("odd", odd[random() % std::size(odd)]);
      if (round > 6 && random() % 3 == 0) members.emplace_back("new", V::of(1.0 / static_cast<double>(between(random, 1, 99))));
      f.send("1", time, "d" + std::to_string(random() % 4), members, 2);
    }
    if (random() % 2 == 0) f.drain();
    if (random() % 4 == 0) f.reopen();
  }
  f.drain();
  f.history->stop();
  check_rollups(f, "1");
}

TEST_CASE("a file of the first format gets its rollups while it is written on") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i)
      f.send("1", between<std::int64_t>(random, 0, 20'000) * 500'000, "d" + std::to_string(random() % 3),
             {{"a", V::of(between(random, 0, 99))}, {"b", V::of(static_cast<double>(i) / 7)}}, 2);
  };
  send(9000);
  f.drain();
  f.history.reset();
  {
    auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database
                ->execute("DROP TABLE rollups; DROP TABLE horizons; DROP TABLE _rollup_1s_1; DROP TABLE _rollup_1min_1; "
                          "DROP TABLE _rollup_1h_1; PRAGMA user_version=1")
                .ok());
  }
  f.open();
  for (int i = 0; i < 20; ++i) {
    send(100);
    f.drain();
  }
  for (int i = 0; i < 500 && f.sql("SELECT count(*) FROM rollups WHERE time IS NULL") != "1"; ++i) {
    send(1);
    f.drain();
  }
  CHECK(f.sql("SELECT count(*) FROM rollups WHERE time IS NULL") == "1");
  CHECK(f.sql("PRAGMA user_version") == "2");
  f.check_equals_log("1");
  f.history->stop();
  check_rollups(f, "1");
}

}  // namespace iotstream::store::test
