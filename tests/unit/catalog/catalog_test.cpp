#include <catch2/catch.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

TEST_CASE_METHOD(CatalogFixture, "a file's rows come back in time order, each value with its kind") {
  put("X");
  const ImportReport report = import(
      "dateHour;gpsSpeed;count;on;name;big\n"
      "2018-01-19 05:37:0.612611;8.620000000000001;94;true;idle;18446744073709551616\n"
      "2018-01-19 05:37:0.712611;1.0;-;false;;1\n");
  CHECK(report.rows == 2);
  CHECK(report.rejected == 0);
  CHECK(report.columns == 6);
  CHECK(report.separator == ';');
  CHECK(report.time_column == "dateHour");
  CHECK(report.first_time == parse_timestamp("2018-01-19T05:37:00.612611Z"));
  CHECK(report.last_time == parse_timestamp("2018-01-19T05:37:00.712611Z"));
  CHECK(rows() ==
        std::vector<std::string>{"2018-01-19 05:37:00.612611 "
                                 "{gpsSpeed:8.620000000000001,count:94,on:true,name:\"idle\",big:decimal 18446744073709551616}",
                                 "2018-01-19 05:37:00.712611 {gpsSpeed:1.0,on:false,big:1}"});
  const model::SchemaPtr schema = schemas.current("1");
  REQUIRE(schema);
  REQUIRE(schema->fields().size() == 5);
  CHECK(schema->field(*schema->find("gpsSpeed")).type == model::FieldType::real);
  CHECK(schema->field(*schema->find("count")).type == model::FieldType::integer);
  CHECK(schema->field(*schema->find("on")).type == model::FieldType::boolean);
  CHECK(schema->field(*schema->find("big")).type == model::FieldType::real);
  CHECK_FALSE(schema->find("dateHour").has_value());
}

TEST_CASE_METHOD(CatalogFixture, "numbers at the edges are stored exactly") {
  put("X");
  import(
      "t,a\n0,9223372036854775807\n1,-9223372036854775808\n2,9007199254740993\n3,-0.0\n4,5e-324\n5,1.0\n6,0."
      "10000000000000000555\n7,1e400\n");
  const std::vector<std::string> expected = {"9223372036854775807",
                                             "-9223372036854775808",
                                             "9007199254740993",
                                             "-0.0",
                                             "5e-324",
                                             "1.0",
                                             "decimal 0.10000000000000000555",
                                             "decimal 1e400"};
  const auto all = rows();
  REQUIRE(all.size() == expected.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(all[i] == fmt::format("1970-01-01 00:00:0{}.000000 {{t:{},a:{}}}", i, i, expected[i]));
}

TEST_CASE_METHOD(CatalogFixture, "a column is read as what all its values are") {
  put("X");
  import(
      "time,zeros,stray,words,flags,comma\n"
      "2020-01-01 00:00:01,007,1,a,TRUE,\"1,5\"\n"
      "2020-01-01 00:00:02,12,2.5,1,False,2\n"
      "2020-01-01 00:00:03,1,ERR,2,,3\n"
      "2020-01-01 00:00:04,1,4,3,,3\n2020-01-01 00:00:05,1,5,3,,3\n2020-01-01 00:00:06,1,6,3,,3\n2020-01-01 00:00:07,1,7,3,,3\n"
      "2020-01-01 00:00:08,1,8,x,,3\n2020-01-01 00:00:09,1,9,3,,3\n2020-01-01 00:00:10,1,10,3,,3\n");
  const auto all = rows();
  REQUIRE(all.size() == 10);
  CHECK(all[0] == "2020-01-01 00:00:01.000000 {zeros:\"007\",stray:1,words:\"a\",flags:true,comma:\"1,5\"}");
  CHECK(all[1] == "2020-01-01 00:00:02.000000 {zeros:\"12\",stray:2.5,words:\"1\",flags:false,comma:2}");
  CHECK(all[2] == "2020-01-01 00:00:03.000000 {zeros:\"1\",stray:\"ERR\",words:\"2\",comma:3}");
  CHECK(schemas.current("1")->field(*schemas.current("1")->find("stray")).type == model::FieldType::text);
}

TEST_CASE_METHOD(CatalogFixture, "a decimal comma is a decimal point where every value of the column says so") {
  put("X");
  import("time;a;b\n2020-01-01 00:00:01;1,5;1,5\n2020-01-01 00:00:02;-2;x\n2020-01-01 00:00:03;1234,25;1\n");
  CHECK(rows() == std::vector<std::string>{"2020-01-01 00:00:01.000000 {a:1.5,b:\"1,5\"}",
                                           "2020-01-01 00:00:02.000000 {a:-2,b:\"x\"}",
                                           "2020-01-01 00:00:03.000000 {a:1234.25,b:\"1\"}"});
}

TEST_CASE_METHOD(CatalogFixture, "numbers as loggers write them") {
  put("X");
  import(
      "time,a\n2020-01-01 00:00:01,+5\n2020-01-01 00:00:02,.5\n2020-01-01 00:00:03,5.\n2020-01-01 00:00:04,-.25\n2020-01-01 "
      "00:00:05,1E+02\n");
  CHECK(rows() == std::vector<std::string>{"2020-01-01 00:00:01.000000 {a:5}", "2020-01-01 00:00:02.000000 {a:0.5}",
                                           "2020-01-01 00:00:03.000000 {a:5.0}", "2020-01-01 00:00:04.000000 {a:-0.25}",
                                           "2020-01-01 00:00:05.000000 {a:100.0}"});
}

TEST_CASE_METHOD(CatalogFixture, "every way of saying that there is no value is no value") {
  put("X");
  const ImportReport report = import(
      "time,a,b\n2020-01-01 00:00:01,,1\n2020-01-01 00:00:02,-,1\n2020-01-01 00:00:03,NaN,1\n2020-01-01 00:00:04,null,1\n"
      "2020-01-01 00:00:05,N/A,1\n2020-01-01 00:00:06,∞,1\n2020-01-01 00:00:07,-∞,1\n2020-01-01 00:00:08,\"\",1\n2020-01-01 "
      "00:00:09,NULL,1\n");
  CHECK(report.rows == 9);
  CHECK(report.columns_empty == 1);
  for (const std::string& row : rows()) CHECK(row.ends_with(" {b:1}"));
  CHECK_FALSE(schemas.current("1")->find("a").has_value());
}

TEST_CASE_METHOD(CatalogFixture, "rows that cannot be taken are counted and listed with line and reason; the rest is loaded") {
  put("X");
  const ImportReport report = import(
      "time,a,b\n"
      "2020-01-01 00:00:01,1,2\n"
      "-,1,2\n"
      "yesterday,1,2\n"
      "2020-01-01 00:00:04,1,2,\n"
      "2020-01-01 00:00:05,1,2,3\n"
      "2020-01-01 00:00:06,1\n"
      "time,a,b\n"
      ",,\n"
      "2020-01-01 00:00:09,\"1,2\n"
      "2020-01-01 00:00:10,1,2\n2020-01-01 00:00:11,1,2\n2020-01-01 00:00:12,1,2\n" +
      [] {
        std::string more;
        for (int i = 13; i < 60; ++i) more += fmt::format("2020-01-01 00:00:{:02},1,2\n", i);
        return more;
      }() +
      "2020-01-01 00:01:00,1");
  CHECK(report.rows == 53);
  REQUIRE(report.problems.size() == 6);
  CHECK(report.rejected == 6);
  CHECK((report.problems[0].line == 3 && report.problems[0].reason == "no time: 'time' is empty or '-'"));
  CHECK((report.problems[1].line == 4 && report.problems[1].reason == "the time in 'time' cannot be read: 'yesterday'"));
  CHECK((report.problems[2].line == 6 && report.problems[2].reason == "4 cells, the header has 3"));
  CHECK((report.problems[3].line == 9 && report.problems[3].reason == "no value in any cell"));
  CHECK((report.problems[4].line == 10 && report.problems[4].reason == "a quote is opened and never closed"));
  CHECK((report.problems[5].line == 61 && report.problems[5].reason == "cut short: 2 of 3 cells"));
  CHECK(rows().size() == 53);
}

TEST_CASE_METHOD(CatalogFixture, "only the first hundred problems are listed") {
  put("X");
  std::string text = "time,a\n";
  for (int i = 0; i < 5000; ++i) text += fmt::format("2020-01-01 00:{:02}:{:02},1\n", i / 60 % 60, i % 60);
  for (int i = 0; i < 150; ++i) text += "never,1\n";
  const ImportReport report = import(text);
  CHECK(report.rows == 5000);
  CHECK(report.rejected == 150);
  CHECK(report.problems.size() == 100);
}

TEST_CASE_METHOD(CatalogFixture, "names: blanks go, doubles are numbered, empty ones are named") {
  put("X");
  import("time, Speed (km/h) ,a,A,a,,\"x\"\"y\",rowid,file_id\n2020-01-01 00:00:01,1,2,3,4,5,6,7,8\n");
  CHECK(rows() == std::vector<std::string>{
                      "2020-01-01 00:00:01.000000 {Speed (km/h):1,a:2,A:3,a #2:4,column_6:5,x\"y:6,rowid:7,file_id:8}"});
}

TEST_CASE_METHOD(CatalogFixture, "a byte order mark, CRLF and Latin-1 are understood") {
  put("X");
  CHECK(import("\xef\xbb\xbftime,a\r\n2020-01-01 00:00:01,1\r\n", "bom.csv").time_column == "time");
  const ImportReport latin = import(
      "time,Temp(\xb0"
      "C),note\n2020-01-01 00:00:02,5,caf\xe9 \x80\n",
      "latin.csv");
  CHECK(latin.encoding == "windows-1252");
  const ImportReport damaged = import("time,Temp(°C),note\n2020-01-01 00:00:03,5,a\xff°\n", "damaged.csv");
  CHECK(damaged.encoding == "utf-8 with invalid bytes");
  CHECK(rows() == std::vector<std::string>{"2020-01-01 00:00:01.000000 {a:1}",
                                           "2020-01-01 00:00:02.000000 {Temp(°C):5,note:\"café €\"}",
                                           "2020-01-01 00:00:03.000000 {Temp(°C):5,note:\"a\xef\xbf\xbd°\"}"});
}

TEST_CASE_METHOD(CatalogFixture, "a file that is no CSV with a header is one clear error, and nothing of it stays") {
  put("X");
  CHECK(import_error("").kind == ErrorKind::invalid);
  CHECK(import_error("# a comment\n# and another\n").kind == ErrorKind::invalid);
  CHECK(import_error(std::string("a\0b,c\n1,2\n", 10)).kind == ErrorKind::invalid);
  CHECK(import_error(std::string("\xff\xfe\0\0a\0\0\0", 8)).message.find("UTF-32") != std::string::npos);
  std::string wide = "c0";
  for (int i = 1; i < 100'000; ++i) wide += fmt::format(",c{}", i);
  CHECK(import_error(wide + "\n").kind == ErrorKind::invalid);
  CHECK(catalog->import_csv("X", folder.path() + "/none.csv", {}).error().kind == ErrorKind::not_found);
  CHECK(catalog->import_csv("X", folder.path(), {}).error().kind == ErrorKind::io);
  CHECK(catalog->import_csv("Y", folder.path() + "/bad.csv", {}).error().kind == ErrorKind::not_found);
  CHECK(catalog->files().empty());
  CHECK(rows().empty());
}

TEST_CASE_METHOD(CatalogFixture, "a header alone is a file without rows") {
  put("X");
  const ImportReport report = import("time,a\n");
  CHECK(report.rows == 0);
  CHECK(report.columns == 2);
  CHECK(report.columns_empty == 2);
  CHECK(rows().empty());
}

TEST_CASE_METHOD(CatalogFixture, "the same content twice changes nothing and says so, under any name") {
  put("X");
  const std::string content = "time,a\n2020-01-01 00:00:01,1\nnever,2\n" + [] {
    std::string more;
    for (int i = 2; i < 40; ++i) more += fmt::format("2020-01-01 00:00:{:02},1\n", i);
    return more;
  }();
  const std::string path = folder.write("a.csv", content);
  CHECK_FALSE(catalog->imported_unchanged("X", path));
  CHECK_FALSE(import_path(path).unchanged);
  CHECK(catalog->imported_unchanged("X", path));
  const ImportReport again = import_path(path);
  CHECK(again.unchanged);
  CHECK(again.rows == 39);
  CHECK(again.rejected == 1);
  CHECK(again.time_column == "time");
  CHECK(import(content, "copy.csv").unchanged);
  CHECK(catalog->imported_unchanged("X", folder.path() + "/copy.csv"));
  CHECK(rows().size() == 39);
  CHECK(catalog->files().size() == 1);
  put("Y", "2");
  CHECK_FALSE(import(content, "y.csv", "Y").unchanged);
  reopen();
  CHECK(catalog->imported_unchanged("X", path));
  CHECK(rows().size() == 39);
}

TEST_CASE_METHOD(CatalogFixture, "a file that was changed replaces its former rows, and a copy keeps them") {
  put("X");
  import("time,a\n2020-01-01 00:00:01,1\n2020-01-01 00:00:02,1\n", "a.csv");
  import("time,a\n2020-01-02 00:00:01,7\n", "b.csv");
  const ImportReport changed = import("time,a\n2020-01-01 00:00:01,1\n2020-01-01 00:00:02,1\n2020-01-01 00:00:03,1\n", "a.csv");
  CHECK(changed.replaced);
  CHECK(rows().size() == 4);
  CHECK(catalog->files().size() == 2);
  import("time,a\n2020-01-02 00:00:01,7\n", "c.csv");  // a copy of b.csv
  CHECK_FALSE(import("time,a\n2020-01-02 00:00:01,8\n", "b.csv").replaced);
  CHECK(rows().size() == 5);
}

TEST_CASE_METHOD(CatalogFixture, "rows out of order are replayed in order; equal times in the order of the file") {
  put("X");
  import("time,a\n2020-01-01 00:00:03,1\n2020-01-01 00:00:01,2\n2020-01-01 00:00:03,3\n2020-01-01 00:00:02,4\n", "later.csv");
  import("time,a\n2019-01-01 00:00:00,5\n", "earlier.csv");
  CHECK(rows() == std::vector<std::string>{"2019-01-01 00:00:00.000000 {a:5}", "2020-01-01 00:00:01.000000 {a:2}",
                                           "2020-01-01 00:00:02.000000 {a:4}", "2020-01-01 00:00:03.000000 {a:1}",
                                           "2020-01-01 00:00:03.000000 {a:3}"});
}

TEST_CASE_METHOD(CatalogFixture, "files with other columns and other types of one column stand side by side") {
  put("X");
  import("time,a,b\n2020-01-01 00:00:01,1,x\n", "1.csv");
  import("time,c,b\n2020-01-01 00:00:02,true,5\n", "2.csv");
  import("time,B,a\n2020-01-01 00:00:03,2.5,no\n", "3.csv");
  CHECK(rows() == std::vector<std::string>{"2020-01-01 00:00:01.000000 {a:1,b:\"x\"}",
                                           "2020-01-01 00:00:02.000000 {c:true,b:5}",
                                           "2020-01-01 00:00:03.000000 {B:2.5,a:\"no\"}"});
  CHECK(schemas.current("1")->version() == SchemaVersion(4));  // one of the prototype, one of each file
}

TEST_CASE_METHOD(CatalogFixture, "among columns of times the one that is fullest and moves most is the time") {
  put("X");
  CHECK(import("GPS Time,Device Time,a\n-,23-Feb-2022 06:34:27.403,1\n"
               "Wed Feb 23 06:37:18 GMT+08:00 2022,23-Feb-2022 06:34:28.373,2\nWed Feb 23 06:37:18 GMT+08:00 2022,23-Feb-2022 "
               "06:34:29.375,3\n")
            .time_column == "Device Time");
  CHECK(rows()[1] == "2022-02-23 06:34:28.373000 {GPS Time:\"Wed Feb 23 06:37:18 GMT+08:00 2022\",a:2}");
  CHECK(import(
            "made,at,a\n2020-01-01,2022-02-23 06:34:27,1\n2020-01-01,2022-02-23 06:34:28,2\n2020-01-01,2022-02-23 06:34:29,2\n",
            "b.csv")
            .time_column == "at");
  CHECK(import("ts,a\n1645598067403,1\n1645598067503,2\n", "c.csv").first_time == Timestamp{1'645'598'067'403'000});
  CHECK(import("timestamp,a\n1645598067.25,1\n1645598067.5,2\n", "d.csv").first_time == Timestamp{1'645'598'067'250'000});
  // Whole numbers of a plain name are no epoch.
  CHECK(import("serial,a\n1645598067,1\n1645598068,2\n", "e.csv").time_column.empty());
}

TEST_CASE_METHOD(CatalogFixture, "without a time a column of elapsed seconds gives the pace, and stays a field") {
  put("X");
  const ImportReport report = import("ENGINE_RUN_TINE (),TIME_RUN_WITH_MIL_ON (),a\n10.5, 0, 1,\n10.5, 0, 2,\n12.25, 0, 3,\n");
  CHECK(report.time_column.empty());
  CHECK(report.pace_column == "ENGINE_RUN_TINE ()");
  CHECK_FALSE(report.first_time.has_value());
  CHECK(rows() ==
        std::vector<std::string>{"1970-01-01 00:00:00.000000 {ENGINE_RUN_TINE ():10.5,TIME_RUN_WITH_MIL_ON ():0,a:1}",
                                 "1970-01-01 00:00:00.000000 {ENGINE_RUN_TINE ():10.5,TIME_RUN_WITH_MIL_ON ():0,a:2}",
                                 "1970-01-01 00:00:01.750000 {ENGINE_RUN_TINE ():12.25,TIME_RUN_WITH_MIL_ON ():0,a:3}"});
}

TEST_CASE_METHOD(CatalogFixture, "the unit of the elapsed time is that of its name") {
  put("X");
  import("elapsed(ms),a\n0,1\n250,2\n");
  CHECK(rows()[1].starts_with("1970-01-01 00:00:00.250000 "));
}

TEST_CASE_METHOD(CatalogFixture, "without any time rows are a second apart") {
  put("X");
  const ImportReport report = import("a,b\n1,x\n5,y\n3,z\n");
  CHECK((report.time_column.empty() && report.pace_column.empty()));
  CHECK(rows() == std::vector<std::string>{"1970-01-01 00:00:00.000000 {a:1,b:\"x\"}",
                                           "1970-01-01 00:00:01.000000 {a:5,b:\"y\"}",
                                           "1970-01-01 00:00:02.000000 {a:3,b:\"z\"}"});
}

TEST_CASE_METHOD(CatalogFixture, "separators are found in header and rows, outside quotes") {
  put("X");
  CHECK(import("time;a;b\n2020-01-01 00:00:01;1,5;\"x,y,z\"\n", "1.csv").separator == ';');
  CHECK(import("time\ta, b\n2020-01-01 00:00:01\t1\n", "2.csv").separator == '\t');
  CHECK(import("time|a\n2020-01-01 00:00:01|1\n", "3.csv").separator == '|');
  CHECK(import("time,\"a;b;c;d\"\n2020-01-01 00:00:01,1\n", "4.csv").separator == ',');
  CHECK(import("alone\n1\n", "5.csv").separator == ',');
}

TEST_CASE_METHOD(CatalogFixture, "looking things up does not wait for an import") {
  put("X");
  const auto report =
      catalog->import_csv("X", folder.write("a.csv", "time,a\n2020-01-01 00:00:01,1\n"), [&](std::uint64_t, std::uint64_t) {
        CHECK(catalog->find("X").has_value());
        CHECK(catalog->files().empty());  // nothing of it is seen before all of it is there
        CHECK(catalog->rows("X").ok());
        return true;
      });
  CHECK(report.ok());
  CHECK(catalog->files().size() == 1);
}

TEST_CASE_METHOD(CatalogFixture, "a prototype that goes to another dataset enriches only that one") {
  put("X", "1");
  put("X", "2");
  CHECK(schemas.facts(schemas.facts_for("1", "X"))->empty());
  CHECK_FALSE(schemas.facts(schemas.facts_for("2", "X"))->empty());
}

TEST_CASE_METHOD(CatalogFixture, "progress ends at the end") {
  put("X");
  std::string text = "time,a\n";
  for (int i = 0; i < 60000; ++i) text += "2020-01-01 00:00:01,1\n";
  std::uint64_t last = 0;
  bool falls = false;
  const auto report = catalog->import_csv("X", folder.write("a.csv", text), [&](std::uint64_t done, std::uint64_t total) {
    falls = falls || done < last || total != text.size();
    last = done;
    return true;
  });
  REQUIRE(report.ok());
  CHECK_FALSE(falls);
  CHECK(last == text.size());
}

TEST_CASE_METHOD(CatalogFixture, "a cursor reads many rows, rewinds, and sees new rows only after that") {
  put("X");
  std::string text = "time,a,s\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("2020-01-01 00:{:02}:{:02},{},text {}\n", i / 60, i % 60, i, i);
  import(text);
  auto cursor = catalog->rows("X");
  REQUIRE(cursor.ok());
  CHECK((*cursor)->row_count() == 3000);
  RowCursor::Row row;
  REQUIRE(*(*cursor)->next(row));
  CHECK(row.cells[1].value.text == "text 0");
  import("time,z\n2021-01-01 00:00:00,1\n", "b.csv");
  CHECK(rest(**cursor).size() == 2999);
  CHECK_FALSE(*(*cursor)->next(row));
  (*cursor)->rewind();
  CHECK((*cursor)->row_count() == 3001);
  CHECK((*cursor)->columns() == std::vector<std::string>{"a", "s", "z"});
  const auto all = rest(**cursor);
  REQUIRE(all.size() == 3001);
  CHECK(all[2999] == "2020-01-01 00:49:59.000000 {a:2999,s:\"text 2999\"}");
  CHECK(all[3000] == "2021-01-01 00:00:00.000000 {z:1}");
}

TEST_CASE_METHOD(CatalogFixture, "a cursor over a prototype that is removed meanwhile ends with an error, not with a crash") {
  put("X");
  import("time,a\n2020-01-01 00:00:01,1\n");
  auto cursor = catalog->rows("X");
  REQUIRE(cursor.ok());
  REQUIRE(catalog->remove("X").ok());
  RowCursor::Row row;
  CHECK_FALSE((*cursor)->next(row).ok());
  (*cursor)->rewind();
  const auto after = (*cursor)->next(row);
  CHECK((after.ok() && !*after));
  CHECK(catalog->rows("X").error().kind == ErrorKind::not_found);
  CHECK(catalog->remove("X").error().kind == ErrorKind::not_found);
  CHECK(catalog->files().empty());
}

TEST_CASE_METHOD(CatalogFixture, "prototypes are kept, changed and enrich their dataset") {
  put("X46789");
  CHECK(catalog->prototypes().size() == 1);
  Prototype changed = *catalog->find("X46789");
  changed.label = "Deluxe \"GTX\"";
  REQUIRE(catalog->put(changed).ok());
  reopen();
  CHECK(catalog->find("X46789")->label == "Deluxe \"GTX\"");
  CHECK_FALSE(catalog->find("x46789").has_value());
  const auto facts = schemas.facts(schemas.facts_for("1", "X46789"));
  CHECK(*facts == Facts{{"code_model", "\"1\""},
                        {"codep", "\"X46789\""},
                        {"libelle", R"("Deluxe \"GTX\"")"},
                        {"marque", "\"citronnault\""},
                        {"version", "\"1\""}});
  REQUIRE(catalog->remove("X46789").ok());
  CHECK(schemas.facts(schemas.facts_for("1", "X46789"))->empty());
}

TEST_CASE_METHOD(CatalogFixture, "a prototype that cannot be is refused and leaves nothing") {
  const auto kind = [&](const Prototype& prototype) { return catalog->put(prototype).error().kind; };
  CHECK(kind({"", "", "", "", "1", ""}) == ErrorKind::invalid);
  CHECK(kind({"X", "", "", "", "", ""}) == ErrorKind::invalid);
  CHECK(kind({"X", "\xff", "", "", "1", ""}) == ErrorKind::invalid);
  CHECK(kind({std::string(201, 'x'), "", "", "", "1", ""}) == ErrorKind::invalid);
  CHECK(kind({"X", "", "", "", "1", "<resultset>"}) == ErrorKind::invalid);
  CHECK(catalog->prototypes().empty());
  CHECK(schemas.all().empty());
}

TEST_CASE_METHOD(CatalogFixture, "a model's fields are declared, its times are not, and data that does not fit widens them") {
  put("X", "1",
      R"(<resultset><row><field name="Field">dateHour</field><field name="Type">datetime(6)</field></row>)"
      R"(<row><field name="Field">Gear</field><field name="Type">int(11)</field></row>)"
      R"(<row><field name="Field">code</field><field name="Type">varchar(10)</field><field name="Null">NO</field><field name="Default">X46789</field></row></resultset>)");
  REQUIRE(schemas.current("1")->fields().size() == 2);
  CHECK(import("dateHour;Gear\n2020-01-01 00:00:01;1.5\n2020-01-01 00:00:02;neutral\n").rejected == 0);
  CHECK(schemas.current("1")->field(FieldId(0)).type == model::FieldType::text);
  CHECK(schemas.versions("1").size() == 2);
}

TEST_CASE_METHOD(CatalogFixture, "a schema that cannot be kept stops the import before anything is stored") {
  put("X");
  schemas.set_persist([](std::string_view, std::string_view) { return Status(Error{ErrorKind::disk_full, "no space"}); });
  CHECK(import_error("time,a\n2020-01-01 00:00:01,1\n").kind == ErrorKind::disk_full);
  CHECK(catalog->files().empty());
}

TEST_CASE_METHOD(CatalogFixture, "documents are kept by kind and name") {
  CHECK_FALSE(catalog->document("dashboard", "a").has_value());
  REQUIRE(catalog->put_document("dashboard", "a", "{}").ok());
  REQUIRE(catalog->put_document("dashboard", "a", "{\"x\":1}").ok());
  REQUIRE(catalog->put_document("simulation", "a", "[]").ok());
  reopen();
  CHECK(catalog->document("dashboard", "a") == "{\"x\":1}");
  CHECK(catalog->document("simulation", "a") == "[]");
}

TEST_CASE_METHOD(CatalogFixture, "a catalog of a newer format is refused") {
  catalog.reset();
  {
    auto database = sqlite::Database::open(folder.path() + "/data/catalog.db", sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database->execute("PRAGMA user_version = 99").ok());
  }
  const auto opened = Catalog::open(folder.path() + "/data", schemas, clock, metrics);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == ErrorKind::unsupported);
}

TEST_CASE("a file that is no database is corrupt, not a crash") {
  const Folder folder;
  folder.write("catalog.db", std::string(8192, 'x'));
  Schemas schemas;
  metrics::Table metrics;
  const auto opened = Catalog::open(folder.path(), schemas, os::system_clock(), metrics);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == ErrorKind::corrupt);
}
