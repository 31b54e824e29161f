// Devices that replay imported rows, re-dated to now, through ingest's gate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::sim {

enum class State : unsigned char { running, paused, finished, failed };
std::string_view name_of(State state);

/// One simulation: some devices of one prototype.
struct SimulationStatus {
  std::uint64_t id = 0;
  config::Simulation settings;
  std::string dataset;
  State state = State::running;
  std::string problem;  ///< of a failed one, or the last refusal
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;         ///< 429, 503, 507: tried again with back-off
  std::uint64_t dropped = 0;         ///< given up: a 4xx that trying again cannot mend
  std::uint64_t skipped = 0;         ///< overdue by more than a second when their turn came: never sent
  std::uint64_t loops = 0;           ///< of its first device
  std::int64_t lateness_us_max = 0;  ///< over the last minute: how late a reading left against its deadline
  double expected_rate = 0;          ///< readings/s of all its devices; of a recorded cadence the median's
  std::vector<std::string> devices;
};

/// What may be changed while it runs; absent members stay.
struct SimulationChange {
  std::optional<bool> paused;
  std::optional<double> speed;
  std::optional<std::optional<Duration>> period;  ///< inner nothing: recorded cadence
  std::optional<std::uint32_t> devices;
};

/// One scheduler thread; deadlines are absolute (start + n × period): a late reading never delays the next, and 10 Hz stays 10
/// Hz over hours. A process that was held up sends what is overdue up to 1 s of backlog, then counts what it skips.
/// Thread-safe.
class Simulator {
 public:
  virtual ~Simulator() = default;

  /// `url`: where HTTP devices post (the server's own address); set before start(). All references outlive it.
  static std::unique_ptr<Simulator> create(catalog::Catalog& catalog, ingest::Gate& gate, os::Clock& clock,
                                           metrics::Table& metrics);
  /// Starts the configured simulations. Errors: not_found (a prototype without rows fails alone and says so in its status).
  virtual Status start(const std::string& url, const std::string& token,
                       const std::vector<config::Simulation>& simulations) = 0;
  virtual Result<std::uint64_t> add(const config::Simulation& simulation) = 0;
  virtual Status change(std::uint64_t id, const SimulationChange& change) = 0;
  virtual Status remove(std::uint64_t id) = 0;
  virtual std::vector<SimulationStatus> list() const = 0;
  virtual void stop() = 0;
};

}  // namespace iotstream::sim
