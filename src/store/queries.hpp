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
#include <iotstream/store/slow_queries.hpp>

#include "store/event_scan.hpp"
#include "store/read_pool.hpp"
#include "store/tail.hpp"
#include "store/window.hpp"

namespace iotstream::store {

/// A consistent picture of one dataset: a transaction of a connection, and where it ends in the log.
class Picture {
 public:
  Picture(ReadPool::Lease lease, ReadTransaction transaction, LayoutPtr layout, log::Topic* topic, std::vector<Offset> consumed)
      : lease_(std::move(lease)),
        transaction_(std::move(transaction)),
        layout_(std::move(layout)),
        topic_(topic),
        consumed_(std::move(consumed)) {}

  ReadConnection& connection() { return *lease_; }
  const LayoutPtr& layout() const { return layout_; }  ///< nullptr: nothing of it is in the database
  const std::vector<Offset>& consumed() const { return consumed_; }
  Tail tail() const { return topic_ == nullptr ? Tail() : Tail::read(*topic_, consumed_); }
  Result<WindowReader> read(const WindowQuestion& question) {
    return WindowReader::open(*lease_, layout_, topic_, consumed_, question);
  }

 private:
  ReadPool::Lease lease_;
  ReadTransaction transaction_;  ///< ends before the connection is given back
  LayoutPtr layout_;
  log::Topic* topic_;
  std::vector<Offset> consumed_;
};

/// Ascending, each once.
std::vector<FieldId> sorted_fields(std::vector<FieldId> fields);

/// Any thread; a query runs on its caller's.
class Queries {
 public:
  static Result<std::unique_ptr<Queries>> open(const std::string& path, log::Log& log, const catalog::Schemas& schemas,
                                               os::Clock& clock, metrics::Table& metrics);

  Result<EventPage> events(const EventQuery& query, const std::function<bool(const Event&)>& visit);
  Result<std::vector<Offset>> snapshot(const EventQuery& query, const std::function<bool(const Event&)>& visit);
  Result<Series> series(const SeriesQuery& query);
  Result<M4> m4(const M4Query& query);
  void close() { pool_->close(); }

 private:
  /// One kind of query, counted and timed.
  struct Meter {
    Meter(metrics::Table& table, std::string_view its_kind);
    std::string_view kind;
    metrics::Counter& queries;
    metrics::Histogram& seconds;
  };
  class Timed {
   public:
    Timed(Meter& meter, const os::Clock& clock, const std::string& dataset)
        : meter_(meter), clock_(clock), dataset_(dataset), start_ns_(clock.monotonic_ns()) {}
    ~Timed() {
      const Duration took{(clock_.monotonic_ns() - start_ns_) / 1000};
      meter_.queries.add();
      meter_.seconds.record_us(took.us);
      SlowQueries::of_process().note(clock_.now(), meter_.kind, dataset_, took, rows, outcome);
    }
    std::uint64_t rows = 0;  ///< read or given
    std::string outcome;     ///< empty: answered; else why not
    Error failed(Error error) {
      outcome = error.message;
      return error;
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    Meter& meter_;
    const os::Clock& clock_;
    const std::string& dataset_;
    std::int64_t start_ns_;
  };

  Queries(std::unique_ptr<ReadPool> pool, log::Log& log, const catalog::Schemas& schemas, os::Clock& clock,
          metrics::Table& metrics);
  /// Errors: not_found unless the dataset is known, with rows or without.
  Result<Picture> look(const std::string& dataset, const Cancelled& cancelled);
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
