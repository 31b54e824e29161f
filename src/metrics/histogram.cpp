#include <algorithm>
#include <bit>
#include <cmath>

#include <iotstream/metrics/metrics.hpp>

namespace iotstream::metrics {

namespace {

/// Values below 8 have a bucket each; above, the three bits behind the leading one choose among the 8 of a power of two.
constexpr std::size_t bucket_of(std::int64_t us) noexcept {
  if (us < 8) return us < 0 ? 0 : static_cast<std::size_t>(us);
  const auto value = static_cast<std::uint64_t>(us);
  const auto power = static_cast<std::size_t>(std::bit_width(value)) - 1;
  const std::size_t index = 8 * (power - 2) + (value >> (power - 3) & 7);
  return std::min(index, Histogram::bucket_count - 1);
}

/// The greatest value of a bucket.
constexpr std::int64_t upper_edge(std::size_t bucket) noexcept {
  if (bucket < 8) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = bucket / 8 - 1;
  return static_cast<std::int64_t>(((8 + bucket % 8 + 1) << shift) - 1);
}

static_assert(upper_edge(Histogram::bucket_count - 1) == (std::int64_t{1} << 38) - 1);
static_assert(bucket_of(upper_edge(100)) == 100 && bucket_of(upper_edge(100) + 1) == 101);

}  // namespace

void Histogram::record_us(std::int64_t us) noexcept {
  // Relaxed: statistics, read for themselves. A scrape may see a value counted and not yet summed.
  buckets_[bucket_of(us)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(std::max<std::int64_t>(us, 0), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

double Histogram::sum_us() const noexcept { return static_cast<double>(sum_us_.load(std::memory_order_relaxed)); }

double Histogram::quantile_us(double q) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const double share = std::clamp(std::isnan(q) ? 0.0 : q, 0.0, 1.0);
  const double wanted = std::max(1.0, std::ceil(share * static_cast<double>(total)));
  std::uint64_t seen = 0;
  std::size_t last = 0;
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
    const std::uint64_t here = buckets_[bucket].load(std::memory_order_relaxed);
    if (here == 0) continue;
    seen += here;
    last = bucket;
    if (static_cast<double>(seen) >= wanted) break;
  }
  return static_cast<double>(upper_edge(last));
}

std::uint64_t Histogram::count_below_us(std::int64_t us) const noexcept {
  std::uint64_t total = 0;
  for (std::size_t bucket = 0; bucket < bucket_count && upper_edge(bucket) <= us; ++bucket) {
    total += buckets_[bucket].load(std::memory_order_relaxed);
  }
  return total;
}

}  // namespace iotstream::metrics
