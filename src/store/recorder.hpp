// One transaction: rows, consumed offsets, counts and devices together, or nothing of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/codec.hpp"
#include "store/state.hpp"

namespace iotstream::store {

/// Records of one partition that follow on what the database holds of it.
struct Run {
  std::string dataset;
  PartitionId partition;
  Offset next;  ///< one past the last record, also when that was damaged: what the database has consumed afterwards
  std::vector<log::Batch> batches;  ///< none of them empty
};

/// What one transaction did, for metrics.
struct Recorded {
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;  ///< could not be decoded
  std::uint64_t repeated = 0;  ///< were there already
  std::vector<DatasetState*> touched;
};

/// Owns the writing connection and what it knows of the database. One thread.
class Recorder {
 public:
  /// `arrival_step`: how far apart the arrival times kept for retention are.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, const catalog::Schemas& schemas,
                                                Duration arrival_step);

  /// To be called before anything else after an error: reads the state anew. Errors: io, corrupt, busy.
  Status ready();
  /// Writes all runs (each partition at most once) in one transaction. After an error nothing of it is in the database and
  /// nothing is known in memory until ready() succeeds. Errors: disk_full, busy, io, corrupt.
  Result<Recorded> record(std::vector<Run>& runs);
  /// Forgets what changes in memory a failed transaction of somebody else made.
  void forget();

  /// The next record to read; nothing: the partition is new.
  std::optional<Offset> next(std::string_view dataset, PartitionId partition) const;
  const State& state() const { return state_; }
  State& state() { return state_; }
  sqlite::Database& database() { return database_; }
  /// The log holds less than was consumed: goes on at `next`.
  void rewind(std::string_view dataset, PartitionId partition, Offset next);
  /// Writes what changed of a dataset's counts, devices, offsets and arrivals. Inside a transaction.
  Status write_usage(DatasetState& dataset);
  /// Brings some thousand older rows into the rollups that lack them, in one transaction, as having arrived `now`; false: there
  /// are none. Errors: as record().
  Result<bool> roll_up(Timestamp now);

 private:
  Recorder(sqlite::Database database, const catalog::Schemas& schemas, Duration arrival_step)
      : database_(std::move(database)), schemas_(schemas), arrival_step_(arrival_step) {}

  struct Row;  ///< a record of a run and its partition
  Result<Recorded> record_in_transaction(std::vector<Run>& runs);
  Status record_dataset(const std::string& name, std::vector<Run*>& runs, Recorded& recorded);
  Result<DatasetState*> dataset_for(const std::string& name, const model::SchemaPtr& schema);
  Status use_schema(DatasetState& dataset, const model::SchemaPtr& schema);
  Status insert_row(DatasetState& dataset, const Row& row, Recorded& recorded);
  Status insert_decoded(DatasetState& dataset, const Row& row, const model::RowView& view, Recorded& recorded);
  Result<std::size_t> device_place(DatasetState& dataset, std::string_view name, Timestamp time);
  Status keep_facts(DatasetState& dataset, FactsId id);
  void note_arrival(DatasetState& dataset, const Run& run);
  void reject(const DatasetState& dataset, const Row& row, std::string_view reason, Recorded& recorded);
  Status write_devices(DatasetState& dataset);
  Status write_partitions(DatasetState& dataset);
  Status open_rollups(DatasetState& dataset);
  Result<bool> roll_up_dataset(DatasetState& dataset, Timestamp now);
  Status write_rolled_up(const DatasetState& dataset);
  /// Prepares what is used in every transaction.
  Status prepare();

  sqlite::Database database_;
  const catalog::Schemas& schemas_;
  Duration arrival_step_;
  State state_;  ///< its statements die before the connection
  bool loaded_ = false;
  sqlite::Statement update_dataset_;
  sqlite::Statement insert_device_;
  sqlite::Statement update_device_;
  sqlite::Statement upsert_facts_;
  sqlite::Statement upsert_offset_;
  sqlite::Statement insert_arrival_;
  RowBinder binder_;
  Numbers numbers_;
};

}  // namespace iotstream::store
