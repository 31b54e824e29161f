#include <algorithm>
#include <shared_mutex>
#include <thread>

#include <iotstream/live/hub.hpp>
#include <iotstream/os/process.hpp>

#include "live/core.hpp"

namespace iotstream::live {
namespace {

/// Signals take a length of time: as good as for ever.
constexpr std::int64_t wait_max_ns = std::int64_t{365} * 86'400 * 1'000'000'000;

class ThreadHub final : public Hub {
 public:
  ThreadHub(log::Log& log, catalog::Schemas& schemas, Backfill backfill, os::WorkerPool& workers, os::Clock& clock,
            metrics::Table& metrics)
      : log_(log),
        clock_(clock),
        mailbox_(std::make_shared<Mailbox>()),
        core_(
            log, schemas, std::move(backfill),
            [&workers](std::function<void()> task) { return workers.submit(std::move(task)); }, clock, metrics, mailbox_,
            [this](ViewerId viewer) { forget(viewer); }) {
    log_.subscribe(mailbox_->arrivals, log::Watermark::written);
    thread_ = std::thread([this] { run(); });
  }
  ~ThreadHub() override { stop(); }

  ViewerId open(ViewerSink sink, bool json, std::string remote) override {
    std::shared_ptr<Door> door;
    {
      const std::unique_lock lock(doors_mutex_);
      const ViewerId id = ++last_viewer_;
      if (stopping_.load(std::memory_order_relaxed)) return id;
      door = std::make_shared<Door>(id, std::move(sink), json, std::move(remote));
      doors_.emplace(id, door);
    }
    const ViewerId id = door->id;
    mailbox_->post(std::move(door));
    return id;
  }

  void message(ViewerId viewer, std::string_view text) override {
    auto door = find(viewer);
    if (door == nullptr) return;
    {
      const std::lock_guard lock(door->mutex);
      if (door->flooded || door->closed) return;
      door->inbox_bytes += text.size() + sizeof(std::string);
      door->flooded = door->inbox_bytes > inbox_bytes_max;
      if (door->flooded)
        door->inbox.clear();
      else
        door->inbox.emplace_back(text);
    }
    mailbox_->post(std::move(door));
  }

  void close(ViewerId viewer) override {
    auto door = find(viewer);
    if (door == nullptr) return;
    {
      const std::lock_guard lock(door->mutex);
      door->closed = true;
      door->inbox.clear();
    }
    mailbox_->post(std::move(door));
  }

  std::vector<ViewerStatus> viewers() const override {
    std::vector<ViewerStatus> viewers;
    const std::shared_lock lock(doors_mutex_);
    for (const auto& [id, door] : doors_) {
      viewers.push_back({id, door->remote, door->subscriptions.load(std::memory_order_relaxed),
                         door->frames.load(std::memory_order_relaxed), door->rows.load(std::memory_order_relaxed),
                         door->merged.load(std::memory_order_relaxed)});
    }
    return viewers;
  }
  std::vector<DeviceLive> devices() const override { return core_.activity().devices(clock_.monotonic_ns()); }
  std::vector<DatasetLive> datasets() const override { return core_.activity().datasets(clock_.monotonic_ns()); }
  double latency_us(double quantile) const override {
    return core_.latency().quantile_us(clock_.monotonic_ns(), quantile).value_or(0);
  }

  void stop() override {
    const std::lock_guard lock(stop_mutex_);
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_relaxed);
    mailbox_->wake();
    thread_.join();
    log_.unsubscribe(mailbox_->arrivals);
    core_.stop();
    const std::unique_lock doors_lock(doors_mutex_);
    doors_.clear();
  }

 private:
  void run() {
    os::name_thread("live");
    while (!stopping_.load(std::memory_order_relaxed)) {
      const Turn turn = core_.turn();
      const std::int64_t now_ns = clock_.monotonic_ns();
      if (turn.deadline_ns <= now_ns) continue;
      if (turn.records_ns > now_ns)
        mailbox_->commands.wait(length(std::min(turn.records_ns, turn.deadline_ns) - now_ns));
      else
        mailbox_->arrivals.wait(length(turn.deadline_ns - now_ns));
    }
  }

  /// Rounded up: a wait that ends early would only turn once more.
  static Duration length(std::int64_t ns) { return {(std::min(ns, wait_max_ns) + 999) / 1000}; }

  std::shared_ptr<Door> find(ViewerId viewer) const {
    const std::shared_lock lock(doors_mutex_);
    const auto found = doors_.find(viewer);
    return found == doors_.end() ? nullptr : found->second;
  }
  void forget(ViewerId viewer) {
    const std::unique_lock lock(doors_mutex_);
    doors_.erase(viewer);
  }

  log::Log& log_;
  os::Clock& clock_;
  const std::shared_ptr<Mailbox> mailbox_;
  mutable std::shared_mutex doors_mutex_;
  std::map<ViewerId, std::shared_ptr<Door>> doors_;  ///< guarded by doors_mutex_
  ViewerId last_viewer_ = 0;                         ///< guarded by doors_mutex_
  std::atomic<bool> stopping_{false};                ///< relaxed: the wake after it carries it
  std::mutex stop_mutex_;
  Core core_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Hub> Hub::create(log::Log& log, catalog::Schemas& schemas, Backfill backfill, os::WorkerPool& workers,
                                 os::Clock& clock, metrics::Table& metrics) {
  return std::make_unique<ThreadHub>(log, schemas, std::move(backfill), workers, clock, metrics);
}

}  // namespace iotstream::live
