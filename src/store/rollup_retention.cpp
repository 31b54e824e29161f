#include "store/rollup_retention.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace iotstream::store {

namespace {

constexpr std::size_t buckets_per_step = 1000;
constexpr Duration round_min = Duration::seconds(10);
constexpr Duration round_max = Duration::seconds(3600);

}  // namespace

Status raise_horizon(sqlite::Database& database, const Layout& layout, Tier tier, Timestamp time) {
  const std::int64_t hour = width_of(Tier::hour);
  auto upsert = database.prepare(
      "INSERT INTO horizons (dataset, tier, time) VALUES (?,?,?) ON CONFLICT DO UPDATE SET time = max(time, excluded.time)");
  if (!upsert) return upsert.error();
  upsert->bind(1, layout.id()).bind(2, name_of(tier)).bind(3, -floor_divide(-time.us, hour) * hour);
  return upsert->run();
}

RollupRetention::RollupRetention(ReadConnection reader, const config::Store& options, metrics::Table& metrics)
    : reader_(std::move(reader)),
      keep_{options.retention_1s, options.retention_1min, options.retention_1h},
      deleted_(metrics.counter("iotstream_store_rollups_deleted_total", "Rollup buckets deleted because of their age.")) {}

Result<std::unique_ptr<RollupRetention>> RollupRetention::open(const std::string& path, const config::Store& options,
                                                               metrics::Table& metrics) {
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_only);
  if (!database) return database.error();
  return std::unique_ptr<RollupRetention>(new RollupRetention(ReadConnection(std::move(*database)), options, metrics));
}

Result<bool> RollupRetention::step(Recorder& recorder, Timestamp now) {
  if (!dataset_ && now < due_) return false;
  const auto& state = recorder.state();
  const auto dataset = dataset_ ? state.lower_bound(*dataset_) : state.begin();
  if (dataset == state.end()) {
    dataset_.reset();
    const Duration shortest = *std::min_element(keep_.begin(), keep_.end());
    due_ = now + std::clamp(Duration{shortest.us / 100}, round_min, round_max);
    return false;
  }
  if (dataset_ != dataset->first) {
    dataset_ = dataset->first;
    tier_ = 0;
    place_ = {INT64_MIN, INT64_MIN};
  }
  if (keep_[tier_].us > 0) {
    auto more = step_tier(recorder, *dataset->second, rollup_tiers[tier_], now - keep_[tier_]);
    if (!more || *more) return more;
  }
  place_ = {INT64_MIN, INT64_MIN};
  if (++tier_ == keep_.size()) *dataset_ += '\0';  // the next name
  return true;
}

/// False: the tier is done.
Result<bool> RollupRetention::step_tier(Recorder& recorder, const DatasetState& dataset, Tier tier, Timestamp cutoff) {
  reader_.tidy();
  auto look = reader_.prepare(fmt::format(
      "SELECT \"bucket\", \"device\", \"arrived\" FROM {} WHERE (\"bucket\", \"device\") > (?,?) AND \"bucket\" < ? ORDER BY "
      "\"bucket\", \"device\" LIMIT {}",
      sqlite::quote_identifier(rollup_table(dataset.layout->id(), tier)), buckets_per_step));
  if (!look) return look.error();
  const std::int64_t before = floor_divide(cutoff.us, width_of(tier));
  (*look)->bind(1, place_.first).bind(2, place_.second).bind(3, before);
  std::vector<std::pair<Key, Key>> ranges;  // first and last of buckets that follow each other
  bool follows = false;
  std::size_t looked_at = 0;
  for (;; ++looked_at) {
    auto row = (*look)->step();
    if (!row) return row.error();
    if (!*row) break;
    place_ = {(*look)->integer(0), (*look)->integer(1)};
    const bool old = (*look)->integer(2) < floor_divide(cutoff.us, width_of(Tier::second));
    if (old && !follows) ranges.emplace_back(place_, place_);
    if (old) ranges.back().second = place_;
    follows = old;
  }
  if (!ranges.empty()) {
    if (auto removed = remove(recorder, dataset, tier, ranges); !removed) return removed.error();
  }
  return looked_at == buckets_per_step;
}

Status RollupRetention::remove(Recorder& recorder, const DatasetState& dataset, Tier tier,
                               const std::vector<std::pair<Key, Key>>& ranges) {
  auto transaction = sqlite::Transaction::begin(recorder.database());
  if (!transaction) return transaction.error();
  auto erase = recorder.database().prepare(
      fmt::format("DELETE FROM {} WHERE (\"bucket\", \"device\") >= (?,?) AND (\"bucket\", \"device\") <= (?,?)",
                  sqlite::quote_identifier(rollup_table(dataset.layout->id(), tier))));
  if (!erase) return erase.error();
  std::int64_t removed = 0;
  for (const auto& [first, last] : ranges) {
    erase->bind(1, first.first).bind(2, first.second).bind(3, last.first).bind(4, last.second);
    if (auto ran = erase->run(); !ran) return ran;
    removed += recorder.database().changes();
  }
  const Timestamp end{(ranges.back().second.first + 1) * width_of(tier)};
  if (auto raised = raise_horizon(recorder.database(), *dataset.layout, tier, end); !raised) return raised;
  if (auto committed = transaction->commit(); !committed) return committed;
  deleted_.add(static_cast<std::uint64_t>(removed));
  return {};
}

}  // namespace iotstream::store
