// Rows on their way into the rollups: collected in memory for one transaction, then brought together with what is stored.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/layout.hpp"
#include "store/rollup.hpp"

namespace iotstream::store {

/// The table of a dataset's tier: `_rollup_1s_7`. Its rows: bucket (time / width), device, the second of the last arrival, and
/// the fields as encode() writes them.
std::string rollup_table(std::int64_t dataset, Tier tier);
/// Makes all three. Inside a transaction.
Status create_rollup_tables(sqlite::Database& database, const Layout& layout);

/// What counts as a number: as in charts, and a decimal as its nearest double. Not a number otherwise.
double number_of(const model::Value& value);

/// One dataset's. The writer's thread, inside of its transactions.
class RollupWriter {
 public:
  static Result<RollupWriter> open(sqlite::Database& database, const Layout& layout);

  /// A row that is new in the table. Rows of a device at the same time come in the order of their offsets.
  /// `newest`: no later reading of the device was there before; buckets behind it are new.
  Status add(std::int64_t device, Timestamp time, Timestamp arrived, const Numbers& numbers, Timestamp newest);
  /// Writes what was added since; before the transaction ends.
  Status flush();

 private:
  struct Statements {
    sqlite::Statement select;
    sqlite::Statement replace;
  };
  /// What came of a device since the last flush: a bucket of each tier, and each holds what the smaller ones have been closed
  /// with.
  struct Open {
    std::int64_t second = 0;
    Bucket buckets[3];
    std::int64_t arrived = 0;
    bool begun[3] = {};
    bool fresh[3] = {};  ///< nothing is stored of the bucket
  };

  RollupWriter() = default;
  Status turn(std::int64_t device, Open& open, std::int64_t second);
  Status close(std::int64_t device, Open& open, std::size_t tier);
  Status write(std::int64_t device, const Open& open, std::size_t tier);

  Statements statements_[3];
  std::unordered_map<std::int64_t, Open> open_;
  std::size_t collected_ = 0;  ///< rollups in memory, at most
  Bucket stored_;
  std::string bytes_;
};

}  // namespace iotstream::store
