// tests/corpus/csv: every file, and what is written beside it of its outcome; files too large to keep are made here.
#include "unit/catalog/corpus.hpp"

#include <map>
#include <thread>

#include <iotstream/catalog/csv.hpp>

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

/// File → the line of expected.ndjson.
std::map<std::string, std::string> expectations() {
  std::map<std::string, std::string> lines;
  std::ifstream file(corpus_folder() + "/expected.ndjson");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t begin = std::string_view(R"({"file":")").size();
    lines.emplace(line.substr(begin, line.find('"', begin) - begin), line);
  }
  return lines;
}

std::string repeated(std::size_t count, const std::string& separator, const std::function<std::string(std::size_t)>& item) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? separator : "") + item(i);
  return text;
}

}  // namespace

TEST_CASE("every odd file comes to what is written beside it") {
  const auto expected = expectations();
  const auto files = corpus_files();
  CHECK(files.size() >= 60);
  CHECK(files.size() == expected.size());
  for (const std::string& name : files) {
    INFO(name);
    const auto found = expected.find(name);
    REQUIRE(found != expected.end());
    CHECK(outcome_of(name) == found->second);
  }
}

TEST_CASE("a preview tells the same as the import") {
  for (const std::string& name : corpus_files()) {
    INFO(name);
    const Folder folder;
    os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
    metrics::Table metrics;
    Schemas schemas;
    auto catalog = Catalog::open(folder.path() + "/data", schemas, clock, metrics);
    REQUIRE(catalog.ok());
    REQUIRE((*catalog)->put({"X", "", "", "", "1", ""}).ok());
    const std::string path = corpus_folder() + "/" + name;
    const auto report = (*catalog)->import_csv("X", path, {});
    const auto preview = preview_csv(path, {}, {});
    REQUIRE(report.ok() == preview.ok());
    if (!report) {
      CHECK(report.error().message == preview.error().message);
      continue;
    }
    CHECK(preview->separator == report->separator);
    CHECK(preview->encoding == report->encoding);
    CHECK(preview->time_column == report->time_column);
    CHECK(preview->pace_column == report->pace_column);
    CHECK(preview->rows == report->rows);
    CHECK(preview->rejected == report->rejected);
    CHECK(preview->left_out == report->left_out);
    CHECK(preview->first_time == report->first_time);
    CHECK(preview->last_time == report->last_time);
    CHECK(preview->columns.size() == report->columns);
    const model::SchemaPtr schema = schemas.current("1");
    for (const CsvPreview::Column& column : preview->columns) {
      if (column.time || column.type.empty()) continue;
      const auto field = schema->find(column.name);
      REQUIRE(field.has_value());
      CHECK(column.type == model::name_of(schema->field(*field).type));
      CHECK(column.unit == schema->field(*field).unit);
    }
  }
}

TEST_CASE_METHOD(CatalogFixture, "2,000 columns, and 5,000: those beyond what SQLite takes share one") {
  const std::size_t count = GENERATE(2'000, 4'999);
  put("X");
  const auto cell = [](std::size_t i) {
    switch (i % 5) {
      case 0:
        return std::string("1.0");
      case 1:
        return std::to_string(i);
      case 2:
        return fmt::format("text \"\"{}\"\"", i);
      case 3:
        return std::string("true");
      default:
        return std::string("0.1000000000000000055");
    }
  };
  const ImportReport report =
      import("time;" + repeated(count, ";", [](std::size_t i) { return fmt::format("c{}", i); }) + "\n2022-01-01 00:00:02;" +
             repeated(count, ";", [&](std::size_t i) { return "\"" + cell(i) + "\""; }) + "\n2022-01-01 00:00:01;" +
             repeated(count, ";", [&](std::size_t i) { return i % 7 == 0 ? "" : "\"" + cell(i) + "\""; }) + "\n");
  CHECK(report.rows == 2);
  CHECK(report.columns == count + 1);
  const auto all = rows();
  REQUIRE(all.size() == 2);
  std::string expected = "2022-01-01 00:00:02.000000 {";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string texts[] = {"1.0", std::to_string(i), fmt::format("\"text \\\"{}\\\"\"", i), "true",
                                 "decimal 0.1000000000000000055"};
    expected += fmt::format("{}c{}:{}", i > 0 ? "," : "", i, texts[i % 5]);
  }
  CHECK(all[1] == expected + "}");
  CHECK(all[0].find("c0:") == std::string::npos);
  CHECK(all[0].find("c1997:") != std::string::npos);
  // Another file with other columns and some of those that share.
  CHECK(import("time;c1999;new\n2022-01-01 00:00:03;5;6\n", "b.csv").rows == 1);
  CHECK(rows()[2] == "2022-01-01 00:00:03.000000 {c1999:5,new:6}");
}

TEST_CASE_METHOD(CatalogFixture, "beyond 5,000 fields and 10,000 columns a file is refused in one sentence") {
  put("X");
  const auto wide = [](std::size_t count) {
    return repeated(count, ",", [](std::size_t i) { return fmt::format("c{}", i); }) + "\n" +
           repeated(count, ",", [](std::size_t) { return std::string("1"); }) + "\n";
  };
  CHECK(import_error(wide(6'000)).kind == ErrorKind::too_large);
  CHECK(import_error(wide(10'001)).message.find("more than 10000 columns") != std::string::npos);
  CHECK(import_error(wide(100'000)).kind == ErrorKind::invalid);
  // Columns without a value cost nothing.
  CHECK(import(repeated(9'000, ",", [](std::size_t i) { return fmt::format("c{}", i); }) + "\n1,2\n").columns_empty == 8'998);
}

TEST_CASE_METHOD(CatalogFixture, "cells and rows beyond their bounds cost themselves only") {
  put("X");
  const std::string long_cell(100'000, 'x');
  const ImportReport report = import("time,note,a\n2022-01-01 00:00:01," + long_cell + ",1\n2022-01-01 00:00:02,ok,2\n" +
                                     "2022-01-01 00:00:03,\"" + long_cell + "\",3\n2022-01-01 00:00:04,ok,4\n");
  CHECK(report.rows == 2);
  REQUIRE(report.problems.size() == 2);
  CHECK(report.problems[0].reason == "a cell is too long");
  CHECK(report.problems[1].line == 4);
}

TEST_CASE_METHOD(CatalogFixture, "a megabyte of UTF-16 comes through in chunks, every character whole") {
  put("X");
  std::string text = "\xff\xfe";
  const auto add = [&](std::u16string_view part) {
    for (const char16_t unit : part) {
      text += static_cast<char>(unit & 0xff);
      text += static_cast<char>(unit >> 8);
    }
  };
  add(u"time;note\n");
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    std::string row = fmt::format("2022-01-01 {:02}:{:02}:{:02};", i / 3600, i / 60 % 60, i % 60);
    add(std::u16string(row.begin(), row.end()));
    add(i % 2 == 0 ? u"λ 😀 °\n" : u"a😀\n");
  }
  CHECK(import(text).encoding == "utf-16le");
  const auto all = rows();
  REQUIRE(all.size() == count);
  for (int i = 0; i < count; ++i)
    REQUIRE(all[static_cast<std::size_t>(i)].ends_with(i % 2 == 0 ? "{note:\"λ 😀 °\"}" : "{note:\"a😀\"}"));
}

TEST_CASE_METHOD(CatalogFixture, "an import that is stopped or dies in the midst leaves nothing") {
  put("X");
  std::string text = "time,a\n";
  for (int i = 0; i < 900'000; ++i) text += "2022-01-01 00:00:01.000001,123456\n";  // more than one batch
  const std::string path = folder.write("big.csv", text);
  std::uint64_t calls = 0;
  const auto stopped = catalog->import_csv("X", path, [&](std::uint64_t done, std::uint64_t total) {
    if (++calls % 64 == 0) CHECK(catalog->find("X").has_value());
    return done < total / 10 * 9;
  });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().kind == ErrorKind::unavailable);
  CHECK(catalog->files().empty());
  CHECK(rows().empty());
  std::thread other;
  const auto orphan = catalog->import_csv("X", path, [&](std::uint64_t done, std::uint64_t total) {
    if (done > total / 2 && !other.joinable()) other = std::thread([&] { CHECK(catalog->remove("X").ok()); });
    return true;
  });
  other.join();
  REQUIRE_FALSE(orphan.ok());
  CHECK(orphan.error().message.find("the prototype was removed while its file was loaded") != std::string::npos);
  CHECK(catalog->files().empty());
  put("X");
  CHECK(import("time,a\n2022-01-01 00:00:01,1\n").rows == 1);
}

TEST_CASE_METHOD(CatalogFixture, "rows that a dead process left are removed by the next import") {
  put("X");
  import("time,a\n2022-01-01 00:00:01,1\n");
  catalog.reset();
  {
    auto database = sqlite::Database::open(folder.path() + "/data/catalog.db", sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database
                ->execute("INSERT INTO rows_1(file_id, line, time_us) VALUES(99, 2, 0), (99, 3, 0);"
                          "INSERT INTO loads(file_id, prototype_id, first_row) VALUES(99, 1, 2)")
                .ok());
  }
  reopen();
  CHECK(rows().size() == 1);
  import("time,a\n2022-01-02 00:00:01,2\n", "b.csv");
  CHECK(rows() == std::vector<std::string>{"2022-01-01 00:00:01.000000 {a:1}", "2022-01-02 00:00:01.000000 {a:2}"});
  auto database = sqlite::Database::open(folder.path() + "/data/catalog.db", sqlite::OpenMode::read_only);
  REQUIRE(database.ok());
  auto count = database->prepare("SELECT count(*), (SELECT count(*) FROM loads) FROM rows_1");
  REQUIRE(count.ok());
  REQUIRE(*count->step());
  CHECK(count->integer(0) == 2);
  CHECK(count->integer(1) == 0);
}

TEST_CASE_METHOD(CatalogFixture, "choices stand in for what would be found") {
  put("X");
  const std::string path = folder.write("a.csv",
                                        "made,at,code,on,a\n2020-01-01 00:00:00,3/4/2022 00:00:01,7,1,1;5\n"
                                        "2020-01-02 00:00:00,3/4/2022 00:00:02,8,0,2;5\n");
  CsvChoices choices;
  choices.time_column = "at";
  choices.date_order = "month";
  choices.columns = {{"code", "", "text", "€"}, {"made", "", "skip", {}}, {"a", "speed", "", "km/h"}};
  const auto preview = preview_csv(path, choices, {});
  REQUIRE(preview.ok());
  CHECK(preview->time_candidates == std::vector<std::string>{"made", "at"});
  const auto report = catalog->import_csv("X", path, {}, choices);
  REQUIRE(report.ok());
  CHECK(rows() == std::vector<std::string>{"2022-03-04 00:00:01.000000 {code:\"7\",on:1,speed:\"1;5\"}",
                                           "2022-03-04 00:00:02.000000 {code:\"8\",on:0,speed:\"2;5\"}"});
  CHECK(schemas.current("1")->field(*schemas.current("1")->find("speed")).unit == "km/h");
  CHECK(catalog->import_csv("X", path, {}, choices)->unchanged);
  choices.time_column = "";
  CHECK(catalog->import_csv("X", path, {}, choices)->replaced);
  CHECK(rows()[0].starts_with("1970-01-01 00:00:00.000000 {at:\"3/4/2022 00:00:01\""));
  choices.time_column = "none";
  CHECK(catalog->import_csv("X", path, {}, choices).error().kind == ErrorKind::unprocessable);
  choices.time_column.reset();
  choices.columns = {{"code", "on", "", {}}};
  CHECK(catalog->import_csv("X", path, {}, choices).error().message == "two columns are called 'on'");
  choices.columns = {{"code", "", "colour", {}}};
  CHECK(catalog->import_csv("X", path, {}, choices).error().kind == ErrorKind::unprocessable);
  CsvChoices separator;
  separator.separator = ';';
  CHECK(preview_csv(path, separator, {})->columns.size() == 2);
}
