#include "log/verify_partition.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "log/segment.hpp"

namespace iotstream::log {
namespace {

constexpr std::size_t chunk_size = 1u << 20;
constexpr std::uint64_t index_size_max = 64u << 20;

/// The base offset in the name of an index file.
std::optional<std::uint64_t> parse_index_file_name(std::string_view name) {
  constexpr std::string_view suffix = ".index";
  if (!name.ends_with(suffix)) return std::nullopt;
  return parse_segment_file_name(std::string(name.substr(0, name.size() - suffix.size())) + ".segment");
}

/// What a frame that passed its checksum says wrongly all the same; nothing when all is true.
std::optional<std::string> untruth(const format::FrameHeader& header, ByteView frame, std::int64_t append_us_before) {
  const std::byte* at = frame.data() + format::frame_header_size;
  const std::byte* const end = frame.data() + frame.size();
  std::int64_t least = format::no_min_time_us;
  std::int64_t greatest = format::no_max_time_us;
  std::uint32_t attributes = 0;
  for (std::uint64_t i = 0; i < header.count;) {
    const auto record = format::parse_record(at, end);
    if (!record || record->gap > header.count - i)
      return fmt::format("record {} of {} does not fit its batch", i, header.count);
    i += std::max(record->gap, 1u);
    if (record->gap != 0) attributes |= format::frame_has_gaps;
    if (record->numbered) attributes |= format::frame_has_producers;
    if (record->gap != 0) continue;
    least = std::min(least, record->time_us);
    greatest = std::max(greatest, record->time_us);
  }
  if (attributes != header.attributes) return "a batch's attributes are not those of its records";
  if (end - at >= static_cast<std::ptrdiff_t>(format::frame_alignment) ||
      std::any_of(at, end, [](std::byte b) { return b != std::byte{0}; }))
    return "something stands behind the last record of a batch";
  if (least != header.min_time_us || greatest != header.max_time_us)
    return "a batch's event times are not those of its records";
  if (header.append_time_us < append_us_before) return "a batch was appended before the one in front of it";
  return std::nullopt;
}

}  // namespace

PartitionVerifier::PartitionVerifier(VerifyContext& context, std::string topic, PartitionId id, std::string directory,
                                     Partition* live)
    : context_(context), topic_(std::move(topic)), id_(id), directory_(std::move(directory)), live_(live) {}

std::string PartitionVerifier::path_of(std::uint64_t base) const { return directory_ + "/" + segment_file_name(base); }

void PartitionVerifier::find(Finding::Kind kind, std::uint64_t first, std::uint64_t next, std::string file,
                             std::uint64_t position, std::string what) {
  context_.findings.push_back(
      {kind, topic_, id_, Offset(first), Offset(std::max(first, next)), std::move(file), position, std::move(what)});
}

bool PartitionVerifier::step(std::size_t& budget) {
  if (!begun_) begin();
  while (!done_ && budget > 0) {
    if (scanner_) {
      walk(budget);
    } else if (place_ < bases_.size()) {
      open_segment();
    } else {
      finish();
    }
  }
  return !done_;
}

void PartitionVerifier::begin() {
  begun_ = true;
  // First of all: every batch below it had been written before anything is read here.
  if (is_live()) limit_ = live_->watermarks().durable.value;
  auto names = context_.disk.list(directory_);
  if (!names) {
    damage(0, 0, directory_, 0, fmt::format("the partition's directory cannot be read: {}", names.error().message));
    done_ = true;
    return;
  }
  for (const std::string& name : *names) {
    if (const auto base = parse_segment_file_name(name); base && *base < limit_) bases_.push_back(*base);
    if (const auto base = parse_index_file_name(name)) indexed_.insert(*base);
  }
  std::sort(bases_.begin(), bases_.end());
  load_mark();
  note_others(*names);
  // Retention never removes the last one: without any, all that the mark knows of is missing.
  if (!bases_.empty()) earliest_ = expected_ = bases_.front();
}

/// Two slots; one that was never written is zeros.
void PartitionVerifier::load_mark() {
  const std::string path = directory_ + "/mark";
  if (!context_.disk.exists(path)) return;
  auto file = context_.disk.open(path, os::OpenMode::read);
  if (!file) return damage(0, 0, path, 0, fmt::format("the durable mark cannot be read: {}", file.error().message));
  for (std::uint64_t slot = 0; slot != 2; ++slot) {
    std::array<std::byte, format::sector_size> sector{};
    auto got = (*file)->read_at(slot * sector.size(), sector);
    if (!got) {
      damage(0, 0, path, slot * sector.size(), got.error().message);
      continue;
    }
    const bool written = std::any_of(sector.begin(), sector.end(), [](std::byte b) { return b != std::byte{0}; });
    const auto mark = format::parse_mark(ByteView(sector).first(*got));
    if (!mark && written) damage(0, 0, path, slot * sector.size(), "a slot of the durable mark fails its check");
    if (mark && (!mark_ || mark->sequence > mark_->sequence)) mark_ = mark;
  }
}

void PartitionVerifier::note_others(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string path = directory_ + "/" + name;
    if (name.find(".segment.tail.") != std::string::npos)
      find(Finding::Kind::note, 0, 0, path, 0, "a torn tail that an earlier start put aside");
    if (name.find(".segment.damaged.") != std::string::npos)
      find(Finding::Kind::note, 0, 0, path, 0, "a damaged file that an earlier start put aside");
    if (name.ends_with(".segment.compact") && !is_live())
      find(Finding::Kind::note, 0, 0, path, 0, "a compacted copy that was not finished: it is not used");
    if (name.starts_with("producers.") && !is_live()) producers_.push_back(path);
    // Live, the two lists may have been taken between retention's two removals.
    const auto base = parse_index_file_name(name);
    if (base && !is_live() && !std::binary_search(bases_.begin(), bases_.end(), *base))
      find(Finding::Kind::note, 0, 0, path, 0, "an index without its segment: it is not used");
  }
}

/// The one place that asks for offsets without gaps between segments; inside them the scanner does.
bool PartitionVerifier::check_continues(std::uint64_t base) {
  if (base == expected_) return true;
  if (base < expected_) {
    damage(base, expected_, path_of(base), 0, "the segment's offsets are in the one before it as well");
    return false;
  }
  if (!had_been_durable(expected_)) {
    find(Finding::Kind::note, base, base, path_of(base), 0,
         "the segment follows what was never synced, so nothing in it was acknowledged: the next start puts it aside");
    bases_.resize(place_);
    return false;
  }
  damage(expected_, base, path_of(base), 0, "the records before this segment are missing");
  expected_ = base;
  return true;
}

void PartitionVerifier::open_segment() {
  const std::uint64_t base = bases_[place_];
  damaged_ = false;
  durable_said_ = 0;
  counted_ = 0;
  if (removed_meanwhile(base) || !check_continues(base) || !open_file(base)) {
    ++place_;
    return;
  }
  load_index(base);
  ++context_.totals.segments;
  if (!read_headers(base)) {
    // Nothing in it can be checked without the salt; how far it went is known from what comes behind it.
    std::uint64_t next = stored_ ? stored_->summary().next_offset : base;
    if (!is_last()) next = next_base();
    if (is_last() && mark_) next = std::max(next, mark_->next_offset);
    damage(base, next, path_of(base), 0, "both copies of the segment's header fail their check: nothing in it can be read");
    expected_ = next;
    file_.reset();
    ++place_;
    return;
  }
  const std::uint64_t end = stored_ ? stored_->summary().end_position : size_;
  scanner_.emplace(*file_, salt_, ScanStart{format::frames_begin, base, format::first_chain(salt_)}, std::min(end, size_),
                   chunk_size);
  rebuilt_.emplace(salt_, base);
  check_mark_at(format::frames_begin, base, format::first_chain(salt_));
}

/// Whether retention was quicker.
bool PartitionVerifier::removed_meanwhile(std::uint64_t base) {
  if (!is_live() || live_->watermarks().earliest.value <= base) return false;
  earliest_ = expected_ = live_->watermarks().earliest.value;
  return true;
}

bool PartitionVerifier::open_file(std::uint64_t base) {
  auto file = context_.disk.open(path_of(base), os::OpenMode::read);
  if (!file) {
    if (removed_meanwhile(base)) return false;
    damage(base, is_last() ? base : next_base(), path_of(base), 0, file.error().message);
    if (!is_last()) expected_ = next_base();
    return false;
  }
  file_ = std::move(*file);
  auto size = file_->size();
  size_ = size ? *size : 0;
  if (!size) damage(base, base, path_of(base), 0, size.error().message);
  return true;
}

/// Both copies are looked at, though one would do.
bool PartitionVerifier::read_headers(std::uint64_t base) {
  std::optional<format::SegmentHeader> good;
  for (std::uint64_t copy = 0; copy != 2; ++copy) {
    std::array<std::byte, format::sector_size> sector;
    auto got = file_->read_at(copy * sector.size(), sector);
    auto header = got ? format::parse_segment_header(ByteView(sector).first(*got)) : Result<format::SegmentHeader>(got.error());
    if (header) {
      check_header(*header, base);
      if (!good) good = std::move(*header);
    } else {
      damage(base, base, path_of(base), copy * sector.size(),
             fmt::format("copy {} of two: {}", copy + 1, header.error().message));
    }
  }
  if (!good) return false;
  salt_ = good->salt;
  // Compaction has put another segment in the place of this one since.
  if (is_live() && stored_ && stored_->summary().salt != salt_) stored_.reset();
  return true;
}

void PartitionVerifier::check_header(const format::SegmentHeader& header, std::uint64_t base) {
  if (header.base_offset == base && header.partition == id_.value && header.topic == topic_) return;
  damage(base, base, path_of(base), 0,
         fmt::format("the segment's header is that of topic '{}', partition {}, offset {}", header.topic, header.partition,
                     header.base_offset));
}

void PartitionVerifier::load_index(std::uint64_t base) {
  stored_.reset();
  if (!indexed_.contains(base)) return;
  const std::string path = directory_ + "/" + index_file_name(base);
  auto bytes = os::read_file(context_.disk, path, index_size_max);
  if (!bytes && is_live() && live_->watermarks().earliest.value > base) return;
  auto index = bytes ? SegmentIndex::decode(as_bytes(*bytes)) : Result<SegmentIndex>(bytes.error());
  if (!index) return damage(base, base, path, 0, index.error().message);
  if (index->summary().base_offset != base) return damage(base, base, path, 0, "the index is another segment's");
  stored_ = std::move(*index);
}

void PartitionVerifier::walk(std::size_t& budget) {
  while (budget > 0) {
    // Behind the watermark the writer is at work.
    if (scanner_->next_offset() >= limit_) {
      // Closed since the watermark was read: its index tells of more than is looked at.
      if (stored_ && scanner_->position() < stored_->summary().end_position) stored_.reset();
      return close_segment();
    }
    auto step = scanner_->next();
    if (!step) {
      damage(scanner_->next_offset(), scanner_->next_offset(), path_of(bases_[place_]), scanner_->position(),
             step.error().message);
      damaged_ = true;
      return close_segment();
    }
    switch (*step) {
      case FrameScanner::Step::end:
        return close_segment();
      case FrameScanner::Step::frame:
        take_frame();
        budget -= std::min<std::size_t>(budget, scanner_->frame().length);
        break;
      case FrameScanner::Step::damaged:
        take_damage();
        budget -= std::min<std::size_t>(budget, chunk_size);
        if (!scanner_) return;
        break;
    }
  }
}

void PartitionVerifier::take_frame() {
  const auto& frame = scanner_->frame();
  auto& totals = context_.totals;
  ++totals.batches;
  totals.bytes += frame.length;
  counted_ += frame.length;
  if (auto wrong = untruth(frame, scanner_->frame_bytes(), append_us_)) {
    damage(frame.base_offset, frame.next_offset(), path_of(bases_[place_]), scanner_->frame_position(), std::move(*wrong));
  } else {
    visit_frame();
    // In a compacted segment this is where the segment had ended.
    if (frame.durable_offset > frame.base_offset) durable_said_ = std::max(durable_said_, frame.durable_offset);
  }
  append_us_ = std::max(append_us_, frame.append_time_us);
  rebuilt_->add(frame, scanner_->frame_position());
  check_mark_at(scanner_->position(), frame.next_offset(), frame.crc);
}

void PartitionVerifier::visit_frame() {
  const auto& frame = scanner_->frame();
  for (format::FrameRecords records(frame, scanner_->frame_bytes()); records.next();) {
    const format::RecordView& record = records.record();
    ++context_.totals.records;
    if (context_.visitor != nullptr)
      context_.visitor->record(id_,
                               {Offset(records.offset()), {record.time_us}, {frame.append_time_us}, record.key, record.value});
  }
}

/// The mark says which batch ends at its position, and with which checksum.
void PartitionVerifier::check_mark_at(std::uint64_t position, std::uint64_t next_offset, std::uint32_t chain) {
  if (!mark_ || mark_->segment_base != bases_[place_] || mark_->salt != salt_ || mark_->position != position) return;
  mark_seen_ = true;
  if (mark_->next_offset != next_offset || mark_->chain != chain)
    damage(next_offset, next_offset, directory_ + "/mark", 0,
           fmt::format("the durable mark says that offset {} comes at byte {} of {}, but {} does", mark_->next_offset, position,
                       segment_file_name(mark_->segment_base), next_offset));
}

}  // namespace iotstream::log
