// The log of one process: topics, threads, groups, and their beginning and end.
#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/log/log.hpp>

#include "log/compactor.hpp"
#include "log/environment.hpp"
#include "log/groups.hpp"
#include "log/mutation.hpp"
#include "log/topic.hpp"
#include "log/workers.hpp"

namespace iotstream::log {

namespace {

/// A core is left to the producers: with one to each writer they would take turns on the same ring's lines. Beyond eight the
/// disk is the limit.
unsigned writer_count(const LogOptions& options) {
  if (options.writers != 0) return std::min(options.writers, 64u);
  return std::clamp(std::thread::hardware_concurrency(), 2u, 9u) - 1;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

class LogImplementation final : public Log {
 public:
  LogImplementation(LogOptions options, os::Disk& disk, os::Clock& clock, metrics::Table& metrics)
      : options_(std::move(options)),
        clock_(clock),
        counters_(metrics),
        shards_(writer_count(options_)),
        compactor_([this](const std::atomic<bool>& stopping) { return compact(stopping); }),
        syncer_([this] { retain(); }),
        environment_{disk, clock, counters_, shards_, subscribers_, syncer_} {
    for (unsigned shard = 0; shard != shards_.count(); ++shard)
      writers_.push_back(std::make_unique<Writer>(shards_.park(shard), shard));
  }

  ~LogImplementation() override {
    if (auto status = close(); !status) diagnostics::error("log", "closing: {}", status.error().message);
  }

  Status recover() {
    const std::int64_t begin = clock_.monotonic_ns();
    auto& disk = environment_.disk;
    if (auto status = disk.create_directories(options_.directory); !status) return status;
    auto groups = Groups::open(disk, options_.directory, clock_.now());
    if (!groups) return groups.error();
    groups_ = std::move(*groups);
    auto names = disk.list(options_.directory);
    if (!names) return names.error();
    for (const std::string& name : *names) {
      auto topic = TopicLog::open(environment_, options_, options_.directory + "/" + name);
      if (!topic) return topic.error();
      if (*topic != nullptr) adopt(std::move(*topic));
    }
    // The first process may have been killed between making the folder and syncing its name. Where topics are, it was not.
    if (topics_.empty() && !mutation::without(mutation::Site::root_sync))
      if (auto status = sync_way_to(options_.directory); !status) return status;
    const std::int64_t ms = (clock_.monotonic_ns() - begin) / 1'000'000;
    counters_.recovery_ms.set(ms);
    diagnostics::info("log", "{}: {} topics ready after {} ms", options_.directory, topics_.size(), ms);
    syncer_.start();
    for (const auto& writer : writers_) writer->start();
    return {};
  }

  /// The names on the way to `path`: any of them may have been made just now. Those above its own folder as far as this user
  /// may read them: what others made is not ours to sync.
  Status sync_way_to(const std::string& path) {
    std::string folder = folder_of(path);
    if (auto status = environment_.disk.sync_directory(folder); !status) return status;
    for (std::string above = folder_of(folder); above != folder && folder != "."; above = folder_of(folder)) {
      folder = above;
      (void)environment_.disk.sync_directory(folder).ok();
    }
    return {};
  }

  Result<Topic*> topic(std::string_view name) override {
    const auto own = options_.topics.find(name);
    return topic(name, own == options_.topics.end() ? options_.topic_defaults : own->second);
  }

  Result<Topic*> topic(std::string_view name, const TopicOptions& options) override {
    if (Topic* known = find(name)) return known;
    std::lock_guard creating(create_mutex_);
    if (Topic* known = find(name)) return known;
    if (closed_.load(std::memory_order_relaxed)) return Error{ErrorKind::unavailable, "the log is closing"};
    auto created = TopicLog::create(environment_, options_, name, options);
    if (!created) return created.error();
    Topic* topic = adopt(std::move(*created));
    subscribers_.notify_all();
    return topic;
  }

  Topic* find(std::string_view name) override {
    std::shared_lock lock(topics_mutex_);
    const auto found = topics_.find(name);
    return found == topics_.end() ? nullptr : found->second.get();
  }

  std::vector<Topic*> topics() override {
    std::shared_lock lock(topics_mutex_);
    std::vector<Topic*> topics;
    topics.reserve(topics_.size());
    for (const auto& [name, topic] : topics_) topics.push_back(topic.get());
    return topics;
  }

  Status commit(std::span<const GroupOffset> offsets, bool allow_rewind) override {
    return groups_->commit(offsets, allow_rewind);
  }
  Status forget(std::string_view group) override { return groups_->forget(group); }
  std::vector<GroupOffset> group_offsets() const override { return groups_->all(); }
  std::optional<Offset> committed(std::string_view group, std::string_view topic, PartitionId partition) const override {
    return groups_->committed(group, topic, partition);
  }

  void subscribe(Signal& signal, Watermark watermark) override { subscribers_.add(signal, watermark); }
  void unsubscribe(Signal& signal) override { subscribers_.remove(signal); }

  Status close() override {
    std::lock_guard creating(create_mutex_);
    if (closed_.exchange(true, std::memory_order_relaxed)) return {};
    const auto all = partitions();
    for (PartitionLog* partition : all) partition->refuse_appends();
    compactor_.stop();
    for (const auto& writer : writers_) writer->stop();
    syncer_.stop(all);
    for (const PartitionLog* partition : all)
      if (partition->status().read_only)
        return Error{ErrorKind::io, fmt::format("partition {}/{} was read-only: its last records may be lost",
                                                partition->identity().topic, partition->identity().partition)};
    return {};
  }

 private:
  Topic* adopt(std::unique_ptr<TopicLog> topic) {
    std::vector<std::vector<PartitionLog*>> added(shards_.count());
    for (const auto& partition : topic->partitions()) added[partition->shard()].push_back(partition.get());
    Topic* const adopted = topic.get();
    {
      std::unique_lock lock(topics_mutex_);
      topics_.emplace(topic->name(), std::move(topic));
    }
    for (unsigned shard = 0; shard != shards_.count(); ++shard)
      if (!added[shard].empty()) writers_[shard]->add(added[shard]);
    return adopted;
  }

  std::vector<PartitionLog*> partitions() const {
    std::shared_lock lock(topics_mutex_);
    std::vector<PartitionLog*> all;
    for (const auto& [name, topic] : topics_)
      for (const auto& partition : topic->partitions()) all.push_back(partition.get());
    return all;
  }

  /// On the sync thread.
  void retain() {
    std::vector<TopicLog*> topics;
    {
      std::shared_lock lock(topics_mutex_);
      for (const auto& [name, topic] : topics_) topics.push_back(topic.get());
    }
    for (TopicLog* topic : topics) topic->retain(clock_.now());
    const bool compacts = std::any_of(topics.begin(), topics.end(), [](const TopicLog* t) { return t->options().compact; });
    if (compacts) compactor_.wake();
  }

  /// On the compaction thread.
  bool compact(const std::atomic<bool>& stopping) {
    std::vector<TopicLog*> topics;
    {
      std::shared_lock lock(topics_mutex_);
      for (const auto& [name, topic] : topics_)
        if (topic->options().compact) topics.push_back(topic.get());
    }
    bool waits = false;
    for (TopicLog* topic : topics) waits |= topic->compact(clock_.now(), stopping);
    return waits;
  }

  LogOptions options_;
  os::Clock& clock_;
  Counters counters_;
  Shards shards_;
  Subscribers subscribers_;
  Compactor compactor_;
  Syncer syncer_;
  Environment environment_;
  std::unique_ptr<Groups> groups_;

  std::mutex create_mutex_;  ///< held over the creation of a topic and over close()
  mutable std::shared_mutex topics_mutex_;
  std::map<std::string, std::unique_ptr<TopicLog>, std::less<>> topics_;  ///< only ever grows
  std::atomic<bool> closed_{false};  ///< relaxed: guarded by create_mutex_ where it decides

  std::vector<std::unique_ptr<Writer>> writers_;  ///< last: they stop before anything that they use is gone
};

}  // namespace

Result<std::unique_ptr<Log>> Log::open(LogOptions options, os::Disk& disk, os::Clock& clock, metrics::Table& metrics) {
  auto log = std::make_unique<LogImplementation>(std::move(options), disk, clock, metrics);
  if (auto status = log->recover(); !status) return status.error();
  return std::unique_ptr<Log>(std::move(log));
}

}  // namespace iotstream::log
