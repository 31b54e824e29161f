#include "catalog/tables.hpp"

#include <simdjson.h>
#include <unordered_map>
#include <unordered_set>

#include <iotstream/base/json.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::int64_t format_version = 1;
constexpr std::size_t stored_columns_max = 20'000;

// Columns of rows_<id> have no declared type on purpose: SQLite's affinity would turn the text of a decimal into a rounded
// REAL, and a REAL of 1.0 into an INTEGER.
constexpr std::string_view ddl = R"sql(
CREATE TABLE prototypes(id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, label TEXT NOT NULL, brand TEXT NOT NULL, version TEXT NOT NULL,
  dataset TEXT NOT NULL, model_xml TEXT NOT NULL, changed_us INTEGER NOT NULL);
CREATE TABLE prototype_versions(prototype_id INTEGER NOT NULL, changed_us INTEGER NOT NULL, code TEXT NOT NULL, label TEXT NOT NULL,
  brand TEXT NOT NULL, version TEXT NOT NULL, dataset TEXT NOT NULL, model_xml TEXT NOT NULL);
CREATE TABLE datasets(name TEXT PRIMARY KEY, added_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE files(id INTEGER PRIMARY KEY AUTOINCREMENT, prototype_id INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  separator TEXT NOT NULL, encoding TEXT NOT NULL, time_column TEXT NOT NULL, pace_column TEXT NOT NULL, columns TEXT NOT NULL,
  columns_count INTEGER NOT NULL, columns_empty INTEGER NOT NULL, rows INTEGER NOT NULL, rejected INTEGER NOT NULL,
  first_time_us INTEGER, last_time_us INTEGER, first_row INTEGER NOT NULL, last_row INTEGER NOT NULL, imported_us INTEGER NOT NULL,
  UNIQUE(prototype_id, sha256));
CREATE TABLE sources(prototype_id INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
  file_id INTEGER NOT NULL, PRIMARY KEY(prototype_id, path)) WITHOUT ROWID;
CREATE TABLE columns(prototype_id INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, sql_name TEXT NOT NULL,
  PRIMARY KEY(prototype_id, position), UNIQUE(prototype_id, name)) WITHOUT ROWID;
CREATE TABLE documents(kind TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL, changed_us INTEGER NOT NULL,
  PRIMARY KEY(kind, name)) WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

constexpr std::string_view loads_ddl =
    "CREATE TABLE IF NOT EXISTS loads(file_id INTEGER PRIMARY KEY, prototype_id INTEGER NOT NULL, first_row INTEGER NOT NULL)";

/// Whether the table has the column that many share.
bool has_more(sqlite::Database& database, std::int64_t prototype_id) {
  return database.prepare(fmt::format("SELECT {} FROM {} LIMIT 0", more_column, rows_table(prototype_id))).ok();
}

/// The column for what has none of its own, on first need.
Status add_more_column(sqlite::Database& database, std::int64_t prototype_id) {
  if (has_more(database, prototype_id)) return {};
  return database.execute(fmt::format("ALTER TABLE {} ADD COLUMN {}", rows_table(prototype_id), more_column));
}

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

Status create_tables(sqlite::Database& database) {
  auto transaction = sqlite::Transaction::begin(database);
  if (!transaction) return transaction.error();
  std::int64_t version = 0;
  {
    auto pragma = database.prepare("PRAGMA user_version");
    if (!pragma) return pragma.error();
    const auto row = pragma->step();
    if (!row) return row.error();
    version = pragma->integer(0);
  }
  // Beside the format: programs of before know nothing of it and need not.
  if (version == format_version) {
    if (Status created = database.execute(loads_ddl); !created) return created;
    return transaction->commit();
  }
  if (version != 0)
    return Error{ErrorKind::unsupported,
                 fmt::format("catalog.db has format {}; this program knows up to {}", version, format_version)};
  for (const std::string_view statements : {ddl, loads_ddl})
    if (Status created = database.execute(statements); !created) return created;
  return transaction->commit();
}

std::optional<Timestamp> time_at(const sqlite::Statement& row, int column) {
  if (row.type(column) == sqlite::ColumnType::null) return std::nullopt;
  return Timestamp{row.integer(column)};
}

Result<std::int64_t> number(sqlite::Database& database, std::string_view sql) {
  auto select = database.prepare(sql);
  if (!select) return std::move(select).error();
  const auto row = select->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorKind::corrupt, "catalog.db: a number is missing"};
  return select->integer(0);
}

Status note_load(sqlite::Database& database, std::int64_t file_id, std::int64_t prototype_id, std::int64_t first_row) {
  return run(database, "INSERT INTO loads(file_id, prototype_id, first_row) VALUES(?, ?, ?)", file_id, prototype_id, first_row);
}

Status remove_leftovers(sqlite::Database& database) {
  std::vector<std::pair<std::int64_t, std::int64_t>> tables;
  {
    auto select = database.prepare(
        "SELECT prototype_id, first_row FROM loads JOIN prototypes ON prototypes.id = prototype_id WHERE NOT EXISTS (SELECT 1 "
        "FROM "
        "files WHERE files.id = file_id)");
    if (!select) return std::move(select).error();
    for (;;) {
      const auto row = select->step();
      if (!row) return row.error();
      if (!*row) break;
      tables.emplace_back(select->integer(0), select->integer(1));
    }
  }
  for (const auto& [prototype_id, first_row] : tables)
    if (Status done = database.execute(fmt::format("DELETE FROM {} WHERE rowid >= {}", rows_table(prototype_id), first_row));
        !done)
      return done;
  return database.execute("DELETE FROM loads");
}

std::string rows_table(std::int64_t prototype_id) { return fmt::format("rows_{}", prototype_id); }

Result<std::vector<StoredColumn>> stored_columns(sqlite::Database& database, std::int64_t prototype_id) {
  auto select = database.prepare("SELECT name, sql_name FROM columns WHERE prototype_id = ? ORDER BY position");
  if (!select) return std::move(select).error();
  select->bind(1, prototype_id);
  std::vector<StoredColumn> columns;
  for (;;) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return columns;
    columns.push_back({std::string(select->text(0)), std::string(select->text(1))});
  }
}

Result<std::vector<std::uint32_t>> add_columns(sqlite::Database& database, std::int64_t prototype_id,
                                               const std::vector<std::string>& names, std::vector<StoredColumn>& columns) {
  std::unordered_map<std::string, std::uint32_t> known;
  std::unordered_set<std::string> taken = {"file_id", "line", "time_us", "rowid", "oid", "_rowid_", std::string(more_column)};
  for (const StoredColumn& column : columns) {
    known.emplace(column.name, static_cast<std::uint32_t>(known.size()));
    taken.insert(folded(column.sql_name));
  }
  auto insert = database.prepare("INSERT INTO columns(prototype_id, position, name, sql_name) VALUES(?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  std::vector<std::uint32_t> positions;
  for (const std::string& name : names) {
    const auto position = static_cast<std::uint32_t>(columns.size());
    const auto [entry, fresh] = known.emplace(name, position);
    positions.push_back(entry->second);
    if (!fresh) continue;
    if (position >= stored_columns_max)
      return Error{ErrorKind::too_large, fmt::format("more than {} columns over all files of a prototype", stored_columns_max)};
    std::string sql_name = in_more(position) ? std::string(more_column) : name;
    if (in_more(position)) {
      if (Status added = add_more_column(database, prototype_id); !added) return std::move(added).error();
    } else {
      for (int copy = 2; !taken.insert(folded(sql_name)).second; ++copy) sql_name = fmt::format("{} ({})", name, copy);
      Status added = database.execute(
          fmt::format("ALTER TABLE {} ADD COLUMN {}", rows_table(prototype_id), sqlite::quote_identifier(sql_name)));
      if (!added) return std::move(added).error();
    }
    insert->bind(1, prototype_id).bind(2, std::int64_t{position}).bind(3, name).bind(4, sql_name);
    if (Status done = insert->run(); !done) return std::move(done).error();
    columns.push_back({name, std::move(sql_name)});
  }
  return positions;
}

std::string to_json(const std::vector<FileColumn>& columns, const std::vector<StoredColumn>& stored) {
  std::string out;
  json::Writer json(out);
  json.begin_array();
  for (const FileColumn& column : columns) {
    json.begin_object().key("name").value(stored[column.position].name).key("position").value(column.position);
    json.key("class").value(name_of(column.type)).end_object();
  }
  json.end_array();
  return out;
}

Result<std::vector<FileColumn>> file_columns_from_json(std::string_view text) try {
  simdjson::dom::parser parser;
  std::vector<FileColumn> columns;
  for (const simdjson::dom::element element : parser.parse(text.data(), text.size()).get_array()) {
    const auto type = column_class_from(std::string_view(element["class"]));
    const std::uint64_t position = element["position"];
    if (!type || position >= stored_columns_max)
      return Error{ErrorKind::corrupt, "catalog.db: the columns of a file cannot be read"};
    columns.push_back({static_cast<std::uint32_t>(position), *type});
  }
  return columns;
} catch (const simdjson::simdjson_error& error) {
  return Error{ErrorKind::corrupt, fmt::format("catalog.db: the columns of a file cannot be read: {}", error.what())};
}

}  // namespace iotstream::catalog
