// history.db: every record of the log exactly once, in plain SQLite, and the questions asked of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/query/filter.hpp>

namespace iotstream::store {

/// A stored event. Views are valid during the call that hands it out.
struct Event {
  Timestamp time;
  std::string_view device;
  PartitionId partition;
  Offset offset;
  FactsId facts;
  std::uint16_t flags = 0;
  const std::vector<std::pair<FieldId, model::Value>>* values = nullptr;  ///< present ones, in field order
};

/// Asked now and then while a query runs, on its thread; true ends it with `unavailable`. May be empty.
using Cancelled = std::function<bool()>;

struct EventQuery {
  std::string dataset;
  std::optional<Timestamp> from;  ///< inclusive
  std::optional<Timestamp> to;    ///< exclusive
  std::string device;             ///< empty or `*`: all
  std::vector<FieldId> fields;    ///< empty: all
  bool newest_first = true;
  std::uint64_t limit = 100;
  std::string cursor;  ///< from a former page
  /// Only events that pass; nullptr: all. Where SQL cannot say the filter, a page ends early after a hundred thousand that do
  /// not pass.
  std::shared_ptr<const query::Bound> where;
  Cancelled cancelled;
};

struct EventPage {
  std::uint64_t count = 0;
  std::string next;          ///< empty: that was all. A page may be shorter than asked for and have a next one all the same
  std::uint64_t behind = 0;  ///< durable events that no page has yet, because too many wait to be written
};

/// `rate`: how much a counter went up in a second, from reading to reading of each device, all devices together. A reading
/// below the one before it began anew at 0. Nothing before the first reading of the window.
enum class Aggregate : unsigned char { avg, min, max, sum, count, first, last, rate, p50, p95, p99 };
std::optional<Aggregate> aggregate_from(std::string_view name);
std::string_view name_of(Aggregate aggregate);

struct SeriesQuery {
  std::string dataset;
  std::vector<FieldId> fields;
  std::vector<Aggregate> aggregates;
  Timestamp from;
  Timestamp to;
  Duration interval;                          ///< > 0: width of a bucket; buckets begin at its multiples since the epoch
  std::string device;                         ///< empty or `*`: all together
  std::shared_ptr<const query::Bound> where;  ///< only events that pass; nullptr: all
  /// Whether the interval may become longer where retention has left only rollups that are longer than it.
  bool widen = false;
  Cancelled cancelled;
};

struct SeriesColumn {
  FieldId field;
  Aggregate aggregate = Aggregate::avg;
  std::vector<double> values;  ///< NaN: an empty bucket (count: 0)
};

struct Series {
  std::vector<Timestamp> time;  ///< starts of the buckets: every bucket of the window, also the empty ones
  std::vector<SeriesColumn> columns;
  Duration interval;               ///< as asked for, unless it was widened
  std::uint64_t rows_scanned = 0;  ///< rows and rollups read
  std::string_view tier;           ///< the longest buckets that were read: `rows`, `1s`, `1min`, `1h`
  std::uint64_t behind = 0;        ///< durable events that the answer lacks, because too many wait to be written
};

struct M4Query {
  std::string dataset;
  std::vector<FieldId> fields;
  Timestamp from;
  Timestamp to;
  std::uint32_t columns = 0;  ///< of pixels: equal parts of [from, to)
  std::string device;         ///< empty or `*`: all together
  std::shared_ptr<const query::Bound> where;
  Cancelled cancelled;
};

struct M4Line {
  FieldId field;
  std::vector<Timestamp> time;  ///< in the order in which they are drawn
  std::vector<double> values;
};

struct M4 {
  std::vector<M4Line> lines;
  std::uint64_t rows_scanned = 0;
  std::string_view tier;
  std::uint64_t behind = 0;
};

/// How much of a field there is.
struct FieldUsage {
  FieldId field;
  std::uint64_t count = 0;  ///< values that are not null
};

struct DeviceUsage {
  std::string device;
  std::string dataset;
  Timestamp first_seen;
  Timestamp last_seen;
  std::uint64_t events = 0;
};

struct DatasetUsage {
  std::string dataset;
  std::uint64_t events = 0;
  std::optional<Timestamp> first;
  std::optional<Timestamp> last;
  std::vector<FieldUsage> fields;
};

/// One writer thread feeds it; queries run on the caller's thread over a small pool of read-only connections: any thread.
/// Answers are complete up to now: what is durable and not written yet is read from the log, up to 20,000 events.
class History {
 public:
  virtual ~History() = default;

  /// Opens or creates `<directory>/history.db` and starts to follow the log (to its durable watermark) from the offsets stored
  /// with the rows. `log`, `schemas`, `clock`, `metrics` outlive it. Errors: io, corrupt, unsupported.
  static Result<std::unique_ptr<History>> open(const std::string& directory, const config::Store& options, log::Log& log,
                                               catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics);

  /// Calls `visit` for each event in order; false from it ends the query. Bounded memory. Errors: not_found (dataset), invalid
  /// (cursor), io.
  virtual Result<EventPage> events(const EventQuery& query, const std::function<bool(const Event&)>& visit) = 0;
  /// Errors: not_found, invalid (more than 100,000 buckets, no field), io.
  virtual Result<Series> series(const SeriesQuery& query) = 0;
  /// Of each pixel column the first, least, greatest and last reading: a line through them is drawn as one through all. Errors:
  /// not_found, invalid, io.
  virtual Result<M4> m4(const M4Query& query) = 0;

  /// All events of [from, …) in one consistent picture of the database, by time, together with the next offset of every
  /// partition that it does not hold: who goes on reading the log there has each record once. `visit` as in events(). Errors:
  /// not_found, io.
  virtual Result<std::vector<Offset>> snapshot(const EventQuery& query, const std::function<bool(const Event&)>& visit) = 0;

  /// Including what waits to be written. Cheap (kept in memory).
  virtual std::vector<DatasetUsage> datasets() const = 0;
  virtual std::vector<DeviceUsage> devices() const = 0;

  /// The next offset to be written, per partition of the dataset's topic. What `verify` compares with the log.
  virtual std::vector<Offset> consumed(std::string_view dataset) const = 0;
  /// Blocks until every record that is durable now is in the database, or `timeout` has passed (unavailable).
  virtual Status drain(Duration timeout) = 0;
  /// Writes what is durable, closes. Idempotent.
  virtual void stop() = 0;
};

}  // namespace iotstream::store
