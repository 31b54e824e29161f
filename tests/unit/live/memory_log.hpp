// A log in memory whose watermark the test moves: appended records are read only after publish().
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

namespace iotstream::live::test {

class MemoryPartition final : public log::Partition {
 public:
  struct Stored {
    Timestamp time;
    Timestamp append_time;
    std::string key;
    std::string value;
  };

  explicit MemoryPartition(os::Clock& clock) : clock_(clock) {}

  log::Appended append(Timestamp time, std::string_view key, ByteView value) override {
    const std::lock_guard lock(mutex_);
    stored_.push_back(std::make_shared<Stored>(Stored{time, clock_.now(), std::string(key), std::string(as_text(value))}));
    return {log::AppendStatus::accepted, Offset(stored_.size() - 1)};
  }
  log::Appended append(Timestamp time, std::string_view key, ByteView value, const log::Producer&) override {
    return append(time, key, value);
  }
  std::optional<std::uint64_t> last_sequence(std::uint64_t) const override { return std::nullopt; }
  void when(log::Watermark, Offset, std::function<void(Status)> done) override { done({}); }
  log::Watermarks watermarks() const override {
    const std::lock_guard lock(mutex_);
    return {earliest_, written_, written_};
  }
  log::PartitionStatus status() const override { return {}; }
  Result<log::Batch> read(Offset from, std::size_t bytes_max, log::Watermark) override {
    const std::lock_guard lock(mutex_);
    if (failing) return Error{ErrorKind::io, "the disk refused"};
    if (from > written_) return Error{ErrorKind::invalid, "beyond the end"};
    auto owner = std::make_shared<std::vector<std::shared_ptr<Stored>>>();
    std::vector<log::Record> records;
    std::size_t bytes = 0;
    for (Offset offset = std::max(from, earliest_); offset < written_ && (records.empty() || bytes < bytes_max); ++offset) {
      if (damaged.contains(offset.value)) continue;
      const auto& stored = stored_[offset.value];
      owner->push_back(stored);
      records.push_back({offset, stored->time, stored->append_time, stored->key, as_bytes(stored->value)});
      bytes += stored->key.size() + stored->value.size();
    }
    return log::Batch(owner, std::move(records));
  }
  Result<Offset> seek(Timestamp) override { return earliest_; }
  void pin(std::string_view, Offset) override {}

  /// Moves the watermark by at most `records`.
  void publish(std::size_t records = SIZE_MAX) {
    const std::lock_guard lock(mutex_);
    written_ =
        Offset(std::min<std::uint64_t>(stored_.size(), records > stored_.size() ? stored_.size() : written_.value + records));
  }
  void cut_below(Offset offset) {
    const std::lock_guard lock(mutex_);
    earliest_ = offset;
  }
  std::shared_ptr<Stored> at(std::uint64_t offset) const {
    const std::lock_guard lock(mutex_);
    return stored_[offset];
  }

  bool failing = false;
  std::set<std::uint64_t> damaged;

 private:
  os::Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Stored>> stored_;
  Offset written_;
  Offset earliest_;
};

class MemoryTopic final : public log::Topic {
 public:
  MemoryTopic(std::string name, std::uint32_t partitions, os::Clock& clock) : name_(std::move(name)) {
    options_.partitions = partitions;
    for (std::uint32_t i = 0; i != partitions; ++i) partitions_.push_back(std::make_unique<MemoryPartition>(clock));
  }
  const std::string& name() const override { return name_; }
  const log::TopicOptions& options() const override { return options_; }
  std::uint32_t partition_count() const override { return static_cast<std::uint32_t>(partitions_.size()); }
  MemoryPartition& partition(PartitionId id) override { return *partitions_[id.value]; }

 private:
  std::string name_;
  log::TopicOptions options_;
  std::vector<std::unique_ptr<MemoryPartition>> partitions_;
};

class MemoryLog final : public log::Log {
 public:
  explicit MemoryLog(os::Clock& clock) : clock_(clock) {}

  Result<log::Topic*> topic(std::string_view name) override { return topic(name, {}); }
  Result<log::Topic*> topic(std::string_view name, const log::TopicOptions& options) override {
    return &memory_topic(name, options.partitions);
  }
  MemoryTopic& memory_topic(std::string_view name, std::uint32_t partitions = 2) {
    const std::lock_guard lock(mutex_);
    auto& topic = topics_[std::string(name)];
    if (topic == nullptr) topic = std::make_unique<MemoryTopic>(std::string(name), partitions, clock_);
    return *topic;
  }
  log::Topic* find(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find(std::string(name));
    return found == topics_.end() ? nullptr : found->second.get();
  }
  std::vector<log::Topic*> topics() override {
    const std::lock_guard lock(mutex_);
    std::vector<log::Topic*> topics;
    for (const auto& [name, topic] : topics_) topics.push_back(topic.get());
    return topics;
  }
  Status commit(std::span<const log::GroupOffset>, bool) override { return {}; }
  std::vector<log::GroupOffset> group_offsets() const override { return {}; }
  std::optional<Offset> committed(std::string_view, std::string_view, PartitionId) const override { return {}; }
  void subscribe(log::Signal& signal, log::Watermark) override {
    const std::lock_guard lock(mutex_);
    signals_.push_back(&signal);
  }
  void unsubscribe(log::Signal& signal) override {
    const std::lock_guard lock(mutex_);
    std::erase(signals_, &signal);
  }
  Status close() override { return {}; }

  void notify() {
    const std::lock_guard lock(mutex_);
    for (log::Signal* signal : signals_) signal->notify();
  }

 private:
  os::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<MemoryTopic>> topics_;
  std::vector<log::Signal*> signals_;
};

}  // namespace iotstream::live::test
