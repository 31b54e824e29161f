// Verification of one partition's files.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <iotstream/log/verify.hpp>

#include "log/index.hpp"
#include "log/scan.hpp"

namespace iotstream::log {

/// What the verifiers of all partitions share.
struct VerifyContext {
  os::Disk& disk;
  VerifyVisitor* visitor = nullptr;  ///< may be null
  VerifyTotals totals;
  std::vector<Finding> findings;
};

/// One thread at a time.
class PartitionVerifier {
 public:
  /// `live`: the partition, when the log is open. All outlive it.
  PartitionVerifier(VerifyContext& context, std::string topic, PartitionId id, std::string directory, Partition* live);

  /// Reads until `budget` is used up; false when all is done.
  bool step(std::size_t& budget);

  Offset earliest() const { return Offset(earliest_); }
  /// Where the records end.
  Offset next() const { return Offset(expected_); }

 private:
  void begin();
  void load_mark();
  void note_others(const std::vector<std::string>& names);
  void open_segment();
  bool removed_meanwhile(std::uint64_t base);
  bool open_file(std::uint64_t base);
  bool read_headers(std::uint64_t base);
  void check_header(const format::SegmentHeader& header, std::uint64_t base);
  void load_index(std::uint64_t base);
  bool check_continues(std::uint64_t base);
  void walk(std::size_t& budget);
  void take_frame();
  void visit_frame();
  void check_mark_at(std::uint64_t position, std::uint64_t next_offset, std::uint32_t chain);
  void take_damage();
  bool had_been_durable(std::uint64_t offset) const;
  bool attested_in(const os::File& file, std::uint64_t salt, std::uint64_t from, std::uint64_t end, std::uint64_t offset) const;
  void end_with_torn_tail(std::uint64_t position, std::uint64_t first, const std::string& reason);
  void close_segment();
  void check_index();
  void check_producers();
  void finish();

  bool is_last() const { return place_ + 1 == bases_.size(); }
  bool is_live() const { return live_ != nullptr; }
  std::uint64_t next_base() const { return bases_[place_ + 1]; }
  std::string path_of(std::uint64_t base) const;
  void find(Finding::Kind kind, std::uint64_t first, std::uint64_t next, std::string file, std::uint64_t position,
            std::string what);
  void damage(std::uint64_t first, std::uint64_t next, std::string file, std::uint64_t position, std::string what) {
    find(Finding::Kind::damage, first, next, std::move(file), position, std::move(what));
  }

  VerifyContext& context_;
  std::string topic_;
  PartitionId id_;
  std::string directory_;
  Partition* live_;

  bool begun_ = false;
  bool done_ = false;
  std::uint64_t limit_ = UINT64_MAX;  ///< live: the durable watermark when its turn came
  std::vector<std::uint64_t> bases_;
  std::set<std::uint64_t> indexed_;
  std::vector<std::string> producers_;  ///< files of their tables
  std::optional<format::Mark> mark_;
  bool mark_seen_ = false;
  std::size_t place_ = 0;  ///< in bases_
  std::uint64_t earliest_ = 0;
  std::uint64_t expected_ = 0;  ///< the offset that comes next
  std::int64_t append_us_ = INT64_MIN;

  // The open segment.
  std::unique_ptr<os::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t salt_ = 0;
  std::optional<FrameScanner> scanner_;
  std::optional<SegmentIndex> stored_;
  std::optional<SegmentIndex> rebuilt_;
  bool damaged_ = false;
  std::uint64_t durable_said_ = 0;  ///< by batches that may, since they were written again
  std::uint64_t counted_ = 0;       ///< bytes of it in the totals
};

}  // namespace iotstream::log
