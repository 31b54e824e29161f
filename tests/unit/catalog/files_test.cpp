// Imported files as data sets of their own.
#include <cmath>

#include <catch2/catch.hpp>

#include <iotstream/catalog/files.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

struct Walked {
  std::vector<std::string> rows;
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> lines;
};

Walked walk(FileRows& file, const FileQuery& query = {}, std::size_t most = 1'000'000) {
  Walked walked;
  const auto done = file.walk(query, [&](const FileRow& row) {
    std::string text;
    for (const auto& [field, value] : *row.values) {
      text += (text.empty() ? "" : ",") + file.schema()->field(field).name + "=";
      model::append_json(text, value);
    }
    walked.rows.push_back(text);
    walked.numbers.push_back(row.number);
    walked.lines.push_back(row.line);
    return walked.rows.size() < most;
  });
  REQUIRE(done);
  return walked;
}

}  // namespace

TEST_CASE("each imported file is a data set with its recorded times") {
  CatalogFixture fixture;
  REQUIRE(fixture.catalog->put({"PUMP", "", "", "", "pumps", ""}));
  // Rows out of order, two columns that share a name but for capitals, a decimal that no double holds, a row that cannot be
  // read.
  const std::string first =
      fixture.folder.write("first.csv",
                           "time,a,A,Speed (km/h),word,flag\n2020-01-01T00:00:02Z,2,20,2.5,two,true\n"
                           "2020-01-01T00:00:01Z,1,10,0.10000000000000000055,\"o\"\"ne\",false\nnever,1,1,1,x,true\n"
                           "2020-01-01T00:00:03Z,3,,3.5,,true\n");
  const std::string second = fixture.folder.write("second.csv", "time,b\n2021-01-01T00:00:00Z,7\n2021-01-01T00:01:00Z,8\n");
  REQUIRE(fixture.catalog->import_csv("PUMP", first, {}));
  REQUIRE(fixture.catalog->import_csv("PUMP", second, {}));

  const auto files = list_files(fixture.directory()).value();
  REQUIRE(files.size() == 2);
  CHECK(files[0].name == "first.csv");
  CHECK(files[0].prototype == "PUMP");
  CHECK(files[0].dataset == "pumps");
  CHECK(files[0].rows == 3);
  CHECK(files[0].rejected == 1);
  CHECK(files[0].columns == 5);
  CHECK(files[0].time_column == "time");
  CHECK(files[0].first_time == parse_timestamp("2020-01-01T00:00:01Z"));
  CHECK(files[1].last_time == parse_timestamp("2021-01-01T00:01:00Z"));

  auto file = open_file(fixture.directory(), files[0].id, fixture.schemas).value();
  CHECK(file->schema()->dataset() == "file:" + std::to_string(files[0].id));
  REQUIRE(file->schema()->fields().size() == 5);
  const auto speed = file->schema()->find("Speed (km/h)");
  REQUIRE(speed);
  CHECK(file->schema()->field(*speed).unit == "km/h");
  const Walked all = walk(*file);
  CHECK(all.rows == std::vector<std::string>{"a=1,A=10,Speed (km/h)=0.10000000000000000055,word=\"o\\\"ne\",flag=false",
                                             "a=2,A=20,Speed (km/h)=2.5,word=\"two\",flag=true",
                                             "a=3,Speed (km/h)=3.5,flag=true"});
  CHECK(all.numbers == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(all.lines == std::vector<std::uint64_t>{3, 2, 5});

  auto other = open_file(fixture.directory(), files[1].id, fixture.schemas).value();
  CHECK(walk(*other).rows == std::vector<std::string>{"b=7", "b=8"});
}

TEST_CASE("a file is walked from where one likes, in both directions") {
  CatalogFixture fixture;
  REQUIRE(fixture.catalog->put({"PUMP", "", "", "", "pumps", ""}));
  std::string csv = "time,n\n";
  // Every time twice, so that ranges end between equal times.
  for (int i = 0; i < 500; ++i)
    csv += format_rfc3339(Timestamp{1'600'000'000'000'000 + i / 2 * 1'000'000}) + "," + std::to_string(i) + "\n";
  REQUIRE(fixture.catalog->import_csv(
      "PUMP", fixture.folder.write("other.csv", "time,n\n1999-01-01T00:00:00Z,0\n2050-01-01T00:00:00Z,1\n"), {}));
  REQUIRE(fixture.catalog->import_csv("PUMP", fixture.folder.write("n.csv", csv), {}));
  auto file = open_file(fixture.directory(), 2, fixture.schemas).value();
  REQUIRE(walk(*file).rows.size() == 500);
  const auto at = [](std::int64_t second) { return Timestamp{1'600'000'000'000'000 + second * 1'000'000}; };
  for (const std::int64_t from : {-5, 0, 1, 17, 248, 249, 250, 400}) {
    for (const std::int64_t to : {-5, 0, 1, 100, 249, 250, 400}) {
      FileQuery query;
      query.from = at(from);
      query.to = at(to);
      std::vector<std::uint64_t> expected;
      for (std::int64_t i = 0; i < 500; ++i)
        if (i / 2 >= from && i / 2 < to) expected.push_back(static_cast<std::uint64_t>(i));
      CHECK(walk(*file, query).numbers == expected);
      query.backwards = true;
      std::reverse(expected.begin(), expected.end());
      CHECK(walk(*file, query).numbers == expected);
    }
  }
  FileQuery query;
  query.after = 10;
  CHECK(walk(*file, query, 2).numbers == std::vector<std::uint64_t>{11, 12});
  query.backwards = true;
  CHECK(walk(*file, query, 2).numbers == std::vector<std::uint64_t>{9, 8});
  query.after = 0;
  CHECK(walk(*file, query).numbers.empty());
  query.after = UINT64_MAX;
  CHECK(walk(*file, query, 1).numbers == std::vector<std::uint64_t>{499});
}

TEST_CASE("fields beyond SQLite's columns are read, and only those asked for") {
  CatalogFixture fixture;
  REQUIRE(fixture.catalog->put({"WIDE", "", "", "", "wide", ""}));
  std::string csv = "time";
  for (int i = 0; i < 2'100; ++i) csv += ",f" + std::to_string(i);
  csv += "\n2020-01-01T00:00:00Z";
  for (int i = 0; i < 2'100; ++i) csv += i == 2'050 ? ",text" : "," + std::to_string(i);
  REQUIRE(fixture.catalog->import_csv("WIDE", fixture.folder.write("wide.csv", csv + "\n"), {}));
  auto file = open_file(fixture.directory(), 1, fixture.schemas).value();
  REQUIRE(file->schema()->fields().size() == 2'100);
  FileQuery query;
  query.fields = {FieldId(2'099), FieldId(3), FieldId(2'050)};
  CHECK(walk(*file, query).rows == std::vector<std::string>{"f3=3,f2050=\"text\",f2099=2099"});
}

TEST_CASE("what is no file is not found") {
  CatalogFixture fixture;
  CHECK(open_file(fixture.directory(), 7, fixture.schemas).error().kind == ErrorKind::not_found);
  CHECK(file_id_of("file:12") == 12);
  for (const std::string name : {"file:", "file:x", "file:1x", "file:-1", "pumps", "file:99999999999999999999"})
    CHECK_FALSE(file_id_of(name));
  REQUIRE(fixture.catalog->put({"PUMP", "", "", "", "pumps", ""}));
  const std::string path = fixture.folder.write("a.csv", "time,b\n2021-01-01T00:00:00Z,7\n2021-01-01T00:00:01Z,7\n");
  REQUIRE(fixture.catalog->import_csv("PUMP", path, {}));
  auto former = open_file(fixture.directory(), 1, fixture.schemas).value();
  fixture.folder.write("a.csv", "time,b\n2021-01-01T00:00:00Z,8\n2021-01-01T00:00:01Z,9\n2021-01-01T00:00:02Z,9\n");
  REQUIRE(fixture.catalog->import_csv("PUMP", path, {}));
  CHECK(former->walk({}, [](const FileRow&) { return true; }).error().kind == ErrorKind::not_found);
  auto file = open_file(fixture.directory(), list_files(fixture.directory())->back().id, fixture.schemas).value();
  REQUIRE(fixture.catalog->remove("PUMP"));
  CHECK(file->walk({}, [](const FileRow&) { return true; }).error().kind == ErrorKind::not_found);
}
