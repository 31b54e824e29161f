// Accepts connections of byte streams onto one loop.
#include <mutex>
#include <set>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include "net/listening.hpp"
#include "net/stream_session.hpp"
#include "net/tls.hpp"

namespace iotstream::net {
namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr auto accept_pause = std::chrono::milliseconds(100);

class StreamServerImpl final : public StreamServer {
 public:
  StreamServerImpl(StreamOptions options, Accept accept, metrics::Table& metrics)
      : refused_(metrics.counter("iotstream_net_stream_refused_total", "Connections closed because there were too many.",
                                 metrics::Table::label("listener", options.name))),
        loop_(std::make_shared<Loop>(options.name, options.tick)) {
    const std::string label = metrics::Table::label("listener", options.name);
    shared_ = std::make_shared<StreamShared>(
        StreamShared{std::move(options), std::move(accept),
                     metrics.counter("iotstream_net_stream_bytes_in_total",
                                     "Bytes received by listeners other than HTTP's, after TLS.", label),
                     metrics.counter("iotstream_net_stream_bytes_out_total",
                                     "Bytes sent by listeners other than HTTP's, before TLS.", label)});
  }
  ~StreamServerImpl() override { stop(Duration::seconds(0)); }

  Status open();
  std::vector<config::Endpoint> endpoints() const override { return endpoints_; }
  void post(std::function<void()> task) override { loop_->post(std::move(task)); }
  void post_after(Duration delay, std::function<void()> task) override;
  void stop(Duration grace) override;

 private:
  Task<void> accept(Acceptor& acceptor);
  void take(Socket socket);
  Task<void> serve(std::shared_ptr<StreamSession> session);

  metrics::Counter& refused_;
  std::shared_ptr<Loop> loop_;
  std::shared_ptr<StreamShared> shared_;
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<config::Endpoint> endpoints_;
  std::size_t connections_max_ = 0;
  OpenConnections open_;
  std::set<std::shared_ptr<Timer>> timers_;  ///< the loop's thread
  bool timers_stopped_ = false;              ///< the loop's thread
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

Status StreamServerImpl::open() {
  const StreamOptions& options = shared_->options;
  if (!options.tls_certificate.empty()) {
    auto tls = TlsContext::load(options.tls_certificate, options.tls_key);
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
  }
  connections_max_ = make_descriptor_room(options.connections_max);
  for (const config::Endpoint& endpoint : options.listen) {
    auto acceptor = open_acceptor(*loop_, endpoint, options.listen_key);
    if (!acceptor) return acceptor.error();
    error_code ignored;
    endpoints_.push_back({endpoint.host, (*acceptor)->local_endpoint(ignored).port()});
    acceptors_.push_back(std::move(*acceptor));
  }
  for (const auto& acceptor : acceptors_) asio::co_spawn(loop_->io(), accept(*acceptor), asio::detached);
  loop_->start();
  return {};
}

Task<void> StreamServerImpl::accept(Acceptor& acceptor) {
  while (acceptor.is_open()) {
    Socket socket(loop_->io().get_executor());
    error_code error;
    co_await acceptor.async_accept(socket, asio::redirect_error(use_task, error));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) break;
    if (!error) {
      take(std::move(socket));
    } else if (out_of_descriptors(error)) {
      Timer pause(loop_->io().get_executor(), accept_pause);
      co_await pause.async_wait(use_task);
    }
  }
}

void StreamServerImpl::take(Socket socket) {
  if (open_.add() > connections_max_) {
    refused_.add();
    open_.remove();
    return;  // the socket closes: before its first packet there is nothing to say to a peer
  }
  set_socket_options(socket);
  error_code error;
  std::string remote = text_of(socket.remote_endpoint(error));
  auto transport =
      tls_ ? tls_transport(*loop_, std::move(socket), tls_->context()) : plain_transport(*loop_, std::move(socket));
  auto session = std::make_shared<StreamSession>(loop_, shared_, std::move(transport), std::move(remote));
  asio::co_spawn(loop_->io(), serve(std::move(session)), asio::detached);
}

Task<void> StreamServerImpl::serve(std::shared_ptr<StreamSession> session) {
  co_await session->run();
  session.reset();
  open_.remove();
}

void StreamServerImpl::post_after(Duration delay, std::function<void()> task) {
  loop_->post([this, delay, task = std::move(task)]() mutable {
    if (timers_stopped_) return;
    const auto timer = std::make_shared<Timer>(loop_->io().get_executor(), std::chrono::microseconds(delay.us));
    timers_.insert(timer);
    timer->async_wait([this, timer, task = std::move(task)](const error_code& error) {
      timers_.erase(timer);
      if (!error) task();
    });
  });
}

void StreamServerImpl::stop(Duration grace) {
  const std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  loop_->post([this] {
    error_code ignored;
    for (const auto& acceptor : acceptors_) acceptor->close(ignored);
  });
  const auto stop_all = [&](bool at_once) { loop_->post([self = loop_.get(), at_once] { self->stop_all(at_once); }); };
  stop_all(false);
  if (!open_.wait_for_none(grace)) {
    do stop_all(true);
    while (!open_.wait_for_none(Duration::milliseconds(20)));
  }
  // Or the loop would wait for them.
  loop_->post([this] {
    timers_stopped_ = true;
    for (const auto& timer : timers_) timer->cancel();
  });
  loop_->join();
  acceptors_.clear();
}

}  // namespace

Result<std::unique_ptr<StreamServer>> StreamServer::start(StreamOptions options, Accept accept, metrics::Table& metrics) {
  auto server = std::make_unique<StreamServerImpl>(std::move(options), std::move(accept), metrics);
  if (const Status opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<StreamServer>(std::move(server));
}

}  // namespace iotstream::net
