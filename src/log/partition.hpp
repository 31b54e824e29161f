// One partition: the staging ring in front, segments behind, watermarks between. Its members are grouped by the thread that
// calls them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>

#include "log/compaction.hpp"
#include "log/environment.hpp"
#include "log/mark_file.hpp"
#include "log/producer_file.hpp"
#include "log/producers.hpp"
#include "log/recover.hpp"
#include "log/ring.hpp"
#include "log/tail_cache.hpp"
#include "log/waiters.hpp"

namespace iotstream::log {

struct PartitionIdentity {
  std::string topic;
  PartitionId partition;
  std::string directory;
};

class PartitionLog final : public Partition {
 public:
  /// Recovers what is there. When the folder itself is gone nobody knows which offsets were given out: the partition is
  /// read-only. Errors: as recover().
  static Result<std::unique_ptr<PartitionLog>> open(const Environment& environment, PartitionIdentity identity,
                                                    const TopicOptions& options, const LogOptions& log_options);

  // ---- any thread ----
  Appended append(Timestamp time, std::string_view key, ByteView value) override;
  Appended append(Timestamp time, std::string_view key, ByteView value, const Producer& producer) override;
  std::optional<std::uint64_t> last_sequence(std::uint64_t producer) const override;
  void when(Watermark watermark, Offset offset, std::function<void(Status)> done) override;
  Watermarks watermarks() const override;
  PartitionStatus status() const override;
  Result<Batch> read(Offset from, std::size_t bytes_max, Watermark limit) override;
  Result<Offset> seek(Timestamp time) override;
  std::vector<Stretch> stretches() const override;
  void pin(std::string_view name, Offset offset) override;
  const TopicOptions& options() const { return options_; }
  const PartitionIdentity& identity() const { return identity_; }
  /// Which writer thread serves it.
  unsigned shard() const { return shard_; }
  /// Whether the last process closed it well; until the first sync.
  bool ended_clean() const { return mark_is_clean_; }
  /// Refuses appends from now on.
  void refuse_appends();

  // ---- the writer thread ----
  enum class Work : unsigned char {
    none,     ///< nothing is committed
    done,     ///< a batch was written
    stalled,  ///< a batch waits for space, or for a file that may be opened
  };
  Work serve();
  /// Claims not taken yet, unless a batch waits for space before them: part of the parking handshake.
  bool has_claims() const { return pending_ == nullptr && ring_.has_claims(); }
  /// Writes all that was accepted before it; then nothing is accepted any more.
  void finish_writing();

  // ---- the sync thread ----
  /// One round: makes what is written now durable, calls who waited, seals closed segments; true when it sealed one.
  bool sync();
  /// Whether the last round could not be made for want of open files: it is due again in a moment.
  bool wants_another_round() const { return wants_another_round_; }
  /// Whether the durable mark on disk lags behind.
  bool mark_is_behind() const { return marked_offset_ != durable_.load(std::memory_order_relaxed); }
  void write_mark();
  void finish_syncing();
  bool syncs_by_interval() const { return options_.sync == Sync::interval; }

  // ---- the compaction thread ----
  enum class Compaction : unsigned char {
    nothing,  ///< there is nothing to compact
    waits,    ///< something closed is not due yet, or held
    done,     ///< a pass was made
  };
  /// One pass when one is due. Ends early, with everything in order, when `stopping` becomes true.
  Compaction compact(Timestamp now, const std::atomic<bool>& stopping);

  // ---- retention, on the sync thread ----
  struct Removable {
    std::uint64_t bytes = 0;
    std::int64_t last_append_us = 0;
    std::int64_t last_write_ns = 0;  ///< of the monotonic clock; 0 when it was written before this process
  };
  /// The oldest segment, when nothing holds it: closed, durable, below every pin.
  std::optional<Removable> oldest_removable() const;
  Status remove_oldest();
  std::uint64_t bytes() const;
  /// The append time of the newest record, when no two neighbouring segments were further apart than `gap_max`: what is more
  /// counts as a jump of the clock. Nothing when there is no record.
  std::optional<Timestamp> newest_append(Duration gap_max) const;

 private:
  enum class State : unsigned char { open, disk_full, read_only, closed };
  /// The table of producers as it stood at an offset.
  struct TableImage {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };
  struct Unsynced {
    std::vector<std::shared_ptr<Segment>> segments;  ///< in order; the last is the growing one
    format::Mark upto;                               ///< where the written frames end
    std::optional<TableImage> table;                 ///< to be stored when that is durable
  };

  PartitionLog(const Environment& environment, PartitionIdentity identity, const TopicOptions& options,
               const LogOptions& log_options, Recovered recovered, MarkFile marks, ProducerFile producer_file,
               ProducerTable producers);

  Appended refusal(State state) const;
  std::string name() const;
  Status sync_name_of_survivor() const;

  // partition_write.cpp
  bool gather();
  Status write_pending();
  Status begin_segment();
  bool growing_is_old() const;
  void publish();
  Work stall();
  Work wait_for_files(const Error& error);
  void discard();
  void fail(const Error& error);

  // partition_producers.cpp
  Appended append_new(Timestamp time, std::string_view key, ByteView value, const Producer& producer);
  void know_producers();
  void keep_table(const ProducerTable::Place& place);
  void store_table(const TableImage& table);

  // partition_sync.cpp
  bool sync_round(bool to_seal_only);
  void put_back(Unsynced round);
  Status look_for_files();

  // partition_compact.cpp
  std::vector<std::shared_ptr<Segment>> compactable() const;
  bool has_closed_beyond(std::uint64_t offset) const;
  Status compact_pass(const std::vector<std::shared_ptr<Segment>>& segments, Timestamp now, const std::atomic<bool>& stopping);
  Result<bool> compact_segment(const std::shared_ptr<Segment>& segment, const Keeps& keeps, Timestamp now,
                               const std::atomic<bool>& stopping);
  Result<bool> replace(const std::shared_ptr<Segment>& segment, const SegmentIndex& index, const std::string& path);

  // partition_read.cpp
  std::uint64_t limit_of(Watermark watermark) const;
  Result<Batch> read_cold(std::uint64_t from, std::uint64_t limit, std::size_t bytes_max);
  Result<Batch> read_segment(Segment& segment, std::uint64_t from, std::uint64_t limit, std::size_t bytes_max);
  std::shared_ptr<Segment> segment_of(std::uint64_t offset) const;
  std::shared_ptr<Segment> segment_after(const Segment& segment) const;
  Result<std::optional<ScanStart>> place_of(Segment& segment, std::uint64_t offset);
  void remember(const Segment& segment, const FrameScanner& scanner, std::uint64_t wanted);
  Result<bool> skip_damage(const Segment& segment, FrameScanner& scanner);
  void report(Damage damage, std::uint64_t bytes);
  void report_rest(const Segment& segment, std::uint64_t first, std::uint64_t position, std::string reason);
  Result<std::optional<std::uint64_t>> seek_in(Segment& segment, std::int64_t time_us, std::uint64_t limit);

  Environment environment_;
  unsigned shard_;
  WriterPark& park_;  ///< that writer's
  PartitionIdentity identity_;
  TopicOptions options_;

  /// Relaxed everywhere: it only makes append() refuse early. That nothing more is accepted is the sealed ring's doing, that
  /// nothing more is acknowledged is the waiters'.
  std::atomic<State> state_{State::open};

  /// Next offsets. Each is stored with release by one thread at a time, after all that it promises, and loaded with acquire by
  /// readers: written_ by the writer after the batch is in the cache and in the segment's index; durable_ after the sync;
  /// earliest_ before the segment goes.
  alignas(64) std::atomic<std::uint64_t> written_;
  std::atomic<std::uint64_t> durable_;
  std::atomic<std::uint64_t> earliest_;

  StagingRing ring_;
  TailCache cache_;
  Waiters waiting_for_written_;
  Waiters waiting_for_durable_;

  /// Guards the table that appends are checked against. Held over check, claim and copy, so that of two tries with the same
  /// sequence one sees the other. Nothing but appends with a producer waits for it.
  mutable std::mutex producers_mutex_;
  ProducerTable producers_;

  // The writer's alone.
  std::shared_ptr<Segment> growing_;
  std::shared_ptr<std::byte[]> pending_;  ///< a batch gathered and not written yet
  format::FrameHeader pending_header_;
  std::int64_t last_append_us_ = 0;
  ProducerTable written_producers_;   ///< as of what is written: the same records in the same order, so the same table
  std::uint64_t producer_bytes_ = 0;  ///< written in frames with producers since written_producers_ was last kept
  /// Tables to be stored: two after a change, so that both slots know it and its records may be compacted.
  unsigned tables_wanted_ = 0;
  std::int64_t pending_since_ns_ = 0;  ///< monotonic: when the batch was gathered
  std::int64_t growing_since_ns_ = 0;  ///< … and when the segment was begun, or this process
  bool waits_for_files_ = false;

  mutable std::mutex segments_mutex_;  ///< short: no I/O under it
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<Damage> damage_;
  std::map<std::string, std::uint64_t, std::less<>> pins_;
  /// Where the last cold reads ended, so that a reader that goes on in order need not look for its place.
  struct Cursor {
    std::uint64_t offset = 0;
    const Segment* segment = nullptr;
    ScanStart start;
  };
  std::vector<Cursor> cursors_;
  const Segment* replacing_ = nullptr;  ///< its files are being exchanged: retention leaves it alone

  std::mutex unsynced_mutex_;
  Unsynced unsynced_;

  // The sync thread's alone.
  MarkFile marks_;
  format::Mark durable_mark_;
  std::uint64_t marked_offset_ = 0;
  ProducerFile producer_file_;
  /// Every stored table knows the producers of all records below. Release by the sync thread, after the table is on stable
  /// storage; acquire by the compaction thread, which may remove such records.
  std::atomic<std::uint64_t> tables_reach_{0};

  std::uint64_t compacted_to_ = 0;  ///< the compaction thread's own: passes of this run have dealt with what is below
  bool wants_another_round_ = false;
  bool mark_is_clean_ = false;  ///< what stands on disk is the mark of a clean end
};

}  // namespace iotstream::log
