// The hub's side of its viewers: commands, subscriptions, back-fills.
#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "live/core_parts.hpp"

namespace iotstream::live {
namespace {

/// Workers are shared with everything else that may block: a page with many subscriptions must not take them all.
constexpr std::size_t backfills_max = 2;
constexpr std::int64_t backfill_retry_ns = 50'000'000;
/// The hub reads at most about this many records for one new subscription; more are a worker's business.
constexpr std::uint64_t seam_records_max = 5'000;
constexpr int seam_rounds_max = 8;
constexpr std::size_t seam_read_bytes = 1u << 20;
constexpr std::size_t share_min = 64u << 10;
constexpr std::size_t share_max = 4u << 20;

}  // namespace

std::size_t Core::share_of(const Viewer& viewer) {
  return std::clamp(viewer_bytes_max / std::max<std::size_t>(viewer.subscriptions.size(), 1), share_min, share_max);
}

void Core::share_memory(Viewer& viewer) {
  for (auto& [id, subscription] : viewer.subscriptions) subscription->share = share_of(viewer);
  viewer.door->subscriptions.store(viewer.subscriptions.size(), std::memory_order_relaxed);
}

void Core::take_commands() {
  Command command;
  while (mailbox_->take(command)) {
    if (const auto* door = std::get_if<std::shared_ptr<Door>>(&command))
      visit_door(*door);
    else
      finish_backfill(std::get<std::shared_ptr<BackfillJob>>(command));
  }
}

void Core::visit_door(const std::shared_ptr<Door>& door) {
  std::deque<std::string> texts;
  bool closed = false;
  bool flooded = false;
  {
    const std::lock_guard lock(door->mutex);
    texts.swap(door->inbox);
    door->inbox_bytes = 0;
    closed = door->closed;
    flooded = door->flooded;
  }
  if (closed) {
    remove_viewer(door->id);
    return;
  }
  const auto [place, added] = viewers_.try_emplace(door->id);
  if (added) {
    place->second = std::make_unique<Viewer>(door);
    counters_.viewers.add(1);
    send(*place->second, std::make_shared<const std::string>(write_hello(clock_.now(), started_)), false);
  }
  Viewer& viewer = *place->second;
  for (const std::string& text : texts)
    if (!viewer.dropped) handle(viewer, text);
  if (flooded) drop(viewer, "too many messages");
}

void Core::handle(Viewer& viewer, std::string_view text) {
  auto read = read_message(text);
  if (auto* refusal = std::get_if<Refusal>(&read)) return refuse(viewer, std::move(*refusal));
  auto& message = std::get<ClientMessage>(read);
  if (auto* wanted = std::get_if<Subscribe>(&message.what)) return subscribe(viewer, message.id, std::move(*wanted));
  const auto found = viewer.subscriptions.find(message.id);
  if (found == viewer.subscriptions.end()) {
    // An acknowledgement may cross the end of its subscription on the way.
    if (!std::holds_alternative<Ack>(message.what)) refuse(viewer, {message.id, "There is no such subscription."});
    return;
  }
  Subscription& subscription = *found->second;
  if (const auto* ack = std::get_if<Ack>(&message.what))
    viewer.bytes_in_flight -= subscription.acknowledge(ack->seq);
  else if (std::holds_alternative<Park>(message.what))
    subscription.park();
  else if (std::holds_alternative<Resume>(message.what))
    subscription.resume();
  else
    unsubscribe(viewer, message.id);
}

Result<std::vector<FieldId>> Core::resolve(const Subscribe& wanted) const {
  const model::SchemaPtr schema = schemas_.current(wanted.dataset);
  if (schema == nullptr)
    return Error{ErrorKind::not_found, fmt::format("There is no dataset '{}'.", wanted.dataset.substr(0, 60))};
  std::vector<FieldId> fields;
  for (const std::string& name : wanted.fields) {
    const auto field = schema->find(name);
    if (!field)
      return Error{ErrorKind::not_found, fmt::format("Dataset '{}' has no field '{}'.", wanted.dataset, name.substr(0, 60))};
    fields.push_back(*field);
  }
  return fields;
}

void Core::subscribe(Viewer& viewer, std::uint32_t id, Subscribe wanted) {
  unsubscribe(viewer, id);
  if (viewer.subscriptions.size() >= subscriptions_max)
    return refuse(viewer, {id, fmt::format("A connection has at most {} subscriptions.", subscriptions_max)});
  auto fields = resolve(wanted);
  if (!fields) return refuse(viewer, {id, fields.error().message});
  Dataset& dataset = dataset_of(wanted.dataset);
  auto subscription =
      std::make_unique<Subscription>(viewer.door->id, id, ++subscription_number_, std::move(wanted), std::move(*fields));
  dataset.subscriptions.push_back(subscription.get());
  waiting_.emplace_back(viewer.door->id, subscription->number);
  viewer.subscriptions.emplace(id, std::move(subscription));
  counters_.subscriptions.add(1);
  share_memory(viewer);
}

void Core::unsubscribe(Viewer& viewer, std::uint32_t id) {
  const auto found = viewer.subscriptions.find(id);
  if (found == viewer.subscriptions.end()) return;
  Subscription& subscription = *found->second;
  if (subscription.job != nullptr) subscription.job->cancelled.store(true, std::memory_order_relaxed);
  std::erase(dataset_of(subscription.wanted.dataset).subscriptions, &subscription);
  viewer.bytes_in_flight -= subscription.bytes_in_flight();
  viewer.subscriptions.erase(found);
  counters_.subscriptions.add(-1);
  share_memory(viewer);
}

Core::Place Core::find(ViewerId viewer, std::uint64_t number) {
  const auto found = viewers_.find(viewer);
  if (found == viewers_.end() || found->second->dropped) return {};
  for (auto& [id, subscription] : found->second->subscriptions)
    if (subscription->number == number) return {found->second.get(), subscription.get()};
  return {};
}

void Core::start_backfills(Turn& turn) {
  while (!waiting_.empty() && in_flight_ < backfills_max) {
    const Place place = find(waiting_.front().first, waiting_.front().second);
    if (place.subscription != nullptr && !start_backfill(*place.subscription)) {
      turn.deadline_ns = std::min(turn.deadline_ns, clock_.monotonic_ns() + backfill_retry_ns);
      return;
    }
    waiting_.pop_front();
  }
}

bool Core::start_backfill(Subscription& subscription) {
  auto job = std::make_shared<BackfillJob>();
  job->viewer = subscription.viewer;
  job->number = subscription.number;
  job->request = {subscription.wanted.dataset, subscription.wanted.device, subscription.fields,
                  clock_.now() - subscription.wanted.window};
  job->grid = subscription.grid;
  job->bytes_max = subscription.share;
  job->topic = dataset_of(subscription.wanted.dataset).topic;
  if (!submit_backfill(job)) return false;
  subscription.job = std::move(job);
  subscription.phase = Phase::filling;
  return true;
}

bool Core::submit_backfill(const std::shared_ptr<BackfillJob>& job) {
  const bool taken = submit_([job, backfill = backfill_, running = running_, mailbox = mailbox_] {
    if (!running->begin(job)) return;
    run_backfill(*job, backfill);
    running->end(job);
    mailbox->post(job);
  });
  if (taken) ++in_flight_;
  return taken;
}

void Core::finish_backfill(const std::shared_ptr<BackfillJob>& job) {
  --in_flight_;
  const Place place = find(job->viewer, job->number);
  if (place.subscription == nullptr) return;
  Subscription& subscription = *place.subscription;
  Status joined = job->status;
  if (joined) joined = join_log(subscription, job);
  if (joined) return;
  refuse(*place.viewer, {subscription.id, fmt::format("The past could not be read: {}", joined.error().message)});
  unsubscribe(*place.viewer, subscription.id);
}

/// Brings a subscription from where its back-fill ends to where the hub stands: the seam.
Status Core::join_log(Subscription& subscription, const std::shared_ptr<BackfillJob>& job) {
  Dataset& dataset = dataset_of(subscription.wanted.dataset);
  job->next.resize(dataset.positions.size());  // a topic that came meanwhile is read from its begin
  std::uint64_t behind = 0;
  for (std::size_t i = 0; i != dataset.positions.size(); ++i)
    if (job->next[i] < dataset.positions[i]) behind += dataset.positions[i] - job->next[i];
  if (behind > seam_records_max && job->rounds++ < seam_rounds_max) {
    job->topic = dataset.topic;
    if (submit_backfill(job)) return {};
  }
  subscription.begin_live(*job);
  for (std::uint32_t i = 0; i != dataset.positions.size(); ++i)
    if (Status read = read_seam(subscription, dataset, i); !read) return read;
  subscription.forget_latency();
  return {};
}

Status Core::read_seam(Subscription& subscription, Dataset& dataset, std::uint32_t partition) {
  log::Partition& source = dataset.topic->partition(PartitionId(partition));
  const Offset end = dataset.positions[partition];
  for (Offset next = subscription.start[partition]; next < end;) {
    auto batch = source.read(next, seam_read_bytes, log::Watermark::written);
    if (!batch) return std::move(batch).error();
    if (batch->empty()) break;
    for (const log::Record& record : batch->records()) {
      next = record.offset + 1;
      if (record.offset >= end) break;
      if (subscription.wants_device(record.key) && decode(record, values_)) add(subscription, record, unknown_device);
    }
    subscription.bound();
  }
  return {};
}

void Core::add(Subscription& subscription, const log::Record& record, DeviceNumber device) {
  if (subscription.add(record, device, values_) || std::exchange(subscription.devices_full, true)) return;
  if (const Place place = find(subscription.viewer, subscription.number); place.viewer != nullptr)
    refuse(*place.viewer, {subscription.id, fmt::format("Only the first {} devices are shown; name one.", devices_max)});
}

/// The last bound: when even one column of every series is too much, the subscription ends.
void Core::bound_all(Dataset& dataset) {
  for (Subscription* subscription : dataset.subscriptions) {
    subscription->bound();
    if (subscription->memory() > 4 * subscription->share) too_large_.emplace_back(subscription->viewer, subscription->number);
  }
}

void Core::end_too_large() {
  for (const auto& [viewer, number] : std::exchange(too_large_, {})) {
    const Place place = find(viewer, number);
    if (place.subscription == nullptr) continue;
    std::size_t bytes = 0;
    for (const auto& [id, subscription] : place.viewer->subscriptions) bytes += subscription->memory();
    if (bytes <= 2 * viewer_bytes_max) continue;
    const std::uint32_t id = place.subscription->id;
    refuse(*place.viewer,
           {id, "The subscription was ended: its devices and fields are more than may wait for a viewer; choose fewer."});
    unsubscribe(*place.viewer, id);
  }
}

std::size_t Core::memory() const {
  std::size_t bytes = 0;
  for (const auto& [id, viewer] : viewers_)
    for (const auto& [number, subscription] : viewer->subscriptions) bytes += subscription->memory();
  return bytes;
}

bool Core::send(Viewer& viewer, std::shared_ptr<const std::string> bytes, bool binary) {
  if (viewer.dropped) return false;
  if (viewer.door->sink.send(std::move(bytes), binary)) return true;
  viewer.dropped = true;
  dropped_.push_back(viewer.door->id);
  return false;
}

void Core::send_all(std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (auto& [id, viewer] : viewers_) send(*viewer, shared, false);
}

void Core::refuse(Viewer& viewer, Refusal refusal) {
  send(viewer, std::make_shared<const std::string>(write_error(refusal)), false);
}

void Core::drop(Viewer& viewer, std::string_view reason) {
  if (viewer.dropped) return;
  viewer.dropped = true;
  dropped_.push_back(viewer.door->id);
  if (viewer.door->sink.close) viewer.door->sink.close(reason);
}

void Core::sweep() {
  for (const ViewerId id : std::exchange(dropped_, {})) {
    const auto found = viewers_.find(id);
    if (found == viewers_.end()) continue;
    diagnostics::info("live", "viewer {} from {} is dropped", id, found->second->door->remote);
    counters_.dropped.add();
    remove_viewer(id);
  }
}

void Core::remove_viewer(ViewerId id) {
  const auto found = viewers_.find(id);
  if (found != viewers_.end()) {
    {
      const std::lock_guard lock(found->second->door->mutex);
      found->second->door->closed = true;  // messages under way must not open it again
    }
    while (!found->second->subscriptions.empty()) unsubscribe(*found->second, found->second->subscriptions.begin()->first);
    viewers_.erase(found);
    counters_.viewers.add(-1);
  }
  forget_door_(id);
}

}  // namespace iotstream::live
