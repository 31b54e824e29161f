#include "log/partition.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::log {

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(const Environment& environment, PartitionIdentity identity,
                                                         const TopicOptions& options, const LogOptions& log_options) {
  MarkFile marks(environment.disk, identity.directory, format::owner_tag(identity.topic, identity.partition.value));
  const RecoverContext context{environment.disk,
                               environment.counters,
                               identity.directory,
                               identity.topic,
                               fmt::format("{}/{}", identity.topic, identity.partition),
                               identity.partition,
                               options.segment_size,
                               environment.clock.now()};
  const bool there = environment.disk.exists(identity.directory);
  auto recovered = there ? recover(context, marks) : Recovered();
  if (!recovered) return recovered.error();
  ProducerFile producer_file(environment.disk, identity.directory);
  auto producers = recover_producers(producer_file, recovered->segments, recovered->next_offset);
  if (!producers) return producers.error();
  auto partition = std::unique_ptr<PartitionLog>(new PartitionLog(environment, std::move(identity), options, log_options,
                                                                  std::move(*recovered), std::move(marks),
                                                                  std::move(producer_file), std::move(*producers)));
  if (!there) partition->fail({ErrorKind::io, fmt::format("its folder {} is missing", context.directory)});
  return partition;
}

PartitionLog::PartitionLog(const Environment& environment, PartitionIdentity identity, const TopicOptions& options,
                           const LogOptions& log_options, Recovered recovered, MarkFile marks, ProducerFile producer_file,
                           ProducerTable producers)
    : environment_(environment),
      shard_(environment.shards.assign()),
      park_(environment_.shards.park(shard_)),
      identity_(std::move(identity)),
      options_(options),
      written_(recovered.next_offset),
      durable_(recovered.next_offset),
      earliest_(recovered.segments.empty() ? recovered.next_offset : recovered.segments.front()->base_offset()),
      ring_(log_options.staging_size, recovered.next_offset),
      cache_(log_options.cache_size),
      producers_(std::move(producers)),
      growing_(std::move(recovered.growing)),
      last_append_us_(recovered.last_append_us),
      growing_since_ns_(environment.clock.monotonic_ns()),
      segments_(std::move(recovered.segments)),
      damage_(std::move(recovered.damage)),
      marks_(std::move(marks)),
      producer_file_(std::move(producer_file)) {
  know_producers();
  waiting_for_written_.advance(recovered.next_offset);
  waiting_for_durable_.advance(recovered.next_offset);
  if (recovered.mark) {
    durable_mark_ = *recovered.mark;
    marked_offset_ = recovered.mark->next_offset;
    mark_is_clean_ = recovered.mark->clean;
  }
  if (!segments_.empty() && segments_.back()->summary().next_offset == recovered.next_offset)
    durable_mark_ = format::mark_of(segments_.back()->summary());
}

std::string PartitionLog::name() const { return fmt::format("{}/{}", identity_.topic, identity_.partition); }

Appended PartitionLog::refusal(State state) const {
  switch (state) {
    case State::disk_full:
      return {AppendStatus::disk_full, {}, 0};
    case State::read_only:
      return {AppendStatus::read_only, {}, 0};
    case State::open:
    case State::closed:
      break;
  }
  return {AppendStatus::closed, {}, 0};
}

Appended PartitionLog::append(Timestamp time, std::string_view key, ByteView value) {
  const State state = state_.load(std::memory_order_relaxed);
  if (state != State::open) [[unlikely]]
    return refusal(state);
  if (key.size() > record_size_max || value.size() > record_size_max - key.size()) [[unlikely]]
    return {AppendStatus::too_large, {}, 0};
  const StagingRing::Claimed claimed = ring_.append(time, key, value);
  if (claimed.outcome == StagingRing::Outcome::accepted) [[likely]] {
    park_.wake_if_parked();
    return {AppendStatus::accepted, Offset(claimed.offset), 0};
  }
  if (claimed.outcome == StagingRing::Outcome::sealed) {
    const State now = state_.load(std::memory_order_relaxed);
    return refusal(now == State::open ? State::closed : now);
  }
  environment_.counters.back_pressured.add();
  return {AppendStatus::back_pressured, {}, 0};
}

void PartitionLog::when(Watermark watermark, Offset offset, std::function<void(Status)> done) {
  (watermark == Watermark::written ? waiting_for_written_ : waiting_for_durable_).add(offset.value, std::move(done));
}

Watermarks PartitionLog::watermarks() const {
  // The lower ones first, so that their order holds in what is returned while they move.
  Watermarks watermarks;
  watermarks.earliest = Offset(earliest_.load(std::memory_order_acquire));
  watermarks.durable = Offset(durable_.load(std::memory_order_acquire));
  watermarks.written = Offset(written_.load(std::memory_order_acquire));
  return watermarks;
}

PartitionStatus PartitionLog::status() const {
  PartitionStatus status;
  status.partition = identity_.partition;
  status.watermarks = watermarks();
  status.read_only = state_.load(std::memory_order_relaxed) == State::read_only;
  std::lock_guard lock(segments_mutex_);
  for (const auto& segment : segments_) status.bytes += segment->bytes();
  status.segments = segments_.size();
  status.damage = damage_;
  return status;
}

std::uint64_t PartitionLog::bytes() const {
  std::lock_guard lock(segments_mutex_);
  std::uint64_t bytes = 0;
  for (const auto& segment : segments_) bytes += segment->bytes();
  return bytes;
}

void PartitionLog::pin(std::string_view name, Offset offset) {
  std::lock_guard lock(segments_mutex_);
  pins_.insert_or_assign(std::string(name), offset.value);
}

void PartitionLog::refuse_appends() {
  State state = state_.load(std::memory_order_relaxed);
  while (state != State::read_only && state != State::closed)
    if (state_.compare_exchange_weak(state, State::closed, std::memory_order_relaxed)) return;
}

std::optional<PartitionLog::Removable> PartitionLog::oldest_removable() const {
  std::lock_guard lock(segments_mutex_);
  if (segments_.size() < 2) return std::nullopt;
  const Segment& oldest = *segments_.front();
  if (!oldest.is_closed() || &oldest == replacing_) return std::nullopt;
  const auto summary = oldest.summary();
  if (summary.next_offset > durable_.load(std::memory_order_acquire)) return std::nullopt;
  for (const auto& [name, offset] : pins_)
    if (offset < summary.next_offset) return std::nullopt;
  return Removable{summary.end_position, summary.last_append_us, oldest.last_write_ns()};
}

std::optional<Timestamp> PartitionLog::newest_append(Duration gap_max) const {
  std::lock_guard lock(segments_mutex_);
  std::optional<Timestamp> newest;
  std::int64_t last_us = 0;
  for (const auto& segment : segments_) {
    const auto known = segment->summary();
    if (known.next_offset == known.base_offset) continue;
    if (newest)
      newest->us += std::clamp<std::int64_t>(known.last_append_us - last_us, 0, gap_max.us);
    else
      newest = Timestamp{known.last_append_us};
    last_us = known.last_append_us;
  }
  return newest;
}

/// The segment that stays may grow still and not have been synced, not even its name. A power cut that kept the removal of the
/// one before and not that name would leave no file that says where the offsets go on.
Status PartitionLog::sync_name_of_survivor() const {
  {
    std::lock_guard lock(segments_mutex_);
    if (segments_[1]->is_closed()) return {};
  }
  return environment_.disk.sync_directory(identity_.directory);
}

Status PartitionLog::remove_oldest() {
  if (auto status = sync_name_of_survivor(); !status) return status;
  std::shared_ptr<Segment> oldest;
  {
    std::lock_guard lock(segments_mutex_);
    oldest = segments_.front();
    if (oldest.get() == replacing_) return {};  // begun since it was asked for; the next round takes it
    earliest_.store(segments_[1]->base_offset(), std::memory_order_release);
    segments_.erase(segments_.begin());
    std::erase_if(cursors_, [&oldest](const Cursor& cursor) { return cursor.segment == oldest.get(); });
    const std::uint64_t earliest = earliest_.load(std::memory_order_relaxed);
    std::erase_if(damage_, [earliest](const Damage& damage) { return damage.next.value <= earliest; });
  }
  environment_.counters.segments_removed.add();
  return oldest->remove();
}

}  // namespace iotstream::log
