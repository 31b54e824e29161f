// The writer thread's part of a partition: gather, seal, write, publish.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/partition.hpp"

namespace iotstream::log {
namespace {

/// The table of producers is stored after so many bytes of frames that have some: a start reads no more than these for it.
constexpr std::uint64_t table_step = 8u << 20;

}  // namespace

PartitionLog::Work PartitionLog::serve() {
  if (state_.load(std::memory_order_relaxed) == State::read_only) {
    discard();
    return Work::none;
  }
  if (pending_ == nullptr && !gather()) return Work::none;
  if (auto status = write_pending(); !status) {
    if (status.error().kind == ErrorKind::disk_full) return stall();
    if (status.error().kind == ErrorKind::busy) return wait_for_files(status.error());
    fail(status.error());
    discard();
    return Work::none;
  }
  State full = State::disk_full;
  if (state_.compare_exchange_strong(full, State::open, std::memory_order_relaxed)) {
    environment_.counters.disk_full_partitions.add(-1);
    diagnostics::info("log", "{}: there is space again; appends are taken", name());
  }
  waits_for_files_ = false;
  publish();
  return Work::done;
}

/// Takes the committed run out of the ring into a batch of its own. The ring is read in one pass, which knows only at its end
/// how long the batch is: so into a buffer of the thread, from which a short one is copied. Only so much of the thread's buffer
/// is ever touched, and resident, as a batch was long.
bool PartitionLog::gather() {
  thread_local std::shared_ptr<std::byte[]> buffer;
  constexpr std::size_t room = format::frame_size_target - format::frame_header_size;
  if (buffer == nullptr)
    buffer = std::make_shared_for_overwrite<std::byte[]>(format::frame_size_target + format::frame_alignment);
  std::byte* const records = buffer.get() + format::frame_header_size;
  auto run = ring_.take({records, room});
  if (run.bytes == 0) return false;
  const std::size_t length = format::align_frame(format::frame_header_size + run.bytes);
  if (run.records != 0 && length > format::frame_size_target / 4 * 3) {
    pending_ = std::move(buffer);
  } else {
    pending_ = std::make_shared_for_overwrite<std::byte[]>(length);
    std::byte* const own = pending_.get() + format::frame_header_size;
    if (run.records != 0) {
      std::memcpy(own, records, run.bytes);
    } else {
      run = ring_.take({own, run.bytes});  // one record, longer than other batches are
    }
  }
  std::fill(pending_.get() + format::frame_header_size + run.bytes, pending_.get() + length, std::byte{0});
  // Append times never go back, whatever the clock does: retention and seeks rely on it.
  last_append_us_ = std::max(last_append_us_, environment_.clock.now().us);
  pending_since_ns_ = environment_.clock.monotonic_ns();
  pending_header_ = {};
  pending_header_.length = static_cast<std::uint32_t>(length);
  pending_header_.base_offset = run.first_offset;
  pending_header_.count = run.records;
  pending_header_.append_time_us = last_append_us_;
  pending_header_.min_time_us = run.min_time_us;
  pending_header_.max_time_us = run.max_time_us;
  if ((run.key_fields & format::producer_bit) != 0) pending_header_.attributes = format::frame_has_producers;
  return true;
}

Status PartitionLog::write_pending() {
  if (growing_ == nullptr || !growing_->has_room(pending_header_.length) || growing_is_old())
    if (auto status = begin_segment(); !status) return status;
  // In mode `none` nothing testifies for stable storage: the watermark says less there.
  pending_header_.durable_offset = options_.sync == Sync::none ? 0 : durable_.load(std::memory_order_acquire);
  growing_->set_last_write(pending_since_ns_);
  return growing_->write(MutableByteView(pending_.get(), pending_header_.length), pending_header_);
}

/// A segment that fills slowly is closed by age as well, so that retention by age can come near its word. By either clock: the
/// wall clock may have been set back, the monotonic one does not know of the time before this process.
bool PartitionLog::growing_is_old() const {
  if (options_.retention_age.us <= 0) return false;
  const auto known = growing_->summary();
  if (known.next_offset == known.base_offset) return false;
  const std::int64_t by_wall_us = last_append_us_ - known.first_append_us;
  const std::int64_t by_monotonic_us = (pending_since_ns_ - growing_since_ns_) / 1000;
  return std::max(by_wall_us, by_monotonic_us) > options_.retention_age.us / 8;
}

Status PartitionLog::begin_segment() {
  format::SegmentHeader header;
  header.salt = environment_.salt();
  header.partition = identity_.partition.value;
  header.base_offset = pending_header_.base_offset;
  header.created_us = last_append_us_;
  header.topic = identity_.topic;
  auto created = Segment::create(environment_.disk, identity_.directory, std::move(header), options_.segment_size);
  if (!created) return created.error();
  const auto closed = std::exchange(growing_, std::move(*created));
  growing_since_ns_ = pending_since_ns_;
  // A closed segment need not be read for producers any more.
  if (tables_wanted_ != 0) keep_table({growing_->base_offset(), growing_->base_offset(), format::frames_begin});
  {
    std::lock_guard lock(segments_mutex_);
    segments_.push_back(growing_);
  }
  std::lock_guard lock(unsynced_mutex_);
  // The old one once more, also when it is synced: it is sealed in the next round.
  if (closed != nullptr && (unsynced_.segments.empty() || unsynced_.segments.back() != closed))
    unsynced_.segments.push_back(closed);
  unsynced_.segments.push_back(growing_);
  return {};
}

void PartitionLog::publish() {
  const std::uint64_t next_offset = pending_header_.next_offset();
  auto& counters = environment_.counters;
  counters.records.add(pending_header_.count);
  counters.bytes.add(pending_header_.length);
  counters.batches.add();
  const bool has_producers = (pending_header_.attributes & format::frame_has_producers) != 0;
  if (has_producers) written_producers_.add(pending_header_, ByteView(pending_.get(), pending_header_.length));
  cache_.add({std::move(pending_), pending_header_});
  pending_ = nullptr;
  // Before the sync thread hears of the batch: it may be in a round already, and `durable` must not pass `written`.
  written_.store(next_offset, std::memory_order_release);
  const auto known = growing_->summary();
  {
    std::lock_guard lock(unsynced_mutex_);
    if (unsynced_.segments.empty() || unsynced_.segments.back() != growing_) unsynced_.segments.push_back(growing_);
    unsynced_.upto = format::mark_of(known);
  }
  if (has_producers) {
    tables_wanted_ = 2;
    producer_bytes_ += pending_header_.length;
    // Behind `upto`: a round that takes the table has synced what the table tells of.
    if (producer_bytes_ >= table_step && options_.sync != Sync::none)
      keep_table({known.next_offset, known.base_offset, known.end_position});
  }
  if (options_.sync == Sync::none) durable_.store(next_offset, std::memory_order_release);
  // In mode `none` the sync thread is needed only to seal what is closed.
  bool ask = options_.sync != Sync::none;
  if (!ask) {
    std::lock_guard lock(unsynced_mutex_);
    ask = unsynced_.segments.size() > 1;
  }
  if (ask) environment_.syncs.request(*this);
  waiting_for_written_.advance(next_offset);
  environment_.subscribers.notify(Watermark::written);
  if (options_.sync == Sync::none) {
    waiting_for_durable_.advance(next_offset);
    environment_.subscribers.notify(Watermark::durable);
  }
}

PartitionLog::Work PartitionLog::stall() {
  State open = State::open;
  if (state_.compare_exchange_strong(open, State::disk_full, std::memory_order_relaxed)) {
    environment_.counters.disk_full_partitions.add(1);
    diagnostics::error("log", "{}: the disk is full; appends are refused until there is space", name());
  }
  return Work::stalled;
}

/// No new segment can be opened: nothing was written, so nothing is in doubt. The ring fills up and refuses meanwhile.
PartitionLog::Work PartitionLog::wait_for_files(const Error& error) {
  if (!std::exchange(waits_for_files_, true))
    diagnostics::error("log", "{}: records wait until a file can be opened: {}", name(), error.message);
  return Work::stalled;
}

/// Read-only: what is in the ring was accepted but can never be acknowledged.
void PartitionLog::discard() {
  ring_.seal();
  pending_ = nullptr;
  std::vector<std::byte> dropped(format::frame_size_target);
  for (auto run = ring_.take(dropped); run.bytes != 0; run = ring_.take(dropped))
    dropped.resize(std::max(dropped.size(), run.bytes));
}

/// From the writer or the sync thread: no later record is acknowledged, until the restart.
void PartitionLog::fail(const Error& error) {
  const State before = state_.exchange(State::read_only, std::memory_order_relaxed);
  if (before != State::read_only) {
    if (before == State::disk_full) environment_.counters.disk_full_partitions.add(-1);
    environment_.counters.read_only_partitions.add(1);
    diagnostics::error("log", "{}: read-only until the restart: {}", name(), error.message);
  }
  const Error refused{ErrorKind::unavailable, fmt::format("{} is read-only until the restart: {}", name(), error.message)};
  waiting_for_durable_.fail(refused);
  waiting_for_written_.fail(refused);
  park_.wake();
}

void PartitionLog::finish_writing() {
  ring_.seal();
  // Sealed: what was claimed before is committed within the copies that are under way.
  while (!ring_.drained() || pending_ != nullptr) {
    const Work work = serve();
    if (state_.load(std::memory_order_relaxed) == State::read_only && ring_.drained()) break;
    if (work == Work::stalled) {
      fail({ErrorKind::disk_full, "the log is closing, and no more can be written"});
      discard();
    }
  }
  const Error closed{ErrorKind::unavailable, "the log is closed"};
  waiting_for_written_.fail(closed);
}

}  // namespace iotstream::log
