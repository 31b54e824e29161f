// Key compaction of closed segments: which records stay, and a copy of a segment with only these. (partition_compact.cpp
// decides when, and puts the copy in the segment's place.)
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/os/disk.hpp>

#include "log/index.hpp"
#include "log/segment.hpp"

namespace iotstream::log {

/// The latest offset of each key that was seen. Bounded by its bytes. One thread.
class LatestOffsets {
 public:
  explicit LatestOffsets(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  /// In rising order of offsets. False when there is no room for another key.
  bool add(std::string_view key, std::uint64_t offset);
  std::optional<std::uint64_t> find(std::string_view key) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  /// What a key costs beside its bytes: node, string, bucket.
  static constexpr std::size_t overhead = 96;

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> offsets_;
};

/// Whether a record stays.
using Keeps = std::function<bool(std::uint64_t offset, const format::RecordView& record, std::int64_t append_time_us)>;

enum class Walk : unsigned char {
  whole,    ///< every frame was seen
  stopped,  ///< the visitor or `stopping` ended it
  damaged,  ///< a frame fails its check: what cannot be read cannot be judged
};
/// Calls `visit` for each frame, until it returns false. Errors: io.
Result<Walk> each_frame(Segment& segment, const std::atomic<bool>& stopping,
                        const std::function<bool(const format::FrameHeader& header, ByteView frame)>& visit);

struct Rewritten {
  SegmentIndex index;
  std::uint64_t removed_records = 0;
};
/// Copies `segment` to the new file `path`, without the records that do not stay: frame by frame, so that append times remain;
/// their offsets become gaps. The file is on stable storage and has been read back when this returns well. Nothing: it was
/// stopped, or the segment is damaged; the file may be there then. Errors: as of the disk.
Result<std::optional<Rewritten>> rewrite(os::Disk& disk, Segment& segment, const std::string& path,
                                         const format::SegmentHeader& header, const Keeps& keeps,
                                         const std::atomic<bool>& stopping);

}  // namespace iotstream::log
