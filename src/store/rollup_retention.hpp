// Old rollups leave history in small steps, each tier after its own time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <iotstream/base/time.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/metrics/metrics.hpp>

#include "store/read_pool.hpp"
#include "store/recorder.hpp"
#include "store/rollup.hpp"

namespace iotstream::store {

/// Notes that the tier may lack something before `time` (rounded up to an hour). Inside the transaction that removes it.
Status raise_horizon(sqlite::Database& database, const Layout& layout, Tier tier, Timestamp time);

/// Deletes buckets that ended, and whose last reading arrived, longer ago than the tier is kept. One step is one short
/// transaction. The writer's thread only.
class RollupRetention {
 public:
  static Result<std::unique_ptr<RollupRetention>> open(const std::string& path, const config::Store& options,
                                                       metrics::Table& metrics);

  /// Does one step if a round is due at `now` or under way; true: there is more to do at once. Errors: as Recorder::record.
  Result<bool> step(Recorder& recorder, Timestamp now);

 private:
  using Key = std::pair<std::int64_t, std::int64_t>;  ///< bucket, device
  RollupRetention(ReadConnection reader, const config::Store& options, metrics::Table& metrics);

  Result<bool> step_tier(Recorder& recorder, const DatasetState& dataset, Tier tier, Timestamp cutoff);
  Status remove(Recorder& recorder, const DatasetState& dataset, Tier tier, const std::vector<std::pair<Key, Key>>& ranges);

  ReadConnection reader_;
  std::array<Duration, 3> keep_;
  metrics::Counter& deleted_;
  Timestamp due_{INT64_MIN};
  std::optional<std::string> dataset_;  ///< under way: where the round is
  std::size_t tier_ = 0;
  Key place_{INT64_MIN, INT64_MIN};  ///< the last bucket looked at
};

}  // namespace iotstream::store
