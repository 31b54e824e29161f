// The rooms of one data directory, opened in the order of the house and closed in the opposite one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/catalog/dashboards.hpp>
#include <iotstream/catalog/imports.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/http/api.hpp>
#include <iotstream/http/questions.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/live/hub.hpp>
#include <iotstream/log/group.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/mqtt/listener.hpp>
#include <iotstream/net/body_sink.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/process.hpp>
#include <iotstream/os/worker_pool.hpp>
#include <iotstream/sim/simulator.hpp>
#include <iotstream/store/history.hpp>

namespace iotstream::app {

/// Everything between the disk and the routes; no socket. One per process and data directory.
class Rooms {
 public:
  /// Takes the directory's lock, recovers the log, opens catalog and history. `config` outlives it. Errors: conflict when
  /// another process holds the directory; those of the rooms.
  static Result<std::unique_ptr<Rooms>> open(const config::Config& config);
  ~Rooms();
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  /// The routes of all rooms. Valid as long as this.
  const net::Router& router() const { return router_; }
  /// Those of them that take long bodies in pieces.
  const net::BodySinks& sinks() const { return sinks_; }
  /// Takes readings no more, brings history up to the log, closes the files. Idempotent.
  void close();

  /// Puts the configured prototypes into the catalog, sets the datasets' compatibility, and loads those of the prototypes' CSV
  /// files that are new. `progress` gets each file's path with its progress.
  using ImportProgress = std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)>;
  Result<std::vector<catalog::ImportReport>> import_configured(const ImportProgress& progress);

  /// Listens for MQTT when the configuration says so. Errors: those of mqtt::Listener::start.
  Status start_mqtt();
  void stop_mqtt(Duration grace);

  /// Ends the questions that run (SQL, profiles) and those that wait, so that nobody waits for them.
  void stop_asking() { stopping_.store(true, std::memory_order_relaxed); }
  void set_ready(bool ready) { ready_.store(ready, std::memory_order_relaxed); }

  const config::Config& config;
  metrics::Table metrics;
  catalog::Schemas schemas;
  std::unique_ptr<os::DirectoryLock> lock;
  std::unique_ptr<os::WorkerPool> workers;
  std::unique_ptr<os::WorkerPool> askers;
  std::unique_ptr<log::Log> log;
  std::unique_ptr<log::GroupCoordinator> groups;
  std::unique_ptr<ingest::Gate> gate;
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<catalog::Dashboards> dashboards;
  std::unique_ptr<catalog::Imports> imports;
  std::unique_ptr<store::History> history;
  std::unique_ptr<live::Hub> hub;
  std::unique_ptr<sim::Simulator> simulator;
  std::unique_ptr<mqtt::Listener> mqtt;  ///< from start_mqtt() on

 private:
  explicit Rooms(const config::Config& configuration) : config(configuration) {}
  Status open_all();
  catalog::ImportsOptions imports_options();
  void replay(const std::string& prototype);
  void observe_process();
  Status configure_datasets(bool declared);

  std::unique_ptr<http::Services> services_;
  std::unique_ptr<http::Questions> questions_;
  net::Router router_;
  net::BodySinks sinks_;
  std::atomic<bool> ready_{false};     ///< relaxed: /readyz may see it a moment late
  std::atomic<bool> stopping_{false};  ///< relaxed: looked at again and again
  bool closed_ = false;
};

/// The prototype as the catalog keeps it, its model's text read from the configured file. Errors: invalid, io.
Result<catalog::Prototype> to_catalog(const config::Prototype& configured);

}  // namespace iotstream::app
