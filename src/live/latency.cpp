#include "live/latency.hpp"

#include <algorithm>
#include <bit>

namespace iotstream::live {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

}  // namespace

std::size_t LatencyWindow::bucket_of(std::uint64_t us) {
  if (us < 8) return us;
  const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;  // ≥ 3
  return std::min(bucket_count - 1, 8 * (power - 2) + ((us >> (power - 3)) & 7));
}

double LatencyWindow::upper_edge(std::size_t bucket) {
  if (bucket < 8) return static_cast<double>(bucket + 1);
  return static_cast<double>((8 + bucket % 8 + 1) << (bucket / 8 - 1));
}

void LatencyWindow::record(std::int64_t now_ns, std::int64_t latency_us, std::uint32_t rows) {
  const std::lock_guard lock(mutex_);
  const std::int64_t second = now_ns / ns_per_second;
  Second& slot = ring_[static_cast<std::size_t>(second) % seconds];
  if (slot.second != second) {
    slot.second = second;
    slot.counts.fill(0);
  }
  slot.counts[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(latency_us, 0)))] += rows;
}

std::optional<double> LatencyWindow::quantile_us(std::int64_t now_ns, double q) const {
  const std::lock_guard lock(mutex_);
  std::array<std::uint64_t, bucket_count> counts{};
  std::uint64_t total = 0;
  for (const Second& slot : ring_) {
    if (slot.second < 0 || slot.second <= now_ns / ns_per_second - static_cast<std::int64_t>(seconds)) continue;
    for (std::size_t i = 0; i != bucket_count; ++i) {
      counts[i] += slot.counts[i];
      total += slot.counts[i];
    }
  }
  if (total == 0) return std::nullopt;
  const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < bucket_count; ++bucket) {
    below += counts[bucket];
    if (below != 0 && static_cast<double>(below) >= wanted) break;
  }
  return upper_edge(bucket);
}

}  // namespace iotstream::live
