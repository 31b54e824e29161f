// The profile of a large recording.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> profile_suite(const Options& options);

}  // namespace iotstream::bench
