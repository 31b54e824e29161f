// The questions of History, answered over read-only connections.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/store/history.hpp>

#include "store/event_scan.hpp"
#include "store/read_pool.hpp"

namespace iotstream::store {

/// Any thread; a query runs on its caller's.
class Queries {
 public:
  static Result<std::unique_ptr<Queries>> open(const std::string& path, log::Log& log, const catalog::Schemas& schemas,
                                               os::Clock& clock, metrics::Table& metrics);

  Result<EventPage> events(const EventQuery& query, const std::function<bool(const Event&)>& visit);
  Result<std::vector<Offset>> snapshot(const EventQuery& query, const std::function<bool(const Event&)>& visit);
  Result<Series> series(const SeriesQuery& query);
  void close() { pool_->close(); }

 private:
  /// One kind of query, counted and timed.
  struct Meter {
    Meter(metrics::Table& table, std::string_view kind);
    metrics::Counter& queries;
    metrics::Histogram& seconds;
  };
  class Timed {
   public:
    Timed(Meter& meter, const os::Clock& clock) : meter_(meter), clock_(clock), start_ns_(clock.monotonic_ns()) {}
    ~Timed() {
      meter_.queries.add();
      meter_.seconds.record_us((clock_.monotonic_ns() - start_ns_) / 1000);
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    Meter& meter_;
    const os::Clock& clock_;
    std::int64_t start_ns_;
  };

  Queries(std::unique_ptr<ReadPool> pool, log::Log& log, const catalog::Schemas& schemas, os::Clock& clock,
          metrics::Table& metrics);
  /// not_found unless the dataset is known, with rows or without.
  Status known(const std::string& dataset) const;
  Result<std::vector<Offset>> consumed(ReadConnection& connection, const std::string& dataset, const LayoutPtr& layout);

  std::unique_ptr<ReadPool> pool_;
  log::Log& log_;
  const catalog::Schemas& schemas_;
  os::Clock& clock_;
  Meter events_;
  Meter snapshots_;
  Meter series_;
};

}  // namespace iotstream::store
