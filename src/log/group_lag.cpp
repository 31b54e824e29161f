#include "log/group_lag.hpp"

#include <algorithm>

namespace iotstream::log {

GroupPartitionStatus LagReader::measure(TopicPartition place, std::optional<Offset> committed) const {
  GroupPartitionStatus status;
  status.place = std::move(place);
  status.committed = committed;
  Topic* const topic = log_.find(status.place.topic);
  if (topic == nullptr || status.place.partition.value >= topic->partition_count()) return status;
  const Watermarks marks = topic->partition(status.place.partition).watermarks();
  status.exists = true;
  status.next = std::min(std::max(committed.value_or(marks.earliest), marks.earliest), std::max(marks.earliest, marks.durable));
  status.lag = marks.durable > status.next ? marks.durable - status.next : 0;
  if (committed && *committed < marks.earliest) status.lost = marks.earliest - *committed;
  return status;
}

std::optional<Timestamp> LagReader::known(const std::string& group, const GroupPartitionStatus& status) const {
  std::lock_guard lock(mutex_);
  const auto found = known_.find({group, status.place});
  if (found == known_.end() || found->second.next != status.next) return std::nullopt;
  return found->second.appended;
}

void LagReader::add_age(const std::string& group, GroupPartitionStatus& status) {
  if (!status.exists || status.lag == 0) return;
  auto appended = known(group, status);
  if (!appended) {
    // One that cannot be read has no age; its lag is told all the same.
    auto batch = log_.find(status.place.topic)->partition(status.place.partition).read(status.next, 1, Watermark::durable);
    if (!batch || batch->empty()) return;
    appended = batch->records().front().append_time;
    std::lock_guard lock(mutex_);
    if (known_.size() >= known_max) known_.clear();
    known_.insert_or_assign({group, status.place}, Known{status.next, *appended});
  }
  status.behind = std::max(Duration{}, clock_.now() - *appended);
}

void LagReader::forget(const std::string& group) {
  std::lock_guard lock(mutex_);
  std::erase_if(known_, [&group](const auto& entry) { return entry.first.first == group; });
}

}  // namespace iotstream::log
