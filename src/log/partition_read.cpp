// Readers of a partition: from memory when it is recent, else from the segments with every checksum verified.
#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/partition.hpp"

namespace iotstream::log {
namespace {

constexpr std::size_t cursors_max = 16;

/// Collects records until enough bytes are there.
class Collector {
 public:
  Collector(std::uint64_t from, std::uint64_t limit, std::size_t bytes_max)
      : from_(from), limit_(limit), bytes_max_(bytes_max) {}

  /// False when enough is collected. The frame has passed its check.
  bool add(const format::FrameHeader& header, ByteView frame) {
    // Room for what will come of this frame, judged by the mean size of its records; growth stays geometric.
    const std::size_t records_max = std::min<std::size_t>(header.count, frame.size() / format::record_header_size);
    const std::size_t expected =
        records_max * std::min<std::size_t>(bytes_max_ - bytes_ + 256, frame.size()) / frame.size() + 1;
    if (records_.size() + expected > records_.capacity())
      records_.reserve(std::max(records_.size() + expected, 2 * records_.size()));
    for (format::FrameRecords frame_records(header, frame); frame_records.next();) {
      const std::uint64_t offset = frame_records.offset();
      if (offset < from_) continue;
      if (offset >= limit_ || (bytes_ >= bytes_max_ && !records_.empty())) return false;
      const format::RecordView& record = frame_records.record();
      records_.push_back({Offset(offset), {record.time_us}, {header.append_time_us}, record.key, record.value});
      bytes_ += format::record_header_size + record.key.size() + record.value.size();
    }
    return bytes_ < bytes_max_;
  }
  std::vector<Record> take() { return std::move(records_); }
  bool empty() const { return records_.empty(); }
  std::uint64_t next() const { return records_.back().offset.value + 1; }

 private:
  std::uint64_t from_;
  std::uint64_t limit_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::vector<Record> records_;
};

}  // namespace

std::uint64_t PartitionLog::limit_of(Watermark watermark) const {
  return (watermark == Watermark::written ? written_ : durable_).load(std::memory_order_acquire);
}

Result<Batch> PartitionLog::read(Offset from, std::size_t bytes_max, Watermark limit) {
  const std::uint64_t end = limit_of(limit);
  if (from.value > end)
    return Error{ErrorKind::invalid, fmt::format("{}: offset {} is beyond the end, which is {}", name(), from, end)};
  const std::uint64_t begin = std::max(from.value, earliest_.load(std::memory_order_acquire));
  if (begin >= end) return Batch();
  auto frames = cache_.find(begin, bytes_max);
  if (frames.empty()) return read_cold(begin, end, bytes_max);
  Collector collector(begin, end, bytes_max);
  for (const CachedFrame& frame : frames)
    if (!collector.add(frame.header, frame.view())) break;
  auto owner = std::make_shared<const std::vector<CachedFrame>>(std::move(frames));
  return Batch(std::move(owner), collector.take());
}

std::shared_ptr<Segment> PartitionLog::segment_of(std::uint64_t offset) const {
  std::lock_guard lock(segments_mutex_);
  const auto after = std::partition_point(segments_.begin(), segments_.end(),
                                          [offset](const auto& segment) { return segment->base_offset() <= offset; });
  return after == segments_.begin() ? (segments_.empty() ? nullptr : segments_.front()) : *std::prev(after);
}

/// The segment behind `segment`, when there is one.
std::shared_ptr<Segment> PartitionLog::segment_after(const Segment& segment) const {
  std::lock_guard lock(segments_mutex_);
  const auto after = std::partition_point(segments_.begin(), segments_.end(), [&segment](const auto& other) {
    return other->base_offset() <= segment.base_offset();
  });
  return after == segments_.end() ? nullptr : *after;
}

Result<std::optional<ScanStart>> PartitionLog::place_of(Segment& segment, std::uint64_t offset) {
  {
    std::lock_guard lock(segments_mutex_);
    for (const Cursor& cursor : cursors_)
      if (cursor.offset == offset && cursor.segment == &segment) return std::optional<ScanStart>(cursor.start);
  }
  return segment.find(offset);
}

/// The reader will ask for `wanted` next: that is where the scanner stands, or inside the frame it gave last.
void PartitionLog::remember(const Segment& segment, const FrameScanner& scanner, std::uint64_t wanted) {
  Cursor cursor{wanted, &segment, {scanner.position(), scanner.next_offset(), scanner.chain()}};
  const auto& frame = scanner.frame();
  if (wanted < scanner.next_offset()) cursor.start = {scanner.frame_position(), frame.base_offset, frame.previous_crc};
  std::lock_guard lock(segments_mutex_);
  // Not of one that has gone meanwhile: a later segment could come to stand at its address.
  const auto place = std::partition_point(segments_.begin(), segments_.end(), [&segment](const auto& other) {
    return other->base_offset() < segment.base_offset();
  });
  if (place == segments_.end() || place->get() != &segment) return;
  if (cursors_.size() == cursors_max) cursors_.erase(cursors_.begin());
  cursors_.push_back(cursor);
}

Result<Batch> PartitionLog::read_cold(std::uint64_t from, std::uint64_t limit, std::size_t bytes_max) {
  environment_.counters.cold_reads.add();
  // One segment of at least the first is enough: the caller comes again.
  for (auto segment = segment_of(from); segment != nullptr; segment = segment_after(*segment)) {
    auto batch = read_segment(*segment, from, limit, bytes_max);
    if (!batch && batch.error().kind == ErrorKind::corrupt)
      report_rest(*segment, segment->base_offset(), 0, batch.error().message);
    else if (!batch || !batch->empty())
      return batch;
    if (segment->summary().next_offset >= limit) break;
  }
  return Batch();
}

Result<Batch> PartitionLog::read_segment(Segment& segment, std::uint64_t from, std::uint64_t limit, std::size_t bytes_max) {
  const std::uint64_t wanted = std::max(from, segment.base_offset());
  auto start = place_of(segment, wanted);
  if (!start) return start.error();
  const std::uint64_t known_end = segment.summary().next_offset;
  if (!*start) {
    if (wanted < known_end) report_rest(segment, segment.base_offset(), format::frames_begin, "no batch in it can be read");
    return Batch();
  }
  if ((*start)->next_offset > wanted)
    report({identity_.partition, Offset(segment.base_offset()), Offset((*start)->next_offset), segment.path(),
            format::frames_begin, "the first batches cannot be read"},
           (*start)->position - format::frames_begin);
  const std::size_t chunk = std::clamp<std::size_t>(bytes_max + format::index_cell_size, 64u << 10, 256u << 10);
  auto scanner = segment.scan(**start, chunk);
  if (!scanner) return scanner.error();
  Collector collector(from, limit, bytes_max);
  auto buffers = std::make_shared<std::vector<std::shared_ptr<std::byte[]>>>();
  for (bool more = true; more;) {
    auto step = scanner->next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::end) {
      // Within what is known to hold records, zeros or an early end of the file are no end.
      if (scanner->next_offset() < known_end)
        report_rest(segment, scanner->next_offset(), scanner->position(), "nothing stands where batches were");
      break;
    }
    if (*step == FrameScanner::Step::damaged) {
      auto found = skip_damage(segment, *scanner);
      if (!found) return found.error();
      if (!*found) break;
      continue;
    }
    if (scanner->frame().next_offset() <= from) continue;
    if (buffers->empty() || buffers->back() != scanner->buffer()) buffers->push_back(scanner->buffer());
    more = collector.add(scanner->frame(), scanner->frame_bytes());
  }
  if (!collector.empty()) remember(segment, *scanner, collector.next());
  return Batch(std::move(buffers), collector.take());
}

/// Reports what cannot be served and goes behind it; false when nothing good follows in this segment.
Result<bool> PartitionLog::skip_damage(const Segment& segment, FrameScanner& scanner) {
  Damage damage;
  damage.partition = identity_.partition;
  damage.first = Offset(scanner.next_offset());
  damage.file = segment.path();
  damage.position = scanner.position();
  damage.reason = scanner.reason();
  auto found = scanner.resync();
  if (!found) return found.error();
  const auto known = segment.summary();
  std::uint64_t end = known.end_position;
  damage.next = Offset(known.next_offset);
  if (*found) {
    damage.next = Offset((*found)->base_offset);
    end = scanner.position();
  }
  const std::uint64_t begin = damage.position;
  report(std::move(damage), end - std::min(end, begin));
  return found->has_value();
}

/// Everything of the segment from `first` on is lost.
void PartitionLog::report_rest(const Segment& segment, std::uint64_t first, std::uint64_t position, std::string reason) {
  const auto known = segment.summary();
  report({identity_.partition, Offset(first), Offset(known.next_offset), segment.path(), position, std::move(reason)},
         known.end_position - std::min(known.end_position, position));
}

void PartitionLog::report(Damage damage, std::uint64_t bytes) {
  if (damage.first >= damage.next) return;
  std::lock_guard lock(segments_mutex_);
  for (const Damage& known : damage_)
    if (known.first == damage.first && known.next == damage.next) return;
  environment_.counters.corrupt_bytes.add(bytes);
  diagnostics::error("log", "{}: offsets {} to {} cannot be read ({}, byte {}): {}", name(), damage.first,
                     damage.next.value - 1, damage.file, damage.position, damage.reason);
  damage_.push_back(std::move(damage));
}

std::vector<Stretch> PartitionLog::stretches() const {
  // Before the summaries: they cover at least what is durable now.
  const std::uint64_t end = limit_of(Watermark::durable);
  std::vector<Stretch> stretches;
  std::lock_guard lock(segments_mutex_);
  for (const auto& segment : segments_) {
    const auto known = segment->summary();
    const std::uint64_t next = std::min(known.next_offset, end);
    if (known.base_offset < next)
      stretches.push_back({Offset(known.base_offset), Offset(next), {known.min_time_us}, {known.max_time_us}});
  }
  return stretches;
}

Result<Offset> PartitionLog::seek(Timestamp time) {
  const std::uint64_t limit = limit_of(Watermark::durable);
  std::vector<std::shared_ptr<Segment>> segments;
  {
    std::lock_guard lock(segments_mutex_);
    segments = segments_;
  }
  for (const auto& segment : segments) {
    if (segment->base_offset() >= limit) break;
    auto found = seek_in(*segment, time.us, limit);
    if (!found && found.error().kind == ErrorKind::corrupt) continue;  // read() reports it
    if (!found) return found.error();
    if (*found) return Offset(**found);
  }
  return Offset(limit);
}

/// The first cell that reaches the time holds the record, unless it is damaged; then one of the next does, or none.
Result<std::optional<std::uint64_t>> PartitionLog::seek_in(Segment& segment, std::int64_t time_us, std::uint64_t limit) {
  auto place = segment.find_time(time_us);
  if (!place) return place.error();
  if (!*place) return std::optional<std::uint64_t>();
  auto scanner = segment.scan(**place, 2 * format::index_cell_size);
  if (!scanner) return scanner.error();
  for (;;) {
    auto step = scanner->next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::end) return std::optional<std::uint64_t>();
    if (*step == FrameScanner::Step::damaged) {
      auto found = skip_damage(segment, *scanner);
      if (!found) return found.error();
      if (!*found) return std::optional<std::uint64_t>();
      continue;
    }
    if (scanner->frame().base_offset >= limit) return std::optional<std::uint64_t>();
    if (scanner->frame().max_time_us < time_us) continue;
    for (format::FrameRecords records(scanner->frame(), scanner->frame_bytes()); records.next();)
      if (records.record().time_us >= time_us) return std::optional<std::uint64_t>(records.offset());
  }
}

}  // namespace iotstream::log
