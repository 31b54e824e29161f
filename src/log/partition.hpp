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

#include "log/environment.hpp"
#include "log/mark_file.hpp"
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
  void when(Watermark watermark, Offset offset, std::function<void(Status)> done) override;
  Watermarks watermarks() const override;
  PartitionStatus status() const override;
  Result<Batch> read(Offset from, std::size_t bytes_max, Watermark limit) override;
  Result<Offset> seek(Timestamp time) override;
  void pin(std::string_view name, Offset offset) override;
  const TopicOptions& options() const { return options_; }
  const PartitionIdentity& identity() const { return identity_; }
  /// Whether the last process closed it well; until the first sync.
  bool ended_clean() const { return mark_is_clean_; }
  /// Refuses appends from now on.
  void refuse_appends();

  // ---- the writer thread ----
  enum class Work : unsigned char {
    none,     ///< nothing is committed
    done,     ///< a batch was written
    stalled,  ///< a batch waits for space
  };
  Work serve();
  /// Claims not taken yet, unless a batch waits for space before them: part of the parking handshake.
  bool has_claims() const { return pending_ == nullptr && ring_.has_claims(); }
  /// Writes all that was accepted before it; then nothing is accepted any more.
  void finish_writing();

  // ---- the sync thread ----
  /// One round: makes what is written now durable, calls who waited, seals closed segments; true when it sealed one.
  bool sync();
  /// Whether the durable mark on disk lags behind.
  bool mark_is_behind() const { return marked_offset_ != durable_.load(std::memory_order_relaxed); }
  void write_mark();
  void finish_syncing();
  bool syncs_by_interval() const { return options_.sync == Sync::interval; }

  // ---- retention, on the sync thread ----
  struct Removable {
    std::uint64_t bytes = 0;
    std::int64_t last_append_us = 0;
  };
  /// The oldest segment, when nothing holds it: sealed, durable, below every pin.
  std::optional<Removable> oldest_removable() const;
  Status remove_oldest();
  std::uint64_t bytes() const;

 private:
  enum class State : unsigned char { open, disk_full, read_only, closed };
  struct Unsynced {
    std::vector<std::shared_ptr<Segment>> segments;  ///< in order; the last is the growing one
    format::Mark upto;                               ///< where the written frames end
  };

  PartitionLog(const Environment& environment, PartitionIdentity identity, const TopicOptions& options,
               const LogOptions& log_options, Recovered recovered, MarkFile marks);

  Appended refusal(State state) const;
  std::string name() const;

  // partition_write.cpp
  bool gather();
  Status write_pending();
  Status begin_segment();
  bool growing_is_old() const;
  void publish();
  Work stall();
  void discard();
  void fail(const Error& error);

  // partition_sync.cpp
  bool sync_round(bool to_seal_only);

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

  // The writer's alone.
  std::shared_ptr<Segment> growing_;
  std::shared_ptr<std::byte[]> pending_;  ///< a batch gathered and not written yet
  format::FrameHeader pending_header_;
  std::int64_t last_append_us_ = 0;

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

  std::mutex unsynced_mutex_;
  Unsynced unsynced_;

  // The sync thread's alone.
  MarkFile marks_;
  format::Mark durable_mark_;
  std::uint64_t marked_offset_ = 0;
  bool mark_is_clean_ = false;  ///< what stands on disk is the mark of a clean end
};

}  // namespace iotstream::log
