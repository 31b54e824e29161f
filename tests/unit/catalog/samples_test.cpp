// Recordings from elsewhere, which are not part of this repository: the folder named by IOTSTREAM_SAMPLES.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;
using namespace iotstream::catalog;

namespace {

std::optional<std::string> samples(const std::string& folder) {
  const char* root = std::getenv("IOTSTREAM_SAMPLES");
  if (root == nullptr) {
    WARN("skipped: IOTSTREAM_SAMPLES names no folder of recordings");
    SUCCEED("skipped");
    return std::nullopt;
  }
  std::string path = std::string(root) + "/" + folder;
  if (std::filesystem::is_directory(path)) return path;
  WARN("skipped: there is no folder " << path);
  SUCCEED("skipped");
  return std::nullopt;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> cells(1);
  for (char c : line) {
    if (c == separator)
      cells.emplace_back();
    else if (c != '\r' && (c != ' ' || !cells.back().empty()))
      cells.back() += c;
  }
  return cells;
}

/// Every value of a file without quotes, read once more by other means, against the cursor's next rows.
std::size_t compare(const std::string& path, char separator, std::size_t time_column, RowCursor& cursor) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> header = split(line, separator);
  std::size_t values = 0;
  RowCursor::Row row;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line, separator);
    REQUIRE(*cursor.next(row));
    REQUIRE(row.time == parse_timestamp(cells[time_column]));
    std::map<std::string, model::Value> got;
    for (const Cell& cell : row.cells) got.emplace(cursor.columns()[cell.column], cell.value);
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (i == time_column || cells[i] == "-" || cells[i] == "∞") continue;
      INFO(path << ": " << line << ": " << header[i]);
      const auto found = got.find(header[i]);
      REQUIRE(found != got.end());
      char* end = nullptr;
      const double number = std::strtod(cells[i].c_str(), &end);
      if (*end == '\0')
        REQUIRE(found->second.as_double() == number);
      else
        REQUIRE(found->second.text == cells[i]);
      got.erase(found);
      ++values;
    }
    REQUIRE(got.empty());
  }
  return values;
}

}  // namespace

TEST_CASE_METHOD(CatalogFixture, "recorded files of two machines: 14 of 90 rows and 18 columns") {
  const auto folder_path = samples("x46789_2023");
  if (!folder_path) return;
  put("X");
  std::vector<std::pair<Timestamp, std::string>> by_time;
  for (const std::string& path : files_in(*folder_path)) {
    const ImportReport report = import_path(path);
    CHECK(report.rows == 90);
    CHECK(report.rejected == 0);
    CHECK(report.columns == 18);
    CHECK(report.columns_empty == 0);
    CHECK(report.separator == ';');
    CHECK(report.time_column == "dateHour");
    by_time.emplace_back(*report.first_time, path);
    CHECK(import_path(path).unchanged);
  }
  REQUIRE(by_time.size() == 14);
  std::sort(by_time.begin(), by_time.end());
  auto cursor = catalog->rows("X");
  REQUIRE(cursor.ok());
  CHECK((*cursor)->row_count() == 14 * 90);
  CHECK((*cursor)->columns().size() == 17);
  std::size_t values = 0;
  for (const auto& [time, path] : by_time) values += compare(path, ';', 0, **cursor);
  CHECK(values == 14 * 90 * 17);
  const model::SchemaPtr schema = schemas.current("1");
  CHECK(schema->field(*schema->find("lat")).kind == model::FieldKind::latitude);
  CHECK(schema->field(*schema->find("long")).kind == model::FieldKind::longitude);
  CHECK(schema->field(*schema->find("clienID")).kind == model::FieldKind::identifier);
}

TEST_CASE_METHOD(CatalogFixture, "a recorded drive: 1,200 rows, 179 columns of which 81 are never filled") {
  const auto folder_path = samples("torque_2022");
  if (!folder_path) return;
  put("X");
  const std::string path = *folder_path + "/trackLog_head.csv";
  const ImportReport report = import_path(path);
  CHECK(report.rows == 1200);
  CHECK(report.rejected == 0);
  CHECK(report.columns == 179);
  CHECK(report.columns_empty == 81);
  CHECK(report.time_column == "Device Time");
  CHECK(report.first_time == parse_timestamp("2022-02-23 06:34:27.403"));
  auto cursor = catalog->rows("X");
  REQUIRE(cursor.ok());
  CHECK(compare(path, ',', 1, **cursor) == 98'070);
  const model::SchemaPtr schema = schemas.current("1");
  REQUIRE(schema->fields().size() == 97);
  CHECK(schema->field(*schema->find("Engine Coolant Temperature(°C)")).unit == "°C");
  CHECK(schema->field(*schema->find("GPS Latitude(°)")).kind == model::FieldKind::latitude);
  CHECK(schema->field(*schema->find("O2 Sensor1 Wide Range Equivalence Ratio(λ)")).unit == "λ");
}

TEST_CASE_METHOD(CatalogFixture,
                 "recorded engine data: no time column, a separator too many on every row, a last row cut short") {
  const auto folder_path = samples("carobd_etios");
  if (!folder_path) return;
  put("X");
  const ImportReport drive = import_path(*folder_path + "/drive1.csv");
  CHECK(drive.rows == 2709);
  CHECK(drive.rejected == 0);
  CHECK(drive.columns == 27);
  CHECK(drive.pace_column == "ENGINE_RUN_TINE ()");
  const ImportReport idle = import_path(*folder_path + "/idle1.csv");
  CHECK(idle.rows == 1212);
  CHECK(idle.rejected == 1);
  REQUIRE(idle.problems.size() == 1);
  CHECK(idle.problems[0].line == 1214);
  CHECK(idle.problems[0].reason == "cut short: 17 of 27 cells");
  auto cursor = catalog->rows("X");
  REQUIRE(cursor.ok());
  RowCursor::Row row;
  for (int i = 0; i < 2709; ++i) REQUIRE(*(*cursor)->next(row));
  CHECK(row.time == Timestamp{1'330'000'000});
  CHECK(row.cells.size() == 27);
}
