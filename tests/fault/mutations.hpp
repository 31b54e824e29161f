// The promises that the fault tests can break, each by its name. README.md says who notices which.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/os/disk.hpp>

#include "log/mutation.hpp"

namespace iotstream::fault {

/// A sync inside os::write_atomically() on the log's behalf: taken away at the disk, since the code is another room's.
enum class DiskSync : unsigned char { none, topic, topic_name, index, index_name };

/// Where to look, when something shows in few places only.
enum class Tempo : unsigned char { any, brief, hasty, lazy, single, busy };
struct Focus {
  std::string_view topic = {};  ///< no other
  Tempo tempo = Tempo::any;
  bool stale = false;           ///< always disks that show what a place held before
  std::size_t steps = 0;        ///< of a life after the first; 0: all
  std::size_t first_steps = 0;  ///< of the first life; 0: all
};

struct Mutation {
  std::string_view name;
  log::mutation::Site site = log::mutation::Site::none;
  DiskSync disk_sync = DiskSync::none;
  Focus focus = {};
};

/// All of them.
const std::vector<Mutation>& mutations();
/// nullptr when there is none of this name.
const Mutation* find_mutation(std::string_view name);
/// Leaves it out from now on. An assertion of the program that fails in consequence has noticed it: the process ends with 0.
void remove(const Mutation& mutation);

/// What the log is told when it asks for a sync, with one kind of them left out; and who wants to know when an index was
/// stored.
class WatchedDisk final : public os::Disk {
 public:
  struct Watcher {
    virtual ~Watcher() = default;
    virtual void index_stored(const std::string& path) = 0;
    virtual void index_removed(const std::string& path) = 0;
  };
  WatchedDisk(std::shared_ptr<os::Disk> disk, DiskSync without, Watcher* watcher)
      : disk_(std::move(disk)), without_(without), watcher_(watcher) {}

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override;
  Status create_directories(const std::string& path) override { return disk_->create_directories(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return disk_->list(path); }
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  bool exists(const std::string& path) override { return disk_->exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_->free_bytes(path); }

 private:
  std::shared_ptr<os::Disk> disk_;
  DiskSync without_;
  Watcher* watcher_;
  std::mutex mutex_;
  std::string renamed_;  ///< the last new name
};

}  // namespace iotstream::fault
