// Decides who sends what when; its caller decides on which thread, and waits in between.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include <iotstream/metrics/metrics.hpp>

#include "sim/simulation.hpp"
#include "sim/transport.hpp"
#include "sim/wall_time.hpp"

namespace iotstream::sim {

/// Simulations and the schedule of their devices. Thread-safe; run_due() from one thread at a time. All references outlive it;
/// answers of the transports may come as long as it lives.
class Engine {
 public:
  /// `wake` is called, on any thread and without the lock, when run_due() is to be called before the time that it gave.
  Engine(catalog::Catalog& catalog, os::Clock& clock, metrics::Table& metrics, std::function<void()> wake);

  /// Where readings of that transport go from now on; without one, its simulations fail.
  void set_transport(config::Transport kind, Transport* transport);

  /// Errors: not_found, invalid for an impossible setting. A prototype without rows gives a failed simulation.
  Result<std::uint64_t> add(const config::Simulation& settings);
  Status change(std::uint64_t id, const SimulationChange& change);
  Status remove(std::uint64_t id);
  std::vector<SimulationStatus> list() const;

  /// Sends what is due now. The monotonic time of the next deadline, which has passed already when there was more than a few
  /// thousand to send; nothing when there is none.
  std::optional<std::int64_t> run_due();

 private:
  // A deadline in the schedule; stale unless it is the device's scheduled_ns.
  struct Entry {
    std::int64_t deadline_ns = 0;
    std::uint64_t simulation = 0;
    std::uint32_t device = 0;
    bool operator>(const Entry& other) const { return deadline_ns > other.deadline_ns; }
  };
  // A reading on its way to its transport.
  struct Outgoing {
    Transport* transport = nullptr;
    std::uint64_t simulation = 0;
    std::uint32_t device = 0;
    std::uint64_t epoch = 0;
    std::uint64_t row = 0;
    std::string body;
  };
  struct Metrics {
    explicit Metrics(metrics::Table& table);
    metrics::Counter& sent;
    metrics::Counter& acknowledged;
    metrics::Counter& refused;
    metrics::Counter& dropped;
    metrics::Counter& skipped;
    metrics::Histogram& lateness;
  };

  Simulation* find(std::uint64_t id);
  Device* find(const Outgoing& outgoing, Simulation& simulation) const;
  void schedule(Simulation& simulation, std::size_t device, std::int64_t deadline_ns);
  void schedule_all(Simulation& simulation);
  void schedule_next(Simulation& simulation, std::size_t device);
  bool collect(std::int64_t now_ns);
  void collect_one(Simulation& simulation, std::size_t index, std::int64_t now_ns);
  void send(Outgoing& outgoing);
  void placed(const Outgoing& outgoing);
  void answered(const Outgoing& outgoing, Verdict verdict, std::string problem);
  void try_again(Simulation& simulation, std::size_t index, Device& device);

  catalog::Catalog& catalog_;
  os::Clock& clock_;
  Metrics metrics_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;  ///< guards all below; not held while a transport sends
  Transport* http_ = nullptr;
  Transport* inproc_ = nullptr;
  std::map<std::uint64_t, std::unique_ptr<Simulation>> simulations_;
  std::uint64_t last_id_ = 0;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  WallTime wall_time_;
  std::vector<Outgoing> outgoing_;  ///< of run_due()'s thread alone while it is sent
};

}  // namespace iotstream::sim
