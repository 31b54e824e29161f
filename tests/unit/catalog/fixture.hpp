// A catalog in a folder of its own, for the tests of this room.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/sqlite/database.hpp>

namespace iotstream::catalog {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "iotstream-catalog-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, std::string_view content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

/// A row as JSON text: `{"a":1,"b":"x"}`, with its time in front.
inline std::string shown(const RowCursor& cursor, const RowCursor::Row& row) {
  std::string out = format_date_hour(row.time) + " {";
  for (const Cell& cell : row.cells) {
    if (out.back() != '{') out += ',';
    out += cursor.columns()[cell.column] + ":";
    if (cell.value.kind == model::ValueKind::decimal) out += "decimal ";
    model::append_json(out, cell.value);
  }
  return out + "}";
}

struct CatalogFixture {
  Folder folder;
  os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics;
  Schemas schemas;
  std::unique_ptr<Catalog> catalog;

  CatalogFixture() { reopen(); }
  /// Where the catalog has its database.
  std::string directory() const { return folder.path() + "/data"; }
  void reopen() {
    catalog.reset();
    auto opened = Catalog::open(directory(), schemas, clock, metrics);
    if (!opened) FAIL(opened.error().message);
    catalog = std::move(*opened);
  }
  void put(const std::string& code, const std::string& dataset = "1", const std::string& model = {}) const {
    const Status done = catalog->put({code, "Pipo", "citronnault", "1", dataset, model});
    if (!done) FAIL(done.error().message);
  }
  ImportReport import(const std::string& content, const std::string& name = "a.csv", const std::string& code = "X") const {
    return import_path(folder.write(name, content), code);
  }
  ImportReport import_path(const std::string& path, const std::string& code = "X") const {
    auto report = catalog->import_csv(code, path, {});
    if (!report) FAIL(report.error().message);
    return *report;
  }
  Error import_error(const std::string& content) const {
    const auto report = catalog->import_csv("X", folder.write("bad.csv", content), {});
    REQUIRE_FALSE(report.ok());
    return report.error();
  }
  std::vector<std::string> rows(const std::string& code = "X") const {
    auto cursor = catalog->rows(code);
    if (!cursor) FAIL(cursor.error().message);
    return rest(**cursor);
  }
  static std::vector<std::string> rest(RowCursor& cursor) {
    std::vector<std::string> all;
    RowCursor::Row row;
    for (;;) {
      const auto more = cursor.next(row);
      if (!more) FAIL(more.error().message);
      if (!*more) return all;
      all.push_back(shown(cursor, row));
    }
  }
};

}  // namespace iotstream::catalog
