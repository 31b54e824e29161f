// The few statements of InfluxQL that clients send around their writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iotstream::influx {

/// The answer as InfluxDB's JSON, one result a statement (they are separated by `;`). Known: CREATE and DROP DATABASE and
/// RETENTION POLICY (which do nothing: a database is a word before the dataset's name, if anything), SHOW DATABASES, SHOW
/// RETENTION POLICIES, SHOW MEASUREMENTS. All else gets an error of its own that says where history is asked for here. What
/// follows the hundredth statement is not answered.
std::string run_statements(std::string_view statements, const std::vector<std::string>& datasets);

}  // namespace iotstream::influx
