// One subscription of one viewer: its past, its pending rows, its credit. Used by the hub's thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/catalog/schemas.hpp>

#include "live/backfill.hpp"
#include "live/control.hpp"
#include "live/frame.hpp"

namespace iotstream::live {

/// Data frames that a subscription may have under way without an acknowledgement.
inline constexpr std::uint64_t credit_max = 2;

/// Where a subscription stands: waiting for a worker, back-filling on one, then live.
enum class Phase : unsigned char { waiting, filling, live };

/// Rows of one append time that wait: what the latency is measured by.
struct PendingRun {
  Timestamp append_time;
  std::uint32_t rows = 0;
};

/// A frame ready for the socket.
struct OutgoingFrame {
  std::string bytes;
  std::size_t rows = 0;
  std::uint64_t merged = 0;
  std::vector<PendingRun> runs;  ///< of live rows that were not merged
};

class Subscription {
 public:
  Subscription(ViewerId viewer, std::uint32_t id, std::uint64_t number, Subscribe wanted, std::vector<FieldId> fields);

  const ViewerId viewer;
  const std::uint32_t id;
  const std::uint64_t number;  ///< unique in the process
  const Subscribe wanted;
  const std::vector<FieldId> fields;  ///< empty: all
  const Grid grid;
  Phase phase = Phase::waiting;
  std::shared_ptr<BackfillJob> job;  ///< while waiting or filling
  std::size_t share = 64u << 10;     ///< of its viewer's memory, bytes
  bool devices_full = false;         ///< that was said
  std::vector<Offset> start;         ///< by partition: records below were in the back-fill

  /// Takes over the rows of the back-fill; the subscription is live from now on.
  void begin_live(BackfillJob& done);
  /// A live record, `values` decoded; `device` is its number in the dataset's table. False when the viewer's list of devices is
  /// full.
  bool add(const log::Record& record, DeviceNumber device, const std::vector<std::pair<FieldId, model::Value>>& values);
  bool wants_device(std::string_view device) const { return wanted.device.empty() || wanted.device == device; }
  /// Merges what waits when it is above its bounds: four rows a pixel, or its share.
  void bound();

  void park() { parked_ = true; }
  void resume();
  /// Rows that waited for a reason of the viewer's own do not count as late.
  void forget_latency() { runs_.clear(); }
  bool parked() const { return parked_; }
  /// Returns the bytes that are no longer under way.
  std::size_t acknowledge(std::uint64_t seq);

  /// Something waits to be sent.
  bool has_frame() const { return phase == Phase::live && (!past_sent_ || !pending_.empty()); }
  bool has_credit() const { return !parked_ && in_flight_.size() < credit_max; }
  /// Monotonic time from which the rate allows the next frame.
  std::int64_t slot_ns() const { return slot_ns_; }
  std::size_t memory() const { return past_.bytes() + pending_.bytes(); }
  std::size_t bytes_in_flight() const;

  /// The dictionary, when the next frame needs a newer one than the viewer has; empty otherwise.
  std::string dictionary(const model::SchemaPtr& current);
  /// The next frame. Needs has_frame() and a dictionary() before.
  OutgoingFrame take_frame(FrameEncoder& encoder, bool json, std::int64_t now_ns);

 private:
  std::uint16_t position_of(DeviceNumber number, std::string_view device);
  std::vector<FieldId> dictionary_fields() const;
  std::size_t chunk_of(const RowBuffer& rows, std::size_t begin) const;

  const Selection selection_;
  const std::int64_t interval_ns_;
  RowBuffer past_;
  std::size_t past_begin_ = 0;  ///< rows of past_ before are sent
  bool past_sent_ = false;      ///< also the frame with the flag `last`
  RowBuffer pending_;
  std::vector<PendingRun> runs_;
  std::size_t rows_floor_ = 0;  ///< no merge below: the last one left half of that
  std::size_t bytes_floor_ = 0;
  int doublings_ = 0;  ///< of the merge grid, while rows of the last merge are pending

  DeviceList devices_;
  std::vector<std::uint16_t> positions_;  ///< by DeviceNumber; DeviceList::none: not asked yet
  model::SchemaPtr schema_;               ///< of the dictionary sent last
  std::size_t devices_sent_ = 0;

  bool parked_ = false;
  std::uint64_t seq_ = 0;
  std::deque<std::pair<std::uint64_t, std::size_t>> in_flight_;  ///< seq, bytes
  std::int64_t slot_ns_ = 0;
};

}  // namespace iotstream::live
