// Listeners of plain byte streams, with or without TLS, for protocols other than HTTP. Bytes only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/metrics/metrics.hpp>

namespace iotstream::net {

/// One connection. All members on the server's thread only; valid until StreamHandler::closed() has returned.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Queues bytes, copied. What is queued within one turn of the thread goes out in one write. Nothing happens once closed.
  virtual void send(std::string_view bytes) = 0;
  /// The same for bytes that go to many: shared, not copied.
  virtual void send(std::shared_ptr<const std::string> bytes) = 0;
  /// Not yet taken by the system. Whoever sends much looks here and waits for drained().
  virtual std::size_t queued_bytes() const = 0;
  /// Stops reading, so that the peer's window fills. received() may be called once more for a read that was on its way.
  virtual void pause(bool paused) = 0;
  /// Sends what is queued, then ends the connection. received() is called no more.
  virtual void close() = 0;
  /// Ends the connection at once, with a reset.
  virtual void drop() = 0;
  /// alarm() is called once, after about that long; the last call counts. A negative length: never.
  virtual void set_alarm(Duration after) = 0;
  virtual const std::string& remote() const = 0;  ///< `127.0.0.1:50412`
};

/// What a connection calls, on the server's thread: must not block.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void received(std::string_view bytes) = 0;  ///< at least one byte, valid during the call
  virtual void drained() = 0;                         ///< everything queued has been taken by the system
  virtual void alarm() = 0;
  virtual void stopping() = 0;  ///< the server stops: say goodbye and close
  virtual void closed() = 0;    ///< exactly once, the last call
};

struct StreamOptions {
  std::string name;        ///< of the thread and in metrics: `mqtt`
  std::string listen_key;  ///< of the configuration, for messages: `mqtt.listen`
  std::vector<config::Endpoint> listen;
  std::uint32_t connections_max = 10'000;  ///< closed above
  std::string tls_certificate;             ///< PEM file; with tls_key: TLS on every listener
  std::string tls_key;
  Duration handshake_timeout = Duration::seconds(10);
  Duration write_timeout = Duration::seconds(30);  ///< the longest time a peer may take nothing of what is waiting for it
  Duration linger_timeout =
      Duration::seconds(2);  ///< how long a closed connection is read on, so that the peer sees the last bytes
  Duration tick = Duration::milliseconds(250);  ///< how late a deadline may be met
};

/// Serves from start() to stop() on one thread of its own: what the handlers share needs no lock.
class StreamServer {
 public:
  using Accept = std::function<std::shared_ptr<StreamHandler>(Stream&)>;
  virtual ~StreamServer() = default;
  /// Binds and listens. `accept` is called on the server's thread for every connection. Errors: io when an address is taken or
  /// cannot be bound, invalid for a certificate or key that does not load.
  static Result<std::unique_ptr<StreamServer>> start(StreamOptions options, Accept accept, metrics::Table& metrics);
  virtual std::vector<config::Endpoint> endpoints() const = 0;  ///< with the ports that the system chose
  /// Runs `task` on the server's thread; drops it once stopped. Any thread.
  virtual void post(std::function<void()> task) = 0;
  /// The same after about `delay`.
  virtual void post_after(Duration delay, std::function<void()> task) = 0;
  /// Accepts nothing more, tells the handlers, waits up to `grace` for them, then drops; joins. Idempotent.
  virtual void stop(Duration grace) = 0;
};

}  // namespace iotstream::net
