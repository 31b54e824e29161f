// A large CSV file into the catalog.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> import(const Options& options);

}  // namespace iotstream::bench
