#include "log/scan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "log/buffer_pool.hpp"
#include "log/mutation.hpp"

namespace iotstream::log {
namespace {

bool all_zero(ByteView bytes) {
  // Each byte equals its neighbour and the first is zero: memcmp looks at many at a time.
  return bytes.empty() || (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

FrameScanner::FrameScanner(const os::File& file, std::uint64_t salt, ScanStart start, std::uint64_t end, std::size_t chunk)
    : file_(file),
      salt_(salt),
      position_(start.position),
      next_offset_(start.next_offset),
      chain_(start.chain),
      end_(end),
      chunk_(std::max(chunk, format::frame_header_size)) {}

Result<ByteView> FrameScanner::view(std::uint64_t position, std::size_t size) {
  if (position >= end_) return ByteView{};
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - position));
  const bool held = position >= buffer_position_ && position + wanted <= buffer_position_ + buffer_size_;
  if (!held)
    if (auto status = fill(position, wanted); !status) return status.error();
  const std::uint64_t in_buffer = position - buffer_position_;
  const std::size_t there = in_buffer < buffer_size_ ? static_cast<std::size_t>(buffer_size_ - in_buffer) : 0;
  return ByteView(buffer_.get() + in_buffer, std::min(wanted, there));
}

/// A new buffer each time: frames of the old one may have been handed out. What the old one holds already is copied, not read
/// again.
Status FrameScanner::fill(std::uint64_t position, std::size_t wanted) {
  const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(wanted, chunk_), end_ - position));
  auto fresh = pooled_buffer(length);
  std::size_t have = 0;
  if (position >= buffer_position_ && position < buffer_position_ + buffer_size_) {
    have = static_cast<std::size_t>(buffer_position_ + buffer_size_ - position);
    std::memcpy(fresh.get(), buffer_.get() + (position - buffer_position_), have);
  }
  auto got = file_.read_at(position + have, MutableByteView(fresh.get() + have, length - have));
  if (!got) return got.error();
  buffer_ = std::move(fresh);
  buffer_position_ = position;
  buffer_size_ = have + *got;
  return {};
}

FrameScanner::Step FrameScanner::damaged(std::string reason) {
  reason_ = std::move(reason);
  return Step::damaged;
}

Result<bool> FrameScanner::only_zeros_follow() {
  auto content = end_of_content(file_, position_, end_);
  if (!content) return content.error();
  return *content == position_;
}

Result<FrameScanner::Step> FrameScanner::next() {
  if (position_ >= end_) return Step::end;
  auto head = view(position_, format::frame_header_size);
  if (!head) return head.error();
  if (all_zero(*head)) {
    auto zeros = only_zeros_follow();
    if (!zeros) return zeros.error();
    if (*zeros) return Step::end;
    return damaged("zeros where a batch should be");
  }
  const auto header = format::parse_frame_header(*head);
  if (!header) return damaged("no batch header where one should be");
  if (position_ + header->length > end_) return damaged("a batch reaches beyond the end");
  auto stands = frame_stands_at(position_, *header);
  if (!stands) return stands.error();
  if (!*stands) return damaged("a batch fails its checksum");
  if ((header->attributes & ~format::frame_attributes_known) != 0)
    return Error{ErrorKind::unsupported, fmt::format("a batch at byte {} has attributes of a newer format", position_)};
  if (!skipping_) {
    if (chain_ && header->previous_crc != *chain_ && !mutation::without(mutation::Site::frame_chain))
      return damaged("a batch does not continue the one before it");
    if (header->base_offset != next_offset_)
      return damaged(fmt::format("a batch begins at offset {}, not at {}", header->base_offset, next_offset_));
  }
  skipping_ = false;
  frame_ = *header;
  frame_position_ = position_;
  position_ += header->length;
  next_offset_ = header->next_offset();
  chain_ = header->crc;
  return Step::frame;
}

/// Loads the whole frame into bytes_ and checks it.
Result<bool> FrameScanner::frame_stands_at(std::uint64_t position, const format::FrameHeader& header) {
  // Frames longer than the chunk are probably followed by more of them: then each is read at one go, with the header of the
  // next.
  if (header.length > chunk_) chunk_ = std::min<std::size_t>(header.length + 4096, format::frame_size_max + 4096);
  auto bytes = view(position, header.length);
  if (!bytes) return bytes.error();
  bytes_ = *bytes;
  return bytes_.size() == header.length && format::check_frame(bytes_, salt_, position);
}

Result<std::optional<format::FrameHeader>> FrameScanner::resync() {
  for (std::uint64_t at = position_ + format::frame_alignment; at + format::frame_header_size <= end_;
       at += format::frame_alignment) {
    auto head = view(at, format::frame_header_size);
    if (!head) return head.error();
    const auto header = format::parse_frame_header(*head);
    if (!header || header->base_offset < next_offset_ || at + header->length > end_) continue;
    auto stands = frame_stands_at(at, *header);
    if (!stands) return stands.error();
    if (!*stands) continue;
    position_ = at;
    skipping_ = true;
    return header;
  }
  return std::optional<format::FrameHeader>();
}

Result<std::uint64_t> end_of_content(const os::File& file, std::uint64_t from, std::uint64_t end) {
  std::vector<std::byte> chunk(256u << 10);
  std::uint64_t content_end = from;
  while (from < end) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), end - from));
    auto got = file.read_at(from, MutableByteView(chunk.data(), size));
    if (!got) return got.error();
    if (*got == 0) break;
    if (!all_zero(ByteView(chunk).first(*got))) {
      std::size_t last = *got;
      while (chunk[last - 1] == std::byte{0}) --last;
      content_end = from + last;
    }
    from += *got;
  }
  return content_end;
}

}  // namespace iotstream::log
