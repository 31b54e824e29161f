// Old rows leave history in small steps.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/base/time.hpp>
#include <iotstream/metrics/metrics.hpp>

#include "store/event_scan.hpp"
#include "store/recorder.hpp"

namespace iotstream::store {

/// Deletes rows whose event time and whose arrival are both older than `keep`: a recording of 2018 that was sent today stays
/// for `keep` from today. One step is one short transaction, so that queries and new rows hardly wait. The space is used again
/// by new rows; the file does not shrink. The writer's thread only.
class Retention {
 public:
  /// `keep` of 0: for ever. `path`: of the database, for a reading connection of its own.
  static Result<std::unique_ptr<Retention>> open(const std::string& path, Duration keep, metrics::Table& metrics);

  /// How far apart arrival times have to be known: the error of `keep` for rows that came late.
  static Duration arrival_step(Duration keep);

  struct Step {
    bool more = false;                ///< there is more to do at once
    DatasetState* touched = nullptr;  ///< its numbers changed
  };
  /// Does one step if a round is due at `now` or under way. Errors: as Recorder::record, with its state forgotten; the next
  /// call tries again.
  Result<Step> step(Recorder& recorder, Timestamp now);

 private:
  Retention(Duration keep, ReadConnection reader, metrics::Table& metrics);

  struct Victims;
  Result<Step> step_dataset(Recorder& recorder, DatasetState& dataset, Timestamp cutoff);
  Result<Victims> find(const DatasetState& dataset, Timestamp cutoff);
  Status remove(Recorder& recorder, DatasetState& dataset, const Victims& victims, Timestamp cutoff);

  Duration keep_;
  ReadConnection reader_;
  metrics::Counter& deleted_;
  Timestamp due_{INT64_MIN};
  std::optional<std::string> dataset_;  ///< under way: where the round is
  std::optional<Place> place_;          ///< the last row looked at there
};

}  // namespace iotstream::store
