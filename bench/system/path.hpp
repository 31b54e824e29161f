// The whole path through the real binary.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> path(const Options& options);

}  // namespace iotstream::bench
