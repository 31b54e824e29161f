// The compaction thread's part of a partition: when a pass is due, what it looks at, and how a copy takes a segment's place.
#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/compaction.hpp"
#include "log/partition.hpp"

namespace iotstream::log {
namespace {

/// Bytes of keys of one pass. With more distinct keys the pass goes as far as they reach, and the next one further.
constexpr std::size_t keys_bytes_max = 32u << 20;
/// What is new waits until it is as much as what was compacted before, so that everything is read and written about twice; or
/// this long.
constexpr Duration patience = Duration::seconds(3600);
/// For so long readers can see that a key has ended.
constexpr Duration ending_kept = Duration::seconds(86'400);

}  // namespace

/// The closed segments that may be rewritten, oldest first: sealed, below every pin, with the producers of their records stored
/// twice; and with a durable record behind them, so that a reader always finds one.
std::vector<std::shared_ptr<Segment>> PartitionLog::compactable() const {
  std::vector<std::shared_ptr<Segment>> found;
  std::lock_guard lock(segments_mutex_);
  if (segments_.empty() || segments_.back()->base_offset() >= durable_.load(std::memory_order_acquire)) return found;
  std::uint64_t limit = segments_.back()->base_offset();
  for (const auto& [name, offset] : pins_) limit = std::min(limit, offset);
  const std::uint64_t tables_reach = tables_reach_.load(std::memory_order_acquire);
  for (const auto& segment : segments_) {
    const auto known = segment->summary();
    const bool numbered = (known.attributes & format::frame_has_producers) != 0;
    if (known.next_offset > limit || !segment->is_sealed() || (numbered && known.next_offset > tables_reach)) break;
    found.push_back(segment);
  }
  return found;
}

PartitionLog::Compaction PartitionLog::compact(Timestamp now, const std::atomic<bool>& stopping) {
  if (!options_.compact || state_.load(std::memory_order_relaxed) != State::open) return Compaction::nothing;
  const auto segments = compactable();
  std::uint64_t clean_bytes = 0;
  std::uint64_t new_bytes = 0;
  std::int64_t oldest_new_us = now.us;
  for (const auto& segment : segments) {
    const auto known = segment->summary();
    const bool clean = known.next_offset <= compacted_to_;
    (clean ? clean_bytes : new_bytes) += known.end_position;
    if (!clean) oldest_new_us = std::min(oldest_new_us, known.last_append_us);
  }
  if (new_bytes == 0) return has_closed_beyond(compacted_to_) ? Compaction::waits : Compaction::nothing;
  if (new_bytes < clean_bytes && now.us - oldest_new_us < patience.us) return Compaction::waits;
  if (auto status = compact_pass(segments, now, stopping); !status) {
    diagnostics::warning("log", "{}: compaction stopped, it is tried again: {}", name(), status.error().message);
    return Compaction::waits;
  }
  return has_closed_beyond(compacted_to_) ? Compaction::waits : Compaction::done;
}

bool PartitionLog::has_closed_beyond(std::uint64_t offset) const {
  std::lock_guard lock(segments_mutex_);
  return segments_.size() > 1 && segments_[segments_.size() - 2]->summary().next_offset > offset;
}

Status PartitionLog::compact_pass(const std::vector<std::shared_ptr<Segment>>& segments, Timestamp now,
                                  const std::atomic<bool>& stopping) {
  const std::uint64_t begin = compacted_to_;
  LatestOffsets latest(keys_bytes_max);
  std::uint64_t end = begin;  // all below, from `begin` on, is in `latest`
  for (const auto& segment : segments) {
    if (segment->summary().next_offset <= begin) continue;
    bool room = true;
    auto walked = each_frame(*segment, stopping, [&](const format::FrameHeader& header, ByteView frame) {
      for (format::FrameRecords records(header, frame); records.next();) {
        if (records.offset() < begin || records.record().key.empty()) continue;
        room = latest.add(records.record().key, records.offset());
        if (!room) return false;
        end = records.offset() + 1;
      }
      return true;
    });
    if (!walked) return walked.error();
    if (stopping.load(std::memory_order_relaxed)) return {};
    if (!room) break;
    end = segment->summary().next_offset;
  }
  // An ending may go once all before it have gone: those that an earlier pass has dealt with, unless a segment had to stay.
  bool endings_go = true;
  const Keeps keeps = [&](std::uint64_t offset, const format::RecordView& record, std::int64_t append_time_us) {
    if (record.key.empty() || offset >= end) return true;
    if (const auto newer = latest.find(record.key); newer && *newer > offset) return false;
    return !(endings_go && record.value.empty() && offset < begin && now.us - append_time_us > ending_kept.us);
  };
  for (const auto& segment : segments) {
    if (segment->base_offset() >= end) break;
    auto whole = compact_segment(segment, keeps, now, stopping);
    if (!whole) return whole.error();
    if (stopping.load(std::memory_order_relaxed)) return {};
    endings_go = endings_go && *whole;
  }
  environment_.counters.compaction_passes.add();
  compacted_to_ = end;
  return {};
}

/// False when the segment cannot be read as a whole: it stays as it is.
Result<bool> PartitionLog::compact_segment(const std::shared_ptr<Segment>& segment, const Keeps& keeps, Timestamp now,
                                           const std::atomic<bool>& stopping) {
  bool all_stay = true;
  auto walked = each_frame(*segment, stopping, [&](const format::FrameHeader& header, ByteView frame) {
    for (format::FrameRecords records(header, frame); records.next();)
      if (!keeps(records.offset(), records.record(), header.append_time_us)) all_stay = false;
    return true;
  });
  if (!walked) return walked.error();
  if (*walked != Walk::whole) return false;
  if (all_stay) return true;
  const std::string path = segment->path() + std::string(copy_suffix);
  format::SegmentHeader header;
  header.salt = environment_.salt();
  header.partition = identity_.partition.value;
  header.base_offset = segment->base_offset();
  header.created_us = now.us;
  header.topic = identity_.topic;
  auto rewritten = rewrite(environment_.disk, *segment, path, header, keeps, stopping);
  if (!rewritten || !*rewritten) {
    if (environment_.disk.exists(path)) (void)environment_.disk.remove(path).ok();  // else the next pass does
    if (!rewritten) return rewritten.error();
    return false;
  }
  const std::uint64_t bytes_before = segment->bytes();
  auto replaced = replace(segment, (*rewritten)->index, path);
  if (!replaced) return replaced.error();
  if (!*replaced) return true;
  auto& counters = environment_.counters;
  counters.compaction_removed_records.add((*rewritten)->removed_records);
  const std::uint64_t bytes_now = (*rewritten)->index.summary().end_position;
  counters.compaction_removed_bytes.add(bytes_before - std::min(bytes_before, bytes_now));
  return true;
}

/// The copy takes the segment's name. The stored index goes first: without one a segment is read and its index built again,
/// whichever of the two a crash leaves under the name; with the other's it would be believed. False when retention was quicker.
Result<bool> PartitionLog::replace(const std::shared_ptr<Segment>& segment, const SegmentIndex& index,
                                   const std::string& path) {
  // Readers that have the segment go on with its file, which has no name then.
  if (auto status = segment->hold(); !status) return status.error();
  auto& disk = environment_.disk;
  {
    std::lock_guard lock(segments_mutex_);
    if (std::find(segments_.begin(), segments_.end(), segment) != segments_.end()) replacing_ = segment.get();
  }
  if (replacing_ == nullptr) {
    if (auto status = disk.remove(path); !status) return status.error();
    return false;
  }
  const std::string index_path = identity_.directory + "/" + index_file_name(segment->base_offset());
  Status status;
  if (disk.exists(index_path)) status = disk.remove(index_path);
  if (status) status = disk.sync_directory(identity_.directory);
  if (status) status = disk.rename(path, segment->path());
  const bool renamed = status.ok();
  if (status) status = disk.sync_directory(identity_.directory);
  if (status) {
    auto bytes = index.encode();
    format::stamp_owner(MutableByteView(bytes).first(format::summary_size),
                        format::owner_tag(identity_.topic, identity_.partition.value));
    status = os::write_atomically(disk, index_path, bytes);
  }
  std::lock_guard lock(segments_mutex_);
  replacing_ = nullptr;
  if (renamed) {
    const auto place = std::find(segments_.begin(), segments_.end(), segment);
    *place = Segment::sealed(disk, identity_.directory, index.summary(), {identity_.topic, identity_.partition});
    std::erase_if(cursors_, [&segment](const Cursor& cursor) { return cursor.segment == segment.get(); });
  }
  if (!status) return status.error();
  return true;
}

}  // namespace iotstream::log
