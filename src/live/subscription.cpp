#include "live/subscription.hpp"

#include <algorithm>

#include <iotstream/base/assert.hpp>

namespace iotstream::live {
namespace {

/// Of one frame: what a page decodes and paints without being felt, and a socket's queue holds several times.
constexpr std::size_t frame_rows_max = 64u << 10;
constexpr std::size_t frame_bytes_max = 2u << 20;  // in memory; encoded it is a quarter to a half of that, unless it is text
/// A parked viewer draws nothing: its picture is kept, not its rows.
constexpr std::size_t parked_bytes_max = 256u << 10;

}  // namespace

Subscription::Subscription(ViewerId of_viewer, std::uint32_t subscription_id, std::uint64_t subscription_number,
                           Subscribe subscribe, std::vector<FieldId> field_ids)
    : viewer(of_viewer),
      id(subscription_id),
      number(subscription_number),
      wanted(std::move(subscribe)),
      fields(std::move(field_ids)),
      grid{wanted.window, wanted.pixels},
      selection_(fields),
      interval_ns_(static_cast<std::int64_t>(1e9 / wanted.rate)) {}

void Subscription::begin_live(BackfillJob& done) {
  std::vector<std::uint16_t> positions;
  for (const std::string& device : done.devices.names()) positions.push_back(devices_.position_of(device));
  past_.append(done.rows, positions);
  start = std::move(done.next);
  job = nullptr;
  phase = Phase::live;
}

std::uint16_t Subscription::position_of(DeviceNumber device_number, std::string_view device) {
  if (device_number == unknown_device) return devices_.position_of(device);
  if (device_number >= positions_.size()) positions_.resize(device_number + 1u, DeviceList::none);
  std::uint16_t& position = positions_[device_number];
  if (position == DeviceList::none) position = devices_.position_of(device);
  return position;
}

bool Subscription::add(const log::Record& record, DeviceNumber device,
                       const std::vector<std::pair<FieldId, model::Value>>& values) {
  const std::uint16_t position = position_of(device, record.key);
  if (position == DeviceList::none) return false;
  if (!selection_.append(pending_, record.time, position, values)) return true;
  if (!runs_.empty() && runs_.back().append_time == record.append_time)
    ++runs_.back().rows;
  else
    runs_.push_back({record.append_time, 1});
  return true;
}

void Subscription::bound() {
  const std::size_t bytes_max = parked_ ? std::min(share, parked_bytes_max) : share;
  const std::size_t rows_max = std::size_t{4} * grid.pixels;
  if (pending_.rows() <= std::max(rows_max, rows_floor_) && pending_.bytes() <= std::max(bytes_max, bytes_floor_)) return;
  doublings_ = pending_.merge(grid, bytes_max, doublings_);
  rows_floor_ = 2 * pending_.rows();
  bytes_floor_ = 2 * pending_.bytes();
  runs_.clear();
}

void Subscription::resume() {
  if (!parked_) return;
  rows_floor_ = bytes_floor_ = 0;
  bound();
  parked_ = false;
  forget_latency();
}

std::size_t Subscription::acknowledge(std::uint64_t seq) {
  if (seq > seq_) return 0;  // of the subscription that had this id before
  std::size_t bytes = 0;
  for (; !in_flight_.empty() && in_flight_.front().first <= seq; in_flight_.pop_front()) bytes += in_flight_.front().second;
  return bytes;
}

std::size_t Subscription::bytes_in_flight() const {
  std::size_t bytes = 0;
  for (const auto& frame : in_flight_) bytes += frame.second;
  return bytes;
}

std::vector<FieldId> Subscription::dictionary_fields() const {
  if (!fields.empty()) return fields;
  std::vector<FieldId> all;
  for (const model::Field& field : schema_->fields()) all.push_back(field.id);
  return all;
}

std::string Subscription::dictionary(const model::SchemaPtr& current) {
  IOTSTREAM_ASSERT(current != nullptr, "dataset {} has no schema", wanted.dataset);
  const bool same = schema_ == current || (schema_ != nullptr && schema_->version() == current->version());
  if (same && devices_sent_ == devices_.names().size()) return {};
  schema_ = current;
  devices_sent_ = devices_.names().size();
  return write_fields(id, *schema_, dictionary_fields(), devices_.names());
}

/// End of the rows from `begin` on that one frame takes: at least one row.
std::size_t Subscription::chunk_of(const RowBuffer& rows, std::size_t begin) const {
  std::size_t bytes = 0;
  std::size_t end = begin;
  while (end < rows.rows() && end - begin < frame_rows_max) {
    bytes += rows.bytes_of(end);
    if (bytes > frame_bytes_max && end > begin) break;
    ++end;
  }
  return end;
}

OutgoingFrame Subscription::take_frame(FrameEncoder& encoder, bool json, std::int64_t now_ns) {
  FrameContent content;
  content.id = id;
  content.seq = ++seq_;
  content.schema = schema_.get();
  content.devices = &devices_.names();
  content.backfill = !past_sent_;
  RowBuffer& rows = content.backfill ? past_ : pending_;
  content.rows = &rows;
  content.begin = content.backfill ? past_begin_ : 0;
  content.end = chunk_of(rows, content.begin);
  content.last = content.backfill && content.end == rows.rows();
  content.merged = rows.take_merged();

  OutgoingFrame frame;
  frame.bytes = json ? encoder.json(content) : encoder.binary(content);
  frame.rows = content.end - content.begin;
  frame.merged = content.merged;
  if (content.backfill) {
    past_begin_ = content.end;
    past_sent_ = content.last;
    if (past_sent_) past_ = RowBuffer();
  } else {
    pending_.drop_front(content.end);
    frame.runs = std::exchange(runs_, {});
    if (pending_.empty()) {
      rows_floor_ = bytes_floor_ = 0;
      doublings_ = 0;
    }
  }
  in_flight_.emplace_back(seq_, frame.bytes.size());
  slot_ns_ = now_ns + interval_ns_;
  return frame;
}

}  // namespace iotstream::live
