// The bytes of one connection, plain or TLS, behind one interface: sessions are compiled once, not once per kind of stream.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "net/loop.hpp"

namespace boost::asio::ssl {
class context;
}

namespace iotstream::net {

struct Read {
  error_code error;        ///< asio::error::eof: the peer has ended its side
  std::string_view bytes;  ///< valid until the coroutine waits again
};

/// One reader and one writer at a time, all on the loop's thread. Closed at the latest when it dies.
class Transport {
 public:
  virtual ~Transport() = default;
  /// TLS: the server's side of it. Plain: nothing to do.
  virtual Task<error_code> handshake() = 0;
  virtual Task<Read> read() = 0;
  /// Writes some of `buffers`, at least one byte of them.
  virtual Task<std::pair<error_code, std::size_t>> write_some(std::span<const asio::const_buffer> buffers) = 0;
  /// Ends our side after what was written: the peer reads an end, not a reset. TLS: with close_notify.
  virtual Task<void> finish() = 0;
  virtual Socket& socket() = 0;

  /// Reads and forgets until the peer ends its side. Without it, closing while bytes are still coming in would reset the
  /// connection, and the peer might lose the answer that it has not read yet (RFC 9112 §9.6).
  Task<void> drain(Loop& loop);

  /// Writes everything. `progress` is called after every piece that the peer's window took: time to move a deadline.
  template <class Progress>
  Task<error_code> write(std::span<asio::const_buffer> buffers, Progress progress);

  /// Calls `left` when the peer ends its side or the connection breaks while nobody reads; no more after unwatch(). Bytes that
  /// arrive in place of the end stay where they are, and end the watch.
  void watch_peer(std::function<void()> left);
  void unwatch_peer();

  /// Ends pending operations, with operation_aborted.
  void cancel();
  /// Closes without ceremony; with `reset` the peer sees a reset in place of an end.
  void close(bool reset);

 private:
  std::shared_ptr<std::function<void()>> peer_left_;
};

std::unique_ptr<Transport> plain_transport(Loop& loop, Socket socket);
std::unique_ptr<Transport> tls_transport(Loop& loop, Socket socket, asio::ssl::context& context);

template <class Progress>
Task<error_code> Transport::write(std::span<asio::const_buffer> buffers, Progress progress) {
  while (true) {
    while (!buffers.empty() && buffers.front().size() == 0) buffers = buffers.subspan(1);
    if (buffers.empty()) co_return error_code();
    const auto [error, written] = co_await write_some(buffers);
    progress(written);
    if (error) co_return error;
    std::size_t left = written;
    while (left > 0) {
      const std::size_t step = std::min(left, buffers.front().size());
      buffers.front() += step;
      left -= step;
      if (buffers.front().size() == 0) buffers = buffers.subspan(1);
    }
  }
}

}  // namespace iotstream::net
