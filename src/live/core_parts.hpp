// What the hub keeps of a dataset and of a viewer: shared by core.cpp and viewers.cpp.
#pragma once

#include <condition_variable>
#include <set>

#include "live/core.hpp"

namespace iotstream::live {

struct Core::Dataset {
  explicit Dataset(Activity::Dataset& in) : activity(in) {}
  Activity::Dataset& activity;
  log::Topic* topic = nullptr;    ///< nullptr: no event yet
  std::vector<Offset> positions;  ///< next to read, by partition
  std::vector<bool> failing;      ///< by partition: the last read failed, and that was said
  std::vector<Subscription*> subscriptions;
  model::SchemaPtr schema;
  std::uint64_t schema_generation = 0;
};

struct Core::Viewer {
  explicit Viewer(std::shared_ptr<Door> in) : door(std::move(in)) {}
  const std::shared_ptr<Door> door;
  std::map<std::uint32_t, std::unique_ptr<Subscription>> subscriptions;
  std::size_t bytes_in_flight = 0;
  std::uint32_t served = 0;  ///< the subscription that was sent a frame last
  bool dropped = false;
};

/// Counts the back-fills that run on workers right now; outlives the hub with the last of them.
struct Core::Running {
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t count = 0;
  bool stopped = false;  ///< those that begin later do nothing
  std::set<std::shared_ptr<BackfillJob>> jobs;

  bool begin(const std::shared_ptr<BackfillJob>& job) {
    const std::lock_guard lock(mutex);
    if (stopped) return false;
    jobs.insert(job);
    return true;
  }
  void end(const std::shared_ptr<BackfillJob>& job) {
    const std::lock_guard lock(mutex);
    jobs.erase(job);
    ended.notify_all();
  }
  void stop() {
    std::unique_lock lock(mutex);
    stopped = true;
    for (const auto& job : jobs) job->cancelled.store(true, std::memory_order_relaxed);
    ended.wait(lock, [this] { return jobs.empty(); });
  }
};

}  // namespace iotstream::live
