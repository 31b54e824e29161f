#include "live/core.hpp"

#include <algorithm>

#include <iotstream/base/diagnostics.hpp>

#include "live/core_parts.hpp"

namespace iotstream::live {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t stats_interval_ns = 1000 * ns_per_ms;
constexpr std::int64_t changed_interval_ns = 200 * ns_per_ms;
/// While no frame could leave anyway, records are read in gulps of this length instead of one by one.
constexpr std::int64_t gulp_ns = 20 * ns_per_ms;
constexpr std::size_t read_bytes = 256u << 10;
constexpr int reads_a_turn = 4;  // of one partition: then frames and commands have their turn

}  // namespace

Core::Counters::Counters(metrics::Table& table)
    : viewers(table.gauge("iotstream_live_viewers", "Open live connections.")),
      subscriptions(table.gauge("iotstream_live_subscriptions", "Open subscriptions.")),
      frames(table.counter("iotstream_live_frames_total", "Data frames handed to sockets.")),
      rows(table.counter("iotstream_live_rows_total", "Rows in those frames.")),
      merged(table.counter("iotstream_live_merged_rows_total", "Rows that were represented by others.")),
      dropped(table.counter("iotstream_live_dropped_viewers_total", "Viewers closed because they did not keep up.")),
      unreadable(table.counter("iotstream_live_unreadable_rows_total", "Records that hold no row.")),
      latency(table.histogram("iotstream_live_latency_seconds", "Accepted to handed to the socket, of live rows.")) {}

Core::Core(log::Log& log, catalog::Schemas& schemas, Backfill backfill, Submit submit, os::Clock& clock,
           metrics::Table& metrics, std::shared_ptr<Mailbox> mailbox, std::function<void(ViewerId)> forget_door)
    : log_(log),
      schemas_(schemas),
      backfill_(std::move(backfill)),
      submit_(std::move(submit)),
      clock_(clock),
      mailbox_(std::move(mailbox)),
      forget_door_(std::move(forget_door)),
      started_(clock.now()),
      running_(std::make_shared<Running>()),
      generation_(schemas.generation()),
      counters_(metrics) {
  find_topics(true);
}

Core::~Core() { stop(); }

void Core::stop() {
  running_->stop();
  while (!viewers_.empty()) remove_viewer(viewers_.begin()->first);
}

Turn Core::turn() {
  Turn turn;
  find_topics(false);
  take_commands();
  const bool more = read_records();
  start_backfills(turn);
  end_too_large();
  send_due(turn);
  tell_changes(turn);
  tell_stats(turn);
  sweep();
  if (more) turn.deadline_ns = turn.records_ns = 0;
  return turn;
}

void Core::find_topics(bool at_start) {
  for (log::Topic* topic : log_.topics()) {
    if (topic->name().starts_with('_')) continue;
    Dataset& dataset = dataset_of(topic->name());
    if (dataset.topic != nullptr) continue;
    dataset.topic = topic;
    dataset.positions.resize(topic->partition_count());
    dataset.failing.resize(topic->partition_count());
    // A topic that came later is new from its first record on.
    for (std::uint32_t i = 0; at_start && i != topic->partition_count(); ++i)
      dataset.positions[i] = topic->partition(PartitionId(i)).watermarks().written;
    changed_ |= !at_start;
  }
}

Core::Dataset& Core::dataset_of(const std::string& name) {
  auto& dataset = datasets_[name];
  if (dataset == nullptr) dataset = std::make_unique<Dataset>(activity_.add_dataset(name));
  return *dataset;
}

/// True when more is there already.
bool Core::read_records() {
  bool more = false;
  read_anything_ = false;
  for (auto& [name, dataset] : datasets_) {
    for (std::uint32_t i = 0; i != dataset->positions.size(); ++i) more |= read_partition(*dataset, i);
  }
  return more;
}

bool Core::read_partition(Dataset& dataset, std::uint32_t partition) {
  log::Partition& source = dataset.topic->partition(PartitionId(partition));
  Offset& position = dataset.positions[partition];
  for (int reads = 0; reads != reads_a_turn; ++reads) {
    const Offset end = source.watermarks().written;
    if (position >= end) return false;
    auto batch = source.read(position, read_bytes, log::Watermark::written);
    if (!batch) {
      if (!dataset.failing[partition])
        diagnostics::error("live", "{}/{} cannot be read at offset {}: {}", dataset.topic->name(), partition, position,
                           batch.error().message);
      dataset.failing[partition] = true;
      return false;  // again at the next wake
    }
    dataset.failing[partition] = false;
    if (batch->empty()) {  // nothing readable is left below the watermark that was seen
      position = end;
      return false;
    }
    read_anything_ = true;
    distribute(dataset, partition, *batch);
    position = batch->records().back().offset + 1;
  }
  return position < source.watermarks().written;
}

void Core::distribute(Dataset& dataset, std::uint32_t partition, const log::Batch& batch) {
  changed_ |= activity_.note(dataset.activity, batch.records(), clock_.now(), clock_.monotonic_ns(), device_numbers_);
  const bool wanted = std::any_of(dataset.subscriptions.begin(), dataset.subscriptions.end(),
                                  [](const Subscription* subscription) { return subscription->phase == Phase::live; });
  if (!wanted) return;
  for (std::size_t i = 0; i != batch.records().size(); ++i) {
    const log::Record& record = batch.records()[i];
    bool decoded = false;
    for (Subscription* subscription : dataset.subscriptions) {
      if (subscription->phase != Phase::live || !subscription->wants_device(record.key)) continue;
      if (partition < subscription->start.size() && record.offset < subscription->start[partition]) continue;
      if (!decoded && !decode(record, values_)) {
        counters_.unreadable.add();
        break;
      }
      decoded = true;
      add(*subscription, record, device_numbers_[i]);
    }
    if (i % 256 == 255) bound_all(dataset);
  }
  bound_all(dataset);
}

void Core::send_due(Turn& turn) {
  turn.records_ns = read_anything_ ? clock_.monotonic_ns() + gulp_ns : 0;
  for (auto& [id, viewer] : viewers_)
    if (!viewer->dropped) send_frames(*viewer, turn);
}

void Core::send_frames(Viewer& viewer, Turn& turn) {
  // From the one after the last served: the viewer's bound must not starve those behind.
  auto next = viewer.subscriptions.upper_bound(viewer.served);
  for (std::size_t i = 0; i != viewer.subscriptions.size(); ++i, ++next) {
    if (next == viewer.subscriptions.end()) next = viewer.subscriptions.begin();
    const auto& subscription = next->second;
    if (!subscription->has_credit()) continue;
    const std::int64_t now_ns = clock_.monotonic_ns();
    if (subscription->has_frame() && subscription->slot_ns() <= now_ns && viewer.bytes_in_flight < viewer_flight_max) {
      if (!send_frame(viewer, *subscription)) return;
      viewer.served = next->first;
      if (!subscription->has_credit()) continue;
    }
    if (subscription->phase != Phase::live) continue;
    if (!subscription->has_frame()) {
      // Idle: the next record goes out as soon as the rate allows it.
      turn.records_ns = std::min(turn.records_ns, subscription->slot_ns());
    } else if (viewer.bytes_in_flight < viewer_flight_max) {
      turn.deadline_ns = std::min(turn.deadline_ns, subscription->slot_ns());
    }
  }
}

bool Core::send_frame(Viewer& viewer, Subscription& subscription) {
  Dataset& dataset = dataset_of(subscription.wanted.dataset);
  std::string dictionary = subscription.dictionary(schema_of(dataset));
  if (!dictionary.empty() && !send(viewer, std::make_shared<const std::string>(std::move(dictionary)), false)) return false;
  OutgoingFrame frame = subscription.take_frame(encoder_, viewer.door->json, clock_.monotonic_ns());
  viewer.bytes_in_flight += frame.bytes.size();
  if (!send(viewer, std::make_shared<const std::string>(std::move(frame.bytes)), !viewer.door->json)) return false;
  viewer.door->frames.fetch_add(1, std::memory_order_relaxed);
  viewer.door->rows.fetch_add(frame.rows, std::memory_order_relaxed);
  viewer.door->merged.fetch_add(frame.merged, std::memory_order_relaxed);
  counters_.frames.add();
  counters_.rows.add(frame.rows);
  counters_.merged.add(frame.merged);
  const Timestamp now = clock_.now();
  for (const PendingRun& run : frame.runs) {
    counters_.latency.record_us((now - run.append_time).us);
    latency_.record(clock_.monotonic_ns(), (now - run.append_time).us, run.rows);
  }
  return true;
}

model::SchemaPtr Core::schema_of(Dataset& dataset) {
  const std::uint64_t generation = schemas_.generation();
  if (dataset.schema == nullptr || dataset.schema_generation != generation) {
    dataset.schema = schemas_.current(dataset.activity.name);
    dataset.schema_generation = generation;
  }
  return dataset.schema;
}

void Core::tell_changes(Turn& turn) {
  const std::uint64_t generation = schemas_.generation();
  changed_ |= generation != generation_;
  generation_ = generation;
  if (viewers_.empty()) changed_ = false;
  if (!changed_) return;
  const std::int64_t now_ns = clock_.monotonic_ns();
  if (now_ns < changed_slot_ns_) {
    turn.deadline_ns = std::min(turn.deadline_ns, changed_slot_ns_);
    return;
  }
  changed_ = false;
  changed_slot_ns_ = now_ns + changed_interval_ns;
  send_all(write_changed());
}

void Core::tell_stats(Turn& turn) {
  if (viewers_.empty()) {
    stats_ns_ = 0;
    return;
  }
  const std::int64_t now_ns = clock_.monotonic_ns();
  if (now_ns >= stats_ns_) {
    std::optional<LatencyMs> latency;
    if (const auto p50 = latency_.quantile_us(now_ns, 0.5)) latency = {*p50 / 1000, *latency_.quantile_us(now_ns, 0.99) / 1000};
    send_all(write_stats(clock_.now(), activity_.datasets(now_ns), latency));
    stats_ns_ =
        stats_ns_ == 0 || now_ns >= stats_ns_ + stats_interval_ns ? now_ns + stats_interval_ns : stats_ns_ + stats_interval_ns;
  }
  turn.deadline_ns = std::min(turn.deadline_ns, stats_ns_);
}

}  // namespace iotstream::live
