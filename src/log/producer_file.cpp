#include "log/producer_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::log {
namespace {

constexpr std::uint64_t file_size_max = 16u << 20;

/// Where to begin in `segment` when everything before `known` is in the table. Not by the index: that of a growing segment may
/// not reach back behind the mark.
ScanStart begin_in(const Segment& segment, const ProducerTable::Place& known) {
  if (known.segment_base == segment.base_offset() && known.position >= format::frames_begin &&
      known.position <= segment.summary().end_position)
    return {known.position, known.offset, std::nullopt};
  return {format::frames_begin, segment.base_offset(), std::nullopt};
}

Status add_segment(ProducerTable& table, Segment& segment, ScanStart start, std::uint64_t from) {
  auto scanner = segment.scan(start, 1u << 20);
  if (!scanner) return scanner.error();
  for (;;) {
    auto step = scanner->next();
    if (!step) return step.error();
    if (*step == FrameScanner::Step::end) return {};
    if (*step == FrameScanner::Step::damaged) {
      auto found = scanner->resync();
      if (!found) return found.error();
      if (!*found) return {};
      continue;
    }
    // The table was stored between two frames: a frame is known whole or not at all.
    const auto& frame = scanner->frame();
    if (frame.base_offset >= from && (frame.attributes & format::frame_has_producers) != 0)
      table.add(frame, scanner->frame_bytes());
  }
}

}  // namespace

std::string ProducerFile::path(std::size_t slot) const { return fmt::format("{}/producers.{}", directory_, slot); }

Result<std::optional<ProducerTable::Stored>> ProducerFile::load(std::uint64_t next_offset) {
  std::optional<ProducerTable::Stored> newest;
  for (std::size_t slot = 0; slot != files_.size(); ++slot) {
    if (!disk_.exists(path(slot))) continue;
    auto file = disk_.open(path(slot), os::OpenMode::read_write);
    if (!file) return file.error();
    files_[slot] = std::move(*file);
    auto bytes = os::read_file(disk_, path(slot), file_size_max);
    if (!bytes) return bytes.error();
    auto stored = ProducerTable::decode(as_bytes(*bytes));
    if (!stored && stored.error().kind == ErrorKind::unsupported)
      return Error{stored.error().kind, fmt::format("{}: {}", path(slot), stored.error().message)};
    if (!stored) continue;  // torn by a crash; the other one holds, or the log is read
    const std::uint64_t offset = stored->place.offset;
    if (offset > next_offset) {
      diagnostics::warning("log", "{}: it tells of records up to {}, which are gone from {} on; it is not used", path(slot),
                           offset, next_offset);
      if (auto status = files_[slot]->truncate(0); !status) return status.error();
      if (auto status = files_[slot]->sync(); !status) return status.error();
      continue;
    }
    offsets_[slot] = offset;
    if (!newest || offset > newest->place.offset) newest = std::move(*stored);
  }
  return newest;
}

Status ProducerFile::write(ByteView table, std::uint64_t offset) {
  const std::size_t slot = offsets_[0] <= offsets_[1] ? 0 : 1;
  offsets_[slot] = 0;
  const bool is_new = files_[slot] == nullptr;
  if (is_new) {
    auto opened = disk_.open(path(slot), disk_.exists(path(slot)) ? os::OpenMode::read_write : os::OpenMode::create);
    if (!opened) return opened.error();
    files_[slot] = std::move(*opened);
  }
  if (auto status = files_[slot]->write_at(0, table); !status) return status;
  if (auto status = files_[slot]->sync(); !status) return status;
  if (is_new)
    if (auto status = disk_.sync_directory(directory_); !status) return status;
  offsets_[slot] = offset;
  return {};
}

std::uint64_t ProducerFile::newest() const { return std::max(offsets_[0], offsets_[1]); }
std::uint64_t ProducerFile::oldest() const { return std::min(offsets_[0], offsets_[1]); }

Result<ProducerTable> recover_producers(ProducerFile& file, const std::vector<std::shared_ptr<Segment>>& segments,
                                        std::uint64_t next_offset) {
  auto stored = file.load(next_offset);
  if (!stored) return stored.error();
  ProducerTable table;
  ProducerTable::Place from;
  if (*stored) {
    from = (*stored)->place;
    table = std::move((*stored)->table);
  }
  for (const auto& segment : segments) {
    const auto known = segment->summary();
    if (known.next_offset <= from.offset || (known.attributes & format::frame_has_producers) == 0) continue;
    if (auto status = add_segment(table, *segment, begin_in(*segment, from), from.offset); !status) return status.error();
  }
  return table;
}

}  // namespace iotstream::log
