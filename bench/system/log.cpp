#include "bench/system/log.hpp"

#include <iterator>

namespace iotstream::bench {

Result<std::vector<Figure>> log_suite(const Options& options) {
  std::vector<Figure> all;
  for (const auto group :
       {log_ring_figures, log_append_figures, log_consumer_figures, log_idle_figures, log_stored_figures, log_peer_figures}) {
    auto figures = group(options);
    if (!figures) return figures.error();
    std::move(figures->begin(), figures->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace iotstream::bench
