#include "log/index.hpp"

#include <algorithm>

#include "log/mutation.hpp"

namespace iotstream::log {

using format::index_cell_size;
using format::IndexEntry;

SegmentIndex::SegmentIndex(std::uint64_t salt, std::uint64_t base_offset) {
  summary_.salt = salt;
  summary_.base_offset = base_offset;
  summary_.next_offset = base_offset;
  summary_.end_position = format::frames_begin;
  summary_.chain = format::first_chain(salt);
}

SegmentIndex::SegmentIndex(const format::Mark& mark) : SegmentIndex(mark.salt, mark.segment_base) {
  summary_.next_offset = mark.next_offset;
  summary_.end_position = mark.position;
  summary_.chain = mark.chain;
  summary_.min_time_us = mark.min_time_us;
  summary_.max_time_us = mark.max_time_us;
  summary_.first_append_us = mark.first_append_us;
  summary_.last_append_us = mark.append_time_us;
  summary_.attributes = mark.attributes;
  complete_ = mark.position == format::frames_begin;
  known_from_ = mark.position;
}

SegmentIndex SegmentIndex::of_summary(const format::SegmentSummary& summary) {
  SegmentIndex index;
  index.summary_ = summary;
  index.summary_.entry_count = 0;
  index.summary_.entries_crc = 0;
  return index;
}

Result<SegmentIndex> SegmentIndex::decode(ByteView file) {
  if (file.size() < format::summary_size) return Error{ErrorKind::corrupt, "the index is cut short"};
  auto summary = format::parse_summary(file.first(format::summary_size));
  if (!summary) return summary.error();
  const ByteView body = file.subspan(format::summary_size);
  const bool whole = crc32c(body) == summary->entries_crc || mutation::without(mutation::Site::index_entries_crc);
  if (body.size() != std::uint64_t{summary->entry_count} * format::index_entry_size || !whole)
    return Error{ErrorKind::corrupt, "the index's entries fail their check"};
  SegmentIndex index;
  index.summary_ = *summary;
  index.entries_.resize(summary->entry_count);
  for (std::size_t i = 0; i != index.entries_.size(); ++i) {
    const std::byte* at = body.data() + i * format::index_entry_size;
    index.entries_[i] = {load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4), load_le<std::int64_t>(at + 8)};
  }
  index.summary_.entry_count = 0;
  index.summary_.entries_crc = 0;
  return index;
}

void SegmentIndex::add(const format::FrameHeader& frame, std::uint64_t position) {
  const bool first = summary_.end_position == format::frames_begin && summary_.next_offset == summary_.base_offset;
  const bool new_cell = entries_.empty() || entries_.back().position / index_cell_size != position / index_cell_size;
  if (first) {
    summary_.min_time_us = frame.min_time_us;
    summary_.max_time_us = frame.max_time_us;
    summary_.first_append_us = frame.append_time_us;
  }
  summary_.min_time_us = std::min(summary_.min_time_us, frame.min_time_us);
  summary_.max_time_us = std::max(summary_.max_time_us, frame.max_time_us);
  summary_.last_append_us = frame.append_time_us;
  summary_.next_offset = frame.next_offset();
  summary_.end_position = position + frame.length;
  summary_.chain = frame.crc;
  summary_.attributes |= frame.attributes;
  if (new_cell)
    entries_.push_back({static_cast<std::uint32_t>(frame.base_offset - summary_.base_offset),
                        static_cast<std::uint32_t>(position), summary_.max_time_us});
  else
    entries_.back().max_time_us = summary_.max_time_us;
}

void SegmentIndex::complete_with(const SegmentIndex& prefix) {
  std::vector<IndexEntry> entries = prefix.entries_;
  for (const IndexEntry& entry : entries_) {
    if (!entries.empty() && entries.back().position / index_cell_size == entry.position / index_cell_size)
      entries.back().max_time_us = entry.max_time_us;  // the mark stood inside this cell
    else
      entries.push_back(entry);
  }
  entries_ = std::move(entries);
  complete_ = true;
  known_from_ = format::frames_begin;
}

std::vector<std::byte> SegmentIndex::encode() const {
  std::vector<std::byte> file(format::summary_size + entries_.size() * format::index_entry_size);
  std::byte* at = file.data() + format::summary_size;
  for (const IndexEntry& entry : entries_) {
    store_le(at, entry.offset_delta);
    store_le(at + 4, entry.position);
    store_le(at + 8, entry.max_time_us);
    at += format::index_entry_size;
  }
  format::SegmentSummary summary = summary_;
  summary.entry_count = static_cast<std::uint32_t>(entries_.size());
  summary.entries_crc = crc32c(ByteView(file).subspan(format::summary_size));
  format::encode(summary, MutableByteView(file).first(format::summary_size));
  return file;
}

std::optional<SegmentIndex::Place> SegmentIndex::find(std::uint64_t offset) const {
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [this](std::uint64_t wanted, const IndexEntry& entry) { return wanted < summary_.base_offset + entry.offset_delta; });
  if (after == entries_.begin()) {
    // Before the first frame that is known: in a complete index the offsets in front of it are lost, and it is the place to go
    // on.
    if (!complete_ || entries_.empty()) return std::nullopt;
    return Place{entries_.front().position, summary_.base_offset + entries_.front().offset_delta};
  }
  const IndexEntry& entry = *std::prev(after);
  return Place{entry.position, summary_.base_offset + entry.offset_delta};
}

std::optional<SegmentIndex::Place> SegmentIndex::find_time(std::int64_t time_us) const {
  const auto cell = std::partition_point(entries_.begin(), entries_.end(),
                                         [time_us](const IndexEntry& entry) { return entry.max_time_us < time_us; });
  if (cell == entries_.end()) return std::nullopt;
  return Place{cell->position, summary_.base_offset + cell->offset_delta};
}

}  // namespace iotstream::log
