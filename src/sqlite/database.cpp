#include <sqlite3.h>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/sqlite/database.hpp>

namespace iotstream::sqlite {

namespace {

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorKind::disk_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::busy;
    case SQLITE_INTERRUPT:
      return ErrorKind::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::corrupt;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_RANGE:
      return ErrorKind::invalid;
    case SQLITE_TOOBIG:
      return ErrorKind::too_large;
    default:
      return ErrorKind::io;
  }
}

Error error_of(sqlite3* handle, int code, std::string_view doing) {
  const char* file = handle != nullptr ? sqlite3_db_filename(handle, "main") : nullptr;
  return {kind_of(code), fmt::format("{} in '{}': {}", doing, file != nullptr ? file : "?",
                                     handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code))};
}

void check_bind(int code, int parameter) {
  IOTSTREAM_ASSERT(code == SQLITE_OK, "binding parameter {}: {}", parameter, sqlite3_errstr(code));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), database_(std::exchange(other.database_, nullptr)) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(database_, other.database_);
  return *this;
}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  check_bind(sqlite3_bind_int64(statement_, parameter, value), parameter);
  return *this;
}
Statement& Statement::bind(int parameter, double value) {
  check_bind(sqlite3_bind_double(statement_, parameter, value), parameter);
  return *this;
}
Statement& Statement::bind(int parameter, std::string_view value) {
  check_bind(sqlite3_bind_text64(statement_, parameter, value.data() == nullptr ? "" : value.data(), value.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8),
             parameter);
  return *this;
}
Statement& Statement::bind_view(int parameter, std::string_view value) {
  check_bind(sqlite3_bind_text64(statement_, parameter, value.data() == nullptr ? "" : value.data(), value.size(),
                                 SQLITE_STATIC, SQLITE_UTF8),
             parameter);
  return *this;
}
Statement& Statement::bind_blob(int parameter, ByteView value) {
  check_bind(sqlite3_bind_blob64(statement_, parameter, value.empty() ? static_cast<const void*>("") : value.data(),
                                 value.size(), SQLITE_TRANSIENT),
             parameter);
  return *this;
}
Statement& Statement::bind_null(int parameter) {
  check_bind(sqlite3_bind_null(statement_, parameter), parameter);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  Error error = error_of(database_, code, "a statement failed");
  sqlite3_reset(statement_);
  return error;
}

Status Statement::run() {
  for (;;) {
    auto row = step();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

void Statement::reset() { sqlite3_reset(statement_); }
int Statement::column_count() const { return sqlite3_column_count(statement_); }
std::string_view Statement::column_name(int column) const { return sqlite3_column_name(statement_, column); }

ColumnType Statement::type(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return ColumnType::integer;
    case SQLITE_FLOAT:
      return ColumnType::real;
    case SQLITE_TEXT:
      return ColumnType::text;
    case SQLITE_BLOB:
      return ColumnType::blob;
    default:
      return ColumnType::null;
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
ByteView Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr ? ByteView() : ByteView(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Result<Database> Database::open(const std::string& path, OpenMode mode) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == OpenMode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) {
    return Error{code == SQLITE_CANTOPEN ? ErrorKind::io : kind_of(code),
                 fmt::format("cannot open the database '{}': {}", path, sqlite3_errstr(code))};
  }
  sqlite3_busy_timeout(handle, 5000);
  // Nothing that a database file says about itself may run code.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  const char* settings = mode == OpenMode::read_write
                             ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"
                             : "PRAGMA query_only=ON";
  if (auto set = database.execute(settings); !set) return set.error();
  return database;
}

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}
// close_v2 waits for statements that outlive the connection object; a Statement must not, but a leak is better than a crash.
Database::~Database() { sqlite3_close_v2(handle_); }

Status Database::execute(std::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(handle_, code, "a statement failed");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error_of(handle_, code, fmt::format("cannot prepare '{}'", sql.substr(0, 200)));
  return Statement(statement, handle_);
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
void Database::interrupt() { sqlite3_interrupt(handle_); }

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Status Transaction::commit() {
  auto committed = database_->execute("COMMIT");
  // After a failed COMMIT the transaction may still be open: the destructor rolls it back.
  if (committed) database_ = nullptr;
  return committed;
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace iotstream::sqlite
