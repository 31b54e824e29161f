// Every imported file as a data set of its own: its rows as recorded, in the order of their times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

/// What is known of an imported file.
struct FileInfo {
  std::int64_t id = 0;
  std::string name;  ///< of its newest path, without folders; empty: no path has this content any more
  std::string path;
  std::string prototype;
  std::string dataset;  ///< the one its prototype's readings go to
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
  std::uint64_t columns = 0;  ///< that hold values, the time's not counted
  std::uint64_t bytes = 0;
  std::string time_column;  ///< empty: the file has no times; rows count from 1970-01-01
  std::optional<Timestamp> first_time, last_time;
  Timestamp imported;
};

/// A row, valid during the call that hands it out.
struct FileRow {
  std::uint64_t number = 0;  ///< from 0, in the order of times
  std::uint64_t line = 0;    ///< of the file, from 1
  Timestamp time;
  const std::vector<std::pair<FieldId, model::Value>>* values = nullptr;  ///< those that are there, in field order
};

struct FileQuery {
  std::optional<Timestamp> from;       ///< inclusive
  std::optional<Timestamp> to;         ///< exclusive
  std::optional<std::uint64_t> after;  ///< a row's number: begins behind it, in the direction of the walk
  bool backwards = false;
  std::vector<FieldId> fields;  ///< empty: all
};

/// One file, opened. Owns its read-only connection; one thread at a time.
class FileRows {
 public:
  virtual ~FileRows() = default;
  virtual const FileInfo& info() const = 0;
  /// Its columns as fields, named `file:<id>`; what people said of the dataset's fields of the same name (label, unit, kind…)
  /// holds for them too.
  virtual const model::SchemaPtr& schema() const = 0;
  /// Calls `visit` for each row in order; false from it ends the walk. One consistent picture; bounded memory. Errors: io,
  /// corrupt, not_found (the file was replaced or removed).
  virtual Status walk(const FileQuery& query, const std::function<bool(const FileRow&)>& visit) = 0;
};

/// `file:12` is file 12; nothing for any other name.
std::optional<std::int64_t> file_id_of(std::string_view dataset);

/// All files of `<directory>/catalog.db`, in order of their ids. Errors: io, corrupt.
Result<std::vector<FileInfo>> list_files(const std::string& directory);
/// Errors: not_found, io, corrupt.
Result<std::unique_ptr<FileRows>> open_file(const std::string& directory, std::int64_t id, const Schemas& schemas);

}  // namespace iotstream::catalog
