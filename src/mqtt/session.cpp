#include "mqtt/session.hpp"

#include <algorithm>

namespace iotstream::mqtt {
namespace {

constexpr unsigned ids = 65'535;  // 1 … 65,535
constexpr std::size_t kept_max = 1'024;

std::uint16_t id_after(std::uint16_t first, std::size_t count) {
  return static_cast<std::uint16_t>((first - 1 + count) % ids + 1);
}

}  // namespace

std::uint16_t Window::push(Place place, Offset offset) {
  const std::uint16_t id = id_after(first_, size());
  entries_.push_back({place, offset, false});
  return id;
}

bool Window::acknowledge(std::uint16_t packet_id) {
  const std::size_t index = (packet_id + ids - first_) % ids;
  if (packet_id == 0 || index >= size() || entries_[head_ + index].acknowledged) return false;
  entries_[head_ + index].acknowledged = true;
  while (head_ < entries_.size() && entries_[head_].acknowledged) {
    ++head_;
    first_ = id_after(first_, 1);
  }
  if (head_ == entries_.size()) {
    entries_.clear();
    head_ = 0;
    if (entries_.capacity() > kept_max) entries_.shrink_to_fit();
  } else if (head_ > kept_max) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  return true;
}

std::optional<std::uint16_t> Window::find(Place place, Offset offset) const {
  for (std::size_t i = head_; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (!entry.acknowledged && entry.offset == offset && entry.place == place) return id_after(first_, i - head_);
  }
  return std::nullopt;
}

void Window::hold_back(Positions& positions) const {
  for (std::size_t i = head_; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.acknowledged) continue;
    const auto [at, added] = positions.emplace(entry.place, entry.offset);
    if (!added) at->second = std::min(at->second, entry.offset);
  }
}

}  // namespace iotstream::mqtt
