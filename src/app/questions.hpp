// The commands that ask: SQL, and the report.
#pragma once

#include "app/commands.hpp"

namespace iotstream::app {

struct QueryArguments {
  LookArguments look;
  std::string sql;
  std::uint64_t limit = 1'000;
  std::string timeout;  ///< as 30s; empty: the server's
  bool csv = false;
};
/// One reading SQL statement over history and catalog.
int query(const QueryArguments& arguments);

struct ReportArguments {
  std::vector<std::string> files;  ///< CSV files, or patterns
  std::string output;              ///< `-`: standard output
  std::string title;               ///< empty: from the files
};
/// Files side by side as one HTML page.
int report(const ReportArguments& arguments);

}  // namespace iotstream::app
