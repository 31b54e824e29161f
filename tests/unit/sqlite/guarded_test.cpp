#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <sqlite3.h>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <iotstream/sqlite/guarded.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using sqlite::Database;
using sqlite::GuardedFiles;
using sqlite::GuardedLimits;
using sqlite::OpenMode;

namespace {

/// Two files with a few rows, and a way to ask them.
class Fixture {
 public:
  Fixture() {
    limits.time = Duration::seconds(120);  // a slow machine is no failure
    auto history = Database::open(directory_ / "history.db", OpenMode::read_write).value();
    REQUIRE(
        history.execute("CREATE TABLE press(time INTEGER, temperature, name); INSERT INTO press VALUES (1, 61.5, 'a'), "
                        "(2, 62.0, 'b'), (3, NULL, x'00ff'); CREATE VIEW readable_press AS SELECT strftime('%s', time) AS "
                        "second, name FROM press;"));
    auto catalog = Database::open(directory_ / "catalog.db", OpenMode::read_write).value();
    REQUIRE(catalog.execute("CREATE TABLE prototypes(code TEXT); INSERT INTO prototypes VALUES ('PUMP')"));
  }

  struct Answer {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    sqlite::GuardedOutcome outcome;
  };
  Answer ask(std::string_view sql) {
    Answer answer;
    answer.outcome = sqlite::run_guarded(files(), sql, limits, [this] { return cancelled.load(); },
                                         {[&](const std::vector<std::string>& names) { answer.columns = names; },
                                          [&](const sqlite::Statement& row) {
                                            std::vector<std::string> cells;
                                            for (int i = 0; i < row.column_count(); ++i) cells.emplace_back(row.text(i));
                                            answer.rows.push_back(std::move(cells));
                                            return true;
                                          }});
    if (answer.outcome.error) UNSCOPED_INFO(sql << ": " << answer.outcome.error->message);
    return answer;
  }
  ErrorKind refused(std::string_view sql) {
    const Answer answer = ask(sql);
    INFO(sql);
    REQUIRE(answer.outcome.error);
    CHECK(answer.rows.empty());
    CHECK_FALSE(answer.outcome.error->message.empty());
    return answer.outcome.error->kind;
  }
  GuardedFiles files() const { return {directory_ / "history.db", {{"catalog", directory_ / "catalog.db"}}, directory_ / ""}; }
  std::string path(const std::string& name) const { return directory_ / name; }

  GuardedLimits limits;
  std::atomic<bool> cancelled{false};

 private:
  test::TemporaryDirectory directory_;
};

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

constexpr const char* endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t";

}  // namespace

TEST_CASE("SQL of strangers reads both files") {
  Fixture fixture;
  auto answer = fixture.ask("SELECT time, temperature FROM press WHERE temperature IS NOT NULL ORDER BY time DESC");
  REQUIRE_FALSE(answer.outcome.error);
  CHECK(answer.columns == std::vector<std::string>{"time", "temperature"});
  CHECK(answer.rows == std::vector<std::vector<std::string>>{{"2", "62.0"}, {"1", "61.5"}});
  CHECK_FALSE(answer.outcome.truncated);
  CHECK(fixture.ask("SELECT code FROM catalog.prototypes").rows.at(0).at(0) == "PUMP");
  CHECK(fixture.ask("SELECT code FROM prototypes, press").rows.size() == 3);
  CHECK(fixture.ask("SELECT second FROM readable_press").rows.size() == 3);
  CHECK(fixture.ask("select value from json_each('[1,2]')").rows.size() == 2);
  CHECK(fixture.ask("SELECT name FROM sqlite_schema").rows.size() == 2);
  CHECK(fixture.ask("PRAGMA table_info(press)").rows.size() == 3);
  CHECK(fixture.ask("SELECT * FROM pragma_table_info('press')").rows.size() == 3);
  CHECK(fixture.ask("EXPLAIN QUERY PLAN SELECT * FROM press").rows.size() == 1);
  CHECK(fixture.ask("VALUES (1), (2)").rows.size() == 2);
  CHECK(fixture.ask("SELECT sqrt(4), sqlite_version()").rows.at(0).at(0) == "2.0");
  CHECK(fixture.ask("SELECT 9223372036854775807;  -- the end").rows.at(0).at(0) == "9223372036854775807");
  CHECK(fixture.ask("SELECT avg(temperature) OVER (ORDER BY time ROWS 1 PRECEDING) FROM press").rows.size() == 3);
  CHECK(fixture.ask("SELECT (SELECT max(n) FROM (SELECT time AS n FROM press))").rows.at(0).at(0) == "3");
}

TEST_CASE("rows beyond the limit are left out, and it is said") {
  Fixture fixture;
  fixture.limits.rows = 2;
  const auto answer = fixture.ask("SELECT * FROM press");
  CHECK(answer.rows.size() == 2);
  CHECK(answer.outcome.truncated);
  CHECK_FALSE(answer.outcome.error);
  fixture.limits.rows = 3;
  CHECK_FALSE(fixture.ask("SELECT * FROM press").outcome.truncated);
}

TEST_CASE("what is no reading statement is refused, and nothing happens") {
  Fixture fixture;
  const std::string outside = fixture.path("outside.db");
  const std::vector<std::string> forbidden = {
      "INSERT INTO press VALUES (9, 9, 9)",
      "UPDATE press SET time = 0",
      "DELETE FROM press",
      "REPLACE INTO press VALUES (1, 1, 1)",
      "INSERT INTO press SELECT * FROM press RETURNING time",
      "DELETE FROM press RETURNING *",
      "WITH a AS (SELECT 1) INSERT INTO press SELECT 1, 1, 1",
      "DROP TABLE press",
      "DROP VIEW readable_press",
      "CREATE TABLE t(a)",
      "CREATE TEMP TABLE t(a)",
      "CREATE TEMP VIEW v AS SELECT 1",
      "CREATE INDEX i ON press(time)",
      "CREATE TRIGGER tr AFTER INSERT ON press BEGIN SELECT 1; END",
      "CREATE VIRTUAL TABLE v USING dbstat(main)",
      "ALTER TABLE press RENAME TO pressed",
      "ALTER TABLE press ADD COLUMN a",
      "REINDEX",
      "ANALYZE",
      "VACUUM",
      "VACUUM INTO '" + outside + "'",
      "ATTACH '" + outside + "' AS outside",
      "DETACH catalog",
      "BEGIN",
      "BEGIN IMMEDIATE",
      "COMMIT",
      "ROLLBACK",
      "SAVEPOINT a",
      "RELEASE a",
      "PRAGMA query_only = OFF",
      "PRAGMA query_only",
      "PRAGMA journal_mode = DELETE",
      "PRAGMA writable_schema = ON",
      "PRAGMA user_version = 7",
      "PRAGMA temp_store_directory = '/'",
      "PRAGMA database_list",
      "PRAGMA wal_checkpoint(TRUNCATE)",
      "PRAGMA hard_heap_limit = 1",
      "PRAGMA trusted_schema = ON",
      "PRAGMA mmap_size = 1000000",
      "PRAGMA cache_size = -1000000",
      "PRAGMA integrity_check",
      "PRAGMA optimize",
      "PRAGMA module_list",
      "SELECT load_extension('/tmp/evil.so')",
      "SELECT readfile('/etc/passwd')",
      "SELECT writefile('" + outside + "', 'x')",
      "SELECT edit('x')",
      "SELECT fts3_tokenizer('simple')",
      "SELECT randomblob(1000)",
      "SELECT zeroblob(1000000000)",
      "SELECT sqlite_compileoption_get(1)",
      "SELECT last_insert_rowid()",
      "SELECT * FROM pragma_database_list",
      "SELECT * FROM pragma_user_version",
      "SELECT * FROM pragma_function_list",
      "SELECT * FROM dbstat",
      "SELECT * FROM sqlite_dbpage",
      "SELECT * FROM sqlite_stmt",
      "SELECT * FROM bytecode('SELECT 1')",
      "SELECT * FROM fsdir('/')",
      "SELECT count(*) FROM dbstat",
      "SELECT count(*) FROM pragma_database_list",
      "SELECT (SELECT load_extension('x') FROM press)",
      "SELECT 1 WHERE EXISTS (SELECT writefile('" + outside + "', 'x'))",
      "EXPLAIN DELETE FROM press",
      "SELECT * FROM press ORDER BY readfile('/etc/passwd')",
      "SELECT 'a' MATCH 'b'",
      "SELECT 'a' REGEXP 'b'",
  };
  for (const std::string& sql : forbidden) {
    const ErrorKind kind = fixture.refused(sql);
    // What this SQLite was built without it does not know at all.
    CHECK((kind == ErrorKind::forbidden || kind == ErrorKind::invalid));
  }
  CHECK(fixture.refused("SELECT load_extension('/tmp/evil.so')") == ErrorKind::forbidden);
  CHECK(fixture.refused("ATTACH '" + outside + "' AS outside") == ErrorKind::forbidden);
  CHECK_FALSE(std::filesystem::exists(outside));
  CHECK(fixture.ask("SELECT count(*) FROM press").rows.at(0).at(0) == "3");
}

TEST_CASE("several statements in one text are refused with their place") {
  Fixture fixture;
  for (const std::string sql :
       {"SELECT 1; DROP TABLE press", "SELECT 1; SELECT 2", "SELECT 1;; ; DELETE FROM press --", "SELECT 1; this is no SQL"}) {
    CHECK(fixture.refused(sql) == ErrorKind::invalid);
    CHECK(fixture.ask(sql).outcome.position == 9);
  }
  CHECK(fixture.refused("") == ErrorKind::invalid);
  CHECK(fixture.refused(" -- nothing") == ErrorKind::invalid);
  CHECK(fixture.refused(std::string_view("SELECT 1\0; DROP TABLE press", 27)) == ErrorKind::invalid);
  CHECK(fixture.ask("SELECT count(*) FROM press").rows.at(0).at(0) == "3");
}

TEST_CASE("texts that try to be SQL stay texts, names stay names") {
  Fixture fixture;
  CHECK(fixture.ask("SELECT '\"; drop table press; --'").rows.at(0).at(0) == "\"; drop table press; --");
  CHECK(fixture.ask("SELECT 1 AS \"a\"\"; drop table press\"").columns.at(0) == "a\"; drop table press");
  CHECK(fixture.ask("SELECT '🚜' AS \"🚜\"").columns.at(0) == "🚜");
  const std::string wide(1'000, 'n');
  CHECK(fixture.ask(fmt::format("SELECT 1 AS \"{}\"", wide)).columns.at(0) == wide);
  // A mistyped column in double quotes is a mistake, not a text.
  CHECK(fixture.refused("SELECT \"temprature\" FROM press") == ErrorKind::invalid);
}

TEST_CASE("a mistake is told with its place in characters") {
  Fixture fixture;
  const auto answer = fixture.ask("SELECT 'été', tempo FROM press");
  REQUIRE(answer.outcome.error);
  CHECK(answer.outcome.error->kind == ErrorKind::invalid);
  CHECK(answer.outcome.position == 14);
  CHECK(answer.outcome.error->message == "at character 15: no such column: tempo");
  CHECK(fixture.ask("SELEC 1").outcome.position == 0);
}

TEST_CASE("what never ends is ended: by time, by who asked") {
  Fixture fixture;
  fixture.limits.time = Duration{200'000};
  const auto began = std::chrono::steady_clock::now();
  CHECK(fixture.refused(endless) == ErrorKind::unavailable);
  CHECK(fixture.refused("SELECT count(*) FROM press a, press b, press c, press d, press e, press f, press g, press h, press i, "
                        "press j, press k, press l, press m, press n, press o, press p, press q") == ErrorKind::unavailable);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(60));

  fixture.limits.time = Duration::seconds(120);
  std::thread leaves([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    fixture.cancelled = true;
  });
  const auto answer = fixture.ask(endless);
  leaves.join();
  REQUIRE(answer.outcome.error);
  CHECK(answer.outcome.error->message == "the statement was cancelled");
}

TEST_CASE("memory is bounded, and only that of the statement") {
  Fixture fixture;
  fixture.limits.memory = 16u << 20;
  for (const std::string sql :
       {"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 1000000) SELECT json_group_array(hex(n)) "
        "FROM t",
        "WITH RECURSIVE t(n, s) AS (SELECT 1, hex('abcdefgh') UNION ALL SELECT n + 1, s || s FROM t WHERE n < 40) SELECT "
        "max(s) FROM t",
        "SELECT printf('%1000000d', 1) || printf('%1000000d', 2)",
        "SELECT group_concat(printf('%100000d', value)) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')"}) {
    CHECK(fixture.refused(sql) == ErrorKind::too_large);
  }
  std::string columns;
  for (int i = 0; i < 100; ++i) columns += fmt::format("{}printf('%900000d', {})", i == 0 ? "" : ", ", i);
  CHECK(fixture.refused("SELECT " + columns) == ErrorKind::too_large);
  // Afterwards all is as before, for this thread and for others.
  CHECK(fixture.ask("SELECT count(*) FROM press").rows.at(0).at(0) == "3");
  auto other = Database::open(":memory:", OpenMode::read_write).value();
  REQUIRE(other.execute("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(40000000))"));
}

TEST_CASE("sorting goes to disk within its bound and leaves nothing there") {
  Fixture fixture;
  fixture.limits.memory = 32u << 20;
  const std::string folder = fixture.files().temporary;
  const std::size_t before = files_in(folder);
  const std::string sql =
      "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100000) SELECT n FROM t ORDER BY hex(n * 7919 "
      "% "
      "400009) || 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz' LIMIT 5 OFFSET 99990";
  const auto sorted = fixture.ask(sql);
  INFO((sorted.outcome.error ? sorted.outcome.error->message : ""));
  CHECK(sorted.rows.size() == 5);
  fixture.limits.temporary = 1u << 20;
  const auto refused = fixture.ask(sql);
  REQUIRE(refused.outcome.error);
  CHECK(refused.outcome.error->kind == ErrorKind::too_large);
  CHECK(files_in(folder) <= before + 4);  // the write-ahead logs of the two files
  for (const auto& entry : std::filesystem::directory_iterator(folder)) CHECK(entry.path().extension() != ".tmp");
}

TEST_CASE("deep and long texts are refused in order") {
  Fixture fixture;
  CHECK(fixture.refused("SELECT " + std::string(50'000, '(') + "1" + std::string(49'000, ')')) == ErrorKind::invalid);
  CHECK(fixture.refused("SELECT '" + std::string(200'000, 'a') + "'") == ErrorKind::too_large);
  std::string compound = "SELECT 1";
  for (int i = 0; i < 2'000; ++i) compound += " UNION ALL SELECT 1";
  CHECK(fixture.refused(compound) == ErrorKind::invalid);
  CHECK(fixture.refused("SELECT ?") == ErrorKind::invalid);
}

TEST_CASE("random mutations of statements never change the files") {
  Fixture fixture;
  fixture.limits.time = Duration{100'000};
  const std::vector<std::string> parts = {
      "SELECT", "*",      "FROM",   "press",  "WHERE", "time",   "=",      "1",   ";",     "--",
      "DROP",   "TABLE",  "INSERT", "INTO",   "(",     ")",      "'",      "\"",  ",",     "UNION",
      "PRAGMA", "ATTACH", "AS",     "VALUES", "WITH",  "DELETE", "UPDATE", "SET", "temp",  "catalog.",
      "CREATE", "VIEW",   "INDEX",  "VACUUM", "🚜",     "\x80",   "/*",     "*/",  "x'00'", "load_extension"};
  std::uint64_t state = 88172645463325252ULL;
  for (int round = 0; round < 3'000; ++round) {
    std::string sql = round % 2 == 0 ? "SELECT " : "";
    for (int i = 0; i < 8; ++i) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      sql += parts[state % parts.size()] + " ";
    }
    (void)fixture.ask(sql);
  }
  CHECK(fixture.ask("SELECT group_concat(time) FROM press").rows.at(0).at(0) == "1,2,3");
  CHECK(fixture.ask("SELECT count(*) FROM sqlite_schema").rows.at(0).at(0) == "2");
}
