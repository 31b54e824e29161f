// The hub without its thread: every step is one call of turn(), so that tests can hold time and order.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/live/hub.hpp>

#include "live/activity.hpp"
#include "live/frame.hpp"
#include "live/latency.hpp"
#include "live/mailbox.hpp"
#include "live/subscription.hpp"

namespace iotstream::live {

inline constexpr std::size_t subscriptions_max = 256;
/// Rows that wait for one viewer, in memory; its subscriptions share it.
inline constexpr std::size_t viewer_bytes_max = 16u << 20;
/// Frames under way to one viewer; the socket's own bound is above it.
inline constexpr std::size_t viewer_flight_max = 4u << 20;

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// When the next turn is due. Monotonic, ns.
struct Turn {
  std::int64_t deadline_ns = never;  ///< at the latest then
  std::int64_t records_ns = 0;       ///< new records are of use only from then on
};

/// Everything but latency() and activity() on one thread.
class Core {
 public:
  /// Hands a task to a worker; false: not now.
  using Submit = std::function<bool(std::function<void()>)>;

  /// References outlive it. Records that are in the log now are not delivered live.
  Core(log::Log& log, catalog::Schemas& schemas, Backfill backfill, Submit submit, os::Clock& clock, metrics::Table& metrics,
       std::shared_ptr<Mailbox> mailbox, std::function<void(ViewerId)> forget_door);
  ~Core();

  /// Takes commands, reads new records, sends what is due.
  Turn turn();
  /// Ends every viewer and back-fill; returns once no worker runs one of them.
  void stop();

  /// Bytes of rows that wait for viewers.
  std::size_t memory() const;
  const Activity& activity() const { return activity_; }
  const LatencyWindow& latency() const { return latency_; }

 private:
  struct Dataset;
  struct Viewer;
  struct Running;
  struct Place {
    Viewer* viewer = nullptr;
    Subscription* subscription = nullptr;
  };
  using Values = std::vector<std::pair<FieldId, model::Value>>;

  // core.cpp: the turn, records
  void find_topics(bool at_start);
  bool read_records();
  bool read_partition(Dataset& dataset, std::uint32_t partition);
  void distribute(Dataset& dataset, std::uint32_t partition, const log::Batch& batch);
  void bound_all(Dataset& dataset);
  void send_due(Turn& turn);
  void send_frames(Viewer& viewer, Turn& turn);
  bool send_frame(Viewer& viewer, Subscription& subscription);
  void tell_changes(Turn& turn);
  void tell_stats(Turn& turn);
  model::SchemaPtr schema_of(Dataset& dataset);

  // viewers.cpp: commands
  void take_commands();
  void visit_door(const std::shared_ptr<Door>& door);
  void handle(Viewer& viewer, std::string_view text);
  void subscribe(Viewer& viewer, std::uint32_t id, Subscribe wanted);
  Result<std::vector<FieldId>> resolve(const Subscribe& wanted) const;
  void unsubscribe(Viewer& viewer, std::uint32_t id);
  void start_backfills(Turn& turn);
  bool start_backfill(Subscription& subscription);
  bool submit_backfill(const std::shared_ptr<BackfillJob>& job);
  void finish_backfill(const std::shared_ptr<BackfillJob>& job);
  Status join_log(Subscription& subscription, const std::shared_ptr<BackfillJob>& job);
  Status read_seam(Subscription& subscription, Dataset& dataset, std::uint32_t partition);
  void add(Subscription& subscription, const log::Record& record, DeviceNumber device);
  void end_too_large();
  Place find(ViewerId viewer, std::uint64_t number);
  void share_memory(Viewer& viewer);
  bool send(Viewer& viewer, std::shared_ptr<const std::string> bytes, bool binary);
  void send_all(std::string text);
  void refuse(Viewer& viewer, Refusal refusal);
  void drop(Viewer& viewer, std::string_view reason);
  void sweep();
  void remove_viewer(ViewerId id);
  Dataset& dataset_of(const std::string& name);
  static std::size_t share_of(const Viewer& viewer);

  log::Log& log_;
  catalog::Schemas& schemas_;
  const Backfill backfill_;
  const Submit submit_;
  os::Clock& clock_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::function<void(ViewerId)> forget_door_;
  const Timestamp started_;

  Activity activity_;
  LatencyWindow latency_;
  FrameEncoder encoder_;
  std::map<std::string, std::unique_ptr<Dataset>, std::less<>> datasets_;
  std::map<ViewerId, std::unique_ptr<Viewer>> viewers_;
  std::vector<ViewerId> dropped_;
  std::vector<std::pair<ViewerId, std::uint64_t>> too_large_;
  std::deque<std::pair<ViewerId, std::uint64_t>> waiting_;  ///< subscriptions that need a worker, by number
  std::shared_ptr<Running> running_;
  std::size_t in_flight_ = 0;  ///< back-fills with the workers
  std::uint64_t subscription_number_ = 0;

  bool read_anything_ = false;
  bool changed_ = false;
  std::uint64_t generation_ = 0;
  std::int64_t changed_slot_ns_ = 0;
  std::int64_t stats_ns_ = 0;
  Values values_;
  std::vector<DeviceNumber> device_numbers_;

  struct Counters {
    explicit Counters(metrics::Table& table);
    metrics::Gauge& viewers;
    metrics::Gauge& subscriptions;
    metrics::Counter& frames;
    metrics::Counter& rows;
    metrics::Counter& merged;
    metrics::Counter& dropped;
    metrics::Counter& unreadable;
    metrics::Histogram& latency;
  } counters_;
};

}  // namespace iotstream::live
