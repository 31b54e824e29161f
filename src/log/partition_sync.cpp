// The sync thread's part of a partition: durable watermark, durable mark, sealing.
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/partition.hpp"

namespace iotstream::log {

bool PartitionLog::sync() { return sync_round(options_.sync == Sync::none); }

bool PartitionLog::sync_round(bool to_seal_only) {
  if (state_.load(std::memory_order_relaxed) == State::read_only) return false;
  Unsynced round;
  {
    std::lock_guard lock(unsynced_mutex_);
    // A table waits for the round that syncs something.
    if (unsynced_.segments.empty()) return false;
    round = unsynced_;
    // What is not synced now is not forgotten: a clean end syncs it.
    const auto end = unsynced_.segments.end();
    unsynced_.segments.erase(unsynced_.segments.begin(), to_seal_only ? end - 1 : end);
    unsynced_.table.reset();
  }
  wants_another_round_ = false;
  std::shared_ptr<Segment> last = round.segments.back();
  for (const auto& segment : round.segments) {
    if (to_seal_only && segment == last) break;
    const std::int64_t begin = environment_.clock.monotonic_ns();
    auto status = segment->sync();
    environment_.counters.syncs.add();
    environment_.counters.sync_duration.record_us((environment_.clock.monotonic_ns() - begin) / 1000);
    if (!status && status.error().kind == ErrorKind::busy) {
      // The folder could not be opened; what was synced is. Nobody is told before all of it is.
      put_back(std::move(round));
      return false;
    }
    if (!status) {
      // The pages are marked clean though they were never written: a second try would succeed and mean nothing.
      fail(status.error());
      return false;
    }
  }
  if (!to_seal_only) {
    durable_mark_ = round.upto;
    durable_.store(round.upto.next_offset, std::memory_order_release);
    // A mark of a clean end says that nothing follows: that is over now.
    if (mark_is_clean_) write_mark();
    waiting_for_durable_.advance(round.upto.next_offset);
    environment_.subscribers.notify(Watermark::durable);
  }
  if (round.table) store_table(*round.table);
  bool sealed = false;
  for (const auto& segment : round.segments) {
    if (segment == last) break;
    sealed = true;
    // Not sealed is not lost: the next start rebuilds the index.
    if (auto status = segment->seal(); !status)
      diagnostics::warning("log", "{}: could not be sealed: {}", segment->path(), status.error().message);
  }
  return sealed;
}

/// In front of what was written since.
void PartitionLog::put_back(Unsynced round) {
  wants_another_round_ = true;
  std::lock_guard lock(unsynced_mutex_);
  auto& later = unsynced_.segments;
  if (!later.empty() && later.front() == round.segments.back()) later.erase(later.begin());
  later.insert(later.begin(), round.segments.begin(), round.segments.end());
  if (!unsynced_.table) unsynced_.table = std::move(round.table);
}

void PartitionLog::write_mark() {
  // Before the first round of this run the mark that was found still holds.
  if (durable_mark_.next_offset != durable_.load(std::memory_order_relaxed)) return;
  if (!mark_is_behind() && durable_mark_.clean == mark_is_clean_) return;
  if (auto status = look_for_files(); !status) return fail(status.error());
  // A mark that cannot be written only makes the next start more lenient.
  if (auto status = marks_.write(durable_mark_); !status) {
    diagnostics::warning("log", "{}: the durable mark could not be written: {}", name(), status.error().message);
  }
  marked_offset_ = durable_mark_.next_offset;
  mark_is_clean_ = durable_mark_.clean;
}

/// When somebody takes the files away, writing and syncing go on without an error, and all is gone at the end.
Status PartitionLog::look_for_files() {
  std::string path;
  {
    std::lock_guard lock(segments_mutex_);
    if (segments_.empty()) return {};
    path = segments_.back()->path();
  }
  if (environment_.disk.exists(path)) return {};
  return Error{ErrorKind::io, fmt::format("{} is gone", path)};
}

void PartitionLog::finish_syncing() {
  if (state_.load(std::memory_order_relaxed) != State::read_only) {
    sync_round(false);  // in mode `none` too: a clean end is worth one sync
    // The writer has ended: what it knew is what is written, and that is durable now.
    if (tables_wanted_ != 0) {
      const auto& end = durable_mark_;
      store_table({end.next_offset, written_producers_.encode({end.next_offset, end.segment_base, end.position})});
    }
    durable_mark_.clean = true;
    write_mark();
    if (auto status = marks_.sync(); !status)
      diagnostics::warning("log", "{}: the durable mark could not be synced: {}", name(), status.error().message);
  }
  waiting_for_durable_.fail({ErrorKind::unavailable, "the log is closed"});
}

}  // namespace iotstream::log
