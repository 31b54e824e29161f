#include "fault/mutations.hpp"

#include <csignal>
#include <cstdlib>

namespace iotstream::fault {
namespace {

using log::mutation::Site;

/// A file whose sync does nothing.
class Unsynced final : public os::File {
 public:
  explicit Unsynced(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const override {
    return file_->read_at(position, bytes);
  }
  Status write_at(std::uint64_t position, ByteView bytes) override { return file_->write_at(position, bytes); }
  Status allocate(std::uint64_t position, std::uint64_t length) override { return file_->allocate(position, length); }
  Status sync() override { return {}; }
  Status truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<std::uint64_t> size() const override { return file_->size(); }

 private:
  std::unique_ptr<os::File> file_;
};

}  // namespace

const std::vector<Mutation>& mutations() {
  static const std::vector<Mutation> all = {
      {"segment_sync", Site::segment_sync},
      {"segment_name_sync", Site::segment_name_sync},
      {"recovered_sync", Site::recovered_sync},
      {"retention_sync", Site::retention_sync, DiskSync::none, {"retained", Tempo::lazy}},
      {"aside_sync", Site::aside_sync},
      {"aside_name_sync", Site::aside_name_sync},
      {"set_aside_sync", Site::set_aside_sync, DiskSync::none, {"none", Tempo::lazy, false, 150}},
      {"mark_sync", Site::mark_sync},
      {"mark_name_sync", Site::mark_name_sync},
      {"groups_sync", Site::groups_sync},
      {"groups_name_sync", Site::groups_name_sync},
      {"groups_found_sync", Site::groups_found_sync},
      {"groups_found_name_sync", Site::groups_found_name_sync},
      {"topic_directories_sync", Site::topic_directories_sync, DiskSync::none, {"batch", Tempo::brief}},
      {"log_directory_sync", Site::log_directory_sync, DiskSync::none, {"batch", Tempo::brief}},
      {"topic_found_sync", Site::topic_found_sync},
      // A kill between the first process's first two operations: so many first lives, each to there.
      {"root_sync", Site::root_sync, DiskSync::none, {"batch", Tempo::brief, false, 150, 4}},
      {"topic_sync", Site::none, DiskSync::topic},
      {"topic_name_sync", Site::none, DiskSync::topic_name},
      {"index_sync", Site::none, DiskSync::index},
      {"index_name_sync", Site::none, DiskSync::index_name},
      {"frame_crc", Site::frame_crc},
      {"frame_salt", Site::frame_salt},
      {"frame_position", Site::frame_position},
      {"frame_chain", Site::frame_chain, DiskSync::none, {"interval", Tempo::single, true, 40}},
      {"segment_header_crc", Site::segment_header_crc},
      {"segment_identity", Site::segment_identity},
      {"index_owner", Site::index_owner},
      {"index_crc", Site::index_crc},
      {"index_entries_crc", Site::index_entries_crc},
      {"mark_crc", Site::mark_crc},
      {"mark_owner", Site::mark_owner},
      {"groups_crc", Site::groups_crc},
      {"topic_crc", Site::topic_crc},
  };
  return all;
}

const Mutation* find_mutation(std::string_view name) {
  for (const Mutation& mutation : mutations())
    if (mutation.name == name) return &mutation;
  return nullptr;
}

void remove(const Mutation& mutation) {
  log::mutation::removed = mutation.site;
  std::signal(SIGABRT, [](int) { std::_Exit(0); });
}

Result<std::unique_ptr<os::File>> WatchedDisk::open(const std::string& path, os::OpenMode mode) {
  auto file = disk_->open(path, mode);
  const bool muted = (without_ == DiskSync::topic && path.ends_with("/topic.tmp")) ||
                     (without_ == DiskSync::index && path.ends_with(".index.tmp"));
  if (!file || !muted) return file;
  return std::unique_ptr<os::File>(std::make_unique<Unsynced>(std::move(*file)));
}

Status WatchedDisk::rename(const std::string& from, const std::string& to) {
  {
    std::lock_guard lock(mutex_);
    renamed_ = to;
  }
  return disk_->rename(from, to);
}

Status WatchedDisk::remove(const std::string& path) {
  if (watcher_ != nullptr && path.ends_with(".index")) watcher_->index_removed(path);
  return disk_->remove(path);
}

Status WatchedDisk::sync_directory(const std::string& path) {
  std::string renamed;
  {
    std::lock_guard lock(mutex_);
    if (renamed_.starts_with(path + "/")) renamed = std::exchange(renamed_, {});
  }
  const bool index = renamed.ends_with(".index");
  const bool muted =
      (without_ == DiskSync::topic_name && renamed.ends_with("/topic")) || (without_ == DiskSync::index_name && index);
  Status status = muted ? Status() : disk_->sync_directory(path);
  if (status && index && watcher_ != nullptr) watcher_->index_stored(renamed);
  return status;
}

}  // namespace iotstream::fault
