#include "store/retention.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/filter_sql.hpp"
#include "store/rollup_retention.hpp"

namespace iotstream::store {

namespace {

constexpr std::size_t rows_per_step = 1000;
constexpr Duration round_min = Duration::seconds(10);
constexpr Duration round_max = Duration::seconds(3600);
/// Made with the first row that goes.
constexpr std::string_view retained_table =
    "CREATE TABLE IF NOT EXISTS retained (dataset INTEGER NOT NULL REFERENCES datasets (id), partition INTEGER NOT NULL, "
    "next INTEGER NOT NULL, PRIMARY KEY (dataset, partition)) WITHOUT ROWID";

/// The records of each partition that arrived at or before `cutoff` are below these.
std::vector<Offset> arrived_before(const DatasetState& dataset, Timestamp cutoff) {
  std::vector<Offset> limits(dataset.partitions.size());
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const PartitionState& partition = dataset.partitions[i];
    for (const Arrival& arrival : partition.arrivals) {
      if (arrival.time <= cutoff) limits[i] = arrival.next;
    }
    // Nothing came since: there is no arrival behind the last records.
    if (partition.arrived && *partition.arrived <= cutoff) limits[i] = partition.next;
  }
  return limits;
}

/// Forgets arrivals that say nothing any more: all but the newest that lies before `cutoff`.
Status drop_arrivals(Recorder& recorder, DatasetState& dataset, Timestamp cutoff) {
  for (std::size_t i = 0; i < dataset.partitions.size(); ++i) {
    std::vector<Arrival>& arrivals = dataset.partitions[i].arrivals;
    const auto later = std::find_if(arrivals.begin(), arrivals.end(), [&](const Arrival& a) { return a.time > cutoff; });
    if (later - arrivals.begin() < 2) continue;
    const Offset keep = (later - 1)->next;
    auto remove = recorder.database().prepare("DELETE FROM arrivals WHERE dataset = ? AND partition = ? AND next < ?");
    if (!remove) return remove.error();
    remove->bind(1, dataset.layout->id()).bind(2, static_cast<std::int64_t>(i)).bind(3, static_cast<std::int64_t>(keep.value));
    if (auto ran = remove->run(); !ran) return ran;
    dataset.partitions[i].arrivals_written -= static_cast<std::size_t>(later - 1 - arrivals.begin());
    arrivals.erase(arrivals.begin(), later - 1);
  }
  return {};
}

Status set_times(Recorder& recorder, DatasetState& dataset) {
  const std::string table = sqlite::quote_identifier(dataset.layout->table());
  // Each by itself is one look at an end of the table; together SQLite would read all of it.
  auto times = recorder.database().prepare(
      fmt::format("SELECT (SELECT min(\"time\") FROM {}), (SELECT max(\"time\") FROM {})", table, table));
  if (!times) return times.error();
  auto row = times->step();
  if (!row) return row.error();
  const auto time_of = [&](int column) {
    return times->type(column) == sqlite::ColumnType::integer ? std::optional(Timestamp{times->integer(column)}) : std::nullopt;
  };
  dataset.first = time_of(0);
  dataset.last = time_of(1);
  return {};
}

/// Below these offsets rows are missing on purpose. For who compares history with the log.
Status note_limits(Recorder& recorder, const DatasetState& dataset, Timestamp cutoff) {
  if (auto made = recorder.database().execute(retained_table); !made) return made;
  auto upsert = recorder.database().prepare(
      "INSERT INTO retained (dataset, partition, next) VALUES (?,?,?) ON CONFLICT DO UPDATE SET next = max(next, "
      "excluded.next)");
  if (!upsert) return upsert.error();
  const std::vector<Offset> limits = arrived_before(dataset, cutoff);
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (limits[i] == Offset(0)) continue;
    upsert->bind(1, dataset.layout->id())
        .bind(2, static_cast<std::int64_t>(i))
        .bind(3, static_cast<std::int64_t>(limits[i].value));
    if (auto ran = upsert->run(); !ran) return ran;
  }
  return {};
}

}  // namespace

struct Retention::Victims {
  std::vector<std::pair<Place, Place>> ranges;  ///< first and last of rows that follow each other in the table
  std::uint64_t rows = 0;
  std::map<std::uint32_t, std::uint64_t> fields;
  std::map<std::string, std::uint64_t> devices;
  std::optional<Place> last_seen;  ///< where the next step goes on; nothing: the dataset is done
};

Retention::Retention(Duration keep, ReadConnection reader, metrics::Table& metrics)
    : keep_(keep),
      reader_(std::move(reader)),
      deleted_(metrics.counter("iotstream_store_rows_deleted_total", "Rows deleted because of their age.")) {}

Result<std::unique_ptr<Retention>> Retention::open(const std::string& path, Duration keep, metrics::Table& metrics) {
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_only);
  if (!database) return database.error();
  return std::unique_ptr<Retention>(new Retention(keep, ReadConnection(std::move(*database)), metrics));
}

Duration Retention::arrival_step(Duration keep) {
  return std::clamp(Duration{keep.us / 64}, Duration::milliseconds(100), Duration::seconds(3600));
}

Result<Retention::Step> Retention::step(Recorder& recorder, Timestamp now) {
  if (keep_.us <= 0 || (!dataset_ && now < due_)) return Step{};
  const auto& state = recorder.state();
  const auto dataset = dataset_ ? state.lower_bound(*dataset_) : state.begin();
  if (dataset == state.end()) {
    dataset_.reset();
    place_.reset();
    due_ = now + std::clamp(Duration{keep_.us / 100}, round_min, round_max);
    return Step{};
  }
  if (dataset_ != dataset->first) place_.reset();
  dataset_ = dataset->first;
  auto done = step_dataset(recorder, *dataset->second, now - keep_);
  if (done && !place_) *dataset_ += '\0';  // the next name
  return done;
}

Result<Retention::Step> Retention::step_dataset(Recorder& recorder, DatasetState& dataset, Timestamp cutoff) {
  Step step;
  step.more = true;
  if (!dataset.first || *dataset.first >= cutoff) {
    place_.reset();
    return step;
  }
  auto victims = find(dataset, cutoff);
  if (!victims) return victims.error();
  if (victims->rows > 0) {
    if (auto removed = remove(recorder, dataset, *victims, cutoff); !removed) {
      recorder.forget();
      return removed.error();
    }
    deleted_.add(victims->rows);
    step.touched = &dataset;
  }
  place_ = victims->last_seen;
  return step;
}

Result<Retention::Victims> Retention::find(const DatasetState& dataset, Timestamp cutoff) {
  reader_.tidy();
  auto transaction = ReadTransaction::begin(reader_);
  if (!transaction) return transaction.error();
  ScanRange range;
  range.to = cutoff;
  range.after = place_;
  auto scan = EventScan::open(reader_, *dataset.layout, fields_of(*dataset.layout, {}), range, {});
  if (!scan) return scan.error();
  const std::vector<Offset> limits = arrived_before(dataset, cutoff);
  Victims victims;
  bool follows = false;
  for (std::size_t looked_at = 0; looked_at < rows_per_step; ++looked_at) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr) {
      victims.last_seen.reset();
      return victims;
    }
    const Event& row = **event;
    const Place place{row.time, row.partition, row.offset};
    victims.last_seen = place;
    const bool old = row.partition.value >= limits.size() || row.offset < limits[row.partition.value];
    if (old) {
      if (!follows) victims.ranges.emplace_back(place, place);
      victims.ranges.back().second = place;
      ++victims.rows;
      ++victims.devices[std::string(row.device)];
      for (const auto& [field, value] : *row.values) {
        if (value.present()) ++victims.fields[field.value];
      }
    }
    follows = old;
  }
  return victims;
}

Status Retention::remove(Recorder& recorder, DatasetState& dataset, const Victims& victims, Timestamp cutoff) {
  auto transaction = sqlite::Transaction::begin(recorder.database());
  if (!transaction) return transaction.error();
  auto erase =
      recorder.database().prepare(fmt::format("DELETE FROM {} WHERE (\"time\", \"partition\", \"offset\") >= (?,?,?) AND "
                                              "(\"time\", \"partition\", \"offset\") <= (?,?,?)",
                                              sqlite::quote_identifier(dataset.layout->table())));
  if (!erase) return erase.error();
  for (const auto& [first, last] : victims.ranges) {
    int parameter = 1;
    for (const Place& place : {first, last}) {
      erase->bind(parameter++, place.time.us);
      erase->bind(parameter++, static_cast<std::int64_t>(place.partition.value));
      erase->bind(parameter++, static_cast<std::int64_t>(place.offset.value));
    }
    if (auto ran = erase->run(); !ran) return ran;
  }
  dataset.events -= std::min(dataset.events, victims.rows);
  for (const auto& [field, count] : victims.fields) {
    dataset.field_counts[field] -= std::min(dataset.field_counts[field], count);
  }
  for (const auto& [name, count] : victims.devices) {
    const auto place = dataset.device_places.find(name);
    if (place == dataset.device_places.end()) continue;
    Device& device = dataset.devices[place->second];
    device.events -= std::min(device.events, count);
    device.changed = true;
  }
  if (auto noted = note_limits(recorder, dataset, cutoff); !noted) return noted;
  if (auto raised = raise_horizon(recorder.database(), *dataset.layout, Tier::rows, cutoff); !raised) return raised;
  if (auto dropped = drop_arrivals(recorder, dataset, cutoff); !dropped) return dropped;
  if (auto set = set_times(recorder, dataset); !set) return set;
  if (auto written = recorder.write_usage(dataset); !written) return written;
  return transaction->commit();
}

}  // namespace iotstream::store
