// History: the writer, the questions, the space on disk.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> store_suite(const Options& options);

}  // namespace iotstream::bench
