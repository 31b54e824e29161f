// A topic: its name, its options as they were when it was created, its partitions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

#include "log/partition.hpp"

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

  /// Removes the oldest segments while the topic is over its limits. On the sync thread.
  void retain(Timestamp now);

 private:
  TopicLog(std::string name, TopicOptions options) : name_(std::move(name)), options_(options) {}
  static Result<std::unique_ptr<TopicLog>> load(const Environment& environment, const LogOptions& log_options,
                                                const std::string& directory, TopicFile file);
  Status sync_found(os::Disk& disk, const std::string& directory) const;
  Status open_partitions(const Environment& environment, const LogOptions& log_options, const std::string& directory);
  PartitionLog* next_to_shrink(Timestamp now) const;

  std::string name_;
  TopicOptions options_;
  std::vector<std::unique_ptr<PartitionLog>> partitions_;
};

}  // namespace iotstream::log
