// The queries that took long, for /api/v1/status.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/time.hpp>

namespace iotstream::store {

struct SlowQuery {
  Timestamp at;      ///< when it ended
  std::string kind;  ///< events, series, profile, sql…
  std::string what;  ///< the dataset, or the beginning of the statement: at most 200 bytes of whole characters
  Duration took;
  std::uint64_t rows = 0;  ///< read or given, as the kind counts
  std::string outcome;     ///< empty: answered; else why not
};

/// The last 50 that took at least as long as the threshold. Any thread; holds its lock for moments only.
class SlowQueries {
 public:
  explicit SlowQueries(Duration threshold = Duration{500'000}) : threshold_(threshold) {}

  /// The list that /api/v1/status shows: one a process, as there is one data directory a process.
  static SlowQueries& of_process();

  /// Keeps it when it was slow; the oldest goes when there are 50.
  void note(Timestamp at, std::string_view kind, std::string_view what, Duration took, std::uint64_t rows,
            std::string_view outcome = {});
  /// Newest first.
  std::vector<SlowQuery> list() const;
  Duration threshold() const { return threshold_; }

 private:
  const Duration threshold_;
  mutable std::mutex mutex_;
  std::deque<SlowQuery> queries_;
};

}  // namespace iotstream::store
