// The table of producers of one partition on disk (FORMAT.md): two slots, written in turn, so that a crash in the middle of
// one leaves the other. What follows in the log is added to what they say (recover_producers()).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <iotstream/os/disk.hpp>

#include "log/producers.hpp"
#include "log/segment.hpp"

namespace iotstream::log {

/// One thread at a time.
class ProducerFile {
 public:
  ProducerFile(os::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  /// The newest slot that holds and says nothing of records at or above `next_offset`; nothing when there is none. One that
  /// tells of records that are not there (any more) is emptied, so that it is not believed when their offsets come again with
  /// others. Errors: io, disk_full, unsupported.
  Result<std::optional<ProducerTable::Stored>> load(std::uint64_t next_offset);
  /// Writes the older slot, durably. All records below `offset` are durable already.
  Status write(ByteView table, std::uint64_t offset);
  /// Of the newest slot, and of the one before: what both know may leave the log without being forgotten.
  std::uint64_t newest() const;
  std::uint64_t oldest() const;

 private:
  std::string path(std::size_t slot) const;

  os::Disk& disk_;
  std::string directory_;
  std::array<std::unique_ptr<os::File>, 2> files_;
  std::array<std::uint64_t, 2> offsets_{};  ///< 0: nothing usable
};

/// The table as it stands at the end of `segments`: what is stored, and the records behind it. Errors: as of the disk;
/// unsupported.
Result<ProducerTable> recover_producers(ProducerFile& file, const std::vector<std::shared_ptr<Segment>>& segments,
                                        std::uint64_t next_offset);

}  // namespace iotstream::log
