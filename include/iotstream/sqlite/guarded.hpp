// SQL of strangers over files of ours: one statement that reads, within limits of rows, time, memory and disk.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/sqlite/database.hpp>

namespace iotstream::sqlite {

/// The databases that may be read. Names of the main one need no prefix, those of the others are `<name>.<table>`, and no
/// prefix either where nothing before them has the name.
struct GuardedFiles {
  std::string main;                                           ///< path
  std::vector<std::pair<std::string, std::string>> attached;  ///< name (a plain word) and path
  std::string temporary;  ///< folder for what SQLite has to put aside; its files have no name and end with the statement
};

struct GuardedLimits {
  std::uint64_t rows = 1'000;
  Duration time = Duration::seconds(10);
  std::uint64_t memory = 64u << 20;      ///< bytes that SQLite may hold for this statement, its caches included
  std::uint64_t temporary = 512u << 20;  ///< bytes on disk for sorting and intermediate tables
};

struct GuardedOutcome {
  std::optional<Error> error;             ///< why there is no answer, or only the beginning of one
  std::optional<std::uint32_t> position;  ///< of a mistake in the text: characters from 0
  bool truncated = false;                 ///< there were more rows
};

/// Called with the columns' names once, then with each row; false ends it, and the answer counts as truncated.
struct GuardedVisitor {
  std::function<void(const std::vector<std::string>& names)> columns;
  std::function<bool(const Statement& row)> row;
};

/// Runs `sql` on connections of its own, on the caller's thread. What is not known to be harmless is refused before anything
/// runs: only SELECT (also VALUES, WITH, EXPLAIN) over tables, views, json_each and json_tree, with functions that neither
/// write nor load nor look outside of the database, and the PRAGMAs that describe tables. `cancelled` is asked every ten
/// microseconds or so: true ends the statement. Errors: invalid (with the position where SQLite knows it), forbidden, too_large
/// (memory, disk, or a value of more than a megabyte), unavailable (time, cancelled), those of Database::open.
GuardedOutcome run_guarded(const GuardedFiles& files, std::string_view sql, const GuardedLimits& limits,
                           const std::function<bool()>& cancelled, const GuardedVisitor& visitor);

}  // namespace iotstream::sqlite
