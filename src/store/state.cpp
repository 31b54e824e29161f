#include "store/state.hpp"

#include <charconv>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::store {

namespace {

constexpr std::int64_t format_version = 2;
/// Tells `file` and other programs whose database this is; "iotH".
constexpr std::int64_t application_id = 0x696f7448;

/// Keys come first: of a table without rowids whose keys do not, SQLite 3.40's integrity_check reports NULLs that are not
/// there.
constexpr const char* tables = R"sql(
CREATE TABLE datasets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, table_name TEXT NOT NULL, view_name TEXT NOT NULL,
  columns INTEGER NOT NULL, events INTEGER NOT NULL, first_time INTEGER, last_time INTEGER, field_counts TEXT NOT NULL);
CREATE TABLE fields (dataset INTEGER NOT NULL REFERENCES datasets (id), id INTEGER NOT NULL, name TEXT NOT NULL, column_name TEXT,
  born TEXT NOT NULL, type TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL, unit TEXT NOT NULL,
  PRIMARY KEY (dataset, id)) WITHOUT ROWID;
CREATE TABLE devices (id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES datasets (id), name TEXT NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, events INTEGER NOT NULL, UNIQUE (dataset, name));
CREATE TABLE offsets (dataset INTEGER NOT NULL REFERENCES datasets (id), partition INTEGER NOT NULL, next INTEGER NOT NULL,
  arrived INTEGER, PRIMARY KEY (dataset, partition)) WITHOUT ROWID;
CREATE TABLE arrivals (dataset INTEGER NOT NULL REFERENCES datasets (id), partition INTEGER NOT NULL, next INTEGER NOT NULL,
  time INTEGER NOT NULL, PRIMARY KEY (dataset, partition, next)) WITHOUT ROWID;
CREATE TABLE facts (id INTEGER PRIMARY KEY, members TEXT NOT NULL);
)sql";

/// Since format 2. `rollups`: up to which row a dataset's rollups have come; NULL: all are in. `horizons`: before this time
/// rows or rollups may be missing, because retention was there.
constexpr const char* rollup_tables = R"sql(
CREATE TABLE rollups (dataset INTEGER PRIMARY KEY REFERENCES datasets (id), time INTEGER, partition INTEGER, "offset" INTEGER);
CREATE TABLE horizons (dataset INTEGER NOT NULL REFERENCES datasets (id), tier TEXT NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY (dataset, tier)) WITHOUT ROWID;
)sql";

Result<std::int64_t> pragma(sqlite::Database& database, std::string_view name) {
  auto statement = database.prepare(fmt::format("PRAGMA {}", name));
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->integer(0) : 0;
}

Status create_tables(sqlite::Database& database) {
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto made = database.execute(tables); !made) return made;
  if (auto made = database.execute(rollup_tables); !made) return made;
  const auto marks = fmt::format("PRAGMA user_version={}; PRAGMA application_id={}", format_version, application_id);
  if (auto marked = database.execute(marks); !marked) return marked;
  return transaction->commit();
}

std::vector<std::uint64_t> counts_from(std::string_view json) {
  std::vector<std::uint64_t> counts;
  for (const char *at = json.data(), *end = at + json.size(); at < end; ++at) {
    std::uint64_t count = 0;
    const auto [next, error] = std::from_chars(at, end, count);
    if (error != std::errc()) continue;  // a bracket
    counts.push_back(count);
    at = next;
  }
  return counts;
}

/// Runs `sql` and calls `visit` with each row.
template <class Visit>
Status each_row(sqlite::Database& database, std::string_view sql, Visit&& visit) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  for (;;) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return {};
    visit(*statement);
  }
}

Status write_fields(sqlite::Database& database, const Layout& layout, const model::Schema& schema) {
  auto insert = database.prepare(
      "INSERT INTO fields (dataset, id, name, column_name, born, type, kind, label, unit) VALUES (?,?,?,?,?,?,?,?,?) "
      "ON CONFLICT DO UPDATE SET type = excluded.type, kind = excluded.kind, label = excluded.label, unit = excluded.unit");
  if (!insert) return insert.error();
  for (const model::Field& field : schema.fields()) {
    if (field.id.value >= layout.columns().size()) break;
    const Column& column = layout.column(field.id);
    insert->bind(1, layout.id()).bind(2, static_cast<std::int64_t>(field.id.value)).bind(3, std::string_view(field.name));
    column.name.empty() ? insert->bind_null(4) : insert->bind(4, std::string_view(column.name));
    insert->bind(5, model::name_of(column.born)).bind(6, model::name_of(field.type)).bind(7, model::name_of(field.kind));
    insert->bind(8, std::string_view(field.label)).bind(9, std::string_view(field.unit));
    if (auto ran = insert->run(); !ran) return ran;
  }
  return {};
}

Result<std::pair<std::string, std::string>> free_names(sqlite::Database& database, std::string_view dataset) {
  NameSet names;
  const Status read = each_row(database, "SELECT table_name, view_name FROM datasets", [&](const sqlite::Statement& row) {
    names.reserve(row.text(0));
    names.reserve(row.text(1));
  });
  if (!read) return read.error();
  return std::pair(names.take(fmt::format("events_{}", dataset)), names.take(fmt::format("readable_{}", dataset)));
}

using ById = std::unordered_map<std::int64_t, DatasetState*>;
constexpr std::int64_t partitions_max = 65'536;  ///< a broken file must not make us allocate without bound

Status load_counts(sqlite::Database& database, const ById& datasets) {
  return each_row(database, "SELECT id, events, first_time, last_time, field_counts FROM datasets",
                  [&](const sqlite::Statement& row) {
                    DatasetState& dataset = *datasets.at(row.integer(0));
                    dataset.events = static_cast<std::uint64_t>(row.integer(1));
                    if (row.type(2) == sqlite::ColumnType::integer) dataset.first = Timestamp{row.integer(2)};
                    if (row.type(3) == sqlite::ColumnType::integer) dataset.last = Timestamp{row.integer(3)};
                    dataset.field_counts = counts_from(row.text(4));
                    dataset.field_counts.resize(dataset.layout->columns().size());
                  });
}

Status load_devices(sqlite::Database& database, const ById& datasets) {
  return each_row(
      database, "SELECT dataset, id, name, first_seen, last_seen, events FROM devices ORDER BY id",
      [&](const sqlite::Statement& row) {
        const auto found = datasets.find(row.integer(0));
        if (found == datasets.end()) return;
        DatasetState& dataset = *found->second;
        dataset.device_places.emplace(row.text(2), dataset.devices.size());
        dataset.devices.push_back({row.integer(1), std::string(row.text(2)), Timestamp{row.integer(3)},
                                   Timestamp{row.integer(4)}, static_cast<std::uint64_t>(row.integer(5)), false, false});
      });
}

/// The partition that a row of `offsets` or `arrivals` speaks of; nullptr when there can be no such one.
PartitionState* partition_of(const ById& datasets, const sqlite::Statement& row) {
  const auto found = datasets.find(row.integer(0));
  if (found == datasets.end() || row.integer(1) < 0 || row.integer(1) >= partitions_max) return nullptr;
  return &found->second->partition(PartitionId(static_cast<std::uint32_t>(row.integer(1))));
}

Status load_offsets(sqlite::Database& database, const ById& datasets) {
  return each_row(database, "SELECT dataset, partition, next, arrived FROM offsets", [&](const sqlite::Statement& row) {
    PartitionState* partition = partition_of(datasets, row);
    if (partition == nullptr) return;
    partition->next = Offset(static_cast<std::uint64_t>(row.integer(2)));
    if (row.type(3) == sqlite::ColumnType::integer) partition->arrived = Timestamp{row.integer(3)};
  });
}

Status load_arrivals(sqlite::Database& database, const ById& datasets) {
  return each_row(
      database, "SELECT dataset, partition, time, next FROM arrivals ORDER BY dataset, partition, next",
      [&](const sqlite::Statement& row) {
        PartitionState* partition = partition_of(datasets, row);
        if (partition == nullptr) return;
        partition->arrivals.push_back({Timestamp{row.integer(2)}, Offset(static_cast<std::uint64_t>(row.integer(3)))});
        ++partition->arrivals_written;
      });
}

Status load_rollups(sqlite::Database& database, const ById& datasets) {
  return each_row(database, "SELECT dataset, time, partition, \"offset\" FROM rollups WHERE time IS NOT NULL",
                  [&](const sqlite::Statement& row) {
                    const auto found = datasets.find(row.integer(0));
                    if (found == datasets.end()) return;
                    found->second->rolled_up =
                        Place{Timestamp{row.integer(1)}, PartitionId(static_cast<std::uint32_t>(row.integer(2))),
                              Offset(static_cast<std::uint64_t>(row.integer(3)))};
                  });
}

/// A file of format 1 has rows and no rollups. Their tables are made now, in one transaction with the new format; the rows
/// follow while the program works.
Status upgrade(sqlite::Database& database) {
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto made = database.execute(rollup_tables); !made) return made;
  std::vector<std::string> names;
  const Status read =
      each_row(database, "SELECT name FROM datasets", [&](const sqlite::Statement& row) { names.emplace_back(row.text(0)); });
  if (!read) return read;
  for (const std::string& name : names) {
    auto layout = load_layout(database, name);
    if (!layout) return layout.error();
    if (auto made = create_rollup_tables(database, **layout); !made) return made;
  }
  const std::string marks =
      fmt::format("INSERT INTO rollups SELECT id, {}, 0, 0 FROM datasets; PRAGMA user_version={}", INT64_MIN, format_version);
  if (auto marked = database.execute(marks); !marked) return marked;
  diagnostics::info("store", "history.db is of an older format: the rollups of {} datasets are made beside other work",
                    names.size());
  return transaction->commit();
}

}  // namespace

PartitionState& DatasetState::partition(PartitionId id) {
  if (id.value >= partitions.size()) partitions.resize(id.value + 1);
  return partitions[id.value];
}

Result<sqlite::Database> open_history(const std::string& path) {
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_write);
  if (!database) return database;
  auto version = pragma(*database, "user_version");
  if (!version) return version.error();
  auto owner = pragma(*database, "application_id");
  if (!owner) return owner.error();
  if (*version == format_version && *owner == application_id) return database;
  auto objects = pragma(*database, "schema_version");
  if (!objects) return objects.error();
  if (*version == 0 && *owner == 0 && *objects == 0) {
    if (auto made = create_tables(*database); !made) return made.error();
    return database;
  }
  if (*version == 1 && *owner == application_id) {
    if (auto upgraded = upgrade(*database); !upgraded) return upgraded.error();
    return database;
  }
  if (*owner != application_id) {
    return Error{ErrorKind::unsupported, fmt::format("'{}' is the database of another program: move it away", path)};
  }
  return Error{ErrorKind::unsupported,
               fmt::format("'{}' has format {}, this program knows {}: use the newer program", path, *version, format_version)};
}

Result<LayoutPtr> load_layout(sqlite::Database& database, std::string_view dataset) {
  auto head = database.prepare("SELECT id, table_name, view_name FROM datasets WHERE name = ?");
  if (!head) return head.error();
  head->bind(1, dataset);
  auto found = head->step();
  if (!found) return found.error();
  if (!*found) return LayoutPtr();
  auto fields = database.prepare("SELECT name, column_name, born FROM fields WHERE dataset = ? ORDER BY id");
  if (!fields) return fields.error();
  fields->bind(1, head->integer(0));
  std::vector<Column> columns;
  for (;;) {
    auto row = fields->step();
    if (!row) return row.error();
    if (!*row) break;
    const auto born = model::field_type_from(fields->text(2));
    if (!born) return Error{ErrorKind::corrupt, fmt::format("history.db: a field of type '{}'", fields->text(2))};
    columns.push_back({std::string(fields->text(0)), std::string(fields->text(1)), *born});
  }
  return LayoutPtr(std::make_shared<Layout>(head->integer(0), std::string(dataset), std::string(head->text(1)),
                                            std::string(head->text(2)), std::move(columns)));
}

Result<State> load_state(sqlite::Database& database) {
  State state;
  std::vector<std::string> names;
  const Status read =
      each_row(database, "SELECT name FROM datasets", [&](const sqlite::Statement& row) { names.emplace_back(row.text(0)); });
  if (!read) return read.error();
  ById by_id;
  for (const std::string& name : names) {
    auto layout = load_layout(database, name);
    if (!layout) return layout.error();
    auto dataset = std::make_unique<DatasetState>();
    dataset->layout = std::move(*layout);
    by_id[dataset->layout->id()] = dataset.get();
    state[name] = std::move(dataset);
  }
  for (const auto load : {load_counts, load_devices, load_offsets, load_arrivals, load_rollups}) {
    if (auto loaded = load(database, by_id); !loaded) return loaded.error();
  }
  return state;
}

Result<LayoutPtr> create_dataset(sqlite::Database& database, std::string_view dataset, const model::Schema& schema) {
  auto names = free_names(database, dataset);
  if (!names) return names.error();
  auto insert = database.prepare(
      "INSERT INTO datasets (name, table_name, view_name, columns, events, field_counts) VALUES (?,?,?,?,0,'[]')");
  if (!insert) return insert.error();
  auto columns = grown({}, schema);
  insert->bind(1, dataset).bind(2, std::string_view(names->first)).bind(3, std::string_view(names->second));
  insert->bind(4, static_cast<std::int64_t>(columns.size()));
  if (auto ran = insert->run(); !ran) return ran.error();
  LayoutPtr layout = std::make_shared<Layout>(database.last_insert_id(), std::string(dataset), names->first, names->second,
                                              std::move(columns));
  if (auto made = database.execute(layout->create_table_sql()); !made) return made.error();
  if (auto made = database.execute(layout->create_view_sql()); !made) return made.error();
  if (auto made = create_rollup_tables(database, *layout); !made) return made.error();
  auto complete = database.prepare("INSERT INTO rollups (dataset) VALUES (?)");
  if (!complete) return complete.error();
  if (auto ran = complete->bind(1, layout->id()).run(); !ran) return ran.error();
  if (auto written = write_fields(database, *layout, schema); !written) return written.error();
  return layout;
}

Result<LayoutPtr> grow_dataset(sqlite::Database& database, const Layout& current, const model::Schema& schema) {
  LayoutPtr layout = std::make_shared<Layout>(current.id(), current.dataset(), current.table(), current.view(),
                                              grown(current.columns(), schema));
  if (layout->columns().size() > current.columns().size()) {
    // The view goes first: ALTER TABLE checks every view of the schema.
    if (auto dropped = database.execute(layout->drop_view_sql()); !dropped) return dropped.error();
    for (std::size_t i = current.columns().size(); i < layout->columns().size() && i < column_fields_max; ++i) {
      const FieldId field(static_cast<std::uint32_t>(i));
      if (auto added = database.execute(layout->add_column_sql(field)); !added) return added.error();
    }
    if (auto made = database.execute(layout->create_view_sql()); !made) return made.error();
    auto update = database.prepare("UPDATE datasets SET columns = ? WHERE id = ?");
    if (!update) return update.error();
    update->bind(1, static_cast<std::int64_t>(layout->columns().size())).bind(2, layout->id());
    if (auto ran = update->run(); !ran) return ran.error();
  }
  if (auto written = write_fields(database, *layout, schema); !written) return written.error();
  return layout;
}

}  // namespace iotstream::store
