// MQTT 3.1.1 and 5: publishers' messages into ingest's gate, events of the log out to subscribers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::mqtt {

/// A client that is connected.
struct ClientStatus {
  std::string client;
  std::string remote;
  unsigned version = 4;  ///< 4: 3.1.1, 5
  std::uint64_t filters = 0;
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
};

/// Serves from start() to stop(): one thread for the sockets and sessions, one that reads the log for subscribers. What it
/// remembers beyond a restart is in the topic `_mqtt`. docs/mqtt.md says what clients can expect.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Binds `config.mqtt.listen`. All references outlive it. Errors: io when an address is taken, invalid for a certificate that
  /// does not load, those of the log.
  static Result<std::unique_ptr<Listener>> start(const config::Config& config, log::Log& log, ingest::Gate& gate,
                                                 catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics);
  virtual std::vector<config::Endpoint> endpoints() const = 0;
  /// Any thread; waits a moment for the sockets' thread.
  virtual std::vector<ClientStatus> clients() const = 0;
  /// Says goodbye to the clients (their wills are published), waits up to `grace`, joins. Before the log closes. Idempotent.
  virtual void stop(Duration grace) = 0;
};

}  // namespace iotstream::mqtt
