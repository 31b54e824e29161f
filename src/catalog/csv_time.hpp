// Points in time as files write them, beyond what base/time.hpp reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <iotstream/base/time.hpp>

namespace iotstream::catalog {

/// Which number comes first in `3/4/2022`. One a column: the cell alone does not tell.
enum class DateOrder : unsigned char { day_first, month_first };

/// What a cell is as a time.
struct TimeLook {
  std::optional<Timestamp> time;
  bool numeric_date = false;  ///< day and month are numbers and not in ISO order
  bool other_order = false;   ///< of a numeric date: `time` is right only under the other order than was asked
  bool only_order = false;    ///< of a numeric date: under the other order it would be none
  bool twelve_hours = false;  ///< with AM or PM
  bool date_only = false;     ///< no time of day
};

/// Reads, besides all that parse_timestamp() takes: `20220223063427` (also with milliseconds, or a T); seconds since the epoch
/// with decimals; `23/02/2022`, `23.02.2022`, `2022/02/23`, `23-02-22` and the like; `23 Feb 2022`, `Feb 23, 2022`,
/// `23-Feb-22`; the weekday before them; then a time of day in 24 or 12 hours (`6:34 PM`), decimals of seconds after a point or
/// comma, and a zone (`Z`, `+01:00`, UTC, GMT). A year of two digits is 1970 to 2069. A numeric date that only the other order
/// makes possible is read in that one.
TimeLook look_at_time(std::string_view cell, DateOrder order);
std::optional<Timestamp> read_csv_time(std::string_view cell, DateOrder order = DateOrder::day_first);

/// `06:34:27.403`, `6:34 PM`: since midnight. Nothing else may stand there.
std::optional<Duration> read_time_of_day(std::string_view cell);

}  // namespace iotstream::catalog
