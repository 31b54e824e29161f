// One table of counters, gauges and histograms, under Prometheus names.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iotstream::metrics {

/// Only grows. add() from any thread, wait-free.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};  ///< relaxed: a statistic, publishes nothing; a line of its own
};

/// Goes up and down. Any thread, wait-free.
class Gauge {
 public:
  void set(std::int64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::int64_t> value_{0};  ///< relaxed: a statistic
};

/// Log-linear buckets over microseconds, 8 per power of two (an error of at most 12.5 %), up to 2^38 µs (3 days; what is above
/// counts as that); record() from any thread, wait-free. After HdrHistogram's idea.
class Histogram {
 public:
  static constexpr std::size_t bucket_count = 8 * 36;
  void record_us(std::int64_t us) noexcept;
  std::uint64_t count() const noexcept;
  double sum_us() const noexcept;
  /// The upper edge of the bucket that holds the q-th share (0…1) of the values, in µs; 0 without values.
  double quantile_us(double q) const noexcept;
  /// Count of values ≤ `us`, at bucket resolution: values of the bucket that `us` lies within are left out, unless it is its
  /// last.
  std::uint64_t count_below_us(std::int64_t us) const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
  std::atomic<std::int64_t> sum_us_{0};
};

/// Owns the metrics of a process. A name is `iotstream_<room>_<what>_<unit>[_total]`; labels are written as `dataset="1"`.
/// counter(), gauge() and histogram() return the same object for the same name and labels; the reference is valid as long as
/// the table. They take a lock: ask once, keep the reference. Any thread. One name has one kind; the first help text counts.
class Table {
 public:
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = {});
  /// A gauge that is asked for when it is scraped. `read` is called on the scraping thread, until the table dies; it must not
  /// call the table. Observing the same name and labels again replaces it.
  void observe(std::string_view name, std::string_view help, std::function<double()> read, std::string_view labels = {});

  /// Gauges whose labels are known only when they are scraped: `read` gives labels and value of each. As observe() otherwise.
  using Samples = std::vector<std::pair<std::string, double>>;
  void collect(std::string_view name, std::string_view help, std::function<Samples()> read);

  /// Prometheus text format 0.0.4. Histograms are written in seconds: name them `…_seconds`.
  std::string prometheus() const;

  /// `name="value"`, escaped; join several with a comma.
  static std::string label(std::string_view name, std::string_view value);

 private:
  struct Entry;
  Entry& entry(std::string_view name, std::string_view help, std::string_view labels, char kind);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;  ///< sorted by name, then labels

 public:
  Table();
  ~Table();
};

}  // namespace iotstream::metrics
