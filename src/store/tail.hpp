// The open tail: records that are durable in the log and not in SQLite yet, read from there so that an answer is complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/log/log.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/query/filter.hpp>

#include "store/event_scan.hpp"

namespace iotstream::store {

/// Records of one dataset beyond the offsets that a picture of the database ends at, in history's order. Together with that
/// picture each record is there once. When there are more than tail_records_max, or than
/// tail_bytes_max of them, none of them is: they are counted.
class Tail {
 public:
  struct Row {
    Place place;
    const log::Record* record = nullptr;
    model::RowView view;
  };

  Tail() = default;
  /// `consumed`: the next offset of each partition that is not in the picture. What the log cannot give (damage, retention) is
  /// passed over, as the writer will do.
  static Tail read(log::Topic& topic, const std::vector<Offset>& consumed);

  /// Leaves those of the range, its device's name being `device` (empty or `*`: all), that pass the filter (nullptr: all).
  void choose(const ScanRange& range, std::string_view device, const query::Bound* where);

  const std::vector<Row>& rows() const { return rows_; }
  /// Durable records that are neither in the picture nor here.
  std::uint64_t behind() const { return behind_; }

 private:
  void read_partition(log::Partition& partition, PartitionId id, Offset next, Offset end);

  std::vector<log::Batch> batches_;  ///< own what rows_ refer to
  std::vector<Row> rows_;
  std::uint64_t behind_ = 0;
  std::uint64_t bytes_ = 0;  ///< of keys and values read
};

inline constexpr std::uint64_t tail_records_max = 20'000;
inline constexpr std::uint64_t tail_bytes_max = 64u << 20;  ///< of records, while a query runs

/// A row of the tail as an event, with those of `fields` (ascending; empty: all) that it has. Valid until the next one.
class TailEvent {
 public:
  const Event& of(const Tail::Row& row, const std::vector<FieldId>& fields);

 private:
  Event event_;
  std::vector<std::pair<FieldId, model::Value>> values_;
};

}  // namespace iotstream::store
