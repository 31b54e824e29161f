// The sparse index of one segment: by offset and by time. A function of the segment's frames (FORMAT.md): kept in memory while
// the segment grows, stored when it is sealed, rebuilt when what is stored cannot be used.
#pragma once

#include <optional>
#include <vector>

#include "log/format.hpp"

namespace iotstream::log {

/// Not thread-safe; its segment guards it.
class SegmentIndex {
 public:
  /// Of an empty segment.
  SegmentIndex(std::uint64_t salt, std::uint64_t base_offset);
  /// Of a segment that is known up to its durable mark only as far as the mark tells: entries() begin there until
  /// complete_with().
  explicit SegmentIndex(const format::Mark& mark);
  /// Of a sealed segment: what stands in its index file. Errors: corrupt, unsupported.
  static Result<SegmentIndex> decode(ByteView file);

  /// Of a sealed segment of which only the summary has been read: adopt_entries() comes when they are needed.
  static SegmentIndex of_summary(const format::SegmentSummary& summary);
  void adopt_entries(const SegmentIndex& loaded) { entries_ = loaded.entries_; }

  /// The next frame of the segment, in file order.
  void add(const format::FrameHeader& frame, std::uint64_t position);
  /// Puts the entries of the part before the mark in front.
  void complete_with(const SegmentIndex& prefix);
  bool complete() const { return complete_; }
  std::uint64_t known_from() const { return known_from_; }  ///< the position up to which an incomplete index lacks its entries

  const format::SegmentSummary& summary() const { return summary_; }
  const std::vector<format::IndexEntry>& entries() const { return entries_; }
  std::vector<std::byte> encode() const;

  /// A place to begin reading: a frame starts there, and it holds offsets at or before the one asked for.
  struct Place {
    std::uint64_t position = 0;
    std::uint64_t offset = 0;
  };
  /// Nothing when the index is not complete and `offset` lies before what it knows, or there are no frames.
  std::optional<Place> find(std::uint64_t offset) const;
  /// The first cell whose frames, or those before it, reach `time_us`. Nothing when none does. Only when complete.
  std::optional<Place> find_time(std::int64_t time_us) const;

  /// Whether both say the same of the segment.
  bool operator==(const SegmentIndex& other) const { return summary_ == other.summary_ && entries_ == other.entries_; }

 private:
  SegmentIndex() = default;

  format::SegmentSummary summary_;  ///< entry_count and entries_crc are filled by encode()
  std::vector<format::IndexEntry> entries_;
  bool complete_ = true;
  std::uint64_t known_from_ = format::frames_begin;
};

}  // namespace iotstream::log
