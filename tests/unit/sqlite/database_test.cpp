#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sqlite3.h>
#include <thread>

#include <catch2/catch.hpp>

#include <iotstream/sqlite/database.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using sqlite::ColumnType;
using sqlite::Database;
using sqlite::OpenMode;
using sqlite::Transaction;

namespace {

Database memory() { return Database::open(":memory:", OpenMode::read_write).value(); }

/// The first column of the first row.
std::string first(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql).value();
  REQUIRE(statement.step().value());
  return std::string(statement.text(0));
}

}  // namespace

TEST_CASE("a new database is made with a write-ahead log and checked foreign keys") {
  const test::TemporaryDirectory directory;
  auto database = Database::open(directory / "a.db", OpenMode::read_write).value();
  CHECK(first(database, "PRAGMA journal_mode") == "wal");
  CHECK(first(database, "PRAGMA synchronous") == "1");
  CHECK(first(database, "PRAGMA foreign_keys") == "1");
  CHECK(first(database, "PRAGMA trusted_schema") == "0");
  CHECK(first(database, "PRAGMA busy_timeout") == "5000");
}

TEST_CASE("values of every type come back as they were bound") {
  auto database = memory();
  auto statement = database.prepare("SELECT ?1, ?2, ?3, ?4, ?5, ?6").value();
  const std::string text("a\0b é", 6);
  const std::string kept = "view";
  statement.bind(1, std::numeric_limits<std::int64_t>::min()).bind(2, 8.620000000000001).bind(3, text);
  statement.bind_view(4, kept).bind_blob(5, as_bytes("\x01\x02")).bind_null(6);
  REQUIRE(statement.step().value());
  CHECK(statement.column_count() == 6);
  CHECK(statement.integer(0) == std::numeric_limits<std::int64_t>::min());
  CHECK(statement.real(1) == 8.620000000000001);
  CHECK(statement.text(2) == text);
  CHECK(statement.text(3) == "view");
  CHECK(as_text(statement.blob(4)) == "\x01\x02");
  CHECK(statement.type(0) == ColumnType::integer);
  CHECK(statement.type(1) == ColumnType::real);
  CHECK(statement.type(2) == ColumnType::text);
  CHECK(statement.type(4) == ColumnType::blob);
  CHECK(statement.type(5) == ColumnType::null);
  CHECK(statement.text(5).empty());
  CHECK_FALSE(statement.step().value());
}

TEST_CASE("empty texts and blobs are not NULL") {
  auto database = memory();
  auto statement = database.prepare("SELECT ?1, ?2, ?3").value();
  statement.bind(1, std::string_view()).bind_view(2, std::string_view()).bind_blob(3, {});
  REQUIRE(statement.step().value());
  CHECK(statement.type(0) == ColumnType::text);
  CHECK(statement.type(1) == ColumnType::text);
  CHECK(statement.type(2) == ColumnType::blob);
}

TEST_CASE("a statement is used again and again") {
  auto database = memory();
  REQUIRE(database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE u(x)").ok());
  auto insert = database.prepare("INSERT INTO t(name) VALUES (?)").value();
  for (const char* name : {"a", "b", "c"}) REQUIRE(insert.bind(1, std::string_view(name)).run().ok());
  CHECK(database.last_insert_id() == 3);
  CHECK(database.changes() == 1);
  auto select = database.prepare("SELECT id, name FROM t WHERE id >= ? ORDER BY id").value();
  CHECK(select.column_name(1) == "name");
  REQUIRE(select.bind(1, std::int64_t{2}).step().value());
  CHECK(select.text(1) == "b");
  REQUIRE(select.bind(1, std::int64_t{3}).step().value());  // in the midst of its rows
  CHECK(select.text(1) == "c");
  select.reset();
  REQUIRE(select.step().value());
  CHECK(select.text(1) == "c");
}

TEST_CASE("statements and databases can be moved") {
  auto database = memory();
  auto statement = database.prepare("SELECT 1").value();
  Database moved = std::move(database);
  sqlite::Statement other = std::move(statement);
  REQUIRE(other.step().value());
  statement = std::move(other);
  CHECK(statement.integer(0) == 1);
  moved = memory();
  CHECK(first(moved, "SELECT 2") == "2");
}

TEST_CASE("wrong SQL is invalid, with SQLite's sentence and the place") {
  auto database = memory();
  const auto statement = database.prepare("SELECT x FROM nowhere");
  REQUIRE_FALSE(statement.ok());
  CHECK(statement.error().kind == ErrorKind::invalid);
  CHECK(statement.error().message.find("no such table: nowhere") != std::string::npos);
  const auto misspelt = database.prepare("SELECT 1 FORM x y");
  REQUIRE_FALSE(misspelt.ok());
  CHECK(misspelt.error().message.find("at character") != std::string::npos);
  CHECK(database.execute("NONSENSE").error().kind == ErrorKind::invalid);
}

TEST_CASE("prepare takes exactly one statement") {
  auto database = memory();
  CHECK(database.prepare("SELECT 1;").ok());
  CHECK(database.prepare("SELECT 1; -- and a remark\n /* two */ ; ").ok());
  for (const char* sql :
       {"", "  ", "-- only a remark", ";", "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE x", "SELECT 1; garbage"}) {
    CAPTURE(sql);
    const auto statement = database.prepare(sql);
    REQUIRE_FALSE(statement.ok());
    CHECK(statement.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("a broken constraint is a conflict") {
  auto database = memory();
  REQUIRE(database.execute("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id))").ok());
  REQUIRE(database.execute("INSERT INTO p VALUES (1)").ok());
  CHECK(database.execute("INSERT INTO p VALUES (1)").error().kind == ErrorKind::conflict);
  CHECK(database.execute("INSERT INTO c VALUES (7)").error().kind == ErrorKind::conflict);
}

TEST_CASE("a transaction that is not committed never was") {
  auto database = memory();
  REQUIRE(database.execute("CREATE TABLE t(x)").ok());
  {
    auto transaction = Transaction::begin(database).value();
    REQUIRE(database.execute("INSERT INTO t VALUES (1)").ok());
  }
  CHECK(first(database, "SELECT count(*) FROM t") == "0");
  auto transaction = Transaction::begin(database).value();
  CHECK_FALSE(Transaction::begin(database).ok());
  REQUIRE(database.execute("INSERT INTO t VALUES (1)").ok());
  REQUIRE(transaction.commit().ok());
  CHECK(first(database, "SELECT count(*) FROM t") == "1");
}

TEST_CASE("a transaction that SQLite has ended itself needs no rollback") {
  auto database = memory();
  REQUIRE(database.execute("CREATE TABLE t(x UNIQUE ON CONFLICT ROLLBACK); INSERT INTO t VALUES (1)").ok());
  {
    auto transaction = Transaction::begin(database).value();
    CHECK_FALSE(database.execute("INSERT INTO t VALUES (1)").ok());
    CHECK_FALSE(transaction.commit().ok());
  }
  CHECK(Transaction::begin(database).ok());
}

TEST_CASE("a full database is disk_full") {
  auto database = memory();
  REQUIRE(database.execute("CREATE TABLE t(x); PRAGMA max_page_count = 3").ok());
  const auto status = database.execute("INSERT INTO t VALUES (zeroblob(100000))");
  CHECK(status.error().kind == ErrorKind::disk_full);
}

TEST_CASE("a value that is too large is told by the next step") {
  auto database = memory();
  sqlite3_limit(database.handle(), SQLITE_LIMIT_LENGTH, 1000);
  auto statement = database.prepare("SELECT ?").value();
  const std::string large(2000, 'x');
  CHECK(statement.bind(1, large).step().error().kind == ErrorKind::too_large);
  REQUIRE(statement.bind(1, std::string_view("small")).step().value());
  CHECK(statement.text(0) == "small");
}

TEST_CASE("nothing can be written through a read-only connection") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a.db";
  CHECK(Database::open(path, OpenMode::read_only).error().kind == ErrorKind::not_found);
  CHECK_FALSE(std::filesystem::exists(path));
  auto writer = Database::open(path, OpenMode::read_write).value();
  REQUIRE(writer.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)").ok());
  auto reader = Database::open(path, OpenMode::read_only).value();
  CHECK(first(reader, "SELECT x FROM t") == "1");
  CHECK(reader.execute("INSERT INTO t VALUES (2)").error().kind == ErrorKind::forbidden);
  CHECK_FALSE(reader.execute("PRAGMA query_only = OFF; DELETE FROM t").ok());
  REQUIRE(writer.execute("INSERT INTO t VALUES (2)").ok());
  CHECK(first(reader, "SELECT count(*) FROM t") == "2");
}

TEST_CASE("a file that is no database, or is damaged, is corrupt") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a.db";
  std::ofstream(path) << std::string(5000, 'x');
  const auto database = Database::open(path, OpenMode::read_write);
  REQUIRE_FALSE(database.ok());
  CHECK(database.error().kind == ErrorKind::corrupt);
  CHECK(database.error().message.find(path) != std::string::npos);
}

TEST_CASE("what cannot be opened is an I/O error that names the path") {
  const auto database = Database::open("/nowhere/at/all.db", OpenMode::read_write);
  REQUIRE_FALSE(database.ok());
  CHECK(database.error().kind == ErrorKind::io);
  CHECK(database.error().message.find("/nowhere/at/all.db") != std::string::npos);
}

TEST_CASE("a path is never a URI") {
  const test::TemporaryDirectory directory;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  CHECK(Database::open("file:a.db?mode=memory", OpenMode::read_write).ok());
  CHECK(std::filesystem::exists("file:a.db?mode=memory"));
  std::filesystem::current_path(before);
}

TEST_CASE("a second writer waits and is then told that it is busy") {
  const test::TemporaryDirectory directory;
  auto one = Database::open(directory / "a.db", OpenMode::read_write).value();
  auto two = Database::open(directory / "a.db", OpenMode::read_write).value();
  auto transaction = Transaction::begin(one).value();
  sqlite3_busy_timeout(two.handle(), 1);
  CHECK(Transaction::begin(two).error().kind == ErrorKind::busy);
  REQUIRE(transaction.commit().ok());
  CHECK(Transaction::begin(two).ok());
}

TEST_CASE("a running statement is interrupted from another thread") {
  auto database = memory();
  auto endless =
      database.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0").value();
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!done) {
      database.interrupt();  // again and again: one that comes before the step has begun is lost
      std::this_thread::yield();
    }
  });
  const auto row = endless.step();
  done = true;
  interrupter.join();
  CHECK(row.error().kind == ErrorKind::unavailable);
}

TEST_CASE("the schema of a file cannot call dangerous functions, and the connection cannot be loosened") {
  auto database = memory();
  CHECK_FALSE(database.execute("SELECT load_extension('x')").ok());
  REQUIRE(database.execute("CREATE TABLE t(x); PRAGMA writable_schema = ON").ok());
  CHECK_FALSE(database.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE t(y)'").ok());
}

TEST_CASE("an untouched database is read with and without a write-ahead log, and its folder stays as it is") {
  const test::TemporaryDirectory directory;
  const test::TemporaryDirectory killed;
  const auto listing = [](const std::string& folder) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      all.emplace_back(entry.path().string(), std::string(std::istreambuf_iterator<char>(file), {}));
    }
    std::sort(all.begin(), all.end());
    return all;
  };
  {
    auto database = Database::open(directory / "a b?#%.db", OpenMode::read_write).value();
    REQUIRE(database.execute("CREATE TABLE t (x); INSERT INTO t VALUES ('first')"));
    // What a killed process would leave: rows that are in the write-ahead log only.
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(directory / ("a b?#%.db" + std::string(suffix)), killed / ("b.db" + std::string(suffix)));
  }
  REQUIRE(std::filesystem::file_size(killed / "b.db-wal") > 0);
  for (const auto& [folder, name] : {std::pair{directory.path(), "/a b?#%.db"}, {killed.path(), "/b.db"}}) {
    const auto before = listing(folder);
    {
      auto database = Database::open(folder + name, OpenMode::untouched).value();
      CHECK(first(database, "SELECT x FROM t") == "first");
      CHECK_FALSE(database.execute("INSERT INTO t VALUES (1)").ok());
    }
    CHECK(listing(folder) == before);
  }
  CHECK(Database::open(killed / "none.db", OpenMode::untouched).error().kind == ErrorKind::not_found);
}

TEST_CASE("any name is safe as an identifier") {
  auto database = memory();
  for (const std::string name : {"a", "a\"b", "\"; DROP TABLE x; --", "", " ", "é", "select", "[x]", "`", "'"}) {
    CAPTURE(name);
    REQUIRE(database.execute("CREATE TABLE t(" + sqlite::quote_identifier(name) + ")").ok());
    auto statement = database.prepare("SELECT * FROM t").value();
    CHECK(statement.column_name(0) == name);
    statement = sqlite::Statement();
    REQUIRE(database.execute("DROP TABLE t").ok());
  }
  CHECK(sqlite::quote_identifier(std::string_view("a\0b", 3)) == "\"ab\"");
}
