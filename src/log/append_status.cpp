#include <iotstream/log/log.hpp>

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

}  // namespace iotstream::log
