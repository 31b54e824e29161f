// A filter as part of a WHERE: names quoted, values bound, never a text of the filter's in the statement.
#pragma once

#include <string>
#include <vector>

#include <iotstream/query/filter.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/event_scan.hpp"
#include "store/layout.hpp"
#include "store/read_pool.hpp"

namespace iotstream::store {

/// A condition over the columns of a dataset's table. Every event that passes the filter fulfils it; when it is `exact`, no
/// other does, else Bound::matches() has to look at the rows as well.
struct FilterSql {
  std::string condition;                   ///< empty: all rows
  std::vector<query::Operand> parameters;  ///< in the order of its question marks
  bool exact = true;

  /// `… AND (condition)` or `… WHERE (condition)` behind `where`, which is a WHERE or empty.
  std::string behind(std::string where) const;
  /// Returns the next free parameter.
  int bind(sqlite::Statement& statement, int first) const;
};

/// Compiles `filter` for the layout, within the connection's transaction (device names become ids). Term by term: what SQL
/// cannot say (a field that is in `_more`, more than a thousand devices) is left to memory, the rest of the filter is not.
/// Errors: io.
Result<FilterSql> filter_sql(const query::Bound& filter, const Layout& layout, ReadConnection& connection);

/// Narrows the range by what the filter says of the time, so that rows outside are not even read.
void narrow(ScanRange& range, const query::Bound& filter);

/// Makes the function that conditions test texts with. Once a connection.
Status add_filter_function(sqlite::Database& database);

}  // namespace iotstream::store
