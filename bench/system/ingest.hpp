// Readings into the log: in process, over HTTP, beside what limits them and beside InfluxDB.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> ingest(const Options& options);

}  // namespace iotstream::bench
