// Buffers for cold reads that are used again: fresh megabytes from the system for each read cost more in page faults than
// reading them.
#pragma once

#include <cstddef>
#include <memory>

namespace iotstream::log {

/// A buffer of at least `size` bytes, not initialised; it goes back when the last owner drops it. A few stay at hand (at most 4
/// MiB in all), larger ones than frame_size_max are not kept. Any thread; owners may outlive everything else.
std::shared_ptr<std::byte[]> pooled_buffer(std::size_t size);

}  // namespace iotstream::log
