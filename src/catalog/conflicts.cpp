#include <algorithm>

#include <iotstream/catalog/conflicts.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::int64_t describe_every_us = 1'000'000;

/// The first `size` bytes of a text, no character cut in two.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

bool ConflictCell::count(Timestamp time, bool refused) {
  const bool first = count_.fetch_add(1, std::memory_order_relaxed) == 0;
  if (refused) refused_.fetch_add(1, std::memory_order_relaxed);
  if (first) first_us_.store(time.us, std::memory_order_relaxed);
  last_us_.store(time.us, std::memory_order_relaxed);
  const std::int64_t described = described_us_.load(std::memory_order_relaxed);
  if (!first && time.us >= described && time.us < described + describe_every_us) return false;
  described_us_.store(time.us, std::memory_order_relaxed);
  return true;
}

void ConflictCell::describe(const Misfitting& value) {
  const std::lock_guard lock(mutex_);
  device_ = value.device;
  source_ = value.source;
  sample_ = cut(value.sample, conflict_sample_max);
}

Conflict ConflictCell::read() const {
  Conflict conflict;
  conflict.count = count_.load(std::memory_order_relaxed);
  conflict.refused = refused_.load(std::memory_order_relaxed);
  conflict.first = {first_us_.load(std::memory_order_relaxed)};
  conflict.last = {last_us_.load(std::memory_order_relaxed)};
  const std::lock_guard lock(mutex_);
  conflict.device = device_;
  conflict.source = source_;
  conflict.sample = sample_;
  return conflict;
}

ConflictCell& ConflictBook::cell(std::string_view field, std::optional<model::FieldType> from, model::FieldType to) {
  std::string key(cut(field, conflict_field_bytes_max));
  key += '\0';
  key += static_cast<char>('0' + static_cast<int>(to));
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) return found->second->cell;
  if (entries_.size() >= conflicts_max) return rest_;
  auto entry = std::make_unique<Entry>();
  entry->field = cut(field, conflict_field_bytes_max);
  entry->from = from;
  entry->to = to;
  return entries_.emplace(std::move(key), std::move(entry)).first->second->cell;
}

std::vector<Conflict> ConflictBook::list() const {
  std::vector<Conflict> conflicts;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, entry] : entries_) {
      if (entry->cell.counted() == 0) continue;
      Conflict conflict = entry->cell.read();
      conflict.field = entry->field;
      conflict.from = entry->from;
      conflict.to = entry->to;
      conflicts.push_back(std::move(conflict));
    }
  }
  std::sort(conflicts.begin(), conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.last != b.last ? a.last > b.last : a.field < b.field; });
  return conflicts;
}

std::uint64_t ConflictBook::total() const {
  std::uint64_t total = rest_.counted();
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) total += entry->cell.counted();
  return total;
}

}  // namespace iotstream::catalog
