// Odd and hostile CSV files, and what becomes of each.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <iotstream/base/json.hpp>

#include "unit/catalog/fixture.hpp"

namespace iotstream::catalog {

inline std::string corpus_folder() { return IOTSTREAM_SOURCE_DIR "/tests/corpus/csv"; }

inline std::vector<std::string> corpus_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder()))
    if (entry.path().extension() == ".csv" || entry.path().extension() == ".tsv")
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

inline void write_fields(json::Writer& json, const model::Schema& schema) {
  json.key("fields").begin_object();
  for (const model::Field& field : schema.fields())
    json.key(field.name).value(std::string(model::name_of(field.type)) + (field.unit.empty() ? "" : " " + field.unit));
  json.end_object();
}

/// The outcome of one file in a catalog of its own, as a line of the file of expectations.
inline std::string outcome_of(const std::string& name) {
  const Folder folder;
  os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics;
  Schemas schemas;
  auto catalog = Catalog::open(folder.path() + "/data", schemas, clock, metrics);
  if (!catalog || !(*catalog)->put({"X", "", "", "", "1", ""})) return "no catalog";
  std::string out;
  json::Writer json(out);
  json.begin_object().key("file").value(name);
  const std::string path = corpus_folder() + "/" + name;
  const auto report = (*catalog)->import_csv("X", path, {});
  if (!report) {
    json.key("error").value(report.error().message.substr(path.size() + 2)).end_object();
    return out;
  }
  json.key("separator").value(std::string_view(&report->separator, 1)).key("encoding").value(report->encoding);
  json.key("time").value(report->time_column).key("pace").value(report->pace_column);
  json.key("columns").value(report->columns).key("empty").value(report->columns_empty);
  if (const auto schema = schemas.current("1")) write_fields(json, *schema);
  json.key("rejected").begin_array();
  for (const RowProblem& problem : report->problems) json.value(fmt::format("line {}: {}", problem.line, problem.reason));
  json.end_array().key("left_out").value(report->left_out).key("rows").begin_array();
  auto cursor = (*catalog)->rows("X");
  RowCursor::Row row;
  while (cursor.ok() && *(*cursor)->next(row)) json.value(shown(**cursor, row));
  json.end_array().end_object();
  return out;
}

}  // namespace iotstream::catalog
