// What history holds, in numbers, for every thread: copied from the writer's state after each commit.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/store/history.hpp>

#include "store/state.hpp"

namespace iotstream::store {

/// Any thread.
class Inventory {
 public:
  /// Takes over the numbers of a dataset. Called by the writer after a commit.
  void publish(DatasetState& dataset);

  std::vector<DatasetUsage> datasets() const;
  std::vector<DeviceUsage> devices() const;
  /// The next offsets, per partition; empty: no such dataset.
  std::vector<Offset> consumed(std::string_view dataset) const;

  struct Target {
    std::string dataset;
    std::vector<Offset> next;
  };
  /// Blocks until all targets are consumed; false after `timeout`.
  bool wait_for(const std::vector<Target>& targets, Duration timeout);

 private:
  struct Entry {
    DatasetUsage usage;
    std::vector<DeviceUsage> devices;
    std::vector<Offset> next;
  };
  bool reached(const std::vector<Target>& targets) const;

  mutable std::mutex mutex_;  ///< guards entries_; held for copies only
  std::condition_variable published_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace iotstream::store
