#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <iotstream/log/verify.hpp>

#include "log/groups.hpp"
#include "log/segment.hpp"
#include "log/topic_repair.hpp"
#include "log/verify_partition.hpp"

namespace iotstream::log {
namespace {

constexpr std::uint64_t topic_file_size_max = 64u << 10;
constexpr std::uint64_t groups_file_size_max = 64u << 20;

class VerifierOfDirectory final : public Verifier {
 public:
  VerifierOfDirectory(os::Disk& disk, VerifyOptions options, VerifyVisitor* visitor)
      : options_(std::move(options)), context_{disk, visitor, {}, {}} {}

  bool step(std::size_t bytes) override {
    if (!begun_) begin();
    while (bytes > 0 && !done_) {
      if (partition_) {
        if (!partition_->step(bytes)) end_partition();
      } else if (next_partition_ < partition_count()) {
        begin_partition();
      } else if (place_ < topics_.size()) {
        end_topic();
        // What the visitor has kept of the topic can be dealt with before the next one begins.
        if (context_.visitor != nullptr) return true;
      } else {
        check_groups();
        done_ = true;
      }
    }
    return !done_;
  }

  std::vector<Finding> take_findings() override { return std::exchange(context_.findings, {}); }
  const VerifyTotals& totals() const override { return context_.totals; }

 private:
  struct TopicPlace {
    std::string name;
    std::string directory;
    std::uint32_t partitions = 0;
  };

  void begin();
  void add_topic(const std::string& directory_name);
  void expect_bytes(const TopicPlace& topic);
  void begin_partition();
  void end_partition();
  void end_topic();
  void check_groups();
  std::vector<GroupOffset> stored_groups();
  std::optional<Offset> end_of(const GroupOffset& offset);
  void check_group(const GroupOffset& offset);
  void damage(std::string topic, std::string file, std::string what) {
    context_.findings.push_back(
        {Finding::Kind::damage, std::move(topic), std::nullopt, {}, {}, std::move(file), 0, std::move(what)});
  }
  std::uint32_t partition_count() const { return place_ < topics_.size() ? topics_[place_].partitions : 0; }

  VerifyOptions options_;
  VerifyContext context_;
  bool begun_ = false;
  bool done_ = false;
  std::vector<TopicPlace> topics_;
  std::size_t place_ = 0;
  std::uint32_t next_partition_ = 0;
  std::optional<PartitionVerifier> partition_;
  std::map<std::pair<std::string, std::uint32_t>, Offset> ends_;
};

void VerifierOfDirectory::begin() {
  begun_ = true;
  auto names = context_.disk.list(options_.directory);
  if (!names) return damage({}, options_.directory, names.error().message);
  for (const std::string& name : *names) add_topic(name);
  for (const TopicPlace& topic : topics_) expect_bytes(topic);
}

/// A topic's file that does not hold can be made again from its segments, but its options are lost.
void VerifierOfDirectory::add_topic(const std::string& directory_name) {
  const std::string directory = options_.directory + "/" + directory_name;
  const std::string path = directory + "/topic";
  const bool exists = context_.disk.exists(path);
  TopicFile file;
  auto text = exists ? os::read_file(context_.disk, path, topic_file_size_max) : Result<std::string>(std::string());
  auto parsed = text ? parse_topic_file(*text) : Result<TopicFile>(text.error());
  if (parsed) {
    file = std::move(*parsed);
  } else {
    if (auto rebuilt = topic_of_segments(context_.disk, directory, TopicOptions())) file = std::move(*rebuilt);
    // A directory without it and without records is a creation that had not ended.
    if (!exists && file.name.empty()) return;
    damage(file.name, path, exists ? parsed.error().message : std::string("the topic's file is missing: its options are lost"));
    if (file.name.empty()) return;
  }
  ++context_.totals.topics;
  if (topic_directory_name(file.name) != directory_name)
    damage(file.name, path, fmt::format("the file is that of topic '{}', which belongs into another directory", file.name));
  // A topic that was made this moment is for the next time.
  if (options_.log != nullptr && options_.log->find(file.name) == nullptr) return;
  topics_.push_back({std::move(file.name), directory, file.options.partitions});
}

void VerifierOfDirectory::expect_bytes(const TopicPlace& topic) {
  for (std::uint32_t id = 0; id != topic.partitions; ++id) {
    const std::string directory = fmt::format("{}/{}", topic.directory, id);
    auto names = context_.disk.list(directory);
    if (!names) continue;
    for (const std::string& name : *names) {
      if (!parse_segment_file_name(name)) continue;
      auto file = context_.disk.open(directory + "/" + name, os::OpenMode::read);
      auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
      if (size) context_.totals.bytes_expected += *size;
    }
  }
}

void VerifierOfDirectory::begin_partition() {
  const TopicPlace& topic = topics_[place_];
  if (next_partition_ == 0 && context_.visitor != nullptr) context_.visitor->begin_topic(topic.name, topic.partitions);
  const PartitionId id(next_partition_++);
  Topic* open = options_.log == nullptr ? nullptr : options_.log->find(topic.name);
  ++context_.totals.partitions;
  partition_.emplace(context_, topic.name, id, fmt::format("{}/{}", topic.directory, id),
                     open == nullptr ? nullptr : &open->partition(id));
}

void VerifierOfDirectory::end_partition() {
  const PartitionId id(next_partition_ - 1);
  ends_[{topics_[place_].name, id.value}] = partition_->next();
  if (context_.visitor != nullptr) context_.visitor->end_partition(id, partition_->earliest(), partition_->next());
  partition_.reset();
}

void VerifierOfDirectory::end_topic() {
  if (context_.visitor != nullptr) context_.visitor->end_topic();
  ++place_;
  next_partition_ = 0;
}

/// Live, the log knows; its files are written over in turn.
void VerifierOfDirectory::check_groups() {
  const auto offsets = options_.log == nullptr ? stored_groups() : options_.log->group_offsets();
  std::vector<std::string> names;
  for (const GroupOffset& offset : offsets) {
    check_group(offset);
    names.push_back(offset.group);
  }
  std::sort(names.begin(), names.end());
  context_.totals.groups = static_cast<std::uint64_t>(std::unique(names.begin(), names.end()) - names.begin());
}

/// One of the two files may be torn: a crash in the midst of a commit that nobody was told of. Not both.
std::vector<GroupOffset> VerifierOfDirectory::stored_groups() {
  std::optional<std::pair<std::uint64_t, std::vector<GroupOffset>>> newest;
  std::vector<std::string> bad;
  for (int slot = 0; slot != 2; ++slot) {
    const std::string path = fmt::format("{}/groups.{}", options_.directory, slot);
    if (!context_.disk.exists(path)) continue;
    auto bytes = os::read_file(context_.disk, path, groups_file_size_max);
    std::uint64_t sequence = 0;
    auto offsets = bytes ? Groups::decode(*bytes, sequence) : Result<std::vector<GroupOffset>>(bytes.error());
    if (!offsets)
      bad.push_back(path);
    else if (!newest || sequence > newest->first)
      newest.emplace(sequence, std::move(*offsets));
  }
  for (const std::string& path : bad) {
    const auto kind = newest ? Finding::Kind::note : Finding::Kind::damage;
    context_.findings.push_back({kind,
                                 {},
                                 std::nullopt,
                                 {},
                                 {},
                                 path,
                                 0,
                                 newest ? "this copy of the committed offsets was not written to its end; the other one holds"
                                        : "the committed offsets of the consumer groups fail their check"});
  }
  return newest ? std::move(newest->second) : std::vector<GroupOffset>();
}

/// Where the partition ends; nothing when there is none. Live it may be newer than this look at it.
std::optional<Offset> VerifierOfDirectory::end_of(const GroupOffset& offset) {
  if (options_.log == nullptr) {
    const auto end = ends_.find({offset.topic, offset.partition.value});
    return end == ends_.end() ? std::nullopt : std::optional(end->second);
  }
  Topic* topic = options_.log->find(offset.topic);
  if (topic == nullptr || offset.partition.value >= topic->partition_count()) return std::nullopt;
  return topic->partition(offset.partition).watermarks().durable;
}

void VerifierOfDirectory::check_group(const GroupOffset& offset) {
  const auto end = end_of(offset);
  if (end && offset.committed <= *end) return;
  Finding finding;
  finding.topic = offset.topic;
  finding.partition = offset.partition;
  if (!end) {
    finding.what =
        fmt::format("group '{}' has committed offset {} of it, but there is no such partition", offset.group, offset.committed);
  } else {
    finding.first = *end;
    finding.next = offset.committed;
    finding.what =
        fmt::format("group '{}' has committed offset {}, but the records end at {}", offset.group, offset.committed, *end);
  }
  context_.findings.push_back(std::move(finding));
}

}  // namespace

std::unique_ptr<Verifier> Verifier::create(os::Disk& disk, VerifyOptions options, VerifyVisitor* visitor) {
  return std::make_unique<VerifierOfDirectory>(disk, std::move(options), visitor);
}

}  // namespace iotstream::log
