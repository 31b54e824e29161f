// The pictures of a report, as SVG that takes its colours from the page.
#pragma once

#include <string>
#include <vector>

#include "report/collect.hpp"

namespace iotstream::report {

/// A field over the time of its file; `low` and `high`: what the picture's height stands for.
std::string line_picture(const FileReport& file, const Drawn& drawn, double low, double high);
/// Histogram, with quantiles below: whiskers p1 to p99, box p25 to p75, a line at p50, dots at the outermost outliers. `low`
/// and `high`: what the width stands for; `titled`: each bar tells its numbers.
std::string distribution_picture(const profile::FieldProfile& field, double low, double high, bool titled);
/// The share of rows that have a value, field under field, over the time of the file: only fields that miss some.
struct CoverageRow {
  std::string label;
  const Drawn* drawn;  ///< nullptr: no value at all
};
std::string coverage_picture(const FileReport& file, const std::vector<CoverageRow>& rows);
/// r of each pair of `fields`.
std::string correlation_picture(const FileReport& file, const std::vector<FieldId>& fields);
std::string track_picture(const FileReport& file);

}  // namespace iotstream::report
