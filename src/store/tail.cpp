#include "store/tail.hpp"

#include <algorithm>

namespace iotstream::store {

namespace {

constexpr std::size_t read_bytes = 256u << 10;

bool in_range(const Place& place, const ScanRange& range) {
  if (range.from && place.time < *range.from) return false;
  if (range.to && place.time >= *range.to) return false;
  if (!range.after) return true;
  return range.newest_first ? place < *range.after : place > *range.after;
}

}  // namespace

Tail Tail::read(log::Topic& topic, const std::vector<Offset>& consumed) {
  Tail tail;
  std::vector<std::pair<Offset, Offset>> ranges;
  for (std::uint32_t i = 0; i < topic.partition_count(); ++i) {
    const log::Watermarks marks = topic.partition(PartitionId(i)).watermarks();
    const Offset next = std::max(i < consumed.size() ? consumed[i] : Offset(0), marks.earliest);
    ranges.emplace_back(next, std::max(next, marks.durable));
    tail.behind_ += ranges.back().second - next;
  }
  // A part of it would cost the same, and would not be complete either.
  if (tail.behind_ > tail_records_max) return tail;
  tail.behind_ = 0;
  for (std::uint32_t i = 0; i < topic.partition_count(); ++i) {
    tail.read_partition(topic.partition(PartitionId(i)), PartitionId(i), ranges[i].first, ranges[i].second);
  }
  if (tail.bytes_ > tail_bytes_max) {
    Tail none;
    for (const auto& [next, end] : ranges) none.behind_ += end - next;
    return none;
  }
  std::sort(tail.rows_.begin(), tail.rows_.end(), [](const Row& a, const Row& b) { return a.place < b.place; });
  return tail;
}

void Tail::read_partition(log::Partition& partition, PartitionId id, Offset next, Offset end) {
  while (next < end && bytes_ <= tail_bytes_max) {
    auto batch = partition.read(next, read_bytes, log::Watermark::durable);
    if (!batch) behind_ += end - next;
    if (!batch || batch->empty()) return;
    for (const log::Record& record : batch->records()) {
      next = record.offset + 1;
      if (record.offset >= end) break;
      bytes_ += record.key.size() + record.value.size();
      auto view = model::RowView::open(record.value);
      if (view) rows_.push_back({{record.time, id, record.offset}, &record, *view});
    }
    batches_.push_back(std::move(*batch));
  }
}

void Tail::choose(const ScanRange& range, std::string_view device, const query::Bound* where) {
  const bool any_device = device.empty() || device == "*";
  TailEvent event;
  std::erase_if(rows_, [&](const Row& row) {
    if (!in_range(row.place, range) || (!any_device && row.record->key != device)) return true;
    return where != nullptr && !where->matches(Seen(event.of(row, {})));
  });
}

const Event& TailEvent::of(const Tail::Row& row, const std::vector<FieldId>& fields) {
  values_.clear();
  auto wanted = fields.begin();
  row.view.each(row.record->key, [&](FieldId field, const model::Value& value) {
    if (!fields.empty()) {
      while (wanted != fields.end() && *wanted < field) ++wanted;
      if (wanted == fields.end() || *wanted != field) return;
    }
    values_.emplace_back(field, value);
    // As it will be read from its column.
    if (value.kind == model::ValueKind::key) values_.back().second.kind = model::ValueKind::text;
  });
  event_.time = row.place.time;
  event_.device = row.record->key;
  event_.partition = row.place.partition;
  event_.offset = row.place.offset;
  event_.facts = row.view.facts();
  event_.flags = row.view.flags();
  event_.values = &values_;
  return event_;
}

}  // namespace iotstream::store
