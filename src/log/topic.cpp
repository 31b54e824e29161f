#include "log/topic.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/text.hpp>

#include "log/fnv1a.hpp"
#include "log/mutation.hpp"
#include "log/topic_repair.hpp"

namespace iotstream::log {
namespace {

using mutation::Site;
using mutation::without;

constexpr std::string_view topic_file = "topic";
constexpr std::size_t directory_name_size_max = 200;

Status check_options(std::string_view name, const TopicOptions& options) {
  if (options.partitions == 0 || options.partitions > 1024)
    return Error{ErrorKind::invalid, fmt::format("topic {}: {} partitions; 1 to 1024 are possible", name, options.partitions)};
  if (options.segment_size < (64u << 10) || options.segment_size > (2ull << 30))
    return Error{ErrorKind::invalid,
                 fmt::format("topic {}: segments of {} bytes; 64 KiB to 2 GiB are possible", name, options.segment_size)};
  return {};
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Status store(os::Disk& disk, const std::string& directory, const TopicFile& file) {
  return os::write_atomically(disk, fmt::format("{}/{}", directory, topic_file), as_bytes(encode_topic_file(file)));
}

/// The topic's file; made anew when it is damaged or missing in front of segments. Nothing when nothing was ever stored.
Result<std::optional<TopicFile>> stored_or_rebuilt(const Environment& environment, const LogOptions& log_options,
                                                   const std::string& directory) {
  auto& disk = environment.disk;
  const std::string path = fmt::format("{}/{}", directory, topic_file);
  std::string why = "it is missing";
  const bool found = disk.exists(path);
  if (found) {
    auto text = os::read_file(disk, path, 64u << 10);
    if (!text && text.error().kind != ErrorKind::too_large) return text.error();
    auto file = text ? parse_topic_file(*text) : Result<TopicFile>(text.error());
    if (file && topic_directory_name(file->name) != directory.substr(directory.rfind('/') + 1))
      file = Error{ErrorKind::corrupt, fmt::format("it is that of topic {}", file->name)};
    if (file) return std::optional<TopicFile>(std::move(*file));
    if (file.error().kind == ErrorKind::unsupported)
      return Error{ErrorKind::unsupported, fmt::format("{}: {}", path, file.error().message)};
    why = file.error().message;
  }
  auto rebuilt = topic_of_segments(disk, directory, log_options.topic_defaults);
  if (!found && !rebuilt) return rebuilt;  // a creation that had not ended
  if (found) {
    const std::string aside = fmt::format("{}.damaged.{}", path, environment.clock.now().us);
    diagnostics::error("log", "{}: {}; it is kept as {}", path, why, aside);
    if (auto status = disk.rename(path, aside); !status) return status.error();
  }
  if (!rebuilt) return rebuilt;
  diagnostics::error("log", "{}: made anew for topic {} from its segments: {} partitions, records are kept without limit", path,
                     rebuilt->name, rebuilt->options.partitions);
  if (auto status = store(disk, directory, *rebuilt); !status) return status.error();
  return rebuilt;
}

}  // namespace

std::string topic_directory_name(std::string_view topic) {
  std::string name;
  for (const char c : topic) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                       (c == '.' && !name.empty());
    if (plain)
      name.push_back(c);
    else
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (name.size() > directory_name_size_max) {
    name.resize(directory_name_size_max - 17);
    name += fmt::format("~{:016x}", fnv1a(topic));
  }
  return name;
}

Status check_topic_name(std::string_view topic) {
  if (topic.empty()) return Error{ErrorKind::invalid, "the name of a topic is empty"};
  if (topic.size() > format::topic_name_size_max)
    return Error{ErrorKind::invalid,
                 fmt::format("the name of a topic has {} bytes; {} is the most", topic.size(), format::topic_name_size_max)};
  if (!is_utf8(topic)) return Error{ErrorKind::invalid, "the name of a topic is not UTF-8"};
  return {};
}

std::string encode_topic_file(const TopicFile& file) {
  const auto& options = file.options;
  std::string name;
  for (const char c : file.name) name += fmt::format("{:02x}", static_cast<unsigned char>(c));
  std::string text = fmt::format(
      "format {}\nname {}\npartitions {}\nsegment_size {}\nretention_size {}\nretention_age_us {}\nsync {}\n"
      "sync_interval_us {}\ncompact {}\n",
      format::version, name, options.partitions, options.segment_size, options.retention_size, options.retention_age.us,
      static_cast<unsigned>(options.sync), options.sync_interval.us, options.compact ? 1 : 0);
  text += fmt::format("crc {:08x}\n", crc32c(as_bytes(text)));
  return text;
}

Result<TopicFile> parse_topic_file(std::string_view text) {
  const Error corrupt{ErrorKind::corrupt, "the topic's file fails its check"};
  const auto crc_at = text.rfind("crc ");
  if (crc_at == std::string_view::npos) return corrupt;
  const bool holds = text.substr(crc_at) == fmt::format("crc {:08x}\n", crc32c(as_bytes(text.substr(0, crc_at))));
  if (!holds && !without(Site::topic_crc)) return corrupt;
  TopicFile file;
  std::uint32_t version = 0;
  unsigned sync = 0;
  std::string_view rest = text.substr(0, crc_at);
  auto member = [&rest](std::string_view key) -> std::string_view {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    if (end == std::string_view::npos || !line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ')
      return {};
    rest.remove_prefix(end + 1);
    return line.substr(key.size() + 1);
  };
  if (!parse_number(member("format"), version)) return corrupt;
  if (version > format::version)
    return Error{ErrorKind::unsupported,
                 fmt::format("the topic has format {}; this program reads up to {}", version, format::version)};
  const auto name = member("name");
  for (std::size_t i = 0; i + 1 < name.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(name.data() + i, name.data() + i + 2, byte, 16);
    file.name.push_back(static_cast<char>(byte));
  }
  auto& options = file.options;
  const bool whole = parse_number(member("partitions"), options.partitions) &&
                     parse_number(member("segment_size"), options.segment_size) &&
                     parse_number(member("retention_size"), options.retention_size) &&
                     parse_number(member("retention_age_us"), options.retention_age.us) && parse_number(member("sync"), sync) &&
                     parse_number(member("sync_interval_us"), options.sync_interval.us);
  unsigned compact = 0;  // not said in version 1
  if (version > 1 && (!parse_number(member("compact"), compact) || compact > 1)) return corrupt;
  options.compact = compact != 0;
  if (!whole || sync > 2 || !check_topic_name(file.name) || !check_options(file.name, options)) return corrupt;
  options.sync = static_cast<Sync>(sync);
  return file;
}

Result<std::unique_ptr<TopicLog>> TopicLog::create(const Environment& environment, const LogOptions& log_options,
                                                   std::string_view name, const TopicOptions& options) {
  if (auto status = check_topic_name(name); !status) return status.error();
  if (auto status = check_options(name, options); !status) return status.error();
  const std::string directory = log_options.directory + "/" + topic_directory_name(name);
  for (std::uint32_t id = 0; id != options.partitions; ++id)
    if (auto status = environment.disk.create_directories(fmt::format("{}/{}", directory, id)); !status) return status.error();
  // Folders that a killed process made may lack the sync of their names.
  auto synced = without(Site::topic_directories_sync) ? Status() : environment.disk.sync_directory(directory);
  if (synced && !without(Site::log_directory_sync)) synced = environment.disk.sync_directory(log_options.directory);
  if (!synced) return synced.error();
  // The file comes last: a directory without one is a creation that had not ended, and holds nothing.
  TopicFile file{std::string(name), options};
  if (auto status = store(environment.disk, directory, file); !status) return status.error();
  return load(environment, log_options, directory, std::move(file));
}

Result<std::unique_ptr<TopicLog>> TopicLog::open(const Environment& environment, const LogOptions& log_options,
                                                 const std::string& directory) {
  auto file = stored_or_rebuilt(environment, log_options, directory);
  if (!file) return file.error();
  if (!*file) return std::unique_ptr<TopicLog>();
  const std::string path = fmt::format("{}/{}", directory, topic_file);
  if (const auto wanted = log_options.topics.find((*file)->name); wanted != log_options.topics.end())
    if (auto status = adopt_options(environment, path, **file, wanted->second); !status) return status.error();
  auto topic = load(environment, log_options, directory, std::move(**file));
  if (!topic) return topic;
  if (auto status = (*topic)->sync_found(environment.disk, directory); !status) return status.error();
  return topic;
}

Result<std::unique_ptr<TopicLog>> TopicLog::load(const Environment& environment, const LogOptions& log_options,
                                                 const std::string& directory, TopicFile file) {
  auto topic = std::unique_ptr<TopicLog>(new TopicLog(std::move(file.name), file.options, environment.clock));
  if (auto status = topic->open_partitions(environment, log_options, directory); !status) return status.error();
  return topic;
}

/// Takes over what can change of a topic that exists, durably: what the file says holds also for who opens the log without
/// these options.
Status TopicLog::adopt_options(const Environment& environment, const std::string& path, TopicFile& file,
                               const TopicOptions& wanted) {
  TopicOptions options = wanted;
  options.partitions = file.options.partitions;
  options.segment_size = file.options.segment_size;
  if (wanted.partitions != options.partitions || wanted.segment_size != options.segment_size)
    diagnostics::warning(
        "log",
        "topic {}: it keeps its {} partitions and segments of {}: these are fixed when a topic is created ({} and "
        "{} are configured)",
        file.name, options.partitions, format_size(options.segment_size), wanted.partitions, format_size(wanted.segment_size));
  if (options == file.options) return {};
  file.options = options;
  const std::string text = encode_topic_file(file);
  if (auto status = os::write_atomically(environment.disk, path, as_bytes(text)); !status) return status;
  diagnostics::info("log", "topic {}: its options are now: sync {}, sync_interval {}, retention {} and {}{}", file.name,
                    name_of(options.sync), format_duration(options.sync_interval),
                    options.retention_size == 0 ? "any size" : format_size(options.retention_size),
                    options.retention_age.us == 0 ? "any age" : format_duration(options.retention_age),
                    options.compact ? ", compacted" : "");
  return {};
}

/// Who made the topic may have been killed before the names in its folder were synced; records are acknowledged in it from now
/// on. A clean end says that they have been. The name of the folder itself was synced before the topic's file was made.
Status TopicLog::sync_found(os::Disk& disk, const std::string& directory) const {
  if (without(Site::topic_found_sync) ||
      std::all_of(partitions_.begin(), partitions_.end(), [](const auto& partition) { return partition->ended_clean(); }))
    return {};
  return disk.sync_directory(directory);
}

Status TopicLog::open_partitions(const Environment& environment, const LogOptions& log_options, const std::string& directory) {
  for (std::uint32_t id = 0; id != options_.partitions; ++id) {
    PartitionIdentity identity{name_, PartitionId(id), fmt::format("{}/{}", directory, id)};
    auto partition = PartitionLog::open(environment, std::move(identity), options_, log_options);
    if (!partition) return partition.error();
    partitions_.push_back(std::move(*partition));
  }
  const Timestamp now = clock_.now();
  std::optional<Timestamp> newest;
  for (const auto& partition : partitions_)
    newest = std::max(newest, partition->newest_append({options_.retention_age.us / 4}));
  retention_clock_.emplace(now, clock_.monotonic_ns(), newest.value_or(now));
  return {};
}

Partition& TopicLog::partition(PartitionId id) {
  IOTSTREAM_ASSERT(id.value < partitions_.size(), "topic {} has {} partitions, not {}", name_, partitions_.size(), id);
  return *partitions_[id.value];
}

/// The partition whose oldest segment goes next: of all the one with the oldest records, when a limit is passed.
PartitionLog* TopicLog::next_to_shrink() const {
  std::uint64_t bytes = 0;
  PartitionLog* oldest = nullptr;
  PartitionLog::Removable first;
  for (const auto& partition : partitions_) {
    bytes += partition->bytes();
    const auto removable = partition->oldest_removable();
    if (removable && (oldest == nullptr || removable->last_append_us < first.last_append_us)) {
      oldest = partition.get();
      first = *removable;
    }
  }
  if (oldest == nullptr) return nullptr;
  const bool too_much = options_.retention_size != 0 && bytes > options_.retention_size;
  const bool too_old = options_.retention_age.us > 0 &&
                       retention_clock_->age_of(first.last_append_us, first.last_write_ns) > options_.retention_age;
  return too_much || too_old ? oldest : nullptr;
}

bool TopicLog::compact(Timestamp now, const std::atomic<bool>& stopping) {
  bool waits = false;
  for (const auto& partition : partitions_) waits |= partition->compact(now, stopping) == PartitionLog::Compaction::waits;
  return waits;
}

void TopicLog::retain(Timestamp now) {
  retention_clock_->look(now, clock_.monotonic_ns(), options_.retention_age);
  while (PartitionLog* partition = next_to_shrink()) {
    const auto earliest = partition->watermarks().earliest;
    if (auto status = partition->remove_oldest(); !status) {
      diagnostics::error("log", "topic {}: the segment of partition {} from offset {} on could not be removed: {}", name_,
                         partition->identity().partition, earliest, status.error().message);
      return;
    }
    diagnostics::debug("log", "topic {}: retention removed offsets {} to {} of partition {}", name_, earliest,
                       partition->watermarks().earliest.value - 1, partition->identity().partition);
  }
}

}  // namespace iotstream::log
