#include "log/segment.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/os/process.hpp>

#include "log/mutation.hpp"

namespace iotstream::log {

using mutation::Site;
using mutation::without;

std::uint64_t random_salt() {
  const std::string bytes = os::random_bytes(sizeof(std::uint64_t));
  return load_le<std::uint64_t>(as_bytes(bytes).data());
}

std::string segment_file_name(std::uint64_t base_offset) { return fmt::format("{:020}.segment", base_offset); }
std::string index_file_name(std::uint64_t base_offset) { return fmt::format("{:020}.index", base_offset); }

std::optional<std::uint64_t> parse_segment_file_name(std::string_view name) {
  constexpr std::string_view suffix = ".segment";
  if (name.size() != 20 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::uint64_t base = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 20, base);
  if (error != std::errc() || end != name.data() + 20) return std::nullopt;
  return base;
}

Segment::Segment(os::Disk& disk, const std::string& directory, std::uint64_t base_offset, SegmentIndex index)
    : disk_(disk),
      directory_(directory),
      base_offset_(base_offset),
      salt_(index.summary().salt),
      path_(directory + "/" + segment_file_name(base_offset)),
      end_position_(index.summary().end_position),
      chain_(index.summary().chain),
      index_(std::move(index)) {}

Result<std::shared_ptr<Segment>> Segment::create(os::Disk& disk, const std::string& directory, format::SegmentHeader header,
                                                 std::uint64_t size_max) {
  auto segment =
      std::shared_ptr<Segment>(new Segment(disk, directory, header.base_offset, SegmentIndex(header.salt, header.base_offset)));
  auto file = disk.open(segment->path_, os::OpenMode::create);
  if (!file) return file.error();
  segment->file_ = std::move(*file);
  segment->size_max_ = size_max;
  segment->name_synced_ = false;
  segment->owner_ = {header.topic, PartitionId(header.partition)};
  std::array<std::byte, format::frames_begin> headers;
  format::encode(header, MutableByteView(headers).first(format::sector_size));
  format::encode(header, MutableByteView(headers).last(format::sector_size));
  auto status = segment->reserve(format::frames_begin);
  if (status) status = segment->file_->write_at(0, headers);
  if (!status) {
    // Nothing refers to it yet; a name left behind would be in the way of the next attempt.
    segment->file_.reset();
    if (auto removed = disk.remove(segment->path_); !removed) return removed.error();
    return status.error();
  }
  segment->zeroed_end_ = format::frames_begin;
  return segment;
}

std::shared_ptr<Segment> Segment::growing(os::Disk& disk, const std::string& directory, std::unique_ptr<os::File> file,
                                          SegmentIndex index, std::uint64_t file_size, std::uint64_t size_max,
                                          SegmentOwner owner) {
  const auto base = index.summary().base_offset;
  auto segment = std::shared_ptr<Segment>(new Segment(disk, directory, base, std::move(index)));
  segment->file_ = std::move(file);
  segment->size_max_ = size_max;
  segment->owner_ = std::move(owner);
  segment->reserved_end_ = file_size;
  segment->zeroed_end_ = segment->end_position_;
  segment->name_synced_ = false;
  return segment;
}

std::shared_ptr<Segment> Segment::sealed(os::Disk& disk, const std::string& directory, const format::SegmentSummary& summary,
                                         SegmentOwner owner) {
  SegmentIndex index(summary.salt, summary.base_offset);
  auto segment = std::shared_ptr<Segment>(new Segment(disk, directory, summary.base_offset, std::move(index)));
  segment->index_ = SegmentIndex::of_summary(summary);
  segment->end_position_ = summary.end_position;
  segment->chain_ = summary.chain;
  segment->entries_loaded_ = false;
  segment->closed_ = true;
  segment->sealed_ = true;
  segment->owner_ = std::move(owner);
  return segment;
}

Result<format::SegmentHeader> Segment::read_header(const os::File& file) {
  std::array<std::byte, format::frames_begin> headers;
  auto got = file.read_at(0, headers);
  if (!got) return got.error();
  if (*got < headers.size()) return Error{ErrorKind::corrupt, "the file ends inside the segment's header"};
  auto first = format::parse_segment_header(ByteView(headers).first(format::sector_size));
  if (first || first.error().kind == ErrorKind::unsupported) return first;
  return format::parse_segment_header(ByteView(headers).last(format::sector_size));
}

format::SegmentSummary Segment::summary() const {
  std::lock_guard lock(mutex_);
  return index_.summary();
}

bool Segment::is_closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

bool Segment::is_sealed() const {
  std::lock_guard lock(mutex_);
  return sealed_;
}

void Segment::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

bool Segment::has_room(std::size_t frame_length) const {
  return end_position_ == format::frames_begin || end_position_ + frame_length <= size_max_;
}

Status Segment::reserve(std::uint64_t end) {
  while (reserved_end_ < end) {
    // Up to the size of a segment in steps; beyond it (one record longer than a whole segment) exactly what is needed.
    const std::uint64_t step = std::clamp(reserved_end_ / 2, allocation_step_min, allocation_step_max);
    const std::uint64_t step_end = std::min(reserved_end_ + step, std::max(size_max_, end));
    if (auto status = file_->allocate(reserved_end_, step_end - reserved_end_); !status) return status;
    reserved_end_ = step_end;
  }
  return {};
}

/// Only ever makes a later fdatasync quicker: its failure is found again, and dealt with, by the write that matters.
void Segment::zero_ahead(std::uint64_t position, std::uint64_t length) {
  static const std::vector<std::byte> zeros(zeroing_step);
  if (length > zeroing_frame_max || position + length <= zeroed_end_) return;
  const std::uint64_t begin = position + length;
  const std::uint64_t end = std::min(begin + zeroing_step, reserved_end_);
  if (end > begin && file_->write_at(begin, ByteView(zeros).first(end - begin))) zeroed_end_ = end;
}

Status Segment::write(MutableByteView frame, format::FrameHeader& header) {
  if (auto status = reserve(end_position_ + frame.size()); !status) return status;
  zero_ahead(end_position_, frame.size());
  header.length = static_cast<std::uint32_t>(frame.size());
  header.previous_crc = chain_;
  header.crc = format::seal(frame, header, salt_, end_position_);
  if (auto status = file_->write_at(end_position_, frame); !status) return status;
  std::lock_guard lock(mutex_);
  index_.add(header, end_position_);
  end_position_ += frame.size();
  chain_ = header.crc;
  return {};
}

Status Segment::sync() {
  if (auto status = without(Site::segment_sync) ? Status() : file_->sync(); !status) return status;
  if (!name_synced_ && !without(Site::segment_name_sync)) {
    if (auto status = disk_.sync_directory(directory_); !status) return status;
    name_synced_ = true;
  }
  return {};
}

Status Segment::seal() {
  close();
  if (auto status = complete_index(); !status) return status;
  std::vector<std::byte> bytes;
  {
    std::lock_guard lock(mutex_);
    bytes = index_.encode();
  }
  format::stamp_owner(MutableByteView(bytes).first(format::summary_size),
                      format::owner_tag(owner_.topic, owner_.partition.value));
  // The cut needs no sync: the index says where the frames end, and they are durable already.
  if (auto status = file_->truncate(summary().end_position); !status) return status;
  if (auto status = os::write_atomically(disk_, directory_ + "/" + index_file_name(base_offset_), bytes); !status)
    return status;
  std::lock_guard lock(mutex_);
  sealed_ = true;
  return {};
}

Status Segment::hold() {
  if (auto opened = file(); !opened) return opened.error();
  return complete_index();
}

Status Segment::remove() {
  // The index first: a segment without one is rebuilt, an index without its segment would be a riddle.
  const std::string index_path = directory_ + "/" + index_file_name(base_offset_);
  if (disk_.exists(index_path))
    if (auto status = disk_.remove(index_path); !status) return status;
  if (auto status = disk_.remove(path_); !status) return status;
  const std::string copy = path_ + std::string(copy_suffix);
  if (disk_.exists(copy))
    if (auto status = disk_.remove(copy); !status) return status;
  return without(Site::retention_sync) ? Status() : disk_.sync_directory(directory_);
}

Result<os::File*> Segment::file() {
  std::lock_guard lock(mutex_);
  if (file_ == nullptr) {
    auto opened = disk_.open(path_, os::OpenMode::read);
    if (!opened) return opened.error();
    if (auto status = check_owner(**opened); !status) return status.error();
    file_ = std::move(*opened);
  }
  return file_.get();
}

/// A header of which neither copy holds is no reason to refuse: the salt is known, and the frames speak for themselves.
Status Segment::check_owner(const os::File& file) const {
  if (without(Site::segment_identity)) return {};
  const auto header = read_header(file);
  if (!header && header.error().kind == ErrorKind::unsupported) return header.error();
  if (!header || (header->salt == salt_ && header->base_offset == base_offset_ && header->topic == owner_.topic &&
                  header->partition == owner_.partition.value))
    return {};
  return Error{ErrorKind::corrupt, fmt::format("{} is not this partition's: its header names {}/{} from offset {} on", path_,
                                               header->topic, header->partition, header->base_offset)};
}

Result<FrameScanner> Segment::scan(ScanStart start, std::size_t chunk) {
  auto opened = file();
  if (!opened) return opened.error();
  return FrameScanner(**opened, salt_, start, summary().end_position, chunk);
}

Result<SegmentIndex> Segment::rebuild() { return rebuild_until(summary().end_position); }

/// Damaged stretches are left out of the index: what follows them is found, what is in them is not.
Result<SegmentIndex> Segment::rebuild_until(std::uint64_t end) {
  auto opened = file();
  if (!opened) return opened.error();
  SegmentIndex index(salt_, base_offset_);
  FrameScanner scanner(**opened, salt_, {format::frames_begin, base_offset_, format::first_chain(salt_)}, end, 1u << 20);
  for (;;) {
    auto step = scanner.next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::end) return index;
    if (*step == FrameScanner::Step::frame) {
      index.add(scanner.frame(), scanner.frame_position());
      continue;
    }
    auto found = scanner.resync();
    if (!found) return found.error();
    if (!*found) return index;
  }
}

Status Segment::complete_index() {
  bool load_entries = false;
  std::uint64_t prefix_end = 0;
  {
    std::lock_guard lock(mutex_);
    load_entries = !entries_loaded_;
    if (!load_entries && index_.complete()) return {};
    prefix_end = index_.known_from();
  }
  if (load_entries) {
    auto stored = os::read_file(disk_, directory_ + "/" + index_file_name(base_offset_), 64u << 20);
    auto decoded = stored ? SegmentIndex::decode(as_bytes(*stored)) : Result<SegmentIndex>(stored.error());
    const auto known = summary();
    if (!decoded || decoded->summary() != known) {
      diagnostics::warning("log", "{}: the index cannot be used ({}); it is rebuilt from the segment", path_,
                           decoded ? "it belongs to other contents" : decoded.error().message);
      decoded = rebuild_until(known.end_position);
      if (!decoded) return decoded.error();
    }
    std::lock_guard lock(mutex_);
    index_.adopt_entries(*decoded);
    entries_loaded_ = true;
    return {};
  }
  auto prefix = rebuild_until(prefix_end);
  if (!prefix) return prefix.error();
  std::lock_guard lock(mutex_);
  if (!index_.complete()) index_.complete_with(*prefix);
  return {};
}

Result<std::optional<ScanStart>> Segment::find(std::uint64_t offset) {
  for (bool completed = false;; completed = true) {
    {
      std::lock_guard lock(mutex_);
      if (offset >= index_.summary().next_offset) return std::optional<ScanStart>();
      if (entries_loaded_)
        if (const auto place = index_.find(offset); place || completed)
          return place ? std::optional<ScanStart>({place->position, place->offset, std::nullopt}) : std::nullopt;
    }
    if (auto status = complete_index(); !status) return status.error();
  }
}

Result<std::optional<ScanStart>> Segment::find_time(std::int64_t time_us) {
  {
    std::lock_guard lock(mutex_);
    if (index_.summary().max_time_us < time_us) return std::optional<ScanStart>();
  }
  if (auto status = complete_index(); !status) return status.error();
  std::lock_guard lock(mutex_);
  const auto place = index_.find_time(time_us);
  return place ? std::optional<ScanStart>({place->position, place->offset, std::nullopt}) : std::nullopt;
}

Result<SegmentIndex> Segment::index() {
  if (auto status = complete_index(); !status) return status.error();
  std::lock_guard lock(mutex_);
  return index_;
}

}  // namespace iotstream::log
