// MQTT through the real binary, beside Debian's mosquitto.
#pragma once

#include "bench/support/bench.hpp"

namespace iotstream::bench {

Result<std::vector<Figure>> mqtt(const Options& options);

}  // namespace iotstream::bench
