// Compares the rows of history with the records of the log.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/sqlite/database.hpp>
#include <iotstream/store/verify.hpp>

#include "store/layout.hpp"

namespace iotstream::store {

/// Gets the records of one topic after the other; between two steps of the log's verifier compare() is called until it has no
/// more to do.
class HistoryVerifier final : public log::VerifyVisitor {
 public:
  HistoryVerifier(os::Disk& disk, const VerifyOptions& options, VerifyTotals& totals, std::vector<log::Finding>& findings);

  void begin_topic(const std::string& topic, std::uint32_t partitions) override;
  void record(PartitionId partition, const log::Record& record) override;
  void end_partition(PartitionId partition, Offset earliest, Offset next) override;
  void end_topic() override;

  /// Compares some thousand rows; false when nothing is left to compare.
  bool compare();

 private:
  struct Partition {
    Offset earliest;
    Offset next;
    Offset consumed;                     ///< by history
    std::vector<bool> wanted;            ///< from `earliest` on: the record must have a row
    std::vector<bool> seen;              ///< a row was there
    std::optional<std::uint64_t> first;  ///< offset of the first record that came: where `wanted` begins
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    LayoutPtr layout;  ///< of its table, once the comparison has begun
    std::int64_t last_time = INT64_MIN;
    std::int64_t last_partition = -1;
    std::int64_t last_offset = -1;
    std::uint64_t rows = 0;
    std::uint64_t repeated = 0;
    std::uint64_t beyond = 0;  ///< rows at offsets that history has not consumed
  };

  void open(os::Disk& disk);
  bool may_be_missing(const log::Record& record) const;
  Status begin_comparison();
  Result<bool> compare_rows();
  void count_row(PartitionId partition, std::uint64_t offset);
  Status finish_comparison();
  Status find_missing(PartitionId id, const Partition& partition);
  void check_ends(PartitionId id, const Partition& partition);
  Status check_count();
  Result<Offset> retained(PartitionId id);
  Result<std::optional<std::int64_t>> number(std::string_view sql, std::int64_t first, std::optional<std::int64_t> second);
  void find(log::Finding::Kind kind, std::optional<PartitionId> partition, Offset first, Offset next, std::string what);

  const VerifyOptions& options_;
  VerifyTotals& totals_;
  std::vector<log::Finding>& findings_;
  std::string path_;
  std::unique_ptr<sqlite::Database> database_;  ///< none: there is no history
  std::optional<Topic> topic_;
  bool comparing_ = false;
};

}  // namespace iotstream::store
