// The tables of catalog.db; src/catalog/README.md describes them for other programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/csv_plan.hpp"

namespace iotstream::catalog {

/// Creates the tables of a new file; refuses (unsupported) one of a newer format.
Status create_tables(sqlite::Database& database);

/// Binds `values` in order and runs one statement that returns nothing.
template <class... Values>
Status run(sqlite::Database& database, std::string_view sql, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int parameter = 0;
  (statement->bind(++parameter, values), ...);
  return statement->run();
}

/// The single number that a query gives. Errors: also corrupt, when it gives none.
Result<std::int64_t> number(sqlite::Database& database, std::string_view sql);

/// Writes down that rows from `first_row` on are being stored for a file that is not there yet.
Status note_load(sqlite::Database& database, std::int64_t file_id, std::int64_t prototype_id, std::int64_t first_row);
/// Removes the rows of loads that never ended.
Status remove_leftovers(sqlite::Database& database);

/// A column of epoch µs; nothing for NULL.
std::optional<Timestamp> time_at(const sqlite::Statement& row, int column);

/// `rows_7`.
std::string rows_table(std::int64_t prototype_id);

/// A column of a prototype's rows table.
struct StoredColumn {
  std::string name;      ///< of the field, as in the CSV
  std::string sql_name;  ///< in the table: the same, but for names that SQLite cannot tell apart
};
/// SQLite takes 2,000 columns a table. Those from this position on share one: a JSON object, name → value.
inline constexpr std::uint32_t own_columns_max = 1'990;
constexpr bool in_more(std::uint32_t position) { return position >= own_columns_max; }
inline constexpr std::string_view more_column = "_more";

/// In order of position, from 0. Errors: io, corrupt.
Result<std::vector<StoredColumn>> stored_columns(sqlite::Database& database, std::int64_t prototype_id);
/// Adds what is missing of `names` to the table and to `columns`; the position of every name. Errors: also too_large.
Result<std::vector<std::uint32_t>> add_columns(sqlite::Database& database, std::int64_t prototype_id,
                                               const std::vector<std::string>& names, std::vector<StoredColumn>& columns);

/// A column of one imported file: where it is stored and how its cells are read back.
struct FileColumn {
  std::uint32_t position = 0;
  ColumnClass type = ColumnClass::empty;
};
std::string to_json(const std::vector<FileColumn>& columns, const std::vector<StoredColumn>& stored);
Result<std::vector<FileColumn>> file_columns_from_json(std::string_view json);

}  // namespace iotstream::catalog
