#include "net/server_state.hpp"

namespace iotstream::net {

ServerMetrics::ServerMetrics(metrics::Table& table)
    : connections(table.gauge("iotstream_net_connections", "Open connections, HTTP and WebSocket.")),
      accepted(table.counter("iotstream_net_connections_accepted_total", "Connections accepted since the start.")),
      overlapped(table.counter("iotstream_net_requests_overlapped_total",
                               "Pipelined requests that began before the one before them was answered.")),
      bytes_in(table.counter("iotstream_net_bytes_in_total", "Bytes received, headers included, after TLS.")),
      bytes_out(table.counter("iotstream_net_bytes_out_total", "Bytes sent, headers included, before TLS.")),
      websockets(table.gauge("iotstream_net_websockets", "Open WebSockets.")),
      messages_in(table.counter("iotstream_net_websocket_messages_in_total", "WebSocket messages received.")),
      messages_out(table.counter("iotstream_net_websocket_messages_out_total", "WebSocket messages sent.")),
      back_pressured(table.counter("iotstream_net_websocket_back_pressured_total",
                                   "WebSocket messages not taken because the queue's byte limit was reached.")),
      table_(table) {
  constexpr std::array<std::string_view, 6> classes{"5xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    requests_[i] = &table.counter("iotstream_net_requests_total", "Requests answered, by class of status.",
                                  metrics::Table::label("status", classes[i]));
  }
}

void ServerMetrics::refused(std::string_view reason) {
  table_
      .counter("iotstream_net_refused_total",
               "Requests and connections that the server refused before any route saw them, by reason.",
               metrics::Table::label("reason", reason))
      .add();
}

ServerState::ServerState(ServerOptions given, const Router& routes, os::WorkerPool& pool, metrics::Table& table)
    : options(std::move(given)),
      parser_limits{options.header_size_max, options.header_count_max, options.config.body_size_max, false},
      policy(GuardPolicy::from(options.config)),
      router(routes),
      workers(pool),
      metrics(table) {}

}  // namespace iotstream::net
