// A log in memory that behaves as a test says: it holds back durability, loses offsets, fails reads, ends earlier than it did.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

namespace iotstream::store::test {

/// A record as it lies in the log.
struct Kept {
  Offset offset;
  Timestamp time;
  Timestamp append_time;
  std::string key;
  std::vector<std::byte> value;
};

class ScriptedPartition final : public log::Partition {
 public:
  explicit ScriptedPartition(std::function<void()> moved) : moved_(std::move(moved)) {}

  log::Appended append(Timestamp time, std::string_view key, ByteView value) override {
    Offset offset;
    {
      const std::lock_guard lock(mutex_);
      offset = next_;
      records_.push_back({offset, time, append_time_, std::string(key), {value.begin(), value.end()}});
      ++next_;
      if (!held_) durable_ = next_;
    }
    moved_();
    return {log::AppendStatus::accepted, offset};
  }
  log::Appended append(Timestamp time, std::string_view key, ByteView value, const log::Producer&) override {
    return append(time, key, value);
  }
  std::optional<std::uint64_t> last_sequence(std::uint64_t) const override { return std::nullopt; }
  void when(log::Watermark, Offset, std::function<void(Status)> done) override { done({}); }
  log::Watermarks watermarks() const override {
    const std::lock_guard lock(mutex_);
    return {earliest_, next_, durable_};
  }
  log::PartitionStatus status() const override {
    log::PartitionStatus status;
    status.watermarks = watermarks();
    const std::lock_guard lock(mutex_);
    status.damage = damage_;
    return status;
  }
  Result<log::Batch> read(Offset from, std::size_t bytes_max, log::Watermark) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return Error{ErrorKind::io, "the disk does not answer"};
    auto copies = std::make_shared<std::vector<Kept>>();
    std::size_t bytes = 0;
    for (const Kept& record : records_) {
      if (record.offset < std::max(from, earliest_) || record.offset >= durable_ || damaged(record.offset)) continue;
      if (bytes >= bytes_max) break;
      copies->push_back(record);
      bytes += record.value.size();
    }
    std::vector<log::Record> views;
    for (const Kept& record : *copies) {
      views.push_back({record.offset, record.time, record.append_time, record.key, record.value});
    }
    return log::Batch(copies, std::move(views));
  }
  Result<Offset> seek(Timestamp) override { return Offset(0); }
  void pin(std::string_view name, Offset offset) override {
    const std::lock_guard lock(mutex_);
    pins_[std::string(name)] = offset;
  }

  /// From now on appended records wait; release() makes them durable.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
      durable_ = next_;
    }
    moved_();
  }
  void set_failing(bool failing) {
    {
      const std::lock_guard lock(mutex_);
      failing_ = failing;
    }
    moved_();
  }
  void set_append_time(Timestamp time) {
    const std::lock_guard lock(mutex_);
    append_time_ = time;
  }
  /// Retention took what is below.
  void set_earliest(Offset offset) {
    const std::lock_guard lock(mutex_);
    earliest_ = offset;
  }
  void add_damage(Offset first, Offset next) {
    const std::lock_guard lock(mutex_);
    damage_.push_back({PartitionId(0), first, next, "segment", 0, "test"});
  }
  /// The log lost its end: the next record gets `offset` again.
  void cut(Offset offset) {
    const std::lock_guard lock(mutex_);
    std::erase_if(records_, [&](const Kept& record) { return record.offset >= offset; });
    next_ = durable_ = offset;
  }
  std::vector<Kept> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  std::optional<Offset> pin(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = pins_.find(name);
    return found == pins_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  bool damaged(Offset offset) const {
    return std::any_of(damage_.begin(), damage_.end(),
                       [&](const log::Damage& d) { return d.first <= offset && offset < d.next; });
  }

  std::function<void()> moved_;
  mutable std::mutex mutex_;
  std::vector<Kept> records_;
  Offset earliest_;
  Offset next_;
  Offset durable_;
  Timestamp append_time_{1'700'000'000'000'000};
  bool held_ = false;
  bool failing_ = false;
  std::vector<log::Damage> damage_;
  std::map<std::string, Offset> pins_;
};

class ScriptedTopic final : public log::Topic {
 public:
  ScriptedTopic(std::string name, std::uint32_t partitions, const std::function<void()>& moved) : name_(std::move(name)) {
    options_.partitions = partitions;
    for (std::uint32_t i = 0; i < partitions; ++i) partitions_.push_back(std::make_unique<ScriptedPartition>(moved));
  }
  const std::string& name() const override { return name_; }
  const log::TopicOptions& options() const override { return options_; }
  std::uint32_t partition_count() const override { return options_.partitions; }
  ScriptedPartition& partition(PartitionId id) override { return *partitions_.at(id.value); }

 private:
  std::string name_;
  log::TopicOptions options_;
  std::vector<std::unique_ptr<ScriptedPartition>> partitions_;
};

class ScriptedLog final : public log::Log {
 public:
  Result<log::Topic*> topic(std::string_view name) override { return topic(name, log::TopicOptions()); }
  Result<log::Topic*> topic(std::string_view name, const log::TopicOptions& options) override {
    return &make(name, options.partitions);
  }
  ScriptedTopic& make(std::string_view name, std::uint32_t partitions) {
    ScriptedTopic* made = nullptr;
    {
      const std::lock_guard lock(mutex_);
      auto& topic = topics_[std::string(name)];
      if (!topic) topic = std::make_unique<ScriptedTopic>(std::string(name), partitions, [this] { notify(); });
      made = topic.get();
    }
    notify();
    return *made;
  }
  ScriptedTopic* find(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find(std::string(name));
    return found == topics_.end() ? nullptr : found->second.get();
  }
  std::vector<log::Topic*> topics() override {
    const std::lock_guard lock(mutex_);
    std::vector<log::Topic*> all;
    for (auto& [name, topic] : topics_) all.push_back(topic.get());
    return all;
  }
  Status commit(std::span<const log::GroupOffset>, bool) override { return {}; }
  std::vector<log::GroupOffset> group_offsets() const override { return {}; }
  std::optional<Offset> committed(std::string_view, std::string_view, PartitionId) const override { return std::nullopt; }
  void subscribe(log::Signal& signal, log::Watermark) override {
    const std::lock_guard lock(mutex_);
    signals_.insert(&signal);
    signal.notify();
  }
  void unsubscribe(log::Signal& signal) override {
    const std::lock_guard lock(mutex_);
    signals_.erase(&signal);
  }
  Status close() override { return {}; }

 private:
  void notify() {
    const std::lock_guard lock(mutex_);
    for (log::Signal* signal : signals_) signal->notify();
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ScriptedTopic>> topics_;
  std::set<log::Signal*> signals_;
};

}  // namespace iotstream::store::test
