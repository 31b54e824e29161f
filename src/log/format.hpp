// The bytes of the log on disk, shared by the writer and every reader. FORMAT.md describes the same layouts for people.
//
// Ideas used: a checksum over everything including the header's fields (Redpanda's header_crc, which exists because Kafka's CRC
// leaves them out); a chain through the previous frame and a salt per segment (SQLite's WAL); and, here, the position in the
// file and the durable watermark as it stood when the frame was sealed, so that a later frame testifies that an earlier one had
// been durable.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::log::format {

/// Written; every version from 1 on is read. 2 added producers, gaps and the attributes of an index and of a mark.
inline constexpr std::uint32_t version = 2;
/// What a disk writes whole or not at all. Small structures that are rewritten in place are exactly this long.
inline constexpr std::size_t sector_size = 512;

// ---- segment file: two copies of the header, then frames ----

struct SegmentHeader {
  std::uint64_t salt = 0;  ///< random for each segment: frames of any other segment fail their check here
  std::uint32_t partition = 0;
  std::uint64_t base_offset = 0;
  std::int64_t created_us = 0;
  std::string topic;
  std::uint32_t format = version;  ///< read: the version that wrote it
};
inline constexpr std::size_t topic_name_size_max = 200;
/// The first frame stands here: one header in each of the first two sectors, so that one bad sector loses nothing.
inline constexpr std::uint64_t frames_begin = 2 * sector_size;

void encode(const SegmentHeader& header, MutableByteView sector);
/// Checks magic, version, lengths and checksum of one copy. Errors: unsupported for a newer format, corrupt otherwise.
Result<SegmentHeader> parse_segment_header(ByteView sector);
/// What the first frame of a segment names as the frame before it.
std::uint32_t first_chain(std::uint64_t salt);

// ---- frame: a batch of records with its checksum ----

struct FrameHeader {
  std::uint32_t length = 0;        ///< the whole frame with header and padding; a multiple of frame_alignment
  std::uint32_t crc = 0;           ///< of salt, position, and the frame from byte 12 on
  std::uint32_t previous_crc = 0;  ///< the crc of the frame before, or first_chain()
  std::uint64_t base_offset = 0;
  std::uint32_t count = 0;       ///< offsets, each a record or, in a compacted segment, a part of a gap; at least 1
  std::uint32_t attributes = 0;  ///< frame_has_…; 0 in version 1
  std::int64_t append_time_us = 0;
  std::int64_t min_time_us = 0;      ///< least event time
  std::int64_t max_time_us = 0;      ///< greatest event time
  std::uint64_t durable_offset = 0;  ///< all records below were on stable storage when this frame was sealed
  std::uint64_t next_offset() const { return base_offset + count; }
};
inline constexpr std::uint32_t frame_has_producers = 1;  ///< some records carry the producer that numbered them
inline constexpr std::uint32_t frame_has_gaps = 2;       ///< some offsets have no record any more
inline constexpr std::uint32_t frame_attributes_known = frame_has_producers | frame_has_gaps;
/// Times of a frame or segment in which no record is left: greater and less than all others.
inline constexpr std::int64_t no_min_time_us = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t no_max_time_us = std::numeric_limits<std::int64_t>::min();
inline constexpr std::uint32_t frame_magic = 0x48435442;  // "BTCH"
inline constexpr std::size_t frame_header_size = 64;
inline constexpr std::size_t frame_alignment = 8;
inline constexpr std::size_t record_header_size = 16;
/// A frame is sealed before it passes this, unless it holds one single record. Not more, though a megabyte would be written as
/// quickly: gathered, summed and copied it stays within a core's cache, and damage never reaches past a batch.
inline constexpr std::size_t frame_size_target = 192u << 10;
/// No frame is longer: a batch of the target size, or one record of the largest size with its headers.
inline constexpr std::size_t frame_size_max = (1u << 20) + 4096;

inline std::size_t align_frame(std::size_t size) { return (size + frame_alignment - 1) / frame_alignment * frame_alignment; }

/// Puts the header in front of the records that stand in `frame` already, with its checksum. `header.length` is the frame's.
/// Returns the checksum.
std::uint32_t seal(MutableByteView frame, FrameHeader header, std::uint64_t salt, std::uint64_t position);

/// Reads the header's fields. Nothing when there is no magic or the fields cannot be true; says nothing about the checksum.
std::optional<FrameHeader> parse_frame_header(ByteView bytes);
/// Whether the whole frame, standing at `position` of the segment with `salt`, is what was sealed.
bool check_frame(ByteView frame, std::uint64_t salt, std::uint64_t position);

// ---- record, in a frame's body; the staging ring uses the same header with the lengths added up ----

/// In the field of the key's length, above the length: the contents begin with the producer and the sequence (2 × u64).
inline constexpr std::uint32_t producer_bit = 1u << 30;
/// Likewise: no record, but as many offsets without one as the field of the value's length says.
inline constexpr std::uint32_t gap_bit = 1u << 29;
inline constexpr std::uint32_t key_size_mask = gap_bit - 1;
inline constexpr std::size_t producer_size = 16;

struct RecordView {
  std::int64_t time_us = 0;
  std::string_view key;
  ByteView value;
  std::uint32_t gap = 0;  ///< not 0: no record but a gap of so many offsets
  bool numbered = false;  ///< the next two are there
  std::uint64_t producer = 0;
  std::uint64_t sequence = 0;
};
/// Reads the record or gap at `at` into `record` and moves `at` on; false when it does not fit before `end`. Here, because
/// readers decode millions a second with it.
bool parse_special(const std::byte*& at, const std::byte* end, RecordView& record);
inline bool parse_record(const std::byte*& at, const std::byte* end, RecordView& record) {
  const auto left = static_cast<std::size_t>(end - at);
  if (left < record_header_size) [[unlikely]]
    return false;
  const auto value_size = load_le<std::uint32_t>(at);
  const auto key_size = load_le<std::uint32_t>(at + 4);
  if (key_size > key_size_mask) [[unlikely]]
    return parse_special(at, end, record);
  if (std::uint64_t{value_size} + key_size > left - record_header_size) [[unlikely]]
    return false;
  record.time_us = load_le<std::int64_t>(at + 8);
  record.gap = 0;
  record.numbered = false;
  at += record_header_size;
  record.key = {reinterpret_cast<const char*>(at), key_size};
  record.value = {at + key_size, value_size};
  at += key_size + value_size;
  return true;
}
/// The same, as a value.
inline std::optional<RecordView> parse_record(const std::byte*& at, const std::byte* end) {
  std::optional<RecordView> record(std::in_place);
  if (!parse_record(at, end, *record)) record.reset();
  return record;
}

/// Walks over the records of a frame that passed its check, past gaps.
class FrameRecords {
 public:
  FrameRecords(const FrameHeader& header, ByteView frame)
      : at_(frame.data() + frame_header_size),
        end_(frame.data() + frame.size()),
        next_(header.base_offset),
        limit_(header.next_offset()) {}
  /// False behind the last. Contents that do not parse, though the frame passed its check, are a broken invariant of the writer
  /// and not of the disk.
  bool next();
  const RecordView& record() const { return record_; }
  std::uint64_t offset() const { return offset_; }
  /// The record as it stands in the frame.
  ByteView bytes() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  const std::byte* begin_ = nullptr;
  std::uint64_t next_;
  std::uint64_t limit_;
  std::uint64_t offset_ = 0;
  RecordView record_;
};

/// Writes a record's header, or a gap's.
void put_record_header(std::byte* at, std::uint32_t value_size, std::uint32_t key_field, std::int64_t time_us);

// ---- to whom a mark or an index belongs ----

/// Of a topic and partition; never 0. Two partitions have the same one by chance only.
std::uint32_t owner_tag(std::string_view topic, std::uint32_t partition);
/// Writes the tag into an encoded mark or summary, and its checksum again.
void stamp_owner(MutableByteView block, std::uint32_t tag);
/// False when the block, which holds, names another owner. One that names none was written before there were tags.
bool may_belong_to(ByteView block, std::uint32_t tag);

// ---- durable mark: one slot of two ----

struct Mark {
  std::uint64_t sequence = 0;  ///< the greater of the two slots' is the newer
  std::uint64_t segment_base = 0;
  std::uint64_t salt = 0;         ///< of that segment: a mark for another file of the same name says nothing
  std::uint64_t position = 0;     ///< end of the last durable frame in that segment
  std::uint64_t next_offset = 0;  ///< all records below are durable
  std::uint32_t chain = 0;        ///< crc of that frame
  std::int64_t append_time_us = 0;
  std::int64_t min_time_us = 0;  ///< event times of the segment up to the mark
  std::int64_t max_time_us = 0;
  std::int64_t first_append_us = 0;
  bool clean = false;            ///< written when the log was closed: nothing stood behind position then
  std::uint32_t attributes = 0;  ///< of all frames of the segment up to the mark, together
};
void encode(const Mark& mark, MutableByteView sector);
std::optional<Mark> parse_mark(ByteView sector);

// ---- index of a sealed segment ----

struct IndexEntry {
  std::uint32_t offset_delta = 0;  ///< base offset of the first frame that starts in this cell, less the segment's
  std::uint32_t position = 0;      ///< where it starts
  std::int64_t max_time_us = 0;    ///< greatest event time of all frames from the segment's begin to the end of this cell
  bool operator==(const IndexEntry&) const = default;
};
/// A cell is this much of the file; an entry exists for each cell in which a frame starts. The grid makes the index a function
/// of the segment's bytes alone, wherever a scan began.
inline constexpr std::uint64_t index_cell_size = 32u << 10;

struct SegmentSummary {
  std::uint64_t salt = 0;
  std::uint64_t base_offset = 0;
  std::uint64_t next_offset = 0;
  std::uint64_t end_position = 0;  ///< where the frames end; the file is cut there when it is sealed
  std::int64_t min_time_us = 0;
  std::int64_t max_time_us = 0;
  std::int64_t first_append_us = 0;
  std::int64_t last_append_us = 0;
  std::uint32_t chain = 0;  ///< crc of the last frame
  std::uint32_t entry_count = 0;
  std::uint32_t entries_crc = 0;
  std::uint32_t attributes = 0;  ///< of all frames, together
  bool operator==(const SegmentSummary&) const = default;
};
inline constexpr std::size_t summary_size = 128;
inline constexpr std::size_t index_entry_size = 16;

/// Where a segment stands now, as a mark of it.
Mark mark_of(const SegmentSummary& summary);

void encode(const SegmentSummary& summary, MutableByteView bytes);
Result<SegmentSummary> parse_summary(ByteView bytes);

}  // namespace iotstream::log::format
