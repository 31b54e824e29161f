#include "live/backfill.hpp"

#include <algorithm>

namespace iotstream::live {
namespace {

constexpr std::size_t read_bytes = 1u << 20;

/// Collects rows in bounded memory.
class Builder {
 public:
  explicit Builder(BackfillJob& job) : job_(job), selection_(job.request.fields) {}

  void add(Timestamp time, std::string_view device, const std::vector<std::pair<FieldId, model::Value>>& values) {
    const std::uint16_t position = job_.devices.position_of(device);
    if (position == DeviceList::none || !selection_.append(job_.rows, time, position, values)) return;
    if (job_.rows.rows() > rows_limit() || job_.rows.bytes() > std::max(job_.bytes_max, bytes_floor_)) reduce();
  }
  void finish() {
    if (job_.rows.rows() > rows_wanted() || job_.rows.bytes() > job_.bytes_max) reduce();
  }

 private:
  std::size_t rows_wanted() const {
    return std::size_t{4} * job_.grid.pixels * std::max<std::size_t>(job_.devices.names().size(), 1);
  }
  std::size_t rows_limit() const { return std::max(2 * rows_wanted(), rows_floor_); }
  /// The next time only when there is twice of what remained: each row is looked at a bounded number of times.
  void reduce() {
    doublings_ = job_.rows.merge(job_.grid, job_.bytes_max, doublings_);
    rows_floor_ = 2 * job_.rows.rows();
    bytes_floor_ = 2 * job_.rows.bytes();
  }

  BackfillJob& job_;
  Selection selection_;
  std::size_t rows_floor_ = 0;
  std::size_t bytes_floor_ = 0;
  int doublings_ = 0;
};

bool cancelled(const BackfillJob& job) { return job.cancelled.load(std::memory_order_relaxed); }

Status read_history(BackfillJob& job, const Backfill& backfill, Builder& builder) {
  auto next = backfill(job.request, [&](const BackfillRow& row) {
    builder.add(row.time, row.device, *row.values);
    return !cancelled(job);
  });
  if (next) {
    job.next = std::move(*next);
    return {};
  }
  // History has not met the dataset yet: all there is stands in the log.
  if (next.error().kind == ErrorKind::not_found) return {};
  return std::move(next).error();
}

Status read_partition(BackfillJob& job, log::Partition& partition, Offset& next, Builder& builder) {
  std::vector<std::pair<FieldId, model::Value>> values;
  const Offset end = partition.watermarks().written;
  while (next < end && !cancelled(job)) {
    auto batch = partition.read(next, read_bytes, log::Watermark::written);
    if (!batch) return std::move(batch).error();
    if (batch->empty()) {  // nothing readable is left below the watermark that was seen
      next = end;
      break;
    }
    for (const log::Record& record : batch->records()) {
      if (record.time < job.request.from) continue;
      if (!job.request.device.empty() && record.key != job.request.device) continue;
      if (decode(record, values)) builder.add(record.time, record.key, values);
    }
    next = batch->records().back().offset + 1;
  }
  return {};
}

}  // namespace

Selection::Selection(const std::vector<FieldId>& fields) : all_(fields.empty()) {
  for (const FieldId field : fields) {
    if (field.value >= wanted_.size()) wanted_.resize(field.value + 1u, false);
    wanted_[field.value] = true;
  }
}

bool Selection::append(RowBuffer& rows, Timestamp time, std::uint16_t device,
                       const std::vector<std::pair<FieldId, model::Value>>& values) const {
  rows.begin_row(time, device);
  bool any = all_;
  for (const auto& [field, value] : values) {
    if (!wants(field) || !value.present()) continue;
    rows.add(field, value);
    any = true;
  }
  if (!any) rows.drop_row();
  return any;
}

std::uint16_t DeviceList::position_of(std::string_view device) {
  if (const auto found = positions_.find(device); found != positions_.end()) return found->second;
  if (names_.size() >= none) return none;
  const auto position = static_cast<std::uint16_t>(names_.size());
  names_.emplace_back(device);
  positions_.emplace(names_.back(), position);
  return position;
}

bool decode(const log::Record& record, std::vector<std::pair<FieldId, model::Value>>& values) {
  values.clear();
  const auto row = model::RowView::open(record.value);
  if (!row) return false;
  row->each(record.key, [&](FieldId field, const model::Value& value) { values.emplace_back(field, value); });
  return true;
}

void run_backfill(BackfillJob& job, const Backfill& backfill) {
  if (cancelled(job)) return;
  Builder builder(job);
  if (!job.history_done) {
    job.status = read_history(job, backfill, builder);
    if (!job.status) return;
    job.history_done = true;
  }
  if (job.topic != nullptr) {
    job.next.resize(job.topic->partition_count());
    for (std::uint32_t i = 0; i != job.topic->partition_count() && job.status; ++i)
      job.status = read_partition(job, job.topic->partition(PartitionId(i)), job.next[i], builder);
  }
  if (job.status) builder.finish();
}

}  // namespace iotstream::live
