// Idempotent producers of a partition: the check at the append, the table that is kept beside the log.
#include <iotstream/base/diagnostics.hpp>

#include "log/partition.hpp"

namespace iotstream::log {

Appended PartitionLog::append(Timestamp time, std::string_view key, ByteView value, const Producer& producer) {
  const State state = state_.load(std::memory_order_relaxed);
  if (state != State::open) [[unlikely]]
    return refusal(state);
  if (key.size() > record_size_max || value.size() > record_size_max - key.size()) [[unlikely]]
    return {AppendStatus::too_large, {}, 0};
  const Appended appended = append_new(time, key, value, producer);
  switch (appended.status) {
    case AppendStatus::accepted:
      park_.wake_if_parked();
      break;
    case AppendStatus::back_pressured:
      environment_.counters.back_pressured.add();
      break;
    case AppendStatus::duplicate:
    case AppendStatus::duplicate_unplaced:
      environment_.counters.duplicates.add();
      break;
    case AppendStatus::out_of_order:
      environment_.counters.out_of_order.add();
      break;
    default:
      break;
  }
  return appended;
}

/// Check and claim in one step. An offset is given away with the claim and stays what it is, so the writer cannot sort
/// duplicates out later; and with a mark "being claimed" in place of the lock a retry would have to be sent away while its
/// original is copied. The lock is held for one copy into memory, never for the disk.
Appended PartitionLog::append_new(Timestamp time, std::string_view key, ByteView value, const Producer& producer) {
  std::lock_guard lock(producers_mutex_);
  const auto verdict = producers_.check(producer);
  if (verdict.status != AppendStatus::accepted) return {verdict.status, Offset(verdict.offset), verdict.expected};
  const auto claimed = ring_.append(time, key, value, producer.id, producer.sequence);
  switch (claimed.outcome) {
    case StagingRing::Outcome::accepted:
      producers_.add(producer.id, producer.sequence, claimed.offset);
      return {AppendStatus::accepted, Offset(claimed.offset), 0};
    case StagingRing::Outcome::full:
      return {AppendStatus::back_pressured, {}, 0};
    case StagingRing::Outcome::sealed:
      break;
  }
  const State now = state_.load(std::memory_order_relaxed);
  return refusal(now == State::open ? State::closed : now);
}

std::optional<std::uint64_t> PartitionLog::last_sequence(std::uint64_t producer) const {
  std::lock_guard lock(producers_mutex_);
  return producers_.last_sequence(producer);
}

/// After recovery: what is written is what the table says.
void PartitionLog::know_producers() {
  written_producers_ = producers_;
  tables_reach_.store(producer_file_.oldest(), std::memory_order_relaxed);
  // What was read from the log is stored with the next closed segments, or at a clean end.
  const std::uint64_t newest = producer_file_.newest();
  if (producers_.size() != 0)
    tables_wanted_ = newest != written_.load(std::memory_order_relaxed) ? 2 : producer_file_.oldest() != newest ? 1 : 0;
}

/// On the writer: the sync thread stores it once the records below are durable.
void PartitionLog::keep_table(const ProducerTable::Place& place) {
  TableImage table{place.offset, written_producers_.encode(place)};
  --tables_wanted_;
  producer_bytes_ = 0;
  std::lock_guard lock(unsynced_mutex_);
  unsynced_.table = std::move(table);
}

/// On the sync thread. Not stored is not lost: the next start reads more of the log.
void PartitionLog::store_table(const TableImage& table) {
  if (auto status = producer_file_.write(table.bytes, table.offset); !status)
    diagnostics::warning("log", "{}: the table of producers could not be stored: {}", name(), status.error().message);
  tables_reach_.store(producer_file_.oldest(), std::memory_order_release);
}

}  // namespace iotstream::log
