// New files of one folder, told when they are complete.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/base/time.hpp>
#include <iotstream/config/config.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::catalog {

/// A look every now and then, and no notices of the kernel: those do not come from folders of other machines, and a file that
/// is written for minutes would be told many times. One thread.
class FolderWatch {
 public:
  FolderWatch(config::Watch settings, os::Disk& disk) : settings_(std::move(settings)), disk_(disk) {}

  const config::Watch& settings() const { return settings_; }
  /// When to look next, on the clock that look() is given.
  std::int64_t due_ns() const { return due_ns_; }
  /// Files whose size and time of change have stood still for the settings' `settle`, and which were not dealt with as they
  /// are.
  std::vector<std::string> look(std::int64_t now_ns);
  /// The file was taken, or cannot be: it is told again only after a change.
  void done_with(const std::string& path);
  /// The code of the prototype that the file's rows belong to.
  std::string prototype_of(const std::string& path) const;

 private:
  struct Seen {
    std::uint64_t size = 0;
    std::int64_t changed_ns = 0;
    std::int64_t since_ns = 0;  ///< it has looked like this
    bool done = false;
  };

  config::Watch settings_;
  os::Disk& disk_;
  std::int64_t due_ns_ = 0;
  bool missing_told_ = false;
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace iotstream::catalog
