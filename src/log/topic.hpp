// A topic: its name, its options, its partitions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

#include "log/partition.hpp"
#include "log/retention_clock.hpp"

namespace iotstream::log {

/// The name of a topic's directory: the topic's own when it is made of letters, digits, `_`, `-` and inner dots; other bytes as
/// %XX; what would be too long for a file system is shortened and ends in its hash.
std::string topic_directory_name(std::string_view topic);
/// Why a topic cannot be called so; well when it can.
Status check_topic_name(std::string_view topic);

struct TopicFile {
  std::string name;
  TopicOptions options;
};
/// What stands in the file `topic` of a topic's directory: one line of text for each member, then the checksum of the lines
/// above.
std::string encode_topic_file(const TopicFile& file);
Result<TopicFile> parse_topic_file(std::string_view text);

class TopicLog final : public Topic {
 public:
  /// Makes the directories and the file, durably.
  static Result<std::unique_ptr<TopicLog>> create(const Environment& environment, const LogOptions& log_options,
                                                  std::string_view name, const TopicOptions& options);
  /// Recovers the topic in `directory`; nothing (a null pointer) when its creation had not ended. A damaged or missing topic
  /// file in front of segments is made anew from what they say, with options that lose nothing. Errors: as recover().
  static Result<std::unique_ptr<TopicLog>> open(const Environment& environment, const LogOptions& log_options,
                                                const std::string& directory);

  const std::string& name() const override { return name_; }
  const TopicOptions& options() const override { return options_; }
  std::uint32_t partition_count() const override { return options_.partitions; }
  Partition& partition(PartitionId id) override;
  const std::vector<std::unique_ptr<PartitionLog>>& partitions() const { return partitions_; }

  /// Removes the oldest segments while the topic is over its limits; `now` by the wall clock. On the sync thread.
  void retain(Timestamp now);
  /// Compacts what is due; whether something waits. On the compaction thread.
  bool compact(Timestamp now, const std::atomic<bool>& stopping);

 private:
  TopicLog(std::string name, TopicOptions options, os::Clock& clock)
      : name_(std::move(name)), options_(options), clock_(clock) {}
  static Status adopt_options(const Environment& environment, const std::string& path, TopicFile& file,
                              const TopicOptions& wanted);
  static Result<std::unique_ptr<TopicLog>> load(const Environment& environment, const LogOptions& log_options,
                                                const std::string& directory, TopicFile file);
  Status sync_found(os::Disk& disk, const std::string& directory) const;
  Status open_partitions(const Environment& environment, const LogOptions& log_options, const std::string& directory);
  PartitionLog* next_to_shrink() const;

  std::string name_;
  TopicOptions options_;
  os::Clock& clock_;
  std::vector<std::unique_ptr<PartitionLog>> partitions_;
  std::optional<RetentionClock> retention_clock_;  ///< set when all partitions are open; then the sync thread's
};

}  // namespace iotstream::log
