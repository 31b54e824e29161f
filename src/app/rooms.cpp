#include "app/rooms.hpp"

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/http/dashboards.hpp>
#include <iotstream/ingest/batch.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::app {

namespace {

constexpr unsigned worker_threads = 2;
constexpr std::size_t worker_queue_max = 256;
// As many questions that take long at once as there are cores on a small machine; more wait, a few, and the rest is told to
// come again.
constexpr unsigned asker_threads = 2;
constexpr std::size_t asker_queue_max = 16;
constexpr std::uint64_t model_size_max = 1u << 20;

/// Of [log], or of a [[topic]].
template <class Configured>
log::TopicOptions topic_options(const Configured& configured) {
  log::TopicOptions options;
  options.partitions = configured.partitions;
  options.segment_size = configured.segment_size;
  options.retention_size = configured.retention_size;
  options.retention_age = configured.retention_age;
  options.sync = static_cast<log::Sync>(configured.sync);
  options.sync_interval = configured.sync_interval;
  return options;
}

log::LogOptions log_options(const config::Config& config) {
  log::LogOptions options;
  options.directory = config.data_dir + "/log";
  options.topic_defaults = topic_options(config.log);
  for (const config::Topic& topic : config.topics) {
    options.topics[topic.name] = topic_options(topic);
    options.topics[topic.name].compact = topic.compact;
  }
  return options;
}

/// live's window into the past: history's snapshot.
live::Backfill backfill_from(store::History& history) {
  return [&history](const live::BackfillRequest& request, const std::function<bool(const live::BackfillRow&)>& visit) {
    store::EventQuery query;
    query.dataset = request.dataset;
    query.device = request.device;
    query.fields = request.fields;
    query.from = request.from;
    query.newest_first = false;
    return history.snapshot(query, [&](const store::Event& event) { return visit({event.time, event.device, event.values}); });
  };
}

}  // namespace

Result<catalog::Prototype> to_catalog(const config::Prototype& configured) {
  catalog::Prototype prototype{configured.code, configured.label, configured.brand, configured.version, configured.dataset, {},
                               configured.facts};
  if (!configured.model.empty()) {
    auto xml = os::read_file(os::real_disk(), configured.model, model_size_max);
    if (!xml) return xml.error();
    auto drafts = catalog::read_model(*xml);
    if (!drafts) return Error{drafts.error().kind, fmt::format("{}:{}", configured.model, drafts.error().message)};
    prototype.model_xml = std::move(*xml);
  }
  return prototype;
}

Result<std::unique_ptr<Rooms>> Rooms::open(const config::Config& config) {
  std::unique_ptr<Rooms> rooms(new Rooms(config));
  if (auto opened = rooms->open_all(); !opened) return opened.error();
  return rooms;
}

Rooms::~Rooms() { close(); }

Status Rooms::open_all() {
  os::Disk& disk = os::real_disk();
  os::Clock& clock = os::system_clock();
  if (auto made = disk.create_directories(config.data_dir); !made) return made;
  auto locked = os::DirectoryLock::acquire(config.data_dir);
  if (!locked) return locked.error();
  lock = std::move(*locked);
  workers = std::make_unique<os::WorkerPool>("worker", worker_threads, worker_queue_max);
  askers = std::make_unique<os::WorkerPool>("asker", asker_threads, asker_queue_max);

  auto opened_log = log::Log::open(log_options(config), disk, clock, metrics);
  if (!opened_log) return opened_log.error();
  log = std::move(*opened_log);
  // Before anything is appended: only now can it tell committed offsets that lie above an end that was lost.
  auto coordinator = log::GroupCoordinator::create(*log, *workers, clock, metrics);
  if (!coordinator) return coordinator.error();
  groups = std::move(*coordinator);
  auto opened_gate = ingest::Gate::open(*log, schemas, clock, metrics);
  if (!opened_gate) return opened_gate.error();
  gate = std::move(*opened_gate);
  auto opened_catalog = catalog::Catalog::open(config.data_dir, schemas, clock, metrics);
  if (!opened_catalog) return opened_catalog.error();
  catalog = std::move(*opened_catalog);
  auto opened_dashboards = catalog::Dashboards::open(config.data_dir, clock);
  if (!opened_dashboards) return opened_dashboards.error();
  dashboards = std::move(*opened_dashboards);
  auto opened_history = store::History::open(config.data_dir, config.store, *log, schemas, clock, metrics);
  if (!opened_history) return opened_history.error();
  history = std::move(*opened_history);
  hub = live::Hub::create(*log, schemas, backfill_from(*history), *workers, clock, metrics);
  simulator = sim::Simulator::create(*catalog, *gate, clock, metrics);

  auto opened_imports = catalog::Imports::open(imports_options(), *catalog, disk, clock, metrics);
  if (!opened_imports) return opened_imports.error();
  imports = std::move(*opened_imports);

  services_ = std::make_unique<http::Services>(http::Services{config, *catalog, *imports, schemas, *log, *gate, *groups,
                                                              *simulator, *history, *hub, *workers, clock, metrics, clock.now(),
                                                              [this] { return ready_.load(std::memory_order_relaxed); }});
  questions_ = std::make_unique<http::Questions>(
      http::Questions{*services_, *askers, [this] { return stopping_.load(std::memory_order_relaxed); }});
  if (!config.mqtt.listen.empty())
    services_->mqtt_clients = [this] { return mqtt ? mqtt->clients() : std::vector<mqtt::ClientStatus>(); };
  ingest::add_routes(router_, *gate, *workers, config.server.body_size_max);
  ingest::add_sinks(sinks_, *gate, config.server.body_size_max);
  http::add_routes(router_, *services_);
  http::add_dashboard_routes(router_, *services_, *dashboards);
  http::add_question_routes(router_, *questions_);
  observe_process();
  return {};
}

catalog::ImportsOptions Rooms::imports_options() {
  catalog::ImportsOptions options;
  options.directory = config.data_dir + "/uploads";
  options.upload_bytes_max = config.imports.upload_size_max;
  options.keep = config.imports.keep;
  options.watches = config.watches;
  options.loaded = [this](const config::Watch& watch, const std::string& prototype) {
    if (watch.stream) replay(prototype);
  };
  return options;
}

/// A device for a prototype that has none yet, at the pace of its recording. Later files of it come in with its next loop.
void Rooms::replay(const std::string& prototype) {
  for (const sim::SimulationStatus& status : simulator->list())
    if (status.settings.prototype == prototype) return;
  config::Simulation simulation;
  simulation.prototype = prototype;
  simulation.transport = config::Transport::inproc;
  if (auto added = simulator->add(simulation); !added)
    diagnostics::warning("app", "the rows of {} are not replayed: {}", prototype, added.error().message);
}

void Rooms::observe_process() {
  metrics.observe("process_resident_memory_bytes", "Resident memory.",
                  [] { return static_cast<double>(os::process_usage().rss_bytes); });
  metrics.observe("process_cpu_seconds_total", "User and system time of all threads.",
                  [] { return os::process_usage().cpu_seconds; });
  metrics.observe("process_open_fds", "Open file descriptors.",
                  [] { return static_cast<double>(os::process_usage().open_files); });
  metrics.observe("iotstream_app_ready", "1 when serving.",
                  [this] { return ready_.load(std::memory_order_relaxed) ? 1.0 : 0.0; });
}

Status Rooms::start_mqtt() {
  if (config.mqtt.listen.empty()) return {};
  auto started = mqtt::Listener::start(config, *log, *gate, schemas, os::system_clock(), metrics);
  if (!started) return started.error();
  mqtt = std::move(*started);
  for (const config::Endpoint& endpoint : mqtt->endpoints())
    diagnostics::info("mqtt", "MQTT 3.1.1 and 5 on {}{}", endpoint.text(), config.mqtt.tls ? ", with TLS" : "");
  return {};
}

void Rooms::stop_mqtt(Duration grace) {
  if (mqtt) mqtt->stop(grace);
}

void Rooms::close() {
  if (std::exchange(closed_, true)) return;
  if (imports) imports->stop();
  stop_mqtt(Duration::seconds(0));
  stop_asking();
  if (askers) askers->stop();
  if (simulator) simulator->stop();
  if (groups) groups->close();
  if (hub) hub->stop();
  if (history) {
    // What the log has acknowledged is safe already; this only spares the next start the catching up.
    if (auto drained = history->drain(Duration::seconds(2)); !drained)
      diagnostics::warning("app", "history will catch up at the next start: {}", drained.error().message);
    history->stop();
  }
  if (log) {
    if (auto closed = log->close(); !closed) diagnostics::error("app", "closing the log: {}", closed.error().message);
  }
  if (workers) workers->stop();
}

Result<std::vector<catalog::ImportReport>> Rooms::import_configured(const ImportProgress& progress) {
  for (const config::Prototype& configured : config.prototypes) {
    auto prototype = to_catalog(configured);
    if (!prototype) return prototype.error();
    if (auto put = catalog->put(*prototype); !put)
      return Error{put.error().kind, fmt::format("{}: {}", configured.place, put.error().message)};
  }
  if (auto done = configure_datasets(true); !done) return done.error();
  std::vector<catalog::ImportReport> reports;
  for (const config::Prototype& configured : config.prototypes) {
    auto files = config::expand(configured.csv);
    if (!files) return files.error();
    for (const std::string& path : *files) {
      if (catalog->imported_unchanged(configured.code, path)) continue;
      auto report = catalog->import_csv(configured.code, path, [&](std::uint64_t done, std::uint64_t total) {
        progress(path, done, total);
        return true;
      });
      if (!report) return Error{report.error().kind, fmt::format("{}: {}", path, report.error().message)};
      reports.push_back(std::move(*report));
    }
  }
  if (auto done = configure_datasets(false); !done) return done.error();
  return reports;
}

/// A dataset that a model declares is as the configuration says before its recordings are loaded; without a model the
/// recordings declare it.
Status Rooms::configure_datasets(bool declared) {
  for (const config::Dataset& dataset : config.datasets) {
    const auto schema = schemas.current(dataset.name);
    if (declared && (!schema || schema->fields().empty())) continue;
    Status done = schemas.configure_compatibility(dataset.name, static_cast<model::Compatibility>(dataset.compatibility),
                                                  os::system_clock().now());
    if (!done) return Error{done.error().kind, fmt::format("{}: {}", dataset.place, done.error().message)};
  }
  return {};
}

}  // namespace iotstream::app
