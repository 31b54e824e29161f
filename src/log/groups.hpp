// Committed offsets of consumer groups, durable. Two files hold the whole state in turn (FORMAT.md): one commit is one write
// and one sync, and a crash leaves the state before it or after it.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::log {

/// Any thread.
class Groups {
 public:
  /// Loads the newer of the two files that holds; a damaged one is kept beside under another name. Errors: io, unsupported.
  static Result<std::unique_ptr<Groups>> open(os::Disk& disk, const std::string& directory, Timestamp now);

  /// All or none. Errors: conflict below what is committed without `allow_rewind`; as of the disk; unavailable after a failed
  /// sync.
  Status commit(std::span<const GroupOffset> offsets, bool allow_rewind);
  /// Removes a group's offsets. Errors: not_found; otherwise as commit().
  Status forget(std::string_view group);
  std::vector<GroupOffset> all() const;
  std::optional<Offset> committed(std::string_view group, std::string_view topic, PartitionId partition) const;

  /// What stands in one of the files, with its sequence: the greater is the newer. Errors: corrupt, unsupported.
  static Result<std::vector<GroupOffset>> decode(std::string_view bytes, std::uint64_t& sequence);

 private:
  struct Key {
    std::string group;
    std::string topic;
    std::uint32_t partition;
    auto operator<=>(const Key&) const = default;
  };
  using Offsets = std::map<Key, std::uint64_t>;

  Groups(os::Disk& disk, const std::string& directory) : disk_(disk), directory_(directory) {}
  Status load(Timestamp now);
  Status sync_found();
  Status save(const Offsets& offsets);
  Offsets copy() const;
  static std::string encode(const Offsets& offsets, std::uint64_t sequence);
  static std::vector<GroupOffset> listed(const Offsets& offsets);
  static Result<Offsets> parse(std::string_view bytes, std::uint64_t& sequence);
  std::string path(std::uint64_t slot) const;

  os::Disk& disk_;
  std::string directory_;
  std::mutex commit_mutex_;  ///< held over the sync: commits go one behind the other
  std::unique_ptr<os::File> files_[2];
  std::uint64_t sequence_ = 0;
  bool names_synced_ = false;  ///< of the files that are there; a killed process may have left one un-synced
  bool failed_ = false;

  mutable std::mutex mutex_;  ///< guards offsets_; never held over I/O
  Offsets offsets_;
};

}  // namespace iotstream::log
