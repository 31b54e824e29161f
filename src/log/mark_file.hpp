// The durable mark of one partition on disk (FORMAT.md): the point below which a bad frame is damage and not a torn tail.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <iotstream/os/disk.hpp>

#include "log/format.hpp"

namespace iotstream::log {

/// One thread at a time.
class MarkFile {
 public:
  /// `owner`: format::owner_tag() of the partition. A mark of another is none.
  MarkFile(os::Disk& disk, std::string directory, std::uint32_t owner)
      : disk_(disk), directory_(std::move(directory)), path_(directory_ + "/mark"), owner_(owner) {}

  /// The newer of the slots that hold; nothing when there is none. Errors: io.
  Result<std::optional<format::Mark>> load();
  /// Writes the slot that is not the newest. What the mark says must be durable already. The mark itself is in the page cache.
  Status write(format::Mark mark);
  /// Makes the last written mark durable, with the file's name. For a clean end, so that the next start has nothing to read.
  Status sync();

 private:
  Status open();

  os::Disk& disk_;
  std::string directory_;
  std::string path_;
  std::uint32_t owner_;
  std::unique_ptr<os::File> file_;
  std::uint64_t sequence_ = 0;
};

}  // namespace iotstream::log
