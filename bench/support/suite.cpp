#include "bench/support/bench.hpp"
#include "bench/system/path.hpp"

namespace iotstream::bench {

const std::vector<Entry>& suite() {
  static const std::vector<Entry> entries{
      {"path",
       "the shipped demonstration in a process of its own: start, memory, processor time, and a device's POST to a viewer's "
       "frame",
       path},
  };
  return entries;
}

}  // namespace iotstream::bench
