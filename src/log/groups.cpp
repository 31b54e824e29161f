#include "log/groups.hpp"

#include <array>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/format.hpp"
#include "log/mutation.hpp"

namespace iotstream::log {
namespace {

using mutation::Site;
using mutation::without;

constexpr std::uint64_t groups_magic = 0x31524753544f49ULL;  // "IOTSGR1\0"
constexpr std::size_t header_size = 32;
constexpr std::uint64_t file_size_max = 64u << 20;
constexpr std::uint64_t file_step = 4096;

void append_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

template <class Number>
void append_number(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Format 1 left its own number out of the checksum.
std::uint32_t checksum(std::uint32_t version, std::string_view checked) {
  std::array<std::byte, 4> number;
  store_le(number.data(), version);
  return crc32c(as_bytes(checked), version == 1 ? 0 : crc32c(number));
}

class Parser {
 public:
  explicit Parser(std::string_view rest) : rest_(rest) {}
  template <class Number>
  bool number(Number& number) {
    if (rest_.size() < sizeof number) return false;
    number = load_le<Number>(as_bytes(rest_).data());
    rest_.remove_prefix(sizeof number);
    return true;
  }
  bool text(std::string& text) {
    std::uint32_t size = 0;
    if (!number(size) || rest_.size() < size) return false;
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

/// Magic, format (u32), crc (u32) of the format (from 2 on) and everything behind it, sequence (u64), size of the body (u32),
/// entries (u32), then the body.
std::string Groups::encode(const Offsets& offsets, std::uint64_t sequence) {
  std::string body;
  for (const auto& [key, offset] : offsets) {
    append_text(body, key.group);
    append_text(body, key.topic);
    append_number(body, key.partition);
    append_number(body, offset);
  }
  std::string checked;
  append_number(checked, sequence);
  append_number(checked, static_cast<std::uint32_t>(body.size()));
  append_number(checked, static_cast<std::uint32_t>(offsets.size()));
  checked += body;
  std::string file;
  append_number(file, groups_magic);
  append_number(file, format::version);
  append_number(file, checksum(format::version, checked));
  return file + checked;
}

Result<Groups::Offsets> Groups::parse(std::string_view bytes, std::uint64_t& sequence) {
  const Error corrupt{ErrorKind::corrupt, "the committed offsets fail their check"};
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t crc = 0;
  std::uint32_t size = 0;
  std::uint32_t count = 0;
  Parser parser(bytes);
  if (!parser.number(magic) || magic != groups_magic || !parser.number(version) || !parser.number(crc)) return corrupt;
  if (!parser.number(sequence) || !parser.number(size) || !parser.number(count)) return corrupt;
  if (bytes.size() < header_size + std::uint64_t{size}) return corrupt;
  if (crc != checksum(version, bytes.substr(16, header_size - 16 + size)) && !without(Site::groups_crc)) return corrupt;
  // Only now: a flipped bit in the version is damage, not a newer program's file.
  if (version > format::version)
    return Error{ErrorKind::unsupported,
                 fmt::format("the committed offsets have format {}; this program reads up to {}", version, format::version)};
  Offsets offsets;
  for (std::uint32_t i = 0; i != count; ++i) {
    Key key;
    std::uint64_t offset = 0;
    if (!parser.text(key.group) || !parser.text(key.topic) || !parser.number(key.partition) || !parser.number(offset))
      return corrupt;
    offsets.emplace(std::move(key), offset);
  }
  return offsets;
}

std::string Groups::path(std::uint64_t slot) const { return fmt::format("{}/groups.{}", directory_, slot); }

Result<std::unique_ptr<Groups>> Groups::open(os::Disk& disk, const std::string& directory, Timestamp now) {
  auto groups = std::unique_ptr<Groups>(new Groups(disk, directory));
  if (auto status = groups->load(now); !status) return status.error();
  return groups;
}

Status Groups::load(Timestamp now) {
  unsigned damaged = 0;
  for (std::uint64_t slot = 0; slot != 2; ++slot) {
    if (!disk_.exists(path(slot))) continue;
    auto bytes = os::read_file(disk_, path(slot), file_size_max);
    if (!bytes) return bytes.error();
    std::uint64_t sequence = 0;
    auto offsets = parse(*bytes, sequence);
    if (!offsets && offsets.error().kind == ErrorKind::unsupported) return offsets.error();
    if (!offsets) {
      ++damaged;
      continue;
    }
    if (sequence < sequence_) continue;
    sequence_ = sequence;
    offsets_ = std::move(*offsets);
  }
  // One file that does not hold is what a crash in the middle of a commit leaves. Both is damage, and is said.
  if (damaged == 2) {
    for (std::uint64_t slot = 0; slot != 2; ++slot)
      if (auto status = disk_.rename(path(slot), fmt::format("{}.damaged.{}", path(slot), now.us)); !status) return status;
    diagnostics::error("log", "{}: the committed offsets of all groups are damaged; the files are kept as *.damaged.{}",
                       directory_, now.us);
  }
  return sequence_ == 0 ? Status() : sync_found();
}

/// A killed process may have written what it never synced. It is served from now on, so it must stay.
Status Groups::sync_found() {
  auto& file = files_[sequence_ % 2];
  auto opened = disk_.open(path(sequence_ % 2), os::OpenMode::read_write);
  if (!opened) return opened.error();
  file = std::move(*opened);
  if (auto status = without(Site::groups_found_sync) ? Status() : file->sync(); !status) return status;
  names_synced_ = true;
  return without(Site::groups_found_name_sync) ? Status() : disk_.sync_directory(directory_);
}

Status Groups::commit(std::span<const GroupOffset> offsets, bool allow_rewind) {
  std::lock_guard committing(commit_mutex_);
  if (failed_)
    return Error{ErrorKind::unavailable, "committed offsets cannot be stored until the restart, because a sync failed"};
  Offsets next = copy();
  for (const GroupOffset& offset : offsets) {
    if (offset.group.empty() || offset.group.size() > format::topic_name_size_max)
      return Error{ErrorKind::invalid, "the name of a consumer group has 1 to 200 bytes"};
    auto& committed = next[{offset.group, offset.topic, offset.partition.value}];
    if (offset.committed.value < committed && !allow_rewind)
      return Error{ErrorKind::conflict, fmt::format("group {}: offset {} of {}/{} is below {}, which is committed",
                                                    offset.group, offset.committed, offset.topic, offset.partition, committed)};
    committed = offset.committed.value;
  }
  if (auto status = save(next); !status) return status;
  std::lock_guard lock(mutex_);
  offsets_ = std::move(next);
  return {};
}

Groups::Offsets Groups::copy() const {
  std::lock_guard lock(mutex_);
  return offsets_;
}

Status Groups::forget(std::string_view group) {
  std::lock_guard committing(commit_mutex_);
  if (failed_)
    return Error{ErrorKind::unavailable, "committed offsets cannot be stored until the restart, because a sync failed"};
  Offsets next = copy();
  if (std::erase_if(next, [group](const auto& entry) { return entry.first.group == group; }) == 0)
    return Error{ErrorKind::not_found, fmt::format("group '{}' has committed nothing", group)};
  if (auto status = save(next); !status) return status;
  std::lock_guard lock(mutex_);
  offsets_ = std::move(next);
  return {};
}

/// Over the older of the two files; the newer one stays whole until this one is on stable storage.
Status Groups::save(const Offsets& offsets) {
  const std::string bytes = encode(offsets, sequence_ + 1);
  // What is written must be readable at the next start.
  if (bytes.size() > file_size_max)
    return Error{ErrorKind::too_large,
                 "the committed offsets of all groups have outgrown their file; remove groups that are not needed"};
  const std::uint64_t slot = (sequence_ + 1) % 2;
  auto& file = files_[slot];
  if (file == nullptr) {
    const bool there = disk_.exists(path(slot));
    names_synced_ &= there;
    auto opened = disk_.open(path(slot), there ? os::OpenMode::read_write : os::OpenMode::create);
    if (!opened) return opened.error();
    file = std::move(*opened);
  }
  auto size = file->size();
  if (!size) return size.error();
  if (*size < bytes.size()) {
    const std::uint64_t wanted = (bytes.size() + file_step - 1) / file_step * file_step;
    if (auto status = file->allocate(*size, wanted - *size); !status) return status;
  }
  if (auto status = file->write_at(0, as_bytes(bytes)); !status) return status;
  auto status = without(Site::groups_sync) ? Status() : file->sync();
  if (status && !names_synced_ && !without(Site::groups_name_sync)) status = disk_.sync_directory(directory_);
  if (!status) {
    failed_ = true;
    return status;
  }
  names_synced_ = true;
  ++sequence_;
  return {};
}

std::vector<GroupOffset> Groups::all() const {
  std::lock_guard lock(mutex_);
  return listed(offsets_);
}

std::vector<GroupOffset> Groups::listed(const Offsets& offsets) {
  std::vector<GroupOffset> all;
  all.reserve(offsets.size());
  for (const auto& [key, offset] : offsets) all.push_back({key.group, key.topic, PartitionId(key.partition), Offset(offset)});
  return all;
}

Result<std::vector<GroupOffset>> Groups::decode(std::string_view bytes, std::uint64_t& sequence) {
  auto offsets = parse(bytes, sequence);
  if (!offsets) return offsets.error();
  return listed(*offsets);
}

std::optional<Offset> Groups::committed(std::string_view group, std::string_view topic, PartitionId partition) const {
  std::lock_guard lock(mutex_);
  const auto found = offsets_.find({std::string(group), std::string(topic), partition.value});
  if (found == offsets_.end()) return std::nullopt;
  return Offset(found->second);
}

}  // namespace iotstream::log
