// Listeners, HTTP/1.1 and WebSocket sessions, limits. Bytes and routes only.
#pragma once

#include <memory>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::net {

struct ServerOptions {
  config::Server config;
  unsigned threads = 2;                               ///< socket threads
  std::uint64_t header_size_max = 32u << 10;          ///< 431 above
  std::uint64_t websocket_queue_size_max = 8u << 20;  ///< bytes waiting per WebSocket
  std::uint64_t websocket_message_size_max = 64u << 10;
};

/// Serves from start() to stop(). On every route and on the WebSocket, before the route sees the request:
///   Host must be a loopback name, a listen address or in allowed_hosts (421: DNS rebinding);
///   Origin, when there is one, must be the server's own or in allowed_origins (403); a cross-site Sec-Fetch-Site without an
///   allowed Origin: 403; a token, when one is configured, must be in `Authorization: Bearer`, or in the cookie
///   `iotstream_token` (401).
/// Every answer carries nosniff, a referrer policy, Cross-Origin-Resource-Policy; nothing is cached unless the route says so.
/// Limits: header size and count, body size (413), time for headers (10 s), for a body (progress every 10 s), idle connections,
/// connections in all (503). Content-Length with Transfer-Encoding is refused (400).
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
