#include "log/format.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "log/mutation.hpp"

namespace iotstream::log::format {
namespace {

using mutation::Site;
using mutation::without;

constexpr std::uint64_t segment_magic = 0x31474c53544f49ULL;  // "IOTSLG1\0"
constexpr std::uint64_t mark_magic = 0x314b4d53544f49ULL;     // "IOTSMK1\0"
constexpr std::uint64_t index_magic = 0x31584953544f49ULL;    // "IOTSIX1\0"

/// Writes members one behind the other; the layouts have no gaps that are not written down.
class Packer {
 public:
  explicit Packer(std::byte* at) : at_(at) {}
  template <class Number>
  Packer& put(Number number) {
    store_le(at_, number);
    at_ += sizeof number;
    return *this;
  }

 private:
  std::byte* at_;
};

class Unpacker {
 public:
  explicit Unpacker(const std::byte* at) : at_(at) {}
  template <class Number>
  Unpacker& get(Number& number) {
    number = load_le<Number>(at_);
    at_ += sizeof number;
    return *this;
  }

 private:
  const std::byte* at_;
};

void seal_block(MutableByteView block) {
  store_le(block.data() + block.size() - 4, crc32c(ByteView(block.data(), block.size() - 4)));
}

bool block_holds(ByteView block, Site site) {
  if (without(site)) return true;
  return load_le<std::uint32_t>(block.data() + block.size() - 4) == crc32c(ByteView(block.data(), block.size() - 4));
}

std::uint32_t frame_crc(const std::byte* frame, std::size_t length, std::uint64_t salt, std::uint64_t position) {
  std::array<std::byte, 16> place;
  store_le(place.data(), without(Site::frame_salt) ? 0 : salt);
  store_le(place.data() + 8, without(Site::frame_position) ? 0 : position);
  return crc32c(ByteView(frame + 12, length - 12), crc32c(place));
}

Status check_version(std::uint32_t found, std::string_view what) {
  if (found >= 1 && found <= version) return {};
  if (found > version)
    return Error{ErrorKind::unsupported, fmt::format("{} has format {}; this program reads up to {}", what, found, version)};
  return Error{ErrorKind::corrupt, fmt::format("{} has the impossible format {}", what, found)};
}

}  // namespace

void encode(const SegmentHeader& header, MutableByteView sector) {
  IOTSTREAM_ASSERT(sector.size() == sector_size && header.topic.size() <= topic_name_size_max, "{} {}", sector.size(),
                   header.topic.size());
  std::fill(sector.begin(), sector.end(), std::byte{0});
  Packer(sector.data())
      .put(segment_magic)
      .put(version)
      .put(header.partition)
      .put(header.salt)
      .put(header.base_offset)
      .put(header.created_us)
      .put(static_cast<std::uint32_t>(header.topic.size()));
  std::memcpy(sector.data() + 44, header.topic.data(), header.topic.size());
  seal_block(sector);
}

Result<SegmentHeader> parse_segment_header(ByteView sector) {
  if (sector.size() != sector_size || load_le<std::uint64_t>(sector.data()) != segment_magic ||
      !block_holds(sector, Site::segment_header_crc))
    return Error{ErrorKind::corrupt, "the segment's header fails its check"};
  SegmentHeader header;
  std::uint64_t magic = 0;
  std::uint32_t found = 0;
  std::uint32_t topic_size = 0;
  Unpacker(sector.data())
      .get(magic)
      .get(found)
      .get(header.partition)
      .get(header.salt)
      .get(header.base_offset)
      .get(header.created_us)
      .get(topic_size);
  if (auto good = check_version(found, "a segment"); !good) return good.error();
  header.format = found;
  if (topic_size > topic_name_size_max) return Error{ErrorKind::corrupt, "the segment's header names an impossible topic"};
  header.topic.assign(reinterpret_cast<const char*>(sector.data() + 44), topic_size);
  return header;
}

std::uint32_t first_chain(std::uint64_t salt) {
  std::array<std::byte, 8> bytes;
  store_le(bytes.data(), salt);
  return crc32c(bytes);
}

std::uint32_t seal(MutableByteView frame, FrameHeader header, std::uint64_t salt, std::uint64_t position) {
  IOTSTREAM_ASSERT(frame.size() == header.length && header.length % frame_alignment == 0, "{} {}", frame.size(), header.length);
  Packer(frame.data())
      .put(frame_magic)
      .put(header.length)
      .put(std::uint32_t{0})
      .put(header.previous_crc)
      .put(header.base_offset)
      .put(header.count)
      .put(header.attributes)
      .put(header.append_time_us)
      .put(header.min_time_us)
      .put(header.max_time_us)
      .put(header.durable_offset);
  const std::uint32_t crc = frame_crc(frame.data(), frame.size(), salt, position);
  store_le(frame.data() + 8, crc);
  return crc;
}

std::optional<FrameHeader> parse_frame_header(ByteView bytes) {
  if (bytes.size() < frame_header_size || load_le<std::uint32_t>(bytes.data()) != frame_magic) return std::nullopt;
  FrameHeader header;
  Unpacker(bytes.data() + 4)
      .get(header.length)
      .get(header.crc)
      .get(header.previous_crc)
      .get(header.base_offset)
      .get(header.count)
      .get(header.attributes)
      .get(header.append_time_us)
      .get(header.min_time_us)
      .get(header.max_time_us)
      .get(header.durable_offset);
  // A gap of many offsets takes the room of one record.
  const std::uint64_t records_min = (header.attributes & frame_has_gaps) != 0 ? 1 : header.count;
  const bool possible = header.length % frame_alignment == 0 && header.length <= frame_size_max && header.count > 0 &&
                        header.length >= frame_header_size + records_min * record_header_size &&
                        header.base_offset <= (std::uint64_t{1} << 62);
  if (!possible) return std::nullopt;
  return header;
}

bool check_frame(ByteView frame, std::uint64_t salt, std::uint64_t position) {
  return frame.size() > frame_header_size &&
         (without(Site::frame_crc) ||
          frame_crc(frame.data(), frame.size(), salt, position) == load_le<std::uint32_t>(frame.data() + 8));
}

/// A gap, or a record with its producer.
bool parse_special(const std::byte*& at, const std::byte* end, RecordView& record) {
  const auto value_size = load_le<std::uint32_t>(at);
  const auto key_field = load_le<std::uint32_t>(at + 4);
  const std::uint32_t key_size = key_field & key_size_mask;
  record.time_us = load_le<std::int64_t>(at + 8);
  record.gap = 0;
  record.numbered = (key_field & producer_bit) != 0;
  if ((key_field & gap_bit) != 0) {
    if (value_size == 0 || key_field != gap_bit) return false;
    record.gap = value_size;
    at += record_header_size;
    return true;
  }
  const std::size_t left = static_cast<std::size_t>(end - at) - record_header_size;
  if (key_field != (key_size | producer_bit) || producer_size + std::uint64_t{value_size} + key_size > left) return false;
  at += record_header_size;
  record.producer = load_le<std::uint64_t>(at);
  record.sequence = load_le<std::uint64_t>(at + 8);
  at += producer_size;
  record.key = {reinterpret_cast<const char*>(at), key_size};
  record.value = {at + key_size, value_size};
  at += key_size + value_size;
  return true;
}

bool FrameRecords::next() {
  while (next_ < limit_) {
    begin_ = at_;
    const bool fits = parse_record(at_, end_, record_);
    IOTSTREAM_ASSERT(fits && record_.gap <= limit_ - next_, "the record at offset {} does not fit its batch", next_);
    if (record_.gap != 0) [[unlikely]] {
      next_ += record_.gap;
      continue;
    }
    offset_ = next_++;
    return true;
  }
  return false;
}

void put_record_header(std::byte* at, std::uint32_t value_size, std::uint32_t key_field, std::int64_t time_us) {
  Packer(at).put(value_size).put(key_field).put(time_us);
}

Mark mark_of(const SegmentSummary& summary) {
  Mark mark;
  mark.segment_base = summary.base_offset;
  mark.salt = summary.salt;
  mark.position = summary.end_position;
  mark.next_offset = summary.next_offset;
  mark.chain = summary.chain;
  mark.append_time_us = summary.last_append_us;
  mark.min_time_us = summary.min_time_us;
  mark.max_time_us = summary.max_time_us;
  mark.first_append_us = summary.first_append_us;
  mark.attributes = summary.attributes;
  return mark;
}

std::uint32_t owner_tag(std::string_view topic, std::uint32_t partition) {
  std::array<std::byte, 4> id;
  store_le(id.data(), partition);
  return std::max(crc32c(id, crc32c(as_bytes(topic))), 1u);
}

void stamp_owner(MutableByteView block, std::uint32_t tag) {
  store_le(block.data() + block.size() - 8, tag);
  seal_block(block);
}

bool may_belong_to(ByteView block, std::uint32_t tag) {
  const auto named = load_le<std::uint32_t>(block.data() + block.size() - 8);
  return named == 0 || named == tag;
}

void encode(const Mark& mark, MutableByteView sector) {
  IOTSTREAM_ASSERT(sector.size() == sector_size, "{}", sector.size());
  std::fill(sector.begin(), sector.end(), std::byte{0});
  Packer(sector.data())
      .put(mark_magic)
      .put(version)
      .put(mark.chain)
      .put(mark.sequence)
      .put(mark.segment_base)
      .put(mark.salt)
      .put(mark.position)
      .put(mark.next_offset)
      .put(mark.append_time_us)
      .put(mark.min_time_us)
      .put(mark.max_time_us)
      .put(mark.first_append_us)
      .put(std::uint32_t{mark.clean})
      .put(mark.attributes);
  seal_block(sector);
}

std::optional<Mark> parse_mark(ByteView sector) {
  if (sector.size() != sector_size || load_le<std::uint64_t>(sector.data()) != mark_magic ||
      !block_holds(sector, Site::mark_crc))
    return std::nullopt;
  Mark mark;
  std::uint64_t magic = 0;
  std::uint32_t found = 0;
  std::uint32_t clean = 0;
  Unpacker(sector.data())
      .get(magic)
      .get(found)
      .get(mark.chain)
      .get(mark.sequence)
      .get(mark.segment_base)
      .get(mark.salt)
      .get(mark.position)
      .get(mark.next_offset)
      .get(mark.append_time_us)
      .get(mark.min_time_us)
      .get(mark.max_time_us)
      .get(mark.first_append_us)
      .get(clean)
      .get(mark.attributes);
  mark.clean = clean != 0;
  if (!check_version(found, "a mark")) return std::nullopt;
  return mark;
}

void encode(const SegmentSummary& summary, MutableByteView bytes) {
  IOTSTREAM_ASSERT(bytes.size() == summary_size, "{}", bytes.size());
  std::fill(bytes.begin(), bytes.end(), std::byte{0});
  Packer(bytes.data())
      .put(index_magic)
      .put(version)
      .put(summary.chain)
      .put(summary.salt)
      .put(summary.base_offset)
      .put(summary.next_offset)
      .put(summary.end_position)
      .put(summary.min_time_us)
      .put(summary.max_time_us)
      .put(summary.first_append_us)
      .put(summary.last_append_us)
      .put(summary.entry_count)
      .put(summary.entries_crc)
      .put(summary.attributes);
  seal_block(bytes);
}

Result<SegmentSummary> parse_summary(ByteView bytes) {
  if (bytes.size() != summary_size || load_le<std::uint64_t>(bytes.data()) != index_magic ||
      !block_holds(bytes, Site::index_crc))
    return Error{ErrorKind::corrupt, "the index's header fails its check"};
  SegmentSummary summary;
  std::uint64_t magic = 0;
  std::uint32_t found = 0;
  Unpacker(bytes.data())
      .get(magic)
      .get(found)
      .get(summary.chain)
      .get(summary.salt)
      .get(summary.base_offset)
      .get(summary.next_offset)
      .get(summary.end_position)
      .get(summary.min_time_us)
      .get(summary.max_time_us)
      .get(summary.first_append_us)
      .get(summary.last_append_us)
      .get(summary.entry_count)
      .get(summary.entries_crc)
      .get(summary.attributes);
  if (auto good = check_version(found, "an index"); !good) return good.error();
  return summary;
}

}  // namespace iotstream::log::format
