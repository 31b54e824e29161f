// Verification of one partition: what a bad batch means, and how a segment and a partition end. The rules are recovery's
// (FORMAT.md, "Reading after a crash").
#include <algorithm>

#include <fmt/format.h>

#include "log/producers.hpp"
#include "log/segment.hpp"
#include "log/verify_partition.hpp"

namespace iotstream::log {

namespace {
constexpr std::uint64_t producers_size_max = 16u << 20;
}  // namespace

void PartitionVerifier::take_damage() {
  const std::string path = path_of(bases_[place_]);
  const std::string reason = scanner_->reason();
  const std::uint64_t position = scanner_->position();
  const std::uint64_t first = scanner_->next_offset();
  const bool durable =
      stored_.has_value() || is_live() || had_been_durable(first) || attested_in(*file_, salt_, position, size_, first);
  if (!durable) return end_with_torn_tail(position, first, reason);
  damaged_ = true;
  auto found = scanner_->resync();
  if (found && *found) return damage(first, (*found)->base_offset, path, position, reason);
  std::uint64_t next = first;
  if (stored_) next = stored_->summary().next_offset;
  if (!stored_ && mark_ && mark_->segment_base == bases_[place_]) next = std::max(next, mark_->next_offset);
  if (!is_last()) next = std::max(next, next_base());
  if (is_live()) next = std::min(std::max(next, is_last() ? limit_ : next), limit_);
  damage(first, next, path, position, found ? reason : found.error().message);
  expected_ = next;
  close_segment();
}

/// Whether the mark, or what stands in later segments, says that the record at `offset` had been on stable storage.
bool PartitionVerifier::had_been_durable(std::uint64_t offset) const {
  if (is_live() || (mark_ && mark_->next_offset > offset)) return true;
  for (std::size_t later = file_ ? place_ + 1 : place_; later < bases_.size(); ++later) {
    // An index is stored only after its segment, and so all before it, has been synced.
    if (indexed_.contains(bases_[later])) return true;
    auto file = context_.disk.open(path_of(bases_[later]), os::OpenMode::read);
    if (!file) continue;
    auto header = Segment::read_header(**file);
    auto size = (*file)->size();
    if (header && size && attested_in(**file, header->salt, format::frames_begin, *size, offset)) return true;
  }
  return false;
}

/// Whether a good batch in [from, end) says so.
bool PartitionVerifier::attested_in(const os::File& file, std::uint64_t salt, std::uint64_t from, std::uint64_t end,
                                    std::uint64_t offset) const {
  FrameScanner scanner(file, salt, {from, offset, std::nullopt}, end);
  for (;;) {
    auto step = scanner.next();
    if (!step || *step == FrameScanner::Step::end) return false;
    if (*step == FrameScanner::Step::frame) {
      if (scanner.frame().durable_offset > offset) return true;
      continue;
    }
    auto found = scanner.resync();
    if (!found || !*found) return false;
  }
}

/// Not damage: it was never acknowledged, and the next start puts it aside.
void PartitionVerifier::end_with_torn_tail(std::uint64_t position, std::uint64_t first, const std::string& reason) {
  const std::string path = path_of(bases_[place_]);
  auto content = end_of_content(*file_, position, size_);
  const std::uint64_t bytes = content ? *content - position : 0;
  const bool went_on = !is_last() && next_base() == first;
  find(Finding::Kind::note, first, first, path, position,
       fmt::format("a torn tail of {} bytes that was never durable ({}): {}", bytes, reason,
                   went_on ? "the log went on in the next segment" : "the next start puts it aside"));
  if (!went_on && !is_last()) {
    find(Finding::Kind::note, first, first, path_of(next_base()), 0,
         "it follows a torn tail, so it was never acknowledged: the next start puts it aside");
    bases_.resize(place_ + 1);
  }
  close_segment();
}

void PartitionVerifier::close_segment() {
  expected_ = std::max(expected_, scanner_->next_offset());
  // What is reserved, or cannot be read, counts too: the bytes go towards the size of the files.
  const std::uint64_t rest = size_ - std::min(size_, counted_);
  context_.totals.bytes += rest;
  if (durable_said_ > expected_)
    damage(expected_, durable_said_, path_of(bases_[place_]), 0, "batches say that more had been durable than there is");
  const bool torn_or_growing = is_last() || is_live();
  if (stored_) {
    check_index();
  } else if (!torn_or_growing && !indexed_.contains(bases_[place_])) {
    ++context_.totals.indexes_absent;
    find(Finding::Kind::note, bases_[place_], bases_[place_], path_of(bases_[place_]), 0,
         "the segment has no index: it is rebuilt when it is needed");
  }
  scanner_.reset();
  rebuilt_.reset();
  stored_.reset();
  file_.reset();
  ++place_;
}

void PartitionVerifier::check_index() {
  const std::uint64_t base = bases_[place_];
  const auto& summary = stored_->summary();
  expected_ = std::max(expected_, summary.next_offset);
  if (size_ != summary.end_position)
    damage(base, base, path_of(base), std::min(size_, summary.end_position),
           fmt::format("the segment ends at byte {}, its index says at {}", size_, summary.end_position));
  // Without the damaged batches it cannot be made again.
  if (damaged_) return;
  if (*stored_ == *rebuilt_) {
    ++context_.totals.indexes;
    return;
  }
  damage(base, base, directory_ + "/" + index_file_name(base), 0, "the index is not what its segment gives");
}

/// A slot that does not hold was being written: the other one, and the log, say what it would have said.
void PartitionVerifier::check_producers() {
  for (const std::string& path : producers_) {
    auto bytes = os::read_file(context_.disk, path, producers_size_max);
    if (bytes && bytes->empty()) continue;
    auto table = bytes ? ProducerTable::decode(as_bytes(*bytes)) : Result<ProducerTable::Stored>(bytes.error());
    if (!table) {
      find(Finding::Kind::note, 0, 0, path, 0, fmt::format("{}; it is made again from the log", table.error().message));
    } else if (table->place.offset > expected_) {
      damage(
          expected_, table->place.offset, path, 0,
          fmt::format("the table of producers tells of records up to {}, but they end at {}", table->place.offset, expected_));
    }
  }
}

void PartitionVerifier::finish() {
  done_ = true;
  check_producers();
  if (is_live()) {
    if (limit_ > expected_ && limit_ > earliest_)
      damage(expected_, limit_, directory_, 0, "records that are durable are missing at the end");
    expected_ = std::max(expected_, limit_);
    return;
  }
  if (!mark_) return;
  if (bases_.empty() && mark_->position == 0) {
    earliest_ = expected_ = mark_->next_offset;  // the mark of a log that held nothing
    return;
  }
  if (mark_->next_offset > expected_) {
    damage(expected_, mark_->next_offset, path_of(mark_->segment_base), mark_->position,
           "records that had been durable are missing at the end");
    expected_ = mark_->next_offset;
  } else if (!mark_seen_ && std::binary_search(bases_.begin(), bases_.end(), mark_->segment_base) && !damaged_) {
    damage(mark_->next_offset, mark_->next_offset, directory_ + "/mark", 0,
           fmt::format("the durable mark points to byte {} of {}, where no batch ends", mark_->position,
                       segment_file_name(mark_->segment_base)));
  }
}

}  // namespace iotstream::log
