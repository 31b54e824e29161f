#include "log/replay_run.hpp"

#include <algorithm>

namespace iotstream::log {
namespace {

/// For the heap: the greater ones sink.
bool comes_after(const HeldRecord& a, const HeldRecord& b) {
  return a.time_us != b.time_us ? a.time_us > b.time_us : a.offset > b.offset;
}

HeldRecord hold(const Record& record) {
  HeldRecord held;
  held.time_us = record.time.us;
  held.append_us = record.append_time.us;
  held.offset = record.offset.value;
  held.key_size = record.key.size();
  held.bytes.reserve(record.key.size() + record.value.size());
  held.bytes.append(record.key).append(as_text(record.value));
  return held;
}

}  // namespace

Result<bool> ReplayRun::fill(const ReplayRange& range, std::size_t& budget) {
  // How far it reads ahead depends on the records alone, not on how the log cuts its batches: so the order is always the same.
  while (held_bytes_ < window_) {
    if (at_ == batch_.records().size()) {
      if (next_ >= end_) {
        batch_ = {};
        at_ = 0;
        return true;
      }
      if (budget == 0) return false;
      if (auto read = read_on(budget); !read) return read.error();
      continue;
    }
    const Record& record = batch_.records()[at_++];
    if (record.offset >= end_) {
      batch_ = {};
      at_ = 0;
      next_ = end_;
      continue;
    }
    if (!range.wants(record)) continue;
    window_records_.push_back(hold(record));
    held_bytes_ += window_records_.back().size();
    std::push_heap(window_records_.begin(), window_records_.end(), comes_after);
  }
  return true;
}

/// The next batch; the stretch is at its end when there is none.
Status ReplayRun::read_on(std::size_t& budget) {
  at_ = 0;
  batch_ = {};
  auto batch = partition_.read(next_, window_, Watermark::durable);
  if (!batch) {
    // A segment that retention removed in this moment.
    const Offset earliest = partition_.watermarks().earliest;
    if (earliest <= next_) return batch.error();
    miss_until(earliest);
    return {};
  }
  if (batch->empty()) {
    // Nothing behind it can be read: damage up to the end, which the log reports.
    next_ = end_;
    return {};
  }
  miss_until(std::min(batch->records().front().offset, partition_.watermarks().earliest));
  if (next_ >= end_) return {};
  for (const Record& record : batch->records()) budget -= std::min(budget, record.key.size() + record.value.size() + 16);
  next_ = batch->records().back().offset + 1;
  batch_ = std::move(*batch);
  return {};
}

void ReplayRun::miss_until(Offset offset) {
  const Offset beyond = std::min(offset, end_);
  if (beyond <= next_) return;
  missed_ += beyond - next_;
  next_ = beyond;
}

HeldRecord ReplayRun::take() {
  std::pop_heap(window_records_.begin(), window_records_.end(), comes_after);
  HeldRecord taken = std::move(window_records_.back());
  window_records_.pop_back();
  held_bytes_ -= taken.size();
  return taken;
}

}  // namespace iotstream::log
