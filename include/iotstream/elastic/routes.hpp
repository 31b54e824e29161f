// Elasticsearch's ways in, for clients that index documents in bulk: what writes, and what such clients ask before they write.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::elastic {

struct Options {
  bool enabled = false;
  std::uint64_t body_size_max = 16u << 20;
  /// Whether there is a dataset of that name. Any thread; must not block.
  std::function<bool(std::string_view dataset)> exists;
};

/// `POST /_bulk`, `/{index}/_bulk`, `/{index}/_doc` and the like, `HEAD`, `GET` and `PUT /{index}`, `GET /_cluster/health`.
/// `gate` and `workers` outlive the router. Nothing when it is not enabled.
void add_routes(net::Router& router, ingest::Gate& gate, os::WorkerPool& workers, const Options& options);

/// The answer to `GET /` for a client that asks for JSON, by which clients know the product; nothing for browsers.
std::optional<net::Response> banner_for(const net::Request& request);

}  // namespace iotstream::elastic
