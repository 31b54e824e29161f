#include <filesystem>
#include <limits>
#include <sqlite3.h>
#include <utility>

#include <fmt/format.h>

#include <iotstream/sqlite/database.hpp>

#include "sqlite/budget.hpp"
#include "sqlite/error.hpp"

namespace iotstream::sqlite {

namespace {

constexpr int busy_timeout_ms = 5000;
constexpr std::string_view memory_path = ":memory:";

/// SQLite may be built to read `file:…` as a URI; for us every path is a path.
std::string plain_path(const std::string& path) { return path.starts_with("file:") ? "./" + path : path; }

/// Damaged or hostile files must not be able to run code of theirs or to break the connection's promises.
Status harden(sqlite3* handle) {
  for (const auto& [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                      {SQLITE_DBCONFIG_ENABLE_FKEY, 1}}) {
    const int code = sqlite3_db_config(handle, option, value, nullptr);
    if (code != SQLITE_OK) return last_error(handle, code);
  }
  return {};
}

std::string escaped_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool special = c == '%' || c == '?' || c == '#';
    special ? static_cast<void>(uri += fmt::format("%{:02X}", static_cast<unsigned char>(c))) : uri.push_back(c);
  }
  return uri;
}

/// How to open a file so that nothing is made or changed. Without a write-ahead log it is enough to say that the file stands
/// still. With one (a killed process left it) SQLite has to read both, which it does without its shared memory, a third file,
/// when it believes to be alone; that takes a lock that cannot be had for reading only, so it is told not to lock.
int open_untouched(const std::string& path, sqlite3** handle) {
  constexpr int access = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
  std::error_code missing;
  const bool has_log = std::filesystem::file_size(path + "-wal", missing) > 0 && !missing;
  if (!has_log) return sqlite3_open_v2((escaped_uri(path) + "?immutable=1").c_str(), handle, access, nullptr);
  const int code = sqlite3_open_v2(escaped_uri(path).c_str(), handle, access, "unix-none");
  if (code != SQLITE_OK) return code;
  // Or the log would be written into the database at the end.
  if (const int set = sqlite3_db_config(*handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); set != SQLITE_OK) return set;
  return sqlite3_exec(*handle, "PRAGMA locking_mode = EXCLUSIVE", nullptr, nullptr, nullptr);
}

Status prepare_connection(Database& database, OpenMode mode, bool in_memory) {
  sqlite3_busy_timeout(database.handle(), busy_timeout_ms);
  if (auto status = harden(database.handle()); !status.ok()) return status;
  // Opening reads nothing: this is the first look at the file, and finds one that is no database.
  if (auto status = database.execute("SELECT count(*) FROM sqlite_schema"); !status.ok()) return status;
  if (mode != OpenMode::read_write) return database.execute("PRAGMA query_only = ON");
  auto journal = database.prepare("PRAGMA journal_mode = WAL");
  if (!journal.ok()) return journal.error();
  const auto row = journal->step();
  if (!row.ok()) return row.error();
  if (!in_memory && journal->text(0) != "wal") {
    return Error{ErrorKind::io, fmt::format("{}: its file system cannot hold a write-ahead log (it needs shared memory)",
                                            sqlite3_db_filename(database.handle(), "main"))};
  }
  journal->reset();
  return database.execute("PRAGMA synchronous = NORMAL");
}

/// True when nothing but blanks, comments and semicolons is there: SQLite makes no statement of it.
Result<bool> is_blank(sqlite3* handle, std::string_view sql) {
  while (!sql.empty()) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &statement, &rest);
    const bool found = statement != nullptr;
    sqlite3_finalize(statement);
    if (code != SQLITE_OK) return last_error(handle, code);
    if (found) return false;
    const auto done = static_cast<std::size_t>(rest - sql.data());
    if (done == 0) return true;
    sql.remove_prefix(done);
  }
  return true;
}

}  // namespace

Result<Database> Database::open(const std::string& path, OpenMode mode) {
  const bool in_memory = path == memory_path;
  std::error_code ignored;
  if (mode != OpenMode::read_write && !in_memory && !std::filesystem::exists(path, ignored)) {
    return Error{ErrorKind::not_found, fmt::format("there is no database {}", path)};
  }
  install_budgets();
  const int access = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = mode == OpenMode::untouched ? open_untouched(path, &handle)
                                               : sqlite3_open_v2(plain_path(path).c_str(), &handle,
                                                                 access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (handle == nullptr) return Error{ErrorKind::unavailable, fmt::format("{}: not enough memory to open it", path)};
  Database database(handle);
  if (code != SQLITE_OK) return Error{kind_of(code), fmt::format("cannot open {}: {}", path, sqlite3_errmsg(handle))};
  if (auto status = prepare_connection(database, mode, in_memory); !status.ok()) return status.error();
  return database;
}

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Database::~Database() {
  // The _v2 form waits for statements that live longer than they should instead of leaving the file open for ever.
  sqlite3_close_v2(handle_);
}

Status Database::execute(std::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return last_error(handle_, code);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (sql.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return Error{ErrorKind::too_large, fmt::format("SQL of {} bytes", sql.size())};
  }
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data() == nullptr ? "" : sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &made, &rest);
  if (code != SQLITE_OK) return last_error(handle_, code);
  Statement statement(made, handle_);
  if (made == nullptr) return Error{ErrorKind::invalid, "there is no SQL statement"};
  const auto blank = is_blank(handle_, sql.substr(static_cast<std::size_t>(rest - sql.data())));
  if (!blank.ok()) return blank.error();
  if (!*blank) return Error{ErrorKind::invalid, "there is more than one SQL statement: send them one by one"};
  return statement;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
void Database::interrupt() { sqlite3_interrupt(handle_); }

Result<Transaction> Transaction::begin(Database& database) {
  if (auto status = database.execute("BEGIN IMMEDIATE"); !status.ok()) return status.error();
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // After some errors (a full disk) SQLite has rolled back by itself; rolling back again would be an error.
  if (sqlite3_get_autocommit(database_->handle()) == 0) (void)database_->execute("ROLLBACK");
}

Status Transaction::commit() {
  IOTSTREAM_ASSERT(database_ != nullptr, "a transaction is committed once");
  if (auto status = database_->execute("COMMIT"); !status.ok()) return status;
  database_ = nullptr;
  return {};
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '\0') continue;  // SQL ends at it; no name of a table or column can hold it
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace iotstream::sqlite
