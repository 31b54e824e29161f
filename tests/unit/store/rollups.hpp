// The rollups of a history against what plain loops make of the log.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <tuple>

#include "store/rollup.hpp"
#include "store/rollup_writer.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

inline double as_number(const OwnedValue& value) {
  model::Value plain;
  plain.kind = value.kind;
  plain.integer = value.integer;
  plain.real = value.real;
  plain.text = value.text;
  return number_of(plain);
}

/// By bucket, device name and field.
using AllRollups = std::map<std::tuple<std::int64_t, std::string, std::uint32_t>, Rollup>;

/// By the definition: the readings of each, sorted by time and then as they came.
inline AllRollups recomputed(std::vector<OwnedEvent> events, Tier tier) {
  std::map<std::tuple<std::int64_t, std::string, std::uint32_t>, std::vector<std::tuple<std::int64_t, std::uint64_t, double>>>
      readings;
  for (const OwnedEvent& event : events) {
    for (const auto& [field, value] : event.values) {
      if (value.kind == model::ValueKind::null) continue;
      const auto bucket = static_cast<std::int64_t>(std::floor(static_cast<long double>(event.time.us) / width_of(tier)));
      readings[{bucket, event.device, field.value}].emplace_back(event.time.us, event.offset.value, as_number(value));
    }
  }
  AllRollups all;
  for (auto& [key, values] : readings) {
    std::sort(values.begin(), values.end());
    Rollup& rollup = all[key];
    for (const auto& [time, offset, number] : values) {
      if (!std::isfinite(number)) {
        ++rollup.others;
        continue;
      }
      if (rollup.count == 0 || number < rollup.min) std::tie(rollup.min, rollup.min_time) = std::pair(number, time);
      if (rollup.count == 0 || number > rollup.max) std::tie(rollup.max, rollup.max_time) = std::pair(number, time);
      if (rollup.count == 0) std::tie(rollup.first, rollup.first_time) = std::pair(number, time);
      rollup.rising = rollup.rising && (rollup.count == 0 || number >= rollup.last);
      std::tie(rollup.last, rollup.last_time) = std::pair(number, time);
      rollup.sum += number;
      ++rollup.count;
    }
  }
  return all;
}

inline AllRollups stored(HistoryFixture& f, const std::string& dataset, Tier tier) {
  AllRollups all;
  const std::int64_t id = std::stoll(f.sql("SELECT id FROM datasets WHERE name = '" + dataset + "'"));
  auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_only);
  REQUIRE(database.ok());
  auto rows = database->prepare("SELECT bucket, name, fields FROM " + sqlite::quote_identifier(rollup_table(id, tier)) +
                                " AS r JOIN devices AS d ON d.id = r.device");
  REQUIRE(rows.ok());
  Bucket bucket;
  for (;;) {
    auto row = rows->step();
    REQUIRE(row.ok());
    if (!*row) return all;
    const ByteView bytes = rows->blob(2);
    REQUIRE(
        decode({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, rows->integer(0) * width_of(tier), bucket).ok());
    for (const auto& [field, rollup] : bucket.fields) all[{rows->integer(0), std::string(rows->text(1)), field.value}] = rollup;
  }
}

/// Shows the first difference only.
inline void check_rollups(HistoryFixture& f, const std::string& dataset) {
  for (const Tier tier : rollup_tiers) {
    const AllRollups wanted = recomputed(f.expected(dataset), tier);
    AllRollups found = stored(f, dataset, tier);
    CHECK(found.size() == wanted.size());
    for (const auto& [key, rollup] : wanted) {
      Rollup& other = found[key];
      const double scale = static_cast<double>(rollup.count) * std::max(std::abs(rollup.min), std::abs(rollup.max));
      if (std::abs(other.sum - rollup.sum) <= 1e-12 * scale) other.sum = rollup.sum;
      // After late readings it is not known any more.
      if (!other.rising) other.rising = rollup.rising;
      if (other == rollup) continue;
      FAIL_CHECK(name_of(tier) << ": bucket " << std::get<0>(key) << " of " << std::get<1>(key) << ", field "
                               << std::get<2>(key) << ": " << other.count << " numbers, sum " << other.sum << ", instead of "
                               << rollup.count << ", " << rollup.sum);
      return;
    }
  }
}

}  // namespace iotstream::store::test
