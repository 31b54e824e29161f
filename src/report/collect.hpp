// What the pictures of one file are drawn from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/catalog/files.hpp>
#include <iotstream/profile/profile.hpp>
#include <iotstream/profile/series.hpp>

namespace iotstream::report {

inline constexpr std::size_t coverage_columns = 120;

struct TrackPoint {
  double lat = 0;
  double lon = 0;
  bool joined = true;  ///< to the one before
};

/// A field of one file.
struct Drawn {
  FieldId field;
  std::vector<Timestamp> times;  ///< of its line
  std::vector<double> values;
  std::vector<std::uint32_t> present;  ///< values in each column of time
};

struct FileReport {
  catalog::FileInfo info;
  model::SchemaPtr schema;
  profile::Profile profile;
  Timestamp begin;
  std::size_t line_columns = 1;
  Duration column{1};               ///< of coverage
  std::vector<std::uint32_t> rows;  ///< in each column of time
  std::vector<Drawn> drawn;         ///< by field, those that have values
  std::vector<TrackPoint> track;
  double distance_m = 0;

  const Drawn* find(FieldId field) const;
};

/// Reads the file twice; lines are reduced to `line_columns`. Errors: those of FileRows::walk; unavailable when `go_on` says
/// no.
Result<FileReport> collect(catalog::FileRows& file, std::size_t line_columns, const std::function<bool()>& go_on);

}  // namespace iotstream::report
