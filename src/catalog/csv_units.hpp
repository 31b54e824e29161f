// Units as a row of their own below the header has them.
#pragma once

#include <string>
#include <string_view>

namespace iotstream::catalog {

/// The unit that a cell such as `[km/h]`, `(°C)` or `rpm` is, without its brackets; empty when it is none (`[]`, `-`).
/// `known`: it is bracketed, or one of the units in the list.
struct UnitLook {
  std::string unit;
  bool known = false;
};
UnitLook look_at_unit(std::string_view cell);

}  // namespace iotstream::catalog
