// Who gets which partition: pure arithmetic, no clock, no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace iotstream::log {

/// One partition that is to be given to a member.
struct Seat {
  std::size_t topic = 0;             ///< index of its topic
  std::optional<std::size_t> keeps;  ///< index of the member that had it, when it may stay there
  bool held = false;                 ///< that member reads it now: moving it costs a hand-over
};

/// The member of each seat; nothing where nobody subscribes to its topic. `subscriptions` holds, for each member, the indices
/// of its topics. Balanced as well as the subscriptions allow: no seat could go, over whatever chain of members, from one with
/// n seats to one with n - 2 or fewer. Sticky: a seat leaves the member that it keeps only for the sake of balance, and one
/// that is held last. The same for the same arguments; earlier members get the odd seats.
std::vector<std::optional<std::size_t>> assign(const std::vector<std::vector<std::size_t>>& subscriptions,
                                               const std::vector<Seat>& seats, std::size_t topics);

}  // namespace iotstream::log
