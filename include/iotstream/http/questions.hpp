// Questions that may take seconds: SQL, profiles, correlations; and imported files as data sets.
#pragma once

#include <functional>

#include <iotstream/http/api.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::http {

/// What they are answered from. Everything outlives the server.
struct Questions {
  Services& services;
  os::WorkerPool& askers;          ///< a pool of their own: they keep nobody else waiting
  std::function<bool()> stopping;  ///< whether those that run should end: the process stops
};

/// Adds their routes. Before the server starts.
void add_question_routes(net::Router& router, Questions& questions);

}  // namespace iotstream::http
