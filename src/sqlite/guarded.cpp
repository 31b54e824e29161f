#include <chrono>
#include <sqlite3.h>

#include <fmt/format.h>

#include <iotstream/sqlite/guarded.hpp>

#include "sqlite/authorizer.hpp"
#include "sqlite/budget.hpp"
#include "sqlite/error.hpp"

namespace iotstream::sqlite {

namespace {

/// Steps of SQLite's machine between two looks at the clock: some ten microseconds.
constexpr int steps_between_looks = 1000;
constexpr int value_bytes_max = 1 << 20;
constexpr int sql_bytes_max = 100'000;

constexpr std::pair<int, int> connection_limits[] = {
    {SQLITE_LIMIT_LENGTH, value_bytes_max},  // also bounds how long one call of a function can take
    {SQLITE_LIMIT_SQL_LENGTH, sql_bytes_max}, {SQLITE_LIMIT_EXPR_DEPTH, 200},   {SQLITE_LIMIT_COMPOUND_SELECT, 100},
    {SQLITE_LIMIT_VDBE_OP, 250'000},          {SQLITE_LIMIT_FUNCTION_ARG, 100}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1'000},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 0},        {SQLITE_LIMIT_TRIGGER_DEPTH, 0},  {SQLITE_LIMIT_WORKER_THREADS, 0},
};

/// Ends a statement that was given up, or whose time is over.
struct Watch {
  const std::function<bool()>& cancelled;
  std::chrono::steady_clock::time_point end;
  bool late = false;

  static int look(void* self) {
    auto& watch = *static_cast<Watch*>(self);
    if (watch.cancelled()) return 1;
    watch.late = std::chrono::steady_clock::now() >= watch.end;
    return watch.late ? 1 : 0;
  }
};

/// Characters, not bytes: for people and for editors.
std::uint32_t characters(std::string_view text) {
  std::uint32_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

class Run {
 public:
  Run(std::string_view sql, const GuardedLimits& limits, const std::function<bool()>& cancelled, const Budget& budget)
      : sql_(sql),
        limits_(limits),
        budget_(budget),
        watch_{cancelled, std::chrono::steady_clock::now() + std::chrono::microseconds(limits.time.us)} {}

  GuardedOutcome operator()(const GuardedFiles& files, const GuardedVisitor& visitor) {
    if (auto done = run(files, visitor); !done && !outcome_.error) outcome_.error = done.error();
    return std::move(outcome_);
  }

 private:
  Status run(const GuardedFiles& files, const GuardedVisitor& visitor) {
    if (sql_.size() > sql_bytes_max)
      return Error{ErrorKind::too_large, fmt::format("the SQL has {} bytes; at most {} are taken", sql_.size(), sql_bytes_max)};
    if (const std::size_t zero = sql_.find('\0'); zero != std::string_view::npos)
      return mistake("a byte of zero cannot be part of SQL", zero);
    auto opened = open(files);
    if (!opened) return opened.error();
    Database database = std::move(*opened);
    Authorizer authorizer;
    std::vector<std::string> schemas = {"main"};
    for (const auto& [name, path] : files.attached) schemas.push_back(name);
    if (auto watched = authorizer.watch(database, schemas); !watched) return watched;
    sqlite3_progress_handler(database.handle(), steps_between_looks, Watch::look, &watch_);
    auto done = ask(database, authorizer, visitor);
    // What closes the connection must not be stopped half-way.
    sqlite3_progress_handler(database.handle(), 0, nullptr, nullptr);
    return done;
  }

  static Result<Database> open(const GuardedFiles& files) {
    auto database = Database::open(files.main, OpenMode::read_only);
    if (!database) return database;
    for (const auto& [name, path] : files.attached) {
      auto attach = database->prepare(fmt::format("ATTACH ? AS {}", quote_identifier(name)));
      if (!attach) return attach.error();
      attach->bind(1, std::string_view(path.starts_with("file:") ? "./" + path : path));
      if (auto done = attach->run(); !done) return done.error();
    }
    // A name in double quotes that no column has is a mistake, not a text.
    for (const int option : {SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL})
      sqlite3_db_config(database->handle(), option, 0, nullptr);
    if (auto set = database->execute("PRAGMA temp_store = FILE; PRAGMA cache_size = -8192"); !set) return set.error();
    for (const auto& [limit, value] : connection_limits) sqlite3_limit(database->handle(), limit, value);
    return database;
  }

  Status ask(Database& database, const Authorizer& authorizer, const GuardedVisitor& visitor) {
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(database.handle(), sql_.data(), static_cast<int>(sql_.size()), 0, &made, &rest);
    const bool reads = made != nullptr && sqlite3_stmt_readonly(made) != 0 && sqlite3_column_count(made) > 0;
    sqlite3_finalize(made);
    if (code != SQLITE_OK) return explain(database, authorizer, code);
    if (made == nullptr) return Error{ErrorKind::invalid, "there is no SQL statement"};
    const auto used = static_cast<std::size_t>(rest - sql_.data());
    if (!is_blank(database, sql_.substr(used)))
      return mistake("there is more than one SQL statement: send them one by one", used);
    if (!reads) return Error{ErrorKind::forbidden, "only one SELECT is allowed: nothing can be changed here"};
    auto statement = database.prepare(sql_.substr(0, used));
    if (!statement) return explain(database, authorizer, sqlite3_extended_errcode(database.handle()));
    return rows(database, authorizer, *statement, visitor);
  }

  Status rows(Database& database, const Authorizer& authorizer, Statement& statement, const GuardedVisitor& visitor) {
    std::vector<std::string> names;
    for (int column = 0; column < statement.column_count(); ++column) names.emplace_back(statement.column_name(column));
    visitor.columns(names);
    for (std::uint64_t count = 0;; ++count) {
      auto row = statement.step();
      if (!row) return explain(database, authorizer, sqlite3_extended_errcode(database.handle()));
      if (!*row) return {};
      if (count == limits_.rows || !visitor.row(statement)) {
        outcome_.truncated = true;
        return {};
      }
    }
  }

  bool is_blank(Database& database, std::string_view sql) {
    while (!sql.empty()) {
      sqlite3_stmt* made = nullptr;
      const char* rest = nullptr;
      const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()), 0, &made, &rest);
      sqlite3_finalize(made);
      if (code != SQLITE_OK || made != nullptr) return false;
      const auto used = static_cast<std::size_t>(rest - sql.data());
      if (used == 0) return true;
      sql.remove_prefix(used);
    }
    return true;
  }

  Error mistake(std::string message, std::size_t byte) {
    outcome_.position = characters(sql_.substr(0, byte));
    return {ErrorKind::invalid, fmt::format("at character {}: {}", *outcome_.position + 1, message)};
  }

  /// What went wrong, in our own words where we set the limit.
  Error explain(Database& database, const Authorizer& authorizer, int code) {
    if (!authorizer.refusal().empty()) return {ErrorKind::forbidden, authorizer.refusal()};
    if (budget_.memory_refused())
      return {ErrorKind::too_large,
              fmt::format("the statement needs more than {} MiB of memory; ask for less", limits_.memory >> 20)};
    if (budget_.temporary_refused())
      return {ErrorKind::too_large,
              fmt::format("the statement needs more than {} MiB on disk for what it sorts or joins; ask for less",
                          limits_.temporary >> 20)};
    if (watch_.late)
      return {ErrorKind::unavailable, fmt::format("the statement was ended after {:g} s; ask for less, or give it more time",
                                                  static_cast<double>(limits_.time.us) / 1e6)};
    if (watch_.cancelled()) return {ErrorKind::unavailable, "the statement was cancelled"};
    const int offset = sqlite3_error_offset(database.handle());
    const std::string message = sqlite3_errmsg(database.handle());
    if (offset >= 0 && static_cast<std::size_t>(offset) <= sql_.size())
      return mistake(message, static_cast<std::size_t>(offset));
    if ((code & 0xff) == SQLITE_TOOBIG)
      return {ErrorKind::too_large, "a value has more than a megabyte, or the statement is too large"};
    return {kind_of(code), message};
  }

  std::string_view sql_;
  const GuardedLimits& limits_;
  const Budget& budget_;
  Watch watch_;
  GuardedOutcome outcome_;
};

}  // namespace

GuardedOutcome run_guarded(const GuardedFiles& files, std::string_view sql, const GuardedLimits& limits,
                           const std::function<bool()>& cancelled, const GuardedVisitor& visitor) {
  install_budgets();
  // Around everything, so that what the connection takes is given back to it when it closes.
  const Budget budget(limits.memory, limits.temporary, files.temporary);
  return Run(sql, limits, cancelled, budget)(files, visitor);
}

}  // namespace iotstream::sqlite
