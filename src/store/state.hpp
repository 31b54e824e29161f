// What history.db says about itself, held in memory by the writer: datasets, columns, devices, offsets, counts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/layout.hpp"
#include "store/place.hpp"
#include "store/rollup_writer.hpp"

namespace iotstream::store {

/// A device of a dataset.
struct Device {
  std::int64_t id = 0;  ///< in the table `devices`
  std::string name;
  Timestamp first_seen;
  Timestamp last_seen;
  std::uint64_t events = 0;
  bool changed = false;   ///< since the last transaction
  bool published = true;  ///< the inventory has these numbers
};

/// Records of a partition below `next` had arrived by `time`: lets retention spare old readings that came late.
struct Arrival {
  Timestamp time;
  Offset next;
};

struct PartitionState {
  Offset next;                       ///< the first record that is not in the database
  std::optional<Timestamp> arrived;  ///< when the last record before `next` did
  std::vector<Arrival> arrivals;     ///< ascending
  std::size_t arrivals_written = 0;
  bool changed = false;
};

struct DatasetState {
  LayoutPtr layout;
  model::SchemaPtr schema;  ///< the newest one used; nullptr until a row came in this run
  std::uint64_t events = 0;
  std::optional<Timestamp> first;
  std::optional<Timestamp> last;
  std::vector<std::uint64_t> field_counts;  ///< by FieldId
  std::vector<PartitionState> partitions;
  std::vector<Device> devices;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> device_places;  ///< name → place in devices
  std::unordered_set<std::uint32_t> facts;                                            ///< ids whose text is in the table
  std::optional<sqlite::Statement> insert;
  std::optional<RollupWriter> rollups;
  /// Rows up to here are in the rollups, the others come when their turn does (Recorder::roll_up); nothing: all are.
  std::optional<Place> rolled_up;

  const std::string& name() const { return layout->dataset(); }
  PartitionState& partition(PartitionId id);
};

/// Everything by dataset name; entries stay where they are.
using State = std::map<std::string, std::unique_ptr<DatasetState>, std::less<>>;

/// Opens `<directory>/history.db` for writing, makes its tables when it is new. Errors: io, corrupt, unsupported (a format
/// newer than this program, or a file of another program).
Result<sqlite::Database> open_history(const std::string& path);

/// Reads all small tables; never the events. Errors: io, corrupt.
Result<State> load_state(sqlite::Database& database);

/// The layout that the tables `datasets` and `fields` describe; nullptr when there is no such dataset. Uses `database`'s
/// current transaction.
Result<LayoutPtr> load_layout(sqlite::Database& database, std::string_view dataset);

/// Makes the dataset's rows, table and view. Inside a transaction.
Result<LayoutPtr> create_dataset(sqlite::Database& database, std::string_view dataset, const model::Schema& schema);
/// Adds the columns that `schema` has and `current` has not, and writes the fields' types anew. Inside a transaction.
Result<LayoutPtr> grow_dataset(sqlite::Database& database, const Layout& current, const model::Schema& schema);

}  // namespace iotstream::store
