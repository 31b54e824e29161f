// What all connections of a server share.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <iotstream/metrics/metrics.hpp>
#include <iotstream/net/server.hpp>

#include "net/guard.hpp"
#include "net/request_parser.hpp"

namespace iotstream::net {

/// The room's metrics, asked for once.
class ServerMetrics {
 public:
  explicit ServerMetrics(metrics::Table& table);
  void answered(unsigned status) { requests_[status < 600 ? status / 100 : 5]->add(); }
  /// A refusal that the server itself made; `reason` is one word. Takes a lock: refusals are rare.
  void refused(std::string_view reason);

  metrics::Gauge& connections;
  metrics::Counter& accepted;
  metrics::Counter& overlapped;
  metrics::Counter& bytes_in;
  metrics::Counter& bytes_out;
  metrics::Gauge& websockets;
  metrics::Counter& messages_in;
  metrics::Counter& messages_out;
  metrics::Counter& back_pressured;

 private:
  metrics::Table& table_;
  std::array<metrics::Counter*, 6> requests_{};  ///< by the status' first digit
};

/// Lives as long as the last connection. `router`, `workers` and the metrics are the caller's and are not touched once the
/// server has stopped.
struct ServerState {
  ServerState(ServerOptions given, const Router& routes, os::WorkerPool& pool, metrics::Table& table);

  ServerOptions options;
  ParserLimits parser_limits;
  GuardPolicy policy;
  const Router& router;
  os::WorkerPool& workers;
  ServerMetrics metrics;
  std::atomic<bool> stopping{false};  ///< relaxed: connections are told to stop by a post of their own
};

}  // namespace iotstream::net
