// The log beside its limits: every figure in the same run as what limits it. One function for each group of figures.
#pragma once

#include <string>

#include "bench/support/bench.hpp"

namespace iotstream::bench {

/// All the groups below, in this order.
Result<std::vector<Figure>> log_suite(const Options& options);

/// The staging ring beside a bare one.
Result<std::vector<Figure>> log_ring_figures(const Options& options);
/// Appending: sustained to `written`, sustained and single durable acknowledgements.
Result<std::vector<Figure>> log_append_figures(const Options& options);
/// From append to a parked consumer in the process.
Result<std::vector<Figure>> log_consumer_figures(const Options& options);
/// What an idle program with 64 partitions costs.
Result<std::vector<Figure>> log_idle_figures(const Options& options);
/// Much stored: reading it, seeking in it, starting with it after kill -9.
Result<std::vector<Figure>> log_stored_figures(const Options& options);
/// Other brokers with the same events, where they are installed.
Result<std::vector<Figure>> log_peer_figures(const Options& options);

}  // namespace iotstream::bench
