// A log in memory whose weather a test decides: which append is refused, and when a watermark passes.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/log/log.hpp>

namespace iotstream::test {

struct Stored {
  Timestamp time;
  std::string key;
  std::vector<std::byte> value;
};

class MemoryPartition final : public log::Partition {
 public:
  explicit MemoryPartition(std::function<log::AppendStatus()> weather) : weather_(std::move(weather)) {}

  log::Appended append(Timestamp time, std::string_view key, ByteView value) override {
    const log::AppendStatus status = weather_();
    if (status != log::AppendStatus::accepted) return {status, Offset(0)};
    const std::scoped_lock lock(mutex_);
    if (forgetting_) return {status, Offset(records_.size())};
    records_.push_back({time, std::string(key), {value.begin(), value.end()}});
    return {status, Offset(records_.size() - 1)};
  }

  log::Appended append(Timestamp time, std::string_view key, ByteView value, const log::Producer& producer) override {
    const std::scoped_lock appending(producers_mutex_);
    auto& taken = producers_[producer.id];
    if (const auto found = taken.find(producer.sequence); found != taken.end())
      return {log::AppendStatus::duplicate, found->second, 0};
    const log::Appended appended = append(time, key, value);
    if (appended.status == log::AppendStatus::accepted) taken.emplace(producer.sequence, appended.offset);
    return appended;
  }
  std::optional<std::uint64_t> last_sequence(std::uint64_t producer) const override {
    const std::scoped_lock lock(producers_mutex_);
    const auto found = producers_.find(producer);
    if (found == producers_.end() || found->second.empty()) return std::nullopt;
    return found->second.rbegin()->first;
  }
  void when(log::Watermark, Offset offset, std::function<void(Status)> done) override {
    {
      const std::scoped_lock lock(mutex_);
      if (!forgetting_ && offset.value >= durable()) {
        waiting_.emplace_back(offset, std::move(done));
        return;
      }
    }
    done({});
  }

  log::Watermarks watermarks() const override {
    const std::scoped_lock lock(mutex_);
    return {Offset(0), Offset(durable()), Offset(durable())};
  }
  log::PartitionStatus status() const override { return {}; }

  Result<log::Batch> read(Offset from, std::size_t, log::Watermark) override {
    const std::scoped_lock lock(mutex_);
    auto copy = std::make_shared<std::vector<Stored>>(records_);
    std::vector<log::Record> records;
    for (std::uint64_t i = from.value; i < durable(); ++i)
      records.push_back({Offset(i), (*copy)[i].time, (*copy)[i].time, (*copy)[i].key, (*copy)[i].value});
    return log::Batch(copy, std::move(records));
  }
  Result<Offset> seek(Timestamp) override { return Offset(0); }
  void pin(std::string_view, Offset) override {}

  /// From now on nothing becomes durable until release().
  void hold() {
    const std::scoped_lock lock(mutex_);
    held_ = true;
    held_at_ = records_.size();
  }
  /// What waits is answered with `status`.
  void release(const Status& status) {
    std::vector<std::pair<Offset, std::function<void(Status)>>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      held_ = false;
      waiting.swap(waiting_);
    }
    for (auto& [offset, done] : waiting) done(status);
  }
  /// From now on records are taken and not kept: nothing is allocated for them.
  void forget() { forgetting_ = true; }
  std::vector<Stored> records() const {
    const std::scoped_lock lock(mutex_);
    return records_;
  }

 private:
  std::uint64_t durable() const { return held_ ? held_at_ : records_.size(); }

  std::function<log::AppendStatus()> weather_;
  mutable std::mutex mutex_;
  mutable std::mutex producers_mutex_;
  std::map<std::uint64_t, std::map<std::uint64_t, Offset>> producers_;
  std::vector<Stored> records_;
  std::vector<std::pair<Offset, std::function<void(Status)>>> waiting_;
  bool held_ = false;
  bool forgetting_ = false;
  std::uint64_t held_at_ = 0;
};

class MemoryTopic final : public log::Topic {
 public:
  MemoryTopic(std::string name, log::TopicOptions options, const std::function<log::AppendStatus()>& weather)
      : name_(std::move(name)), options_(options) {
    for (std::uint32_t i = 0; i < options_.partitions; ++i) partitions_.push_back(std::make_unique<MemoryPartition>(weather));
  }
  const std::string& name() const override { return name_; }
  const log::TopicOptions& options() const override { return options_; }
  std::uint32_t partition_count() const override { return options_.partitions; }
  MemoryPartition& partition(PartitionId id) override { return *partitions_.at(id.value); }

 private:
  std::string name_;
  log::TopicOptions options_;
  std::vector<std::unique_ptr<MemoryPartition>> partitions_;
};

class MemoryLog final : public log::Log {
 public:
  Result<log::Topic*> topic(std::string_view name) override { return topic(name, log::TopicOptions()); }
  Result<log::Topic*> topic(std::string_view name, const log::TopicOptions& options) override {
    const std::scoped_lock lock(mutex_);
    auto& topic = topics_[std::string(name)];
    const bool internal = name.starts_with('_');
    if (!topic)
      topic = std::make_unique<MemoryTopic>(std::string(name), options, [this, internal] { return weather(internal); });
    return topic.get();
  }
  MemoryTopic* find(std::string_view name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(std::string(name));
    return found == topics_.end() ? nullptr : found->second.get();
  }
  std::vector<log::Topic*> topics() override {
    const std::scoped_lock lock(mutex_);
    std::vector<log::Topic*> all;
    for (auto& [name, topic] : topics_) all.push_back(topic.get());
    return all;
  }
  Status commit(std::span<const log::GroupOffset>, bool) override { return {}; }
  std::vector<log::GroupOffset> group_offsets() const override { return {}; }
  std::optional<Offset> committed(std::string_view, std::string_view, PartitionId) const override { return std::nullopt; }
  void subscribe(log::Signal&, log::Watermark) override {}
  void unsubscribe(log::Signal&) override {}
  Status close() override { return {}; }

  /// After `accepted` more appends to datasets, all get `status`, until clear_sky().
  void refuse_after(std::uint64_t accepted, log::AppendStatus status) {
    refusal_ = status;
    fair_left_ = accepted;
    foul_ = true;
  }
  void clear_sky() { foul_ = false; }
  /// Ready once `appends` more records were appended to datasets. One at a time.
  std::future<void> after(std::uint64_t appends) {
    const std::scoped_lock lock(mutex_);
    reached_ = std::promise<void>();
    to_reach_ = appends;
    return reached_.get_future();
  }
  /// The same for the internal topics.
  void refuse_internal(log::AppendStatus status) { internal_ = status; }
  /// All records of a topic, partition after partition.
  std::vector<Stored> records(std::string_view name) {
    std::vector<Stored> all;
    if (MemoryTopic* found = find(name))
      for (std::uint32_t i = 0; i < found->partition_count(); ++i)
        for (Stored& record : found->partition(PartitionId(i)).records()) all.push_back(std::move(record));
    return all;
  }

 private:
  log::AppendStatus weather(bool internal) {
    if (internal) return internal_;
    const log::AppendStatus status = weather();
    const std::scoped_lock lock(mutex_);
    if (status == log::AppendStatus::accepted && to_reach_ > 0 && --to_reach_ == 0) reached_.set_value();
    return status;
  }
  log::AppendStatus weather() {
    if (!foul_) return log::AppendStatus::accepted;
    if (fair_left_ == 0) return refusal_;
    --fair_left_;
    return log::AppendStatus::accepted;
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<MemoryTopic>> topics_;
  std::promise<void> reached_;
  std::uint64_t to_reach_ = 0;
  std::atomic<bool> foul_{false};
  std::atomic<std::uint64_t> fair_left_{0};
  std::atomic<log::AppendStatus> refusal_{log::AppendStatus::accepted};
  std::atomic<log::AppendStatus> internal_{log::AppendStatus::accepted};
};

}  // namespace iotstream::test
