// The REST routes, the live WebSocket and the dashboard's files, over the rooms that know the answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <iotstream/base/time.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/catalog/imports.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/live/hub.hpp>
#include <iotstream/log/group.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/mqtt/listener.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/worker_pool.hpp>
#include <iotstream/sim/simulator.hpp>
#include <iotstream/store/history.hpp>
#include <iotstream/store/verify.hpp>

namespace iotstream::http {

/// What the routes answer from. Everything outlives the server.
struct Services {
  const config::Config& config;
  catalog::Catalog& catalog;
  catalog::Imports& imports;
  catalog::Schemas& schemas;
  log::Log& log;
  ingest::Gate& gate;
  log::GroupCoordinator& groups;
  sim::Simulator& simulator;
  store::History& history;
  live::Hub& hub;
  os::WorkerPool& workers;  ///< for everything that may block
  os::Clock& clock;
  metrics::Table& metrics;
  Timestamp started;
  std::function<bool()> ready;                                         ///< whether /readyz says yes
  std::function<std::vector<mqtt::ClientStatus>()> mqtt_clients = {};  ///< empty: there is no MQTT
  /// Asked first about `GET /`, for clients that do not want the page; nothing: they get it. Empty: all do.
  std::function<std::optional<net::Response>(const net::Request&)> front = {};
};

/// Adds every route but ingest's own. Before the server starts.
void add_routes(net::Router& router, Services& services);

/// The lines of a verification, NDJSON: {"finding":{…}} for each finding, {"progress":{…}} in between, {"report":{…}} at the
/// end. It reads at most about `bytes_per_second`, pausing in between; 0: as fast as it can.
std::unique_ptr<net::BodySource> verify_stream(std::unique_ptr<store::Verification> verification,
                                               std::uint64_t bytes_per_second);

/// The OpenAPI 3.1 document of the whole server, ingest's routes included.
std::string_view openapi();

}  // namespace iotstream::http
