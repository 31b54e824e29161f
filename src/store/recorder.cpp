#include "store/recorder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/json.hpp>

namespace iotstream::store {

namespace {
constexpr std::size_t roll_up_rows = 4000;  ///< of one step of roll_up()
}  // namespace

struct Recorder::Row {
  const log::Record* record = nullptr;
  PartitionId partition;
};

Result<std::unique_ptr<Recorder>> Recorder::open(const std::string& path, const catalog::Schemas& schemas,
                                                 Duration arrival_step) {
  auto database = open_history(path);
  if (!database) return database.error();
  std::unique_ptr<Recorder> recorder(new Recorder(std::move(*database), schemas, arrival_step));
  // The tables say which column refers to which; the check of every row would cost and could find nothing but our own mistakes.
  if (auto set = recorder->database_.execute("PRAGMA foreign_keys=OFF"); !set) return set.error();
  if (auto prepared = recorder->prepare(); !prepared) return prepared.error();
  if (auto loaded = recorder->ready(); !loaded) return loaded.error();
  return recorder;
}

Status Recorder::prepare() {
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&update_dataset_, "UPDATE datasets SET events = ?, first_time = ?, last_time = ?, field_counts = ? WHERE id = ?"},
      {&insert_device_, "INSERT INTO devices (dataset, name, first_seen, last_seen, events) VALUES (?,?,?,?,0)"},
      {&update_device_, "UPDATE devices SET first_seen = ?, last_seen = ?, events = ? WHERE id = ?"},
      {&upsert_facts_, "INSERT INTO facts (id, members) VALUES (?,?) ON CONFLICT DO UPDATE SET members = excluded.members"},
      {&upsert_offset_,
       "INSERT INTO offsets (dataset, partition, next, arrived) VALUES (?,?,?,?) "
       "ON CONFLICT DO UPDATE SET next = excluded.next, arrived = excluded.arrived"},
      {&insert_arrival_, "INSERT OR REPLACE INTO arrivals (dataset, partition, time, next) VALUES (?,?,?,?)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = database_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

Status Recorder::ready() {
  if (loaded_) return {};
  auto state = load_state(database_);
  if (!state) return state.error();
  state_ = std::move(*state);
  loaded_ = true;
  return {};
}

void Recorder::forget() {
  state_.clear();
  loaded_ = false;
}

std::optional<Offset> Recorder::next(std::string_view dataset, PartitionId partition) const {
  const auto found = state_.find(dataset);
  if (found == state_.end() || partition.value >= found->second->partitions.size()) return std::nullopt;
  return found->second->partitions[partition.value].next;
}

Result<Recorded> Recorder::record(std::vector<Run>& runs) {
  auto recorded = record_in_transaction(runs);
  // What was counted and created on the way is wrong after a rollback; the database knows what is right.
  if (!recorded) forget();
  return recorded;
}

void Recorder::rewind(std::string_view dataset, PartitionId partition, Offset next) {
  if (const auto found = state_.find(dataset); found != state_.end()) found->second->partition(partition).next = next;
}

Result<Recorded> Recorder::record_in_transaction(std::vector<Run>& runs) {
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  std::map<std::string, std::vector<Run*>> by_dataset;
  for (Run& run : runs) by_dataset[run.dataset].push_back(&run);
  Recorded recorded;
  for (auto& [name, its_runs] : by_dataset) {
    if (auto done = record_dataset(name, its_runs, recorded); !done) return done.error();
  }
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return recorded;
}

Status Recorder::record_dataset(const std::string& name, std::vector<Run*>& runs, Recorded& recorded) {
  auto found = dataset_for(name, schemas_.current(name));
  if (!found) return found.error();
  DatasetState& dataset = **found;
  std::vector<Row> rows;
  for (const Run* run : runs) {
    for (const log::Batch& batch : run->batches) {
      for (const log::Record& record : batch.records()) rows.push_back({&record, run->partition});
    }
  }
  // In the order of the table: its right edge is written once instead of once a partition (README.md has the figures).
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.record->time < b.record->time; });
  if (auto opened = open_rollups(dataset); !opened) return opened;
  for (const Row& row : rows) {
    if (auto inserted = insert_row(dataset, row, recorded); !inserted) return inserted;
  }
  if (auto flushed = dataset.rollups->flush(); !flushed) return flushed;
  for (const Run* run : runs) {
    note_arrival(dataset, *run);
    PartitionState& partition = dataset.partition(run->partition);
    partition.next = run->next;
    partition.changed = true;
  }
  recorded.touched.push_back(&dataset);
  return write_usage(dataset);
}

Result<DatasetState*> Recorder::dataset_for(const std::string& name, const model::SchemaPtr& schema) {
  auto found = state_.find(name);
  if (found == state_.end()) {
    // A topic whose schema was lost: its records cannot be decoded, but their offsets are consumed all the same.
    const model::SchemaPtr known =
        schema ? schema : std::make_shared<model::Schema>(name, SchemaVersion(0), std::vector<model::Field>());
    auto layout = create_dataset(database_, name, *known);
    if (!layout) return layout.error();
    auto dataset = std::make_unique<DatasetState>();
    dataset->layout = std::move(*layout);
    found = state_.emplace(name, std::move(dataset)).first;
  }
  DatasetState& dataset = *found->second;
  if (schema && dataset.schema != schema) {
    if (auto used = use_schema(dataset, schema); !used) return used.error();
  }
  if (!dataset.insert) {
    auto insert = database_.prepare(dataset.layout->insert_sql());
    if (!insert) return insert.error();
    dataset.insert = std::move(*insert);
  }
  return &dataset;
}

Status Recorder::use_schema(DatasetState& dataset, const model::SchemaPtr& schema) {
  const bool grows = schema->fields().size() > dataset.layout->columns().size();
  if (grows) dataset.insert.reset();
  auto layout = grow_dataset(database_, *dataset.layout, *schema);
  if (!layout) return layout.error();
  dataset.layout = std::move(*layout);
  dataset.schema = schema;
  dataset.field_counts.resize(dataset.layout->columns().size());
  return {};
}

void Recorder::reject(const DatasetState& dataset, const Row& row, std::string_view reason, Recorded& recorded) {
  // The first of a batch speaks for all; the counter has the number.
  if (recorded.rejected++ == 0) {
    diagnostics::error("store", "dataset '{}', partition {}, offset {}: left out of history: {}", dataset.name(), row.partition,
                       row.record->offset, reason);
  }
}

Status Recorder::insert_row(DatasetState& dataset, const Row& row, Recorded& recorded) {
  auto view = model::RowView::open(row.record->value);
  if (!view) {
    reject(dataset, row, view.error().message, recorded);
    return {};
  }
  if (view->field_count() > dataset.layout->columns().size()) {
    // The schema may have grown since this batch began.
    const model::SchemaPtr newer = schemas_.current(dataset.name());
    if (newer && newer != dataset.schema) {
      if (auto found = dataset_for(dataset.name(), newer); !found) return found.error();
    }
    if (view->field_count() > dataset.layout->columns().size()) {
      reject(dataset, row,
             fmt::format("it has {} fields, the schema {}", view->field_count(), dataset.layout->columns().size()), recorded);
      return {};
    }
  }
  return insert_decoded(dataset, row, *view, recorded);
}

Status Recorder::insert_decoded(DatasetState& dataset, const Row& row, const model::RowView& view, Recorded& recorded) {
  const log::Record& record = *row.record;
  auto place = device_place(dataset, record.key, record.time);
  if (!place) return place.error();
  if (auto kept = keep_facts(dataset, view.facts()); !kept) return kept;
  sqlite::Statement& insert = *dataset.insert;
  insert.bind(1, record.time.us);
  insert.bind(2, static_cast<std::int64_t>(row.partition.value));
  insert.bind(3, static_cast<std::int64_t>(record.offset.value));
  insert.bind(4, dataset.devices[*place].id);
  insert.bind(5, static_cast<std::int64_t>(view.facts().value));
  insert.bind(6, static_cast<std::int64_t>(view.flags()));
  numbers_.clear();
  binder_.bind(insert, *dataset.layout, view, record.key,
               [this](FieldId field, const model::Value& value) { numbers_.emplace_back(field, number_of(value)); });
  if (auto ran = insert.run(); !ran) return ran;
  if (database_.changes() == 0) {
    ++recorded.repeated;
    return {};
  }
  ++recorded.rows;
  ++dataset.events;
  dataset.first = std::min(dataset.first.value_or(record.time), record.time);
  dataset.last = std::max(dataset.last.value_or(record.time), record.time);
  for (const auto& [field, number] : numbers_) ++dataset.field_counts[field.value];
  Device& device = dataset.devices[*place];
  const Timestamp newest = device.last_seen;  // stays when retention takes the rows; a new device's is this row's
  ++device.events;
  device.first_seen = std::min(device.first_seen, record.time);
  device.last_seen = std::max(device.last_seen, record.time);
  device.changed = true;
  // Behind that place rows wait for roll_up(), this one with them.
  if (dataset.rolled_up && Place{record.time, row.partition, record.offset} > *dataset.rolled_up) return {};
  return dataset.rollups->add(device.id, record.time, record.append_time, numbers_, newest);
}

Result<std::size_t> Recorder::device_place(DatasetState& dataset, std::string_view name, Timestamp time) {
  const auto known = dataset.device_places.find(name);
  if (known != dataset.device_places.end()) return known->second;
  insert_device_.bind(1, dataset.layout->id()).bind(2, name).bind(3, time.us).bind(4, time.us);
  if (auto ran = insert_device_.run(); !ran) return ran.error();
  const std::size_t place = dataset.devices.size();
  dataset.devices.push_back({database_.last_insert_id(), std::string(name), time, time, 0, false});
  dataset.device_places.emplace(name, place);
  return place;
}

Status Recorder::keep_facts(DatasetState& dataset, FactsId id) {
  if (id.value == 0 || dataset.facts.contains(id.value)) return {};
  std::string members;
  json::Writer writer(members);
  writer.begin_object();
  for (const auto& [name, value] : *schemas_.facts(id)) writer.key(name).raw(value);
  writer.end_object();
  upsert_facts_.bind(1, static_cast<std::int64_t>(id.value)).bind(2, std::string_view(members));
  if (auto ran = upsert_facts_.run(); !ran) return ran;
  dataset.facts.insert(id.value);
  return {};
}

void Recorder::note_arrival(DatasetState& dataset, const Run& run) {
  if (run.batches.empty()) return;
  PartitionState& partition = dataset.partition(run.partition);
  const log::Record& first = run.batches.front().records().front();
  const bool due = partition.arrivals.empty() || first.append_time - partition.arrivals.back().time >= arrival_step_;
  // What came before this batch was there when its last record was.
  if (partition.arrived && due) partition.arrivals.push_back({*partition.arrived, first.offset});
  partition.arrived = run.batches.back().records().back().append_time;
}

Status Recorder::write_usage(DatasetState& dataset) {
  std::string counts = "[";
  for (const std::uint64_t count : dataset.field_counts) {
    if (counts.size() > 1) counts += ',';
    json::append_number(counts, count);
  }
  counts += ']';
  update_dataset_.bind(1, static_cast<std::int64_t>(dataset.events));
  dataset.first ? update_dataset_.bind(2, dataset.first->us) : update_dataset_.bind_null(2);
  dataset.last ? update_dataset_.bind(3, dataset.last->us) : update_dataset_.bind_null(3);
  update_dataset_.bind(4, std::string_view(counts)).bind(5, dataset.layout->id());
  if (auto ran = update_dataset_.run(); !ran) return ran;
  if (auto written = write_devices(dataset); !written) return written;
  return write_partitions(dataset);
}

Status Recorder::write_devices(DatasetState& dataset) {
  for (Device& device : dataset.devices) {
    if (!device.changed) continue;
    update_device_.bind(1, device.first_seen.us).bind(2, device.last_seen.us);
    update_device_.bind(3, static_cast<std::int64_t>(device.events)).bind(4, device.id);
    if (auto ran = update_device_.run(); !ran) return ran;
    device.changed = false;
    device.published = false;
  }
  return {};
}

Status Recorder::write_partitions(DatasetState& dataset) {
  for (std::size_t i = 0; i < dataset.partitions.size(); ++i) {
    PartitionState& partition = dataset.partitions[i];
    if (!partition.changed) continue;
    const auto id = static_cast<std::int64_t>(i);
    upsert_offset_.bind(1, dataset.layout->id()).bind(2, id).bind(3, static_cast<std::int64_t>(partition.next.value));
    partition.arrived ? upsert_offset_.bind(4, partition.arrived->us) : upsert_offset_.bind_null(4);
    if (auto ran = upsert_offset_.run(); !ran) return ran;
    for (; partition.arrivals_written < partition.arrivals.size(); ++partition.arrivals_written) {
      const Arrival& arrival = partition.arrivals[partition.arrivals_written];
      insert_arrival_.bind(1, dataset.layout->id()).bind(2, id).bind(3, arrival.time.us);
      insert_arrival_.bind(4, static_cast<std::int64_t>(arrival.next.value));
      if (auto ran = insert_arrival_.run(); !ran) return ran;
    }
    partition.changed = false;
  }
  return {};
}

Status Recorder::open_rollups(DatasetState& dataset) {
  if (dataset.rollups) return {};
  auto opened = RollupWriter::open(database_, *dataset.layout);
  if (!opened) return opened.error();
  dataset.rollups = std::move(*opened);
  return {};
}

Result<bool> Recorder::roll_up(Timestamp now) {
  for (auto& [name, dataset] : state_) {
    if (!dataset->rolled_up) continue;
    auto done = roll_up_dataset(*dataset, now);
    if (!done) forget();
    return done;
  }
  return false;
}

Result<bool> Recorder::roll_up_dataset(DatasetState& dataset, Timestamp now) {
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  if (auto opened = open_rollups(dataset); !opened) return opened.error();
  const Layout& layout = *dataset.layout;
  std::string sql = "SELECT \"time\", \"partition\", \"offset\", \"device\", \"_kinds\", \"_more\"";
  std::vector<FieldId> fields;
  for (std::uint32_t i = 0; i < layout.columns().size(); ++i) {
    fields.emplace_back(i);
    if (!Layout::in_more(FieldId(i))) sql += ", " + sqlite::quote_identifier(layout.column(FieldId(i)).name);
  }
  sql += fmt::format(
      " FROM {} WHERE (\"time\", \"partition\", \"offset\") > (?,?,?) ORDER BY \"time\", \"partition\", \"offset\" LIMIT {}",
      sqlite::quote_identifier(layout.table()), roll_up_rows);
  auto rows = database_.prepare(sql);
  if (!rows) return rows.error();
  rows->bind(1, dataset.rolled_up->time.us).bind(2, static_cast<std::int64_t>(dataset.rolled_up->partition.value));
  rows->bind(3, static_cast<std::int64_t>(dataset.rolled_up->offset.value));
  RowReader reader(layout, std::move(fields), 4);
  std::size_t read = 0;
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) break;
    auto values = reader.read(*rows);
    if (!values) return values.error();
    numbers_.clear();
    for (const auto& [field, value] : **values) {
      if (value.present()) numbers_.emplace_back(field, number_of(value));
    }
    const Timestamp time{rows->integer(0)};
    if (auto added = dataset.rollups->add(rows->integer(3), time, now, numbers_, Timestamp{INT64_MAX}); !added)
      return added.error();
    dataset.rolled_up = Place{time, PartitionId(static_cast<std::uint32_t>(rows->integer(1))),
                              Offset(static_cast<std::uint64_t>(rows->integer(2)))};
    ++read;
  }
  if (read < roll_up_rows) dataset.rolled_up.reset();
  if (auto flushed = dataset.rollups->flush(); !flushed) return flushed.error();
  if (auto written = write_rolled_up(dataset); !written) return written.error();
  if (auto committed = transaction->commit(); !committed) return committed.error();
  if (!dataset.rolled_up) diagnostics::info("store", "the rollups of dataset '{}' are complete", dataset.name());
  return true;
}

Status Recorder::write_rolled_up(const DatasetState& dataset) {
  auto update = database_.prepare("UPDATE rollups SET time = ?, partition = ?, \"offset\" = ? WHERE dataset = ?");
  if (!update) return update.error();
  for (const int parameter : {1, 2, 3}) update->bind_null(parameter);
  if (dataset.rolled_up) {
    update->bind(1, dataset.rolled_up->time.us).bind(2, static_cast<std::int64_t>(dataset.rolled_up->partition.value));
    update->bind(3, static_cast<std::int64_t>(dataset.rolled_up->offset.value));
  }
  return update->bind(4, dataset.layout->id()).run();
}

}  // namespace iotstream::store
