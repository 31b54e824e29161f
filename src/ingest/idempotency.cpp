#include "ingest/idempotency.hpp"

#include <utility>

namespace iotstream::ingest {

Outcome Idempotency::repeated(Outcome outcome) {
  outcome.duplicates += std::exchange(outcome.accepted, 0);
  return outcome;
}

void Idempotency::forget_old(std::int64_t now_ns) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entries_.size() < keys_max && now_ns - entry->since_ns < kept_ns) return;
    if (entry->running) {
      ++entry;
      continue;
    }
    by_key_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

Idempotency::Admission Idempotency::enter(const std::string& key, std::uint64_t fingerprint, std::int64_t now_ns,
                                          const Done& done) {
  std::unique_lock lock(mutex_);
  forget_old(now_ns);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    entries_.push_back({key, fingerprint, now_ns, true, 0, {}, {}});
    by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
    return {};
  }
  Entry& entry = *found->second;
  const auto answer = [&](Result<Outcome> result) {
    lock.unlock();
    done(std::move(result));
    return Admission{Verdict::answered, 0, {}};
  };
  if (entry.fingerprint != fingerprint)
    return answer(Error{ErrorKind::unprocessable, "this Idempotency-Key was used for another body: choose a new key"});
  if (entry.running) {
    if (entry.waiting.size() >= waiting_max)
      return answer(Error{ErrorKind::busy, "this Idempotency-Key is being handled: try again"});
    entry.waiting.push_back(done);
    return {Verdict::answered, 0, {}};
  }
  if (!entry.outcome.refusal) return answer(repeated(entry.outcome));
  entry.running = true;
  entry.outcome.refusal.reset();
  entry.outcome.refused = 0;
  return {Verdict::proceed, entry.handled, repeated(entry.outcome)};
}

void Idempotency::finish(const std::string& key, const Result<Outcome>& result, std::uint64_t handled, bool acknowledged) {
  std::vector<Done> waiting;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    IOTSTREAM_ASSERT(found != by_key_.end(), "the idempotency key {} was finished without being entered", key);
    const Entries::iterator entry = found->second;
    waiting = std::move(entry->waiting);
    if (result && acknowledged) {
      entry->running = false;
      entry->handled = handled;
      entry->outcome = *result;
    } else {
      by_key_.erase(found);
      entries_.erase(entry);
    }
  }
  for (const Done& done : waiting) done(result ? Result<Outcome>(repeated(*result)) : result);
}

}  // namespace iotstream::ingest
