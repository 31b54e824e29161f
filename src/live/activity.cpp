#include "live/activity.hpp"

#include <algorithm>

namespace iotstream::live {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

}  // namespace

void RateWindow::add(std::int64_t now_ns, std::uint32_t events) {
  const std::int64_t second = now_ns / ns_per_second;
  if (begin_ns_ < 0) begin_ns_ = now_ns;
  if (second - second_ >= seconds)
    counts_.fill(0);
  else
    for (std::int64_t s = second_ + 1; s <= second; ++s) counts_[static_cast<std::size_t>(s % seconds)] = 0;
  second_ = std::max(second_, second);
  counts_[static_cast<std::size_t>(second_ % seconds)] += events;
}

double RateWindow::rate(std::int64_t now_ns) const {
  if (begin_ns_ < 0) return 0;
  const std::int64_t second = std::max(second_, now_ns / ns_per_second);
  std::uint64_t events = 0;
  for (std::int64_t s = std::max<std::int64_t>(second - seconds + 1, 0); s <= second_; ++s)
    if (s > second_ - seconds) events += counts_[static_cast<std::size_t>(s % seconds)];
  const std::int64_t whole_ns = (seconds - 1) * ns_per_second + now_ns % ns_per_second;
  const std::int64_t age_ns = std::clamp(now_ns - begin_ns_, ns_per_second, std::max(whole_ns, ns_per_second));
  return static_cast<double>(events) * 1e9 / static_cast<double>(age_ns);
}

Activity::Dataset& Activity::add_dataset(std::string name) {
  const std::lock_guard lock(mutex_);
  return *datasets_.emplace_back(std::make_unique<Dataset>(std::move(name)));
}

DeviceNumber Activity::number_of(Dataset& dataset, std::string_view device) {
  if (const auto found = dataset.numbers_.find(device); found != dataset.numbers_.end()) return found->second;
  if (dataset.devices_.size() >= devices_max) return unknown_device;
  const auto number = static_cast<DeviceNumber>(dataset.devices_.size());
  const auto added = dataset.numbers_.emplace(std::string(device), number).first;
  dataset.devices_.push_back({&added->first, {}, {}, 0, {}});  // a node's key stays where it is
  return number;
}

bool Activity::note(Dataset& dataset, std::span<const log::Record> records, Timestamp now, std::int64_t now_ns,
                    std::vector<DeviceNumber>& devices) {
  const std::lock_guard lock(mutex_);
  const std::size_t known = dataset.devices_.size();
  devices.clear();
  dataset.events_ += records.size();
  dataset.rate_.add(now_ns, static_cast<std::uint32_t>(records.size()));
  for (const log::Record& record : records) {
    devices.push_back(number_of(dataset, record.key));
    if (devices.back() == unknown_device) continue;
    auto& device = dataset.devices_[devices.back()];
    device.last_seen = device.events == 0 ? record.time : std::max(device.last_seen, record.time);
    device.last_arrival = now;
    ++device.events;
    device.rate.add(now_ns);
  }
  return dataset.devices_.size() != known;
}

std::vector<DeviceLive> Activity::devices(std::int64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  std::vector<DeviceLive> devices;
  for (const auto& dataset : datasets_)
    for (const auto& device : dataset->devices_)
      devices.push_back(
          {*device.name, dataset->name, device.last_seen, device.last_arrival, device.rate.rate(now_ns), device.events});
  return devices;
}

std::vector<DatasetLive> Activity::datasets(std::int64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  std::vector<DatasetLive> datasets;
  for (const auto& dataset : datasets_) datasets.push_back({dataset->name, dataset->events_, dataset->rate_.rate(now_ns)});
  return datasets;
}

}  // namespace iotstream::live
