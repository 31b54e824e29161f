#include "log/producers.hpp"

#include <utility>

#include <fmt/format.h>

namespace iotstream::log {
namespace {

constexpr std::uint64_t table_magic = 0x31545053544f49ULL;  // "IOTSPT1\0"
constexpr std::size_t header_size = 48;
constexpr std::size_t entry_size = 20;
constexpr std::size_t run_size = 20;

void put(std::byte*& at, auto number) {
  store_le(at, number);
  at += sizeof number;
}

template <class Number>
Number take(const std::byte*& at) {
  const auto number = load_le<Number>(at);
  at += sizeof(Number);
  return number;
}

}  // namespace

const ProducerTable::Entry* ProducerTable::find(std::uint64_t id) const {
  const Pool& pool = pools_[id < producer_key_begin ? 0 : 1];
  const auto found = pool.by_id.find(id);
  return found == pool.by_id.end() ? nullptr : &*found->second;
}

ProducerTable::Verdict ProducerTable::check(const Producer& producer) const {
  const Entry* entry = find(producer.id);
  // Whoever is not known begins where it likes: it may be one that was forgotten.
  if (entry == nullptr) return {};
  if (producer.sequence > entry->last_sequence) {
    const std::uint64_t expected = entry->last_sequence + 1;
    if (producer.order == Producer::Order::increasing || producer.sequence == expected) return {};
    return {AppendStatus::out_of_order, 0, expected};
  }
  for (const Run& run : entry->runs)
    if (producer.sequence >= run.sequence && producer.sequence - run.sequence < run.count)
      return {AppendStatus::duplicate, run.offset + (producer.sequence - run.sequence), 0};
  const Run& last = entry->runs.back();
  return {AppendStatus::duplicate_unplaced, last.offset + last.count - 1, 0};
}

ProducerTable::Entry& ProducerTable::touch(std::uint64_t id) {
  Pool& pool = pool_of(id);
  if (const auto found = pool.by_id.find(id); found != pool.by_id.end()) {
    pool.entries.splice(pool.entries.end(), pool.entries, found->second);
    return *found->second;
  }
  if (pool.entries.size() >= producers_max) {
    pool.by_id.erase(pool.entries.front().id);
    pool.entries.pop_front();
  }
  pool.entries.push_back({id, 0, {}});
  pool.by_id.emplace(id, std::prev(pool.entries.end()));
  return pool.entries.back();
}

void ProducerTable::add(std::uint64_t id, std::uint64_t sequence, std::uint64_t offset) {
  Entry& entry = touch(id);
  entry.last_sequence = sequence;
  if (!entry.runs.empty()) {
    Run& run = entry.runs.back();
    if (run.sequence + run.count == sequence && run.offset + run.count == offset) {
      ++run.count;
      return;
    }
  }
  if (entry.runs.size() == runs_max) entry.runs.erase(entry.runs.begin());
  entry.runs.push_back({sequence, offset, 1});
}

void ProducerTable::add(const format::FrameHeader& header, ByteView frame) {
  for (format::FrameRecords records(header, frame); records.next();)
    if (const auto& record = records.record(); record.numbered) add(record.producer, record.sequence, records.offset());
}

std::optional<std::uint64_t> ProducerTable::last_sequence(std::uint64_t id) const {
  const Entry* entry = find(id);
  return entry == nullptr ? std::nullopt : std::optional(entry->last_sequence);
}

std::vector<std::byte> ProducerTable::encode(const Place& place) const {
  std::size_t size = header_size;
  for (const Pool& pool : pools_)
    for (const Entry& entry : pool.entries) size += entry_size + entry.runs.size() * run_size;
  std::vector<std::byte> file(size);
  std::byte* at = file.data() + 16;
  put(at, place.offset);
  put(at, place.segment_base);
  put(at, place.position);
  put(at, static_cast<std::uint32_t>(size - header_size));
  put(at, static_cast<std::uint32_t>(this->size()));
  for (const Pool& pool : pools_)
    for (const Entry& entry : pool.entries) {
      put(at, entry.id);
      put(at, entry.last_sequence);
      put(at, static_cast<std::uint32_t>(entry.runs.size()));
      for (const Run& run : entry.runs) {
        put(at, run.sequence);
        put(at, run.offset);
        put(at, run.count);
      }
    }
  at = file.data();
  put(at, table_magic);
  put(at, format::version);
  put(at, crc32c(ByteView(file).subspan(16)));
  return file;
}

Result<ProducerTable::Stored> ProducerTable::decode(ByteView file) {
  const Error corrupt{ErrorKind::corrupt, "the table of producers fails its check"};
  if (file.size() < header_size || load_le<std::uint64_t>(file.data()) != table_magic) return corrupt;
  const auto version = load_le<std::uint32_t>(file.data() + 8);
  if (version > format::version)
    return Error{ErrorKind::unsupported,
                 fmt::format("a table of producers has format {}; this program reads up to {}", version, format::version)};
  const std::byte* at = file.data() + 16;
  Stored stored;
  stored.place.offset = take<std::uint64_t>(at);
  stored.place.segment_base = take<std::uint64_t>(at);
  stored.place.position = take<std::uint64_t>(at);
  const auto body = take<std::uint32_t>(at);
  const auto count = take<std::uint32_t>(at);
  if (file.size() < header_size + std::uint64_t{body}) return corrupt;
  if (crc32c(file.subspan(16, header_size - 16 + body)) != load_le<std::uint32_t>(file.data() + 12)) return corrupt;
  const std::byte* const end = at + body;
  for (std::uint32_t i = 0; i != count; ++i) {
    if (static_cast<std::size_t>(end - at) < entry_size) return corrupt;
    const auto id = take<std::uint64_t>(at);
    const auto last = take<std::uint64_t>(at);
    const auto runs = take<std::uint32_t>(at);
    if (runs == 0 || runs > runs_max || static_cast<std::size_t>(end - at) < runs * run_size) return corrupt;
    Entry& entry = stored.table.touch(id);
    entry.last_sequence = last;
    for (std::uint32_t k = 0; k != runs; ++k) {
      const auto sequence = take<std::uint64_t>(at);
      const auto offset = take<std::uint64_t>(at);
      entry.runs.push_back({sequence, offset, take<std::uint32_t>(at)});
    }
  }
  return stored;
}

}  // namespace iotstream::log
