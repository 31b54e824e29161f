// The limit of everything that goes through a ring.
#pragma once

#include <cstdint>

namespace iotstream::bench {

/// Millions of 256 B records a second through a bare claim ring, from `producers` threads to the calling one.
double bare_ring_rate(unsigned producers, std::uint64_t each);

}  // namespace iotstream::bench
