#include "store/layout.hpp"

#include <fmt/format.h>

#include <iotstream/sqlite/database.hpp>

namespace iotstream::store {

namespace {

using sqlite::quote_identifier;

constexpr std::string_view system_column_names[] = {"time",  "partition", "offset", "device",
                                                    "facts", "flags",     "_kinds", "_more"};
static_assert(std::size(system_column_names) == system_columns);

/// µs since the epoch as `2022-02-23T06:34:27.403000Z`. SQLite's own fractions end at milliseconds; % keeps the sign, so times
/// before 1970 need the second one.
constexpr std::string_view iso_time =
    "strftime('%Y-%m-%dT%H:%M:%S', (e.time - (e.time % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')"
    " || printf('.%06dZ', (e.time % 1000000 + 1000000) % 1000000)";

}  // namespace

Layout::Layout(std::int64_t id, std::string dataset, std::string table, std::string view, std::vector<Column> columns)
    : id_(id), dataset_(std::move(dataset)), table_(std::move(table)), view_(std::move(view)), columns_(std::move(columns)) {
  for (std::size_t i = column_fields_max; i < columns_.size(); ++i) {
    in_more_.emplace(columns_[i].field, FieldId(static_cast<std::uint32_t>(i)));
  }
}

const FieldId* Layout::find_in_more(std::string_view name) const {
  const auto found = in_more_.find(name);
  return found == in_more_.end() ? nullptr : &found->second;
}

// Fields have no declared type on purpose: any type but none makes SQLite convert what it stores (INTEGER turns 8.0 into 8 and
// the text '12' into a number, REAL an integer beyond 2^53 into another one), and values must come back as they went in.
std::string Layout::create_table_sql() const {
  std::string sql = fmt::format(
      "CREATE TABLE {} (\"time\" INTEGER NOT NULL, \"partition\" INTEGER NOT NULL, \"offset\" INTEGER NOT NULL, "
      "\"device\" INTEGER NOT NULL REFERENCES devices (id), \"facts\" INTEGER, \"flags\" INTEGER, \"_kinds\", \"_more\"",
      quote_identifier(table_));
  for (const Column& column : columns_) {
    if (!column.name.empty()) sql += ", " + quote_identifier(column.name);
  }
  sql += ", PRIMARY KEY (\"time\", \"partition\", \"offset\"))";
  if (columns_.size() <= clustered_fields_max) sql += " WITHOUT ROWID";
  return sql;
}

std::string Layout::add_column_sql(FieldId field) const {
  return fmt::format("ALTER TABLE {} ADD COLUMN {}", quote_identifier(table_), quote_identifier(column(field).name));
}

std::string Layout::drop_view_sql() const { return fmt::format("DROP VIEW IF EXISTS {}", quote_identifier(view_)); }

std::string Layout::create_view_sql() const {
  std::string sql = fmt::format(
      "CREATE VIEW {} AS SELECT {} AS \"time\", d.name AS \"device\", e.\"partition\" AS \"partition\", e.\"offset\" AS "
      "\"offset\", f.members AS \"facts\"",
      quote_identifier(view_), iso_time);
  for (const Column& column : columns_) {
    if (!column.name.empty()) sql += ", e." + quote_identifier(column.name) + " AS " + quote_identifier(column.name);
  }
  if (columns_.size() > column_fields_max) sql += ", e.\"_more\" AS \"_more\"";
  return sql + fmt::format(" FROM {} AS e LEFT JOIN devices AS d ON d.id = e.device LEFT JOIN facts AS f ON f.id = e.facts",
                           quote_identifier(table_));
}

std::string Layout::insert_sql() const {
  std::string sql = fmt::format("INSERT OR IGNORE INTO {} VALUES (?", quote_identifier(table_));
  const std::size_t fields = std::min<std::size_t>(columns_.size(), column_fields_max);
  for (std::size_t i = 1; i < system_columns + fields; ++i) sql += ",?";
  return sql + ")";
}

std::vector<Column> grown(std::vector<Column> columns, const model::Schema& schema) {
  if (columns.size() >= schema.fields().size()) return columns;
  NameSet names;
  for (const std::string_view name : system_column_names) names.reserve(name);
  for (const Column& column : columns) names.reserve(column.name);
  for (std::size_t i = columns.size(); i < schema.fields().size(); ++i) {
    const model::Field& field = schema.fields()[i];
    columns.push_back({field.name, i < column_fields_max ? names.take(field.name) : std::string(), field.type});
  }
  return columns;
}

}  // namespace iotstream::store
