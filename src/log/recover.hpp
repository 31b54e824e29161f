// What a crash left of one partition, made whole again: torn tails put aside and cut, damage named, nothing deleted.
// FORMAT.md, "Reading after a crash", tells the rules.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

#include "log/counters.hpp"
#include "log/mark_file.hpp"
#include "log/segment.hpp"

namespace iotstream::log {

struct Recovered {
  std::vector<std::shared_ptr<Segment>> segments;  ///< in offset order
  std::shared_ptr<Segment> growing;  ///< the last of them, when it takes more; else a new one begins at next_offset
  std::uint64_t next_offset = 0;
  std::int64_t last_append_us = 0;
  std::vector<Damage> damage;
  std::optional<format::Mark> mark;
};

struct RecoverContext {
  os::Disk& disk;
  Counters& counters;
  std::string directory;  ///< of the partition
  std::string topic;
  std::string name;  ///< `topic/partition`, for people
  PartitionId partition;
  std::uint64_t segment_size = 0;
  Timestamp now;
};

/// When it returns well, everything it found is on stable storage. Errors: io, disk_full, unsupported (a newer format).
Result<Recovered> recover(const RecoverContext& context, MarkFile& marks);

}  // namespace iotstream::log
