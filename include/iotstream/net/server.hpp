// Listeners, HTTP/1.1 and WebSocket sessions, limits. Bytes and routes only.
#pragma once

#include <memory>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/net/body_sink.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::net {

struct ServerOptions {
  config::Server config;
  const BodySinks* sinks = nullptr;                      ///< of the router's routes; outlives the server
  unsigned threads = 2;                                  ///< socket threads
  std::uint64_t header_size_max = 32u << 10;             ///< 431 above
  std::size_t header_count_max = 100;                    ///< 431 above
  std::uint64_t websocket_queue_size_max = 8u << 20;     ///< bytes waiting per WebSocket
  std::uint64_t websocket_message_size_max = 64u << 10;  ///< from the client; close code 1009 above
  Duration header_timeout =
      Duration::seconds(10);                 ///< from a request's first byte to the end of its headers; TLS handshakes as well
  std::uint64_t streamed_from = 256u << 10;  ///< bytes of a body, from which on a route may take it while it arrives
  Duration body_timeout = Duration::seconds(10);  ///< the longest pause within a body
  std::uint64_t body_rate_min =
      1u << 10;  ///< bytes a second that a body must keep up on the whole, after the first body_timeout
  Duration write_timeout = Duration::seconds(30);  ///< the longest time a client may take nothing of what is waiting for it
  Duration linger_timeout =
      Duration::seconds(2);  ///< how long a closed connection is read on, so that the client sees the last answer
  Duration websocket_ping_interval =
      Duration::seconds(20);  ///< of silence; a peer that stays silent for config.idle_timeout is gone
  Duration websocket_close_timeout = Duration::seconds(5);  ///< for the peer's close frame
};

/// Serves from start() to stop(). On every route and on the WebSocket, before the route sees the request:
///   Host must be a loopback name, a listen address or in allowed_hosts (421: DNS rebinding);
///   Origin, when there is one, must be the server's own or in allowed_origins (403); a cross-site or same-site Sec-Fetch-Site
///   without an allowed Origin: 403, except that a link to a document may be followed; a token, when one is configured, must be
///   in `Authorization: Bearer`, the password of `Authorization: Basic` (browsers ask for it), or in the cookie
///   `iotstream_token` (401).
/// Every answer carries nosniff, a referrer policy, Cross-Origin-Resource-Policy, X-Frame-Options; nothing is cached unless the
/// route says so. A header that the route sets takes the place of the server's. HEAD is answered by the GET route where it has
/// none of its own, OPTIONS by the server. Limits: header size and count (431), body size (413), time for headers and for
/// progress of a body (408), idle connections, connections in all (503). Content-Length with Transfer-Encoding is refused
/// (400). Requests may be pipelined; one at a time of a connection is worked on, answers keep the order.
class Server {
 public:
  virtual ~Server() = default;
  /// Binds and listens. `router`, `workers`, `metrics` outlive it. Errors: io when an address is taken or cannot be bound
  /// (named, with what to do), invalid for a certificate or key that does not load.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, const Router& router, os::WorkerPool& workers,
                                               metrics::Table& metrics);
  /// The addresses in use, with the ports that the system chose.
  virtual std::vector<config::Endpoint> endpoints() const = 0;
  /// Accepts nothing more, lets running requests finish (up to `grace`), closes the WebSockets (1001), joins. Idempotent.
  virtual void stop(Duration grace) = 0;
};

}  // namespace iotstream::net
