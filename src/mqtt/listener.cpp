#include <future>
#include <mutex>

#include <iotstream/mqtt/listener.hpp>
#include <iotstream/net/stream.hpp>

#include "mqtt/connection.hpp"

namespace iotstream::mqtt {
namespace {

constexpr Duration tick_interval = Duration::seconds(1);

net::StreamOptions stream_options(const config::Config& config) {
  net::StreamOptions options;
  options.name = "mqtt";
  options.listen_key = "mqtt.listen";
  options.listen = config.mqtt.listen;
  options.connections_max = config.mqtt.connections_max;
  if (config.mqtt.tls) {
    options.tls_certificate = config.server.tls_certificate;
    options.tls_key = config.server.tls_key;
  }
  return options;
}

/// The way to the sockets' thread, for those who may outlive it: the log's threads, the fan-out's.
class Door {
 public:
  void open(net::StreamServer* server) {
    const std::lock_guard lock(mutex_);
    server_ = server;
  }
  void close() { open(nullptr); }
  bool is_open() {
    const std::lock_guard lock(mutex_);
    return server_ != nullptr;
  }
  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (server_ != nullptr) server_->post(std::move(task));
  }
  void post_after(Duration delay, std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (server_ != nullptr) server_->post_after(delay, std::move(task));
  }

 private:
  std::mutex mutex_;
  net::StreamServer* server_ = nullptr;
};

class ListenerImpl final : public Listener {
 public:
  ListenerImpl(const config::Config& config, log::Log& log, ingest::Gate& gate, catalog::Schemas& schemas, os::Clock& clock,
               metrics::Table& table)
      : config_(config),
        log_(log),
        gate_(gate),
        clock_(clock),
        table_(table),
        metrics_(table),
        fanout_(log, schemas, table, Limits().lag_max) {}
  ~ListenerImpl() override { stop(Duration::seconds(0)); }

  iotstream::Status open();
  std::vector<config::Endpoint> endpoints() const override { return server_->endpoints(); }
  std::vector<ClientStatus> clients() const override;
  void stop(Duration grace) override;

 private:
  void tick();

  const config::Config& config_;
  log::Log& log_;
  ingest::Gate& gate_;
  os::Clock& clock_;
  metrics::Table& table_;
  Metrics metrics_;
  Fanout fanout_;
  std::unique_ptr<Ledger> ledger_;
  std::shared_ptr<Broker> broker_;
  const std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::unique_ptr<net::StreamServer> server_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

iotstream::Status ListenerImpl::open() {
  Sessions sessions;
  auto ledger = Ledger::open(log_, clock_, sessions);
  if (!ledger) return ledger.error();
  ledger_ = std::move(*ledger);
  Broker::Needs needs{config_.mqtt,
                      config_.server.token,
                      log_,
                      gate_,
                      clock_,
                      fanout_,
                      *ledger_,
                      metrics_,
                      [door = door_](std::function<void()> task) { door->post(std::move(task)); },
                      [door = door_](Duration delay, std::function<void()> task) { door->post_after(delay, std::move(task)); },
                      Limits()};
  broker_ = std::make_shared<Broker>(std::move(needs), std::move(sessions));
  auto server = net::StreamServer::start(
      stream_options(config_),
      [broker = broker_, door = door_](net::Stream& stream) {
        // One that is there before the door is open comes again.
        return door->is_open() ? std::make_shared<Connection>(stream, broker) : nullptr;
      },
      table_);
  if (!server) return server.error();
  server_ = std::move(*server);
  door_->open(server_.get());
  server_->post_after(tick_interval, [this] { tick(); });
  return {};
}

void ListenerImpl::tick() {
  broker_->tick();
  server_->post_after(tick_interval, [this] { tick(); });
}

std::vector<ClientStatus> ListenerImpl::clients() const {
  auto answer = std::make_shared<std::promise<std::vector<ClientStatus>>>();
  auto clients = answer->get_future();
  server_->post([broker = broker_, answer] {
    std::vector<ClientStatus> all;
    for (const auto& [client, session] : broker->sessions()) {
      if (session->connection == nullptr) continue;
      const Connection::Status one = session->connection->status();
      all.push_back({one.client, one.remote, static_cast<unsigned>(one.version), one.filters, one.published, one.delivered});
    }
    answer->set_value(std::move(all));
  });
  if (clients.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return {};
  return clients.get();
}

void ListenerImpl::stop(Duration grace) {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  if (server_) server_->stop(grace);
  door_->close();
  fanout_.stop();
  if (broker_) broker_->close();  // its thread has ended
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::start(const config::Config& config, log::Log& log, ingest::Gate& gate,
                                                  catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics) {
  auto listener = std::make_unique<ListenerImpl>(config, log, gate, schemas, clock, metrics);
  if (auto opened = listener->open(); !opened) return opened.error();
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace iotstream::mqtt
