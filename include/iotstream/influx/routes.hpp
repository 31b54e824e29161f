// InfluxDB's ways in, for clients that speak its line protocol: what writes, and what such clients ask before they write.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/body_sink.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::influx {

struct Options {
  config::Influx config;
  std::uint64_t body_size_max = 16u << 20;
  /// Names of the datasets there are, for `SHOW MEASUREMENTS`. Any thread; must not block.
  std::function<std::vector<std::string>()> datasets;
};

/// `POST /api/v2/write`, `POST /write`, `GET /ping`, `GET /health`, `GET` and `POST /query`. `gate` and `workers` outlive the
/// router. Nothing when the configuration does not ask for it.
void add_routes(net::Router& router, net::BodySinks& sinks, ingest::Gate& gate, os::WorkerPool& workers,
                const Options& options);

}  // namespace iotstream::influx
