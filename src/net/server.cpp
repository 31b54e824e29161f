#include <algorithm>
#include <mutex>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include <iotstream/net/server.hpp>

#include "net/connection.hpp"
#include "net/listening.hpp"
#include "net/tls.hpp"

namespace iotstream::net {
namespace {

using asio::ip::tcp;

constexpr auto accept_pause = std::chrono::milliseconds(100);

Duration tick_of(const ServerOptions& options) {
  const std::int64_t shortest =
      std::min({options.header_timeout.us, options.body_timeout.us, options.write_timeout.us, options.linger_timeout.us,
                options.config.idle_timeout.us, options.websocket_ping_interval.us, options.websocket_close_timeout.us});
  return {std::clamp<std::int64_t>(shortest / 4, 5'000, 1'000'000)};
}

/// Bounds the time in which a connection that was turned away may read the reason.
class Farewell final : public Watched {
 public:
  explicit Farewell(Transport& transport) : transport_(transport) {}
  void expired() override { transport_.cancel(); }
  void stop(bool) override { transport_.cancel(); }

 private:
  Transport& transport_;
};

class ServerImpl final : public Server {
 public:
  ServerImpl(ServerOptions options, const Router& router, os::WorkerPool& workers, metrics::Table& metrics)
      : state_(std::make_shared<ServerState>(std::move(options), router, workers, metrics)) {}

  ~ServerImpl() override { stop(Duration::seconds(0)); }

  Status open();
  std::vector<config::Endpoint> endpoints() const override { return endpoints_; }
  void stop(Duration grace) override;

 private:
  Task<void> accept(Acceptor& acceptor);
  void take(Loop& loop, Socket socket);
  Loop& least_loaded();
  Task<void> serve(std::shared_ptr<Loop> loop, std::unique_ptr<Transport> transport, Peer peer);
  Task<void> turn_away(std::shared_ptr<Loop> loop, std::unique_ptr<Transport> transport);

  std::shared_ptr<ServerState> state_;
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;  ///< on the first loop
  std::vector<config::Endpoint> endpoints_;
  std::size_t connections_max_ = 0;
  OpenConnections open_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

Status ServerImpl::open() {
  const config::Server& config = state_->options.config;
  if (!config.tls_certificate.empty()) {
    auto tls = TlsContext::load(config.tls_certificate, config.tls_key);
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
  }
  connections_max_ = make_descriptor_room(config.connections_max);
  for (unsigned i = 0; i < std::max(1u, state_->options.threads); ++i) {
    loops_.push_back(std::make_shared<Loop>(fmt::format("net-{}", i), tick_of(state_->options)));
  }
  for (const auto& endpoint : config.listen) {
    auto acceptor = open_acceptor(*loops_.front(), endpoint, "server.listen");
    if (!acceptor) return acceptor.error();
    error_code ignored;
    endpoints_.push_back({endpoint.host, (*acceptor)->local_endpoint(ignored).port()});
    acceptors_.push_back(std::move(*acceptor));
  }
  for (const auto& acceptor : acceptors_) asio::co_spawn(loops_.front()->io(), accept(*acceptor), asio::detached);
  for (const auto& loop : loops_) loop->start();
  return {};
}

Task<void> ServerImpl::accept(Acceptor& acceptor) {
  while (acceptor.is_open()) {
    Loop& loop = least_loaded();
    Socket socket(loop.io().get_executor());
    error_code error;
    co_await acceptor.async_accept(socket, asio::redirect_error(use_task, error));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) break;
    if (!error) {
      take(loop, std::move(socket));
    } else if (out_of_descriptors(error)) {
      // Connections that end make room; until then the kernel's queue holds the others.
      state_->metrics.refused("descriptors");
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> pause(
          loops_.front()->io().get_executor(), accept_pause);
      co_await pause.async_wait(use_task);
    }
  }
}

Loop& ServerImpl::least_loaded() {
  const auto least =
      std::min_element(loops_.begin(), loops_.end(), [](const auto& a, const auto& b) { return a->size() < b->size(); });
  return **least;
}

void ServerImpl::take(Loop& loop, Socket socket) {
  set_socket_options(socket);
  error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  const tcp::endpoint local = socket.local_endpoint(error);
  Peer peer{text_of(remote), local.address().to_string()};
  const bool full = open_.add() > connections_max_;
  state_->metrics.connections.add(1);
  state_->metrics.accepted.add();
  auto shared = loop.shared_from_this();
  auto transport =
      tls_ && !full ? tls_transport(loop, std::move(socket), tls_->context()) : plain_transport(loop, std::move(socket));
  if (full) {
    asio::co_spawn(loop.io(), turn_away(shared, std::move(transport)), asio::detached);
  } else {
    asio::co_spawn(loop.io(), serve(shared, std::move(transport), std::move(peer)), asio::detached);
  }
}

Task<void> ServerImpl::serve(std::shared_ptr<Loop> loop, std::unique_ptr<Transport> transport, Peer peer) {
  auto connection = std::make_shared<Connection>(std::move(loop), state_, std::move(transport), std::move(peer));
  const std::shared_ptr<WebSocketSession> websocket = co_await connection->run();
  connection.reset();
  if (websocket) co_await websocket->run();
  state_->metrics.connections.add(-1);
  open_.remove();
}

/// One connection too many: it is told so, in the clear, and closed.
Task<void> ServerImpl::turn_away(std::shared_ptr<Loop> loop, std::unique_ptr<Transport> transport) {
  state_->metrics.refused("connections");
  if (!tls_) {
    const auto farewell = std::make_shared<Farewell>(*transport);
    farewell->deadline = after(state_->options.linger_timeout);
    loop->watch(farewell);
    std::string text;
    Response response = Response::problem(503, "There are too many connections; try again later.");
    response.headers.emplace_back("Retry-After", "1");
    append_head(text, response, {true, false, response.body.size(), {}});
    text += response.body;
    // Once, without waiting: an empty send buffer takes it whole.
    error_code ignored;
    transport->socket().write_some(asio::buffer(text), ignored);
    co_await transport->finish();
    co_await transport->drain(*loop);
    loop->forget(*farewell);
  }
  transport->close(false);
  transport.reset();
  state_->metrics.connections.add(-1);
  open_.remove();
}

void ServerImpl::stop(Duration grace) {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  state_->stopping.store(true, std::memory_order_relaxed);
  if (!loops_.empty()) {
    loops_.front()->post([this] {
      error_code ignored;
      for (const auto& acceptor : acceptors_) acceptor->close(ignored);
    });
  }
  const auto stop_all = [&](bool at_once) {
    // By address: a loop that never started keeps what is posted until it dies, and must not keep itself.
    for (const auto& loop : loops_) loop->post([self = loop.get(), at_once] { self->stop_all(at_once); });
  };
  stop_all(false);
  if (!open_.wait_for_none(grace)) {
    // A connection may have been accepted after a round, and be watched before the next.
    do stop_all(true);
    while (!open_.wait_for_none(Duration::milliseconds(20)));
  }
  for (const auto& loop : loops_) loop->join();
  acceptors_.clear();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, const Router& router, os::WorkerPool& workers,
                                              metrics::Table& metrics) {
  auto server = std::make_unique<ServerImpl>(std::move(options), router, workers, metrics);
  if (const Status opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace iotstream::net
