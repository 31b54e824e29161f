#include "net/transport.hpp"

#include <cerrno>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <sys/socket.h>

namespace iotstream::net {
namespace {

class PlainTransport final : public Transport {
 public:
  PlainTransport(Loop& loop, Socket socket) : loop_(loop), socket_(std::move(socket)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  Task<error_code> handshake() override { co_return error_code(); }

  /// Waits for bytes, then reads them into the loop's buffer: an idle connection holds no buffer of its own.
  Task<Read> read() override {
    error_code error;
    while (true) {
      if (!more_) {
        co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(use_task, error));
        if (error) co_return Read{error, {}};
      }
      const std::size_t count = socket_.read_some(asio::buffer(loop_.scratch()), error);
      more_ = count == Loop::scratch_size;  // a full buffer: probably not all
      if (error == asio::error::would_block) continue;
      co_return Read{error, {loop_.scratch().data(), count}};
    }
  }

  Task<std::pair<error_code, std::size_t>> write_some(std::span<const asio::const_buffer> buffers) override {
    error_code error;
    while (true) {
      const std::size_t count = socket_.write_some(buffers, error);
      if (error != asio::error::would_block) co_return std::pair(error, count);
      co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(use_task, error));
      if (error) co_return std::pair(error, std::size_t{0});
    }
  }

  Task<void> finish() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_return;
  }

  Socket& socket() override { return socket_; }

 private:
  Loop& loop_;
  Socket socket_;
  bool more_ = false;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(Loop& loop, Socket socket, asio::ssl::context& context) : loop_(loop), stream_(std::move(socket), context) {}

  Task<error_code> handshake() override {
    error_code error;
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(use_task, error));
    co_return error;
  }

  Task<Read> read() override {
    if (buffer_.empty()) buffer_.resize(16u << 10);  // one TLS record
    error_code error;
    const std::size_t count = co_await stream_.async_read_some(asio::buffer(buffer_), asio::redirect_error(use_task, error));
    // A peer that leaves without close_notify has left all the same; whether its request was whole, its framing tells.
    if (error == asio::ssl::error::stream_truncated) error = asio::error::eof;
    co_return Read{error, {buffer_.data(), count}};
  }

  Task<std::pair<error_code, std::size_t>> write_some(std::span<const asio::const_buffer> buffers) override {
    error_code error;
    const std::size_t count = co_await stream_.async_write_some(buffers, asio::redirect_error(use_task, error));
    co_return std::pair(error, count);
  }

  Task<void> finish() override {
    // Also waits for the peer's close_notify; one that never comes is ended by the session's deadline.
    error_code ignored;
    co_await stream_.async_shutdown(asio::redirect_error(use_task, ignored));
    socket().shutdown(Socket::shutdown_send, ignored);
  }

  Socket& socket() override { return stream_.next_layer(); }

 private:
  Loop& loop_;
  asio::ssl::stream<Socket> stream_;
  std::vector<char> buffer_;
};

}  // namespace

void Transport::watch_peer(std::function<void()> left) {
  peer_left_ = std::make_shared<std::function<void()>>(std::move(left));
  // Weak: the callback may come after the transport's death, as an aborted wait.
  socket().async_wait(Socket::wait_read, [this, watch = std::weak_ptr(peer_left_)](const error_code& error) {
    const auto callback = watch.lock();
    if (!callback || error == asio::error::operation_aborted) return;
    char byte = 0;
    const auto count = ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return;
    (*callback)();
  });
}

void Transport::unwatch_peer() { peer_left_.reset(); }

Task<void> Transport::drain(Loop& loop) {
  error_code error;
  while (!error) {
    co_await socket().async_wait(Socket::wait_read, asio::redirect_error(use_task, error));
    if (error) break;
    socket().read_some(asio::buffer(loop.scratch()), error);
    if (error == asio::error::would_block) error = {};
  }
}

void Transport::cancel() {
  error_code ignored;
  socket().cancel(ignored);
}

void Transport::close(bool reset) {
  error_code ignored;
  if (reset) socket().set_option(asio::socket_base::linger(true, 0), ignored);
  socket().close(ignored);
}

std::unique_ptr<Transport> plain_transport(Loop& loop, Socket socket) {
  return std::make_unique<PlainTransport>(loop, std::move(socket));
}

std::unique_ptr<Transport> tls_transport(Loop& loop, Socket socket, asio::ssl::context& context) {
  return std::make_unique<TlsTransport>(loop, std::move(socket), context);
}

}  // namespace iotstream::net
