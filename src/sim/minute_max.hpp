// The largest value of the last minute.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace iotstream::sim {

/// By whole seconds; one thread at a time.
class MinuteMax {
 public:
  void note(std::int64_t now_ns, std::int64_t value) {
    const std::int64_t second = now_ns / 1'000'000'000;
    Slot& slot = slots_[static_cast<std::size_t>(second % 60)];
    if (slot.second != second) slot = {second, value};
    slot.value = std::max(slot.value, value);
  }
  std::int64_t at(std::int64_t now_ns) const {
    const std::int64_t second = now_ns / 1'000'000'000;
    std::int64_t largest = 0;
    for (const Slot& slot : slots_)
      if (second - slot.second < 60) largest = std::max(largest, slot.value);
    return largest;
  }

 private:
  struct Slot {
    std::int64_t second = -60;
    std::int64_t value = 0;
  };
  std::array<Slot, 60> slots_{};
};

}  // namespace iotstream::sim
