#include "store/inventory.hpp"

namespace iotstream::store {

void Inventory::publish(DatasetState& dataset) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[dataset.name()];
  entry.usage.dataset = dataset.name();
  entry.usage.events = dataset.events;
  entry.usage.first = dataset.first;
  entry.usage.last = dataset.last;
  entry.usage.fields.resize(dataset.field_counts.size());
  for (std::uint32_t i = 0; i < dataset.field_counts.size(); ++i) entry.usage.fields[i] = {FieldId(i), dataset.field_counts[i]};
  entry.devices.resize(dataset.devices.size());
  for (std::size_t i = 0; i < dataset.devices.size(); ++i) {
    Device& device = dataset.devices[i];
    if (device.published) continue;
    entry.devices[i] = {device.name, dataset.name(), device.first_seen, device.last_seen, device.events};
    device.published = true;
  }
  entry.next.resize(dataset.partitions.size());
  for (std::size_t i = 0; i < dataset.partitions.size(); ++i) entry.next[i] = dataset.partitions[i].next;
  published_.notify_all();
}

std::vector<DatasetUsage> Inventory::datasets() const {
  const std::lock_guard lock(mutex_);
  std::vector<DatasetUsage> result;
  for (const auto& [name, entry] : entries_) result.push_back(entry.usage);
  return result;
}

std::vector<DeviceUsage> Inventory::devices() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeviceUsage> result;
  for (const auto& [name, entry] : entries_) result.insert(result.end(), entry.devices.begin(), entry.devices.end());
  return result;
}

std::vector<Offset> Inventory::consumed(std::string_view dataset) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(dataset);
  return found == entries_.end() ? std::vector<Offset>() : found->second.next;
}

bool Inventory::reached(const std::vector<Target>& targets) const {
  for (const Target& target : targets) {
    const auto found = entries_.find(target.dataset);
    for (std::size_t i = 0; i < target.next.size(); ++i) {
      const bool known = found != entries_.end() && i < found->second.next.size();
      if ((known ? found->second.next[i] : Offset(0)) < target.next[i]) return false;
    }
  }
  return true;
}

bool Inventory::wait_for(const std::vector<Target>& targets, Duration timeout) {
  std::unique_lock lock(mutex_);
  return published_.wait_for(lock, std::chrono::microseconds(timeout.us), [&] { return reached(targets); });
}

}  // namespace iotstream::store
