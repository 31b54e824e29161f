#include "log/compaction.hpp"

#include <algorithm>
#include <array>

namespace iotstream::log {
namespace {

/// Written and synced in pieces of this: a group commit that comes in between waits for one of them, not for a segment.
constexpr std::size_t piece_size = 1u << 20;

/// Writes the frames of the copy one behind the other.
class Copy {
 public:
  Copy(os::File& file, const format::SegmentHeader& header)
      : file_(file),
        salt_(header.salt),
        index_(header.salt, header.base_offset),
        chain_(format::first_chain(header.salt)),
        next_offset_(header.base_offset) {
    buffer_.resize(format::frames_begin);
    format::encode(header, MutableByteView(buffer_).first(format::sector_size));
    format::encode(header, MutableByteView(buffer_).last(format::sector_size));
  }

  Status add(const format::FrameHeader& header, ByteView frame, const Keeps& keeps) {
    std::vector<std::byte> body;
    format::FrameHeader kept;
    kept.min_time_us = format::no_min_time_us;
    kept.max_time_us = format::no_max_time_us;
    kept.base_offset = next_offset_;
    std::uint64_t next = next_offset_;
    std::uint64_t all = 0;
    std::uint64_t left = 0;
    for (format::FrameRecords records(header, frame); records.next(); ++all) {
      const auto& record = records.record();
      if (!keeps(records.offset(), record, header.append_time_us)) continue;
      if (records.offset() != next) put_gap(body, kept, records.offset() - next);
      body.insert(body.end(), records.bytes().begin(), records.bytes().end());
      kept.min_time_us = std::min(kept.min_time_us, record.time_us);
      kept.max_time_us = std::max(kept.max_time_us, record.time_us);
      if (record.numbered) kept.attributes |= format::frame_has_producers;
      next = records.offset() + 1;
      ++left;
    }
    removed_ += all - left;
    if (left == 0) return {};  // the gap becomes a part of the next frame
    if (auto status = put_held(); !status) return status;
    kept.append_time_us = header.append_time_us;
    kept.count = static_cast<std::uint32_t>(next - kept.base_offset);
    held_ = kept;
    held_body_ = std::move(body);
    next_offset_ = next;
    return {};
  }

  /// `summary` is of the original: the copy ends at the same offset, and its records are as durable.
  Status finish(const format::SegmentSummary& summary) {
    if (next_offset_ != summary.next_offset) {
      if (!held_) {
        held_.emplace();
        held_->base_offset = next_offset_;
        held_->append_time_us = summary.last_append_us;
        held_->min_time_us = format::no_min_time_us;
        held_->max_time_us = format::no_max_time_us;
      }
      const std::uint64_t gap = summary.next_offset - next_offset_;
      put_gap(held_body_, *held_, gap);
      held_->count += static_cast<std::uint32_t>(gap);
      next_offset_ = summary.next_offset;
    }
    if (auto status = put_held(); !status) return status;
    return flush();
  }

  void set_durable(std::uint64_t offset) { durable_offset_ = offset; }
  SegmentIndex& index() { return index_; }
  std::uint64_t removed() const { return removed_; }

 private:
  static void put_gap(std::vector<std::byte>& body, format::FrameHeader& header, std::uint64_t offsets) {
    const std::size_t at = body.size();
    body.resize(at + format::record_header_size);
    format::put_record_header(body.data() + at, static_cast<std::uint32_t>(offsets), format::gap_bit, 0);
    header.attributes |= format::frame_has_gaps;
  }

  /// A frame is held back until it is known whether a gap ends it.
  Status put_held() {
    if (!held_) return {};
    const std::size_t length = format::align_frame(format::frame_header_size + held_body_.size());
    const std::size_t at = buffer_.size();
    buffer_.resize(at + length);
    std::copy(held_body_.begin(), held_body_.end(),
              buffer_.begin() + static_cast<std::ptrdiff_t>(at + format::frame_header_size));
    held_->length = static_cast<std::uint32_t>(length);
    held_->previous_crc = chain_;
    held_->durable_offset = durable_offset_;
    chain_ = held_->crc = format::seal(MutableByteView(buffer_).subspan(at), *held_, salt_, written_ + at);
    index_.add(*held_, written_ + at);
    held_.reset();
    held_body_.clear();
    return buffer_.size() >= piece_size ? flush() : Status();
  }

  Status flush() {
    if (auto status = file_.write_at(written_, buffer_); !status) return status;
    if (auto status = file_.sync(); !status) return status;
    written_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  os::File& file_;
  std::uint64_t salt_;
  SegmentIndex index_;
  std::uint32_t chain_;
  std::uint64_t next_offset_;
  std::uint64_t durable_offset_ = 0;
  std::uint64_t written_ = 0;  ///< bytes of the file before buffer_
  std::vector<std::byte> buffer_;
  std::optional<format::FrameHeader> held_;
  std::vector<std::byte> held_body_;
  std::uint64_t removed_ = 0;
};

/// The index of what stands in the file, with every check.
Result<std::optional<SegmentIndex>> read_back(const os::File& file, const format::SegmentHeader& header, std::uint64_t end) {
  SegmentIndex index(header.salt, header.base_offset);
  FrameScanner scanner(file, header.salt, {format::frames_begin, header.base_offset, format::first_chain(header.salt)}, end,
                       piece_size);
  for (;;) {
    auto step = scanner.next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::damaged) return std::optional<SegmentIndex>();
    if (*step == FrameScanner::Step::end) return std::optional(std::move(index));
    index.add(scanner.frame(), scanner.frame_position());
  }
}

}  // namespace

bool LatestOffsets::add(std::string_view key, std::uint64_t offset) {
  if (const auto known = offsets_.find(key); known != offsets_.end()) {
    known->second = offset;
    return true;
  }
  if (bytes_ + key.size() + overhead > bytes_max_ && !offsets_.empty()) return false;
  bytes_ += key.size() + overhead;
  offsets_.emplace(std::string(key), offset);
  return true;
}

std::optional<std::uint64_t> LatestOffsets::find(std::string_view key) const {
  const auto known = offsets_.find(key);
  return known == offsets_.end() ? std::nullopt : std::optional(known->second);
}

Result<Walk> each_frame(Segment& segment, const std::atomic<bool>& stopping,
                        const std::function<bool(const format::FrameHeader& header, ByteView frame)>& visit) {
  auto scanner = segment.scan({format::frames_begin, segment.base_offset(), std::nullopt}, piece_size);
  if (!scanner) return scanner.error();
  for (;;) {
    if (stopping.load(std::memory_order_relaxed)) return Walk::stopped;
    auto step = scanner->next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::damaged) return Walk::damaged;
    if (*step == FrameScanner::Step::end)
      return scanner->next_offset() == segment.summary().next_offset ? Walk::whole : Walk::damaged;
    if (!visit(scanner->frame(), scanner->frame_bytes())) return Walk::stopped;
  }
}

Result<std::optional<Rewritten>> rewrite(os::Disk& disk, Segment& segment, const std::string& path,
                                         const format::SegmentHeader& header, const Keeps& keeps,
                                         const std::atomic<bool>& stopping) {
  if (disk.exists(path))  // of a copy that was not finished
    if (auto status = disk.remove(path); !status) return status.error();
  auto file = disk.open(path, os::OpenMode::create);
  if (!file) return file.error();
  Copy copy(**file, header);
  copy.set_durable(segment.summary().next_offset);
  Status written;
  auto walked = each_frame(segment, stopping, [&](const format::FrameHeader& frame, ByteView bytes) {
    written = copy.add(frame, bytes, keeps);
    return written.ok();
  });
  if (!walked) return walked.error();
  if (!written) return written.error();
  if (*walked != Walk::whole) return std::optional<Rewritten>();
  if (auto status = copy.finish(segment.summary()); !status) return status.error();
  auto back = read_back(**file, header, copy.index().summary().end_position);
  if (!back) return back.error();
  if (!*back || !(**back == copy.index())) return Error{ErrorKind::io, path + ": what was read back is not what was written"};
  return std::optional(Rewritten{std::move(copy.index()), copy.removed()});
}

}  // namespace iotstream::log
