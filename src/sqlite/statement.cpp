#include <sqlite3.h>
#include <utility>

#include <iotstream/sqlite/database.hpp>

#include "sqlite/error.hpp"

namespace iotstream::sqlite {

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      database_(std::exchange(other.database_, nullptr)),
      bind_error_(std::exchange(other.bind_error_, 0)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(database_, other.database_);
  std::swap(bind_error_, other.bind_error_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::before_bind() {
  if (sqlite3_stmt_busy(statement_) != 0) sqlite3_reset(statement_);
}

Statement& Statement::after_bind(int code, int parameter) {
  if (code == SQLITE_OK) return *this;
  IOTSTREAM_ASSERT(code != SQLITE_RANGE && code != SQLITE_MISUSE, "parameter {} of: {}", parameter, sqlite3_sql(statement_));
  bind_error_ = code;
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  before_bind();
  return after_bind(sqlite3_bind_int64(statement_, parameter, value), parameter);
}

Statement& Statement::bind(int parameter, double value) {
  before_bind();
  return after_bind(sqlite3_bind_double(statement_, parameter, value), parameter);
}

Statement& Statement::bind(int parameter, std::string_view value) {
  before_bind();
  const char* data = value.data() == nullptr ? "" : value.data();  // a null pointer would bind NULL
  return after_bind(sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8), parameter);
}

Statement& Statement::bind_view(int parameter, std::string_view value) {
  before_bind();
  const char* data = value.data() == nullptr ? "" : value.data();
  return after_bind(sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_STATIC, SQLITE_UTF8), parameter);
}

Statement& Statement::bind_blob(int parameter, ByteView value) {
  before_bind();
  const void* data = value.data() == nullptr ? static_cast<const void*>("") : value.data();
  return after_bind(sqlite3_bind_blob64(statement_, parameter, data, value.size(), SQLITE_TRANSIENT), parameter);
}

Statement& Statement::bind_null(int parameter) {
  before_bind();
  return after_bind(sqlite3_bind_null(statement_, parameter), parameter);
}

Result<bool> Statement::step() {
  IOTSTREAM_ASSERT(statement_ != nullptr, "step of a statement that was not prepared");
  if (bind_error_ != 0) return last_error(database_, std::exchange(bind_error_, 0));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  Error error = last_error(database_, code);
  sqlite3_reset(statement_);
  return error;
}

Status Statement::run() {
  for (;;) {
    const auto row = step();
    if (!row.ok()) return row.error();
    if (!*row) return {};
  }
}

void Statement::reset() {
  bind_error_ = 0;
  sqlite3_reset(statement_);  // its result repeats the last step's error, which was told there
}

int Statement::column_count() const { return sqlite3_column_count(statement_); }

std::string_view Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

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
  // The pointer first: asking for it may convert the value, and with it the length.
  const unsigned char* data = sqlite3_column_text(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
}

ByteView Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? ByteView() : ByteView(static_cast<const std::byte*>(data), static_cast<std::size_t>(size));
}

}  // namespace iotstream::sqlite
