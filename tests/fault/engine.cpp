#include "fault/engine.hpp"

#include <algorithm>
#include <future>
#include <set>

#include "log/groups.hpp"
#include "log/topic.hpp"

namespace iotstream::fault {
namespace {

using namespace iotstream::log;

LogOptions options() {
  LogOptions options;
  options.directory = "log";
  options.staging_size = 64u << 10;
  options.cache_size = 0;  // every read goes to the disk
  return options;
}

template <class Outcome>
void require(const Outcome& outcome, std::string_view what) {
  if (!outcome) throw Violation{fmt::format("{}: {}", what, outcome.error().message)};
}

/// The parts of a log without its two threads: their steps are taken one by one.
class ByHand final : public Engine, private SyncRequests {
 public:
  ByHand(os::Disk& disk, Timestamp now) : clock_(now), environment_{disk, clock_, counters_, shards_, subscribers_, *this} {
    require(disk.create_directories(options_.directory), "the folder of the log");
    auto groups = Groups::open(disk, options_.directory, now);
    require(groups, "the committed offsets do not load");
    groups_ = std::move(*groups);
    const auto names = disk.list(options_.directory);
    require(names, "the folder of the log");
    for (const std::string& name : *names) {
      auto topic = TopicLog::open(environment_, options_, options_.directory + "/" + name);
      require(topic, "a topic does not open");
      if (*topic != nullptr) topics_.push_back(std::move(*topic));
    }
    if (topics_.empty()) require(disk.sync_directory("."), "the folder of the log");
  }

  Topic& topic(const std::string& name, const TopicOptions& topic_options) override {
    if (Topic* known = find(name)) return *known;
    auto created = TopicLog::create(environment_, options_, name, topic_options);
    require(created, "a topic cannot be created");
    topics_.push_back(std::move(*created));
    return *topics_.back();
  }

  Topic* find(const std::string& name) override {
    for (const auto& topic : topics_)
      if (topic->name() == name) return topic.get();
    return nullptr;
  }

  void work(std::mt19937_64& random, unsigned syncs) override {
    if (topics_.empty()) return;
    const auto& partitions = topics_[random() % topics_.size()]->partitions();
    PartitionLog& partition = *partitions[random() % partitions.size()];
    if (random() % 16 < syncs)
      sync(partition);
    else if (random() % 8 == 0 && partition.mark_is_behind())
      partition.write_mark();
    else if (random() % 4 != 0)
      partition.serve();
  }

  void finish(Partition& partition, Offset offset) override {
    auto& driven = static_cast<PartitionLog&>(partition);
    Status outcome = Error{ErrorKind::io, "it is not durable though everything was synced"};
    driven.when(Watermark::durable, offset, [&outcome](Status status) { outcome = std::move(status); });
    while (driven.serve() == PartitionLog::Work::done) {
    }
    sync(driven);
    require(outcome, fmt::format("the record at {}", offset));
  }

  void retain(Topic& topic) override { static_cast<TopicLog&>(topic).retain(clock_.now()); }
  void commit(std::span<const GroupOffset> offsets) override { require(groups_->commit(offsets, false), "a commit"); }
  std::vector<GroupOffset> group_offsets() const override { return groups_->all(); }

  void close() override {
    each([](PartitionLog& partition) { partition.refuse_appends(); });
    each([](PartitionLog& partition) { partition.finish_writing(); });
    each([](PartitionLog& partition) { partition.finish_syncing(); });
  }

 private:
  void request(PartitionLog& partition) override { asked_.insert(&partition); }

  void sync(PartitionLog& partition) {
    if (asked_.erase(&partition) != 0) partition.sync();
  }

  template <class Action>
  void each(Action action) {
    for (const auto& topic : topics_)
      for (const auto& partition : topic->partitions()) action(*partition);
  }

  LogOptions options_ = options();
  os::ManualClock clock_;
  metrics::Table metrics_;
  Counters counters_{metrics_};
  Shards shards_{1};
  Subscribers subscribers_;
  Environment environment_;
  std::set<PartitionLog*> asked_;
  std::unique_ptr<Groups> groups_;
  std::vector<std::unique_ptr<TopicLog>> topics_;
};

class Threads final : public Engine {
 public:
  Threads(os::Disk& disk, Timestamp now) : clock_(now) {
    auto opened = Log::open(options(), disk, clock_, metrics_);
    require(opened, "the log does not open");
    log_ = std::move(*opened);
  }

  Topic& topic(const std::string& name, const TopicOptions& topic_options) override {
    auto topic = log_->topic(name, topic_options);
    require(topic, "a topic cannot be created");
    return **topic;
  }
  Topic* find(const std::string& name) override { return log_->find(name); }
  void work(std::mt19937_64& random, unsigned /*syncs*/) override {
    if (random() % 4 == 0) std::this_thread::yield();
  }
  void finish(Partition& partition, Offset offset) override {
    auto promise = std::make_shared<std::promise<Status>>();
    auto done = promise->get_future();
    partition.when(Watermark::durable, offset, [promise](Status status) { promise->set_value(std::move(status)); });
    require(done.get(), fmt::format("the record at {}", offset));
  }
  void retain(Topic&) override {}  // a minute after the start, by itself: by hand it is explored
  void commit(std::span<const GroupOffset> offsets) override { require(log_->commit(offsets), "a commit"); }
  std::vector<GroupOffset> group_offsets() const override { return log_->group_offsets(); }
  void close() override { require(log_->close(), "the log does not close well"); }

 private:
  os::ManualClock clock_;
  metrics::Table metrics_;
  std::unique_ptr<Log> log_;
};

}  // namespace

std::unique_ptr<Engine> Engine::open(Kind kind, os::Disk& disk, Timestamp now) {
  if (kind == Kind::threads) return std::make_unique<Threads>(disk, now);
  return std::make_unique<ByHand>(disk, now);
}

}  // namespace iotstream::fault
