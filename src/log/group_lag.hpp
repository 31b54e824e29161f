// How far a group is behind on each partition.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/log/group.hpp>

namespace iotstream::log {

/// Any thread.
class LagReader {
 public:
  LagReader(Log& log, os::Clock& clock) : log_(log), clock_(clock) {}

  /// Offsets and lag of one place; memory only.
  GroupPartitionStatus measure(TopicPartition place, std::optional<Offset> committed) const;
  /// Fills `behind`. The time of a record is read once, however often a group that stands still is asked for.
  void add_age(const std::string& group, GroupPartitionStatus& status);
  /// What was remembered of a group goes.
  void forget(const std::string& group);

 private:
  struct Known {
    Offset next;
    Timestamp appended;
  };
  static constexpr std::size_t known_max = 20'000;

  std::optional<Timestamp> known(const std::string& group, const GroupPartitionStatus& status) const;

  Log& log_;
  os::Clock& clock_;
  mutable std::mutex mutex_;  ///< guards known_; never held while reading
  std::map<std::pair<std::string, TopicPartition>, Known> known_;
};

}  // namespace iotstream::log
