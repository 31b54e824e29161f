// Profiles of recordings from elsewhere (the folder named by IOTSTREAM_SAMPLES, not part of this repository), whose figures are
// worked out here from the file's text by plain loops; and a page of each.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/catalog/files.hpp>
#include <iotstream/profile/profile.hpp>
#include <iotstream/report/report.hpp>

#include "unit/catalog/fixture.hpp"

using namespace iotstream;

namespace {

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == separator)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  for (std::string& cell : cells) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
  }
  return cells;
}

struct Column {
  std::vector<double> numbers;
  std::set<std::string> texts;
  std::size_t count = 0;
};

/// Every column of the file by name: whatever strtod reads to the end is a number, `-` and `∞` are nothing.
std::map<std::string, Column> read_plainly(const std::string& path, char separator, std::size_t& rows) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> header = split(line, separator);
  std::map<std::string, Column> columns;
  rows = 0;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line, separator);
    if (cells.size() < header.size()) continue;  // a last row that was cut short
    ++rows;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (cells[i].empty() || cells[i] == "-" || cells[i] == "∞") continue;
      Column& column = columns[header[i]];
      ++column.count;
      char* end = nullptr;
      const double number = std::strtod(cells[i].c_str(), &end);
      *end == '\0' ? column.numbers.push_back(number) : static_cast<void>(column.texts.insert(cells[i]));
    }
  }
  return columns;
}

void check_field(const profile::FieldProfile& field, Column column) {
  CHECK(field.count == column.count);
  CHECK(field.numbers == column.numbers.size());
  if (column.numbers.empty()) {
    CHECK(field.distinct == column.texts.size());
    return;
  }
  std::sort(column.numbers.begin(), column.numbers.end());
  const auto n = static_cast<long double>(column.numbers.size());
  long double sum = 0;
  for (const double number : column.numbers) sum += number;
  long double squares = 0;
  for (const double number : column.numbers) squares += (number - sum / n) * (number - sum / n);
  CHECK(field.min_number == column.numbers.front());
  CHECK(field.max_number == column.numbers.back());
  CHECK(field.mean == Approx(static_cast<double>(sum / n)).epsilon(1e-12).margin(1e-12));
  CHECK(field.stddev == Approx(static_cast<double>(std::sqrt(squares / std::max(n - 1, 1.0L)))).epsilon(1e-9).margin(1e-9));
  for (std::size_t i = 0; i < std::size(profile::quantile_ranks); ++i) {
    const double place = profile::quantile_ranks[i] * static_cast<double>(column.numbers.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, column.numbers.size() - 1);
    const double expected = column.numbers[low] + (column.numbers[high] - column.numbers[low]) * (place - std::floor(place));
    CHECK(field.quantiles[i] == Approx(expected).epsilon(1e-14).margin(1e-14));
  }
  const auto distinct = std::set<double>(column.numbers.begin(), column.numbers.end()).size() + column.texts.size();
  CHECK(field.distinct == distinct);
}

/// Imports and profiles every file of a folder; the number of fields compared.
std::size_t compare_folder(const std::string& folder, char separator, const std::string& time_column) {
  catalog::CatalogFixture fixture;
  REQUIRE(fixture.catalog->put({"X", "", "", "", "x", ""}));
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    REQUIRE(fixture.catalog->import_csv("X", path, {}));
    std::size_t rows = 0;
    const auto columns = read_plainly(path, separator, rows);
    const auto files = catalog::list_files(fixture.folder.path()).value();
    auto file = catalog::open_file(fixture.folder.path(), files.back().id, fixture.schemas).value();
    REQUIRE(file->info().path == std::filesystem::canonical(path).string());
    profile::Options options;
    options.fields = file->schema()->fields().size();
    profile::Profiler profiler(std::move(options));
    REQUIRE(file->walk({}, [&](const catalog::FileRow& row) {
      profiler.row(row.time, *row.values);
      return true;
    }));
    const auto profile = profiler.finish();
    CHECK(profile.rows == rows);
    for (const auto& [name, column] : columns) {
      if (name == time_column) continue;
      INFO(path << ": " << name);
      const auto id = file->schema()->find(name);
      REQUIRE(id);
      check_field(profile.fields[id->value], column);
      ++compared;
    }
  }
  return compared;
}

std::optional<std::string> samples(const std::string& folder) {
  const char* root = std::getenv("IOTSTREAM_SAMPLES");
  if (root != nullptr && std::filesystem::is_directory(std::string(root) + "/" + folder))
    return std::string(root) + "/" + folder;
  WARN("skipped: IOTSTREAM_SAMPLES names no folder with " << folder);
  SUCCEED("skipped");
  return std::nullopt;
}

}  // namespace

TEST_CASE("profiles of recorded files are what plain loops over their text find") {
  if (const auto folder = samples("x46789_2023")) CHECK(compare_folder(*folder, ';', "dateHour") == 14 * 17);
  if (const auto folder = samples("torque_2022")) CHECK(compare_folder(*folder, ',', "Device Time") == 97);
  if (const auto folder = samples("carobd_etios")) CHECK(compare_folder(*folder, ',', "") == 2 * 27);
}

TEST_CASE("any file has a page: of one row, of texts only, without any number") {
  catalog::CatalogFixture fixture;
  REQUIRE(fixture.catalog->put({"X", "", "", "", "x", ""}));
  for (const char* csv : {"time,a\n2020-01-01T00:00:00Z,1\n", "time,w\n2020-01-01T00:00:00Z,</svg>\n2020-01-01T00:00:01Z,b\n",
                          "a,b\n1,2\n3,4\n", "time,lat,lon\n2020-01-01T00:00:00Z,0,0\n2020-01-01T00:00:05Z,0,0\n",
                          "time,lat,lon\n2020-01-01T00:00:00Z,48,2\n2020-01-01T00:00:05Z,48,2\n",
                          "time,n\n2020-01-01T00:00:00Z,1e308\n2020-01-01T00:00:05Z,-1e308\n2020-01-01T00:00:06Z,5\n"}) {
    static int number = 0;
    REQUIRE(fixture.catalog->import_csv("X", fixture.folder.write(std::to_string(++number) + ".csv", csv), {}));
  }
  std::vector<std::unique_ptr<catalog::FileRows>> files;
  for (const auto& info : catalog::list_files(fixture.folder.path()).value())
    files.push_back(catalog::open_file(fixture.folder.path(), info.id, fixture.schemas).value());
  REQUIRE(files.size() == 6);
  report::Options options;
  options.title = "all";
  const std::string page = report::write_report(files, options, [](std::size_t) { return true; }).value();
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
  CHECK(page.find("&lt;/svg&gt;") != std::string::npos);
  CHECK(report::write_report(files, options, [](std::size_t) { return false; }).error().kind == ErrorKind::unavailable);
}
