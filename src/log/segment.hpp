// One segment: its file, its index, and the two ways of using it: appending (the writer) and reading (anybody).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/os/disk.hpp>

#include "log/index.hpp"
#include "log/scan.hpp"

namespace iotstream::log {

/// A salt for a new segment: from the system, never the same again.
std::uint64_t random_salt();

std::string segment_file_name(std::uint64_t base_offset);
std::string index_file_name(std::uint64_t base_offset);
/// The base offset that a name of a segment file says; nothing for other names.
std::optional<std::uint64_t> parse_segment_file_name(std::string_view name);

/// Behind the name of a segment: its compacted copy, not finished yet. Nothing in it is anywhere the only one.
inline constexpr std::string_view copy_suffix = ".compact";

/// Space is reserved ahead in steps of half of what is there, within these bounds: what is reserved is looked at after a crash,
/// and a segment that fills slowly should not hold much of it.
inline constexpr std::uint64_t allocation_step_min = 1u << 20;
inline constexpr std::uint64_t allocation_step_max = 8u << 20;
/// Small frames are preceded by zeros written this far ahead: a reserved but never written extent is converted when it is first
/// written, which makes fdatasync commit the file system's journal; one that holds zeros already is only overwritten. (Figures:
/// README.md)
inline constexpr std::uint64_t zeroing_step = 256u << 10;
/// Frames from this size on pay for their own journal commit and are not worth writing twice.
inline constexpr std::uint64_t zeroing_frame_max = 64u << 10;

/// To whom a segment belongs, as its header says.
struct SegmentOwner {
  std::string topic;
  PartitionId partition;
};

/// Threads: members marked [writer] by one thread at a time, [sync] by the sync thread, the others by any.
class Segment {
 public:
  /// A new file with its header and first reserved space. Not durable until sync(). Errors: as of the disk.
  static Result<std::shared_ptr<Segment>> create(os::Disk& disk, const std::string& directory, format::SegmentHeader header,
                                                 std::uint64_t size_max);
  /// An existing, growing segment whose frames end where `index` says; `file_size` bytes are reserved.
  static std::shared_ptr<Segment> growing(os::Disk& disk, const std::string& directory, std::unique_ptr<os::File> file,
                                          SegmentIndex index, std::uint64_t file_size, std::uint64_t size_max,
                                          SegmentOwner owner);
  /// An existing, sealed segment; neither file is opened until something is read. Then a file that is not `owner`'s is corrupt.
  static std::shared_ptr<Segment> sealed(os::Disk& disk, const std::string& directory, const format::SegmentSummary& summary,
                                         SegmentOwner owner);
  /// Reads the header of an existing file from the first copy that holds.
  static Result<format::SegmentHeader> read_header(const os::File& file);

  std::uint64_t base_offset() const { return base_offset_; }
  const std::string& path() const { return path_; }
  /// What is known of the contents; its offsets and times cover also a part that is not indexed yet.
  format::SegmentSummary summary() const;
  /// Bytes on disk that hold records.
  std::uint64_t bytes() const { return summary().end_position; }
  bool is_closed() const;  ///< nothing is written to it any more
  bool is_sealed() const;  ///< … and seal() has gone well: its files stay as they are

  // ---- writer ----

  bool has_room(std::size_t frame_length) const;
  /// Seals `frame` (its header and checksum are written into it) and writes it behind the last one. After an error nothing has
  /// changed: the same frame may be offered again. Errors: as of the disk.
  Status write(MutableByteView frame, format::FrameHeader& header);
  /// The monotonic time of what is written now; 0 before the first write of this process.
  void set_last_write(std::int64_t monotonic_ns) { last_write_ns_.store(monotonic_ns, std::memory_order_relaxed); }
  std::int64_t last_write_ns() const { return last_write_ns_.load(std::memory_order_relaxed); }
  std::uint32_t chain() const { return chain_; }
  std::uint64_t end_position() const { return end_position_; }

  // ---- sync ----

  /// Makes everything written before this call durable, with the file's name.
  Status sync();
  /// Cuts the reserved space off and stores the index. The segment grows no more and is synced. After an error it is closed all
  /// the same: it is read and removed as a sealed one, and the next start rebuilds its index.
  Status seal();
  /// Opens the file and loads the index, so that both can be used when other files have taken their names.
  Status hold();
  /// Of a segment that recovery found and that grows no more, though what stands behind its end keeps it from being sealed.
  void close();
  /// Removes both files. Readers that hold the segment go on reading.
  Status remove();

  // ---- readers ----

  /// Where to begin reading for the offset / the time; rebuilds what is missing of the index. Nothing when it is not in here.
  Result<std::optional<ScanStart>> find(std::uint64_t offset);
  Result<std::optional<ScanStart>> find_time(std::int64_t time_us);
  /// A walk from `start` to the end of what is written now.
  Result<FrameScanner> scan(ScanStart start, std::size_t chunk = 256u << 10);
  /// The whole index, rebuilt from the file with nothing taken from memory or the index file.
  Result<SegmentIndex> rebuild();
  /// The whole index as it is used.
  Result<SegmentIndex> index();

 private:
  Segment(os::Disk& disk, const std::string& directory, std::uint64_t base_offset, SegmentIndex index);
  Result<os::File*> file();
  Status check_owner(const os::File& file) const;
  Status complete_index();
  Result<SegmentIndex> rebuild_until(std::uint64_t end);
  Status reserve(std::uint64_t end);
  void zero_ahead(std::uint64_t position, std::uint64_t length);

  os::Disk& disk_;
  std::string directory_;
  std::uint64_t base_offset_;
  std::uint64_t salt_;
  std::string path_;
  std::uint64_t size_max_ = 0;
  SegmentOwner owner_;

  // The writer's alone.
  std::uint64_t end_position_ = 0;
  std::uint64_t reserved_end_ = 0;
  std::uint64_t zeroed_end_ = 0;
  std::uint32_t chain_ = 0;

  std::atomic<std::int64_t> last_write_ns_{0};  ///< relaxed: retention reads it long after the last store

  bool name_synced_ = true;  ///< the sync thread's alone, once the writer has handed the segment over

  mutable std::mutex mutex_;  ///< guards what follows; held for no I/O but opening the file and loading or rebuilding the index
  std::unique_ptr<os::File> file_;
  SegmentIndex index_;
  bool entries_loaded_ = true;
  bool closed_ = false;
  bool sealed_ = false;
};

}  // namespace iotstream::log
