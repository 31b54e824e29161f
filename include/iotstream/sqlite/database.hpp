// Ownership and errors of SQLite; no word of the domain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/result.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace iotstream::sqlite {

/// What a column of the current row holds.
enum class ColumnType : unsigned char { null, integer, real, text, blob };

/// A prepared statement. Valid as long as its Database. One thread at a time. Indexes of parameters and columns begin at 1 and
/// 0, as in SQLite. bind() of a statement in the midst of its rows resets it; a value that is too large is told by the next
/// step().
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, double value);
  /// The text is copied.
  Statement& bind(int parameter, std::string_view value);
  /// The text must stay as it is until the statement is reset or bound anew.
  Statement& bind_view(int parameter, std::string_view value);
  Statement& bind_blob(int parameter, ByteView value);
  Statement& bind_null(int parameter);

  /// true: a row is there; false: done (and reset). After an error it is reset too. Errors: disk_full, io, corrupt, busy (after
  /// waiting 5 s), unavailable when interrupted, conflict for a broken constraint, forbidden for a write through a read-only
  /// connection, too_large, or invalid.
  Result<bool> step();
  /// Runs to the end and resets.
  Status run();
  void reset();

  int column_count() const;
  std::string_view column_name(int column) const;
  ColumnType type(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  /// Valid until the next step or reset.
  std::string_view text(int column) const;
  ByteView blob(int column) const;

 private:
  friend class Database;
  Statement(sqlite3_stmt* statement, sqlite3* database) : statement_(statement), database_(database) {}
  void before_bind();
  Statement& after_bind(int code, int parameter);

  sqlite3_stmt* statement_ = nullptr;
  sqlite3* database_ = nullptr;
  int bind_error_ = 0;  ///< of the first bind that failed, for the next step
};

enum class OpenMode : unsigned char {
  read_write,  ///< created when absent; WAL, synchronous=NORMAL
  read_only,   ///< must exist; nothing can be written through it
  untouched,   ///< must exist, and nobody may have it open; like read_only, and no file beside it is made or changed
};

/// One connection. One thread at a time, except interrupt(). Foreign keys are enforced; nothing in the file is trusted (no
/// functions from the schema, no extensions).
class Database {
 public:
  /// `path` is a path, never a URI; `:memory:` is a database of this connection alone. Errors: not_found for a read-only one
  /// that is not there, corrupt, io.
  static Result<Database> open(const std::string& path, OpenMode mode);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  /// Runs statements separated by `;` that return nothing.
  Status execute(std::string_view sql);
  /// Exactly one statement: none or several are invalid.
  Result<Statement> prepare(std::string_view sql);
  std::int64_t last_insert_id() const;
  std::int64_t changes() const;
  /// Makes a running step return unavailable. Any thread.
  void interrupt();
  sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_ = nullptr;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back when it dies without a commit() that went well. The Database must stay where it is.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

/// `name` as a quoted identifier: "a""b". Any name is safe inside SQL then.
std::string quote_identifier(std::string_view name);

}  // namespace iotstream::sqlite
