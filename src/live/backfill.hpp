// The past of a subscription, gathered on a worker.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/live/hub.hpp>

#include "live/activity.hpp"
#include "live/row_buffer.hpp"

namespace iotstream::live {

/// Which values of a row a subscription wants.
class Selection {
 public:
  /// Empty: all, also those that appear later.
  explicit Selection(const std::vector<FieldId>& fields = {});
  bool all() const { return all_; }
  bool wants(FieldId field) const { return all_ || (field.value < wanted_.size() && wanted_[field.value]); }
  /// Adds the wanted values of a row to `rows`; false when there are none (of a selection; a row for `*` counts even without
  /// values): nothing is added then.
  bool append(RowBuffer& rows, Timestamp time, std::uint16_t device,
              const std::vector<std::pair<FieldId, model::Value>>& values) const;

 private:
  bool all_;
  std::vector<bool> wanted_;
};

/// Names of devices as positions that never change.
class DeviceList {
 public:
  static constexpr std::uint16_t none = 0xFFFF;
  /// `none` when the list is full.
  std::uint16_t position_of(std::string_view device);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint16_t, TextHash, std::equal_to<>> positions_;
};

/// The values of a record's row, valid as long as its batch; false when it is none.
bool decode(const log::Record& record, std::vector<std::pair<FieldId, model::Value>>& values);

/// A back-fill: asked by the hub, run on a worker, handed back through the mailbox. The worker owns it while it runs, the hub
/// afterwards.
struct BackfillJob {
  ViewerId viewer = 0;
  std::uint64_t number = 0;  ///< of the subscription, unique in the process: ids are used again
  BackfillRequest request;
  Grid grid;
  std::size_t bytes_max = 0;
  log::Topic* topic = nullptr;         ///< nullptr: there is none yet
  int rounds = 0;                      ///< times that the log had run ahead of the worker
  bool history_done = false;           ///< only the log is read on
  std::atomic<bool> cancelled{false};  ///< relaxed: only spares work

  Status status;
  RowBuffer rows;
  DeviceList devices;
  std::vector<Offset> next;  ///< by partition
};

/// Reads the past: history first, then the log from where history ends to its end, reduced by M4 whenever there are more than
/// four rows a pixel of each device, or more than bytes_max. Blocks.
void run_backfill(BackfillJob& job, const Backfill& backfill);

}  // namespace iotstream::live
