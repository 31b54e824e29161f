// How long rows took from their acceptance to the socket, over the last ten seconds.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

namespace iotstream::live {

/// Log-linear buckets, 8 a power of two (an error of at most 12.5 %), one set a second. record() from one thread, quantile()
/// from any.
class LatencyWindow {
 public:
  void record(std::int64_t now_ns, std::int64_t latency_us, std::uint32_t rows);
  /// The upper edge of the bucket that holds the q-th share (0…1), in µs; nothing without rows.
  std::optional<double> quantile_us(std::int64_t now_ns, double q) const;

 private:
  static constexpr std::size_t seconds = 10;
  static constexpr std::size_t bucket_count = 8 * 36;
  static std::size_t bucket_of(std::uint64_t us);
  static double upper_edge(std::size_t bucket);

  struct Second {
    std::int64_t second = -1;
    std::array<std::uint32_t, bucket_count> counts{};
  };
  mutable std::mutex mutex_;
  std::array<Second, seconds> ring_;
};

}  // namespace iotstream::live
