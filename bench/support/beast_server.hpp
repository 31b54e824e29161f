// The limit of small requests: Boost.Beast as its own examples use it, with a fixed reply.
#pragma once

#include <cstdint>

namespace iotstream::bench {

/// Serves 127.0.0.1:`port` on one thread, a coroutine a connection, until the process is ended: every request is read whole and
/// answered with the same 200 bytes.
void serve_fixed_reply(std::uint16_t port);

}  // namespace iotstream::bench
