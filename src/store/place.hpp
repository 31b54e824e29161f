// A place in the order of a dataset's events.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::store {

/// By time, then partition, then offset.
struct Place {
  Timestamp time;
  PartitionId partition;
  Offset offset;
  auto operator<=>(const Place&) const = default;

  std::string to_cursor() const;
  static std::optional<Place> from_cursor(std::string_view cursor);
};

}  // namespace iotstream::store
