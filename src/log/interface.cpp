// What the interfaces do by themselves, whoever implements them.
#include <iotstream/log/log.hpp>

#include "log/fnv1a.hpp"

namespace iotstream::log {

std::string_view describe(AppendStatus status) {
  switch (status) {
    case AppendStatus::accepted:
      return "accepted";
    case AppendStatus::back_pressured:
      return "the partition's staging ring is full; try again in a moment";
    case AppendStatus::too_large:
      return "the record is larger than 1 MiB";
    case AppendStatus::disk_full:
      return "the disk is full; records are taken again when there is space";
    case AppendStatus::read_only:
      return "the partition is read-only until the restart, because the disk refused a write or a sync";
    case AppendStatus::closed:
      return "the log is closing";
    case AppendStatus::duplicate:
    case AppendStatus::duplicate_unplaced:
      return "the record was taken before";
    case AppendStatus::out_of_order:
      return "records of this producer between its last and this one are missing";
  }
  return "unknown";
}

std::string_view name_of(Sync sync) {
  switch (sync) {
    case Sync::batch:
      return "batch";
    case Sync::interval:
      return "interval";
    case Sync::none:
      return "none";
  }
  return "unknown";
}

PartitionId Topic::partition_of(std::string_view key) const {
  return PartitionId(static_cast<std::uint32_t>(fnv1a(key) % partition_count()));
}

/// Of a partition that does not know how it is stored.
std::vector<Stretch> Partition::stretches() const {
  const Watermarks marks = watermarks();
  if (marks.earliest >= marks.durable) return {};
  return {{marks.earliest, marks.durable, Timestamp{INT64_MIN}, Timestamp{INT64_MAX}}};
}

Status Log::forget(std::string_view) { return Error{ErrorKind::unsupported, "this log keeps no groups"}; }

}  // namespace iotstream::log
