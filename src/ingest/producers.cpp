#include "ingest/producers.hpp"

#include <algorithm>

#include <iotstream/base/assert.hpp>

namespace iotstream::ingest {

/// One more than the greatest number in any partition; `sequence` when there is none.
std::uint64_t Producers::next_in_log(log::Topic& topic, std::uint64_t producer, std::uint64_t sequence) {
  std::uint64_t next = 0;
  bool known = false;
  for (std::uint32_t id = 0; id != topic.partition_count(); ++id) {
    const auto last = topic.partition(PartitionId(id)).last_sequence(producer);
    if (!last) continue;
    known = true;
    next = std::max(next, *last + 1);
  }
  return known ? next : sequence;
}

void Producers::forget_old() {
  for (auto entry = entries_.begin(); entries_.size() > known_max && entry != entries_.end();) {
    if (entry->busy) {
      ++entry;
      continue;
    }
    by_key_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

Producers::Admission Producers::enter(log::Topic& topic, std::uint64_t producer, std::uint64_t sequence) {
  const std::scoped_lock lock(mutex_);
  const Key key{&topic, producer};
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    forget_old();
    entries_.push_back({key, next_in_log(topic, producer, sequence), false});
    found = by_key_.emplace(key, std::prev(entries_.end())).first;
  }
  entries_.splice(entries_.end(), entries_, found->second);
  Entry& entry = *found->second;
  if (entry.busy) return {Verdict::busy, 0};
  if (sequence > entry.next) return {Verdict::gap, entry.next};
  entry.busy = true;
  return {};
}

void Producers::leave(const log::Topic& topic, std::uint64_t producer, std::uint64_t next) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(Key{&topic, producer});
  IOTSTREAM_ASSERT(found != by_key_.end() && found->second->busy, "producer {} leaves without having entered", producer);
  found->second->busy = false;
  found->second->next = std::max(found->second->next, next);
}

}  // namespace iotstream::ingest
