// log → per-viewer frames: back-fill, live, conflation. Reads the log to `written`. The protocol is docs/live.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::live {

/// Where the past comes from; live knows no database. Given by app over store::History::snapshot.
struct BackfillRequest {
  std::string dataset;
  std::string device;           ///< empty or `*`: all
  std::vector<FieldId> fields;  ///< empty: all
  Timestamp from;
};
/// One past row; views valid during the call.
struct BackfillRow {
  Timestamp time;
  std::string_view device;
  const std::vector<std::pair<FieldId, model::Value>>* values = nullptr;
};
/// Visits the rows by time and returns the next offset of every partition that they do not include. Runs on a worker; may
/// block.
using Backfill =
    std::function<Result<std::vector<Offset>>(const BackfillRequest&, const std::function<bool(const BackfillRow&)>& visit)>;

/// How the hub reaches a viewer. Called on the hub's thread; must not block. `send` returns false when it was not taken (closed
/// or over its limit): the viewer is dropped then.
struct ViewerSink {
  std::function<bool(std::shared_ptr<const std::string> bytes, bool binary)> send;
  /// Called once when the hub drops the viewer for another reason; may be empty. Must not block.
  std::function<void(std::string_view reason)> close;
};

using ViewerId = std::uint64_t;

struct ViewerStatus {
  ViewerId id = 0;
  std::string remote;
  std::uint64_t subscriptions = 0;
  std::uint64_t frames = 0;
  std::uint64_t rows = 0;
  std::uint64_t merged = 0;  ///< rows that were represented by others
};

/// What is known of a device from the stream, since the start of the process.
struct DeviceLive {
  std::string device;
  std::string dataset;
  Timestamp last_seen;     ///< event time of its newest reading
  Timestamp last_arrival;  ///< this process's clock
  double rate = 0;         ///< readings/s over about the last ten seconds
  std::uint64_t events = 0;
};

struct DatasetLive {
  std::string dataset;
  std::uint64_t events = 0;  ///< since the start of the process
  double rate = 0;
};

/// One thread reads the log and serves all viewers; memory per viewer is bounded (pending rows above a bound are merged by M4
/// to the viewer's pixel columns). Members from any thread: messages are handed over through a queue.
class Hub {
 public:
  virtual ~Hub() = default;
  /// All references outlive it; `backfill` is called on `workers`.
  static std::unique_ptr<Hub> create(log::Log& log, catalog::Schemas& schemas, Backfill backfill, os::WorkerPool& workers,
                                     os::Clock& clock, metrics::Table& metrics);

  /// A new viewer; it gets `hello` at once. `json`: data frames as text.
  virtual ViewerId open(ViewerSink sink, bool json, std::string remote) = 0;
  /// A control message of a viewer.
  virtual void message(ViewerId viewer, std::string_view text) = 0;
  virtual void close(ViewerId viewer) = 0;

  virtual std::vector<ViewerStatus> viewers() const = 0;
  virtual std::vector<DeviceLive> devices() const = 0;
  virtual std::vector<DatasetLive> datasets() const = 0;
  /// Accepted (append time) → handed to the socket, over the last ten seconds, in µs; 0 without frames.
  virtual double latency_us(double quantile) const = 0;
  virtual void stop() = 0;
};

}  // namespace iotstream::live
