// The durable log: topics of partitions of records with dense offsets. What Kafka was for, inside one process.
//
// A record travels claimed → committed → written → durable; the watermarks of a partition are monotone and in that order:
//   claimed ≥ committed ≥ written ≥ durable ≥ the durable mark on disk.
// append() returns at once with the record's offset; the promise comes later, through when().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::log {

/// When a topic's records are synced, and so what an acknowledgement (Partition::when) promises.
enum class Sync : unsigned char {
  batch,     ///< fdatasync after every batch (group commit)
  interval,  ///< fdatasync every sync_interval: `durable` comes up to that later, and promises the same
  none,      ///< the system decides; `durable` equals `written`
};
std::string_view name_of(Sync sync);

struct TopicOptions {
  std::uint32_t partitions = 4;                            ///< fixed when the topic is created
  std::uint64_t segment_size = 64u << 20;                  ///< bytes; a segment is closed at the batch that would pass it
  std::uint64_t retention_size = 2ull << 30;               ///< bytes over all partitions; 0: unlimited
  Duration retention_age = Duration::seconds(7 * 86'400);  ///< 0: unlimited
  Sync sync = Sync::batch;
  Duration sync_interval = Duration::milliseconds(5);
  /// Keeps the latest record of each key and removes older ones from closed segments, in the background: for topics of states.
  /// What stays keeps its offset; readers pass over the gaps. A record with an empty value ends its key: it removes those
  /// before it at once, and goes itself a day later at the earliest. Never the open segment, never past a pin.
  bool compact = false;
  bool operator==(const TopicOptions&) const = default;
};

/// What append() says at once. Refusals are ordinary weather, not errors.
enum class AppendStatus : unsigned char {
  accepted,        ///< the record has its offset and will be written in that place
  back_pressured,  ///< the staging ring is full: try again after a moment (HTTP 429)
  too_large,       ///< key + value above record_size_max
  disk_full,       ///< no space; taken again by itself when there is (HTTP 507)
  read_only,       ///< after an I/O error or a failed sync, until the restart (HTTP 503)
  closed,          ///< the log is stopping (HTTP 503)

  // Of appends with a Producer only; nothing was appended.
  duplicate,           ///< taken before: `offset` is that of the first
  duplicate_unplaced,  ///< taken before, too long ago to say where: not behind `offset`
  out_of_order,        ///< sequences between the last and this one are missing: `expected_sequence` comes next (HTTP 409)
};
std::string_view describe(AppendStatus status);

struct Appended {
  AppendStatus status = AppendStatus::closed;
  Offset offset;                        ///< meaningful when accepted, and of duplicates
  std::uint64_t expected_sequence = 0;  ///< meaningful when out_of_order
};

/// Who appends, and which of its records this is: what it sends again after a lost answer is recognized, for as long as the
/// partition knows it.
struct Producer {
  /// What the sequences of a producer must be within one partition.
  enum class Order : unsigned char {
    consecutive,  ///< one more each time: a gap is refused
    increasing,   ///< greater each time: for one who spreads numbered records over partitions and sees to the gaps itself
  };
  std::uint64_t id = 0;        ///< unique in the topic; from producer_key_begin on they stand for idempotency keys
  std::uint64_t sequence = 0;  ///< of a producer that is not known: where it begins
  Order order = Order::consecutive;
};
/// Ids from here on are hashes of idempotency keys. They and the others do not push each other out.
inline constexpr std::uint64_t producer_key_begin = std::uint64_t{1} << 63;
/// A partition knows so many producers below producer_key_begin, and so many above it; then it forgets the one whose last
/// record is the oldest. It knows them after restarts and crashes, and when retention has removed their records.
inline constexpr std::size_t producers_max = 4096;

enum class Watermark : unsigned char { written, durable };

/// Next offsets: all records below are in that state.
struct Watermarks {
  Offset earliest;  ///< first that is still kept
  Offset written;
  Offset durable;
};

/// One record as a reader sees it. The views are valid as long as the Batch they came from.
struct Record {
  Offset offset;
  Timestamp time;         ///< the producer's event time
  Timestamp append_time;  ///< the log's clock when its batch was sealed; never decreases within a partition
  std::string_view key;   ///< the device
  ByteView value;
};

/// Consecutive records, decoded; shares ownership of their bytes. Cheap to copy. A Batch may be kept after the log is closed.
class Batch {
 public:
  Batch() = default;
  Batch(std::shared_ptr<const void> owner, std::vector<Record> records)
      : owner_(std::move(owner)), records_(std::move(records)) {}
  std::span<const Record> records() const { return records_; }
  bool empty() const { return records_.empty(); }

 private:
  std::shared_ptr<const void> owner_;
  std::vector<Record> records_;
};

/// A stretch of offsets whose bytes failed their check: reported, skipped, never served.
struct Damage {
  PartitionId partition;
  Offset first;
  Offset next;  ///< one past the last
  std::string file;
  std::uint64_t position = 0;  ///< byte offset in the file
  std::string reason;
};

/// Consecutive offsets as they are stored (a segment), with bounds of their event times: what a reader of a range of time
/// reads, and what it may pass over.
struct Stretch {
  Offset first;
  Offset next;         ///< one past the last
  Timestamp least;     ///< no event time is less …
  Timestamp greatest;  ///< … or greater
};

struct PartitionStatus {
  PartitionId partition;
  Watermarks watermarks;
  std::uint64_t bytes = 0;  ///< stored
  std::uint64_t segments = 0;
  bool read_only = false;
  std::vector<Damage> damage;
};

inline constexpr std::size_t record_size_max = 1u << 20;  ///< key + value, bytes

/// One partition. All members from any thread unless said otherwise; valid as long as its Log.
class Partition {
 public:
  virtual ~Partition() = default;

  /// Appends one record. No lock, allocation or system call; never waits. When it returns accepted the record is in memory
  /// only: it is acknowledged when the watermark that the caller cares for has passed the offset (when()). Records of one
  /// thread keep their order.
  virtual Appended append(Timestamp time, std::string_view key, ByteView value) = 0;

  /// Appends one record unless the producer's sequence says that it is there already. A refused append (back_pressured,
  /// disk_full, …) is not remembered. Takes a lock that only other calls with a producer take, for the length of the copy: the
  /// offset is given away with the claim, so looking the sequence up and claiming must be one step. An answer `duplicate` says
  /// nothing of durability: when() for the offset does.
  virtual Appended append(Timestamp time, std::string_view key, ByteView value, const Producer& producer) = 0;
  /// The last sequence taken from a producer; nothing when the partition does not know it (any more).
  virtual std::optional<std::uint64_t> last_sequence(std::uint64_t producer) const = 0;

  /// Calls `done` once `watermark` > `offset` (that is: the record at `offset` is included), or with an error once that can no
  /// longer happen. At once, on the calling thread, when it holds already; else on a thread of the log, in offset order: `done`
  /// must be short and must not call back into append of the same partition.
  ///
  /// What the acknowledgement promises:
  ///   written                        the record survives the end of this process, however it ends; not a loss of power
  ///   durable, with Sync::batch      it is on stable storage: it survives a loss of power too
  ///   durable, with Sync::interval   the same; it only comes later, by up to sync_interval and the sync itself
  ///   durable, with Sync::none       as written: a loss of power may take what the system had not written back by itself
  virtual void when(Watermark watermark, Offset offset, std::function<void(Status)> done) = 0;

  virtual Watermarks watermarks() const = 0;
  virtual PartitionStatus status() const = 0;

  /// Records from `from` on, at most about `bytes_max` (at least one record when there is one), up to `limit`'s watermark.
  /// Empty at the end. Of a compacted topic some offsets are missing, never the last one. Damaged stretches are skipped: the
  /// first record may lie beyond `from`. Errors: invalid when `from` is above the watermark; an offset below `earliest` reads
  /// from earliest. Blocks on the disk for what is not in memory.
  virtual Result<Batch> read(Offset from, std::size_t bytes_max, Watermark limit) = 0;

  /// The least offset whose record's time ≥ `time` (of those that compaction has left), also when clocks ran backwards; the
  /// durable watermark when there is none.
  virtual Result<Offset> seek(Timestamp time) = 0;

  /// What is kept and durable, in offset order. Reads no file.
  virtual std::vector<Stretch> stretches() const;

  /// Keeps records at and above `offset` from retention, for the holder `name` (for example history not yet checkpointed).
  virtual void pin(std::string_view name, Offset offset) = 0;
};

class Topic {
 public:
  virtual ~Topic() = default;
  virtual const std::string& name() const = 0;
  virtual const TopicOptions& options() const = 0;
  virtual std::uint32_t partition_count() const = 0;
  virtual Partition& partition(PartitionId id) = 0;
  /// The partition of a key: the same for ever, while the number of partitions stays. (FNV-1a, 64 bits, modulo.)
  PartitionId partition_of(std::string_view key) const;
};

/// Committed offsets of one consumer group on one topic. Two groups never disturb each other.
struct GroupOffset {
  std::string group;
  std::string topic;
  PartitionId partition;
  Offset committed;  ///< next to read
};

/// Wakes one waiting thread when records may be there. Used by consumers that live in the process: they park instead of
/// polling. notify() from any thread, any number of times; wait() from one thread.
class Signal {
 public:
  void notify();
  /// Parks until notified since the last wait, or `timeout` has passed; true when notified.
  bool wait(Duration timeout);

 private:
  std::atomic<std::uint32_t> state_{0};  ///< 0 idle, 1 notified, 2 parked; release on notify publishes what came before it
};

struct LogOptions {
  std::string directory;  ///< `<data_dir>/log`
  TopicOptions topic_defaults;
  /// By name, in place of topic_defaults: for a topic that is new as a whole; for one that exists, at open(), what can change:
  /// retention, sync, sync_interval, compact. Its partitions and the size of its segments stay; a difference there is said
  /// once.
  std::map<std::string, TopicOptions, std::less<>> topics;
  std::uint64_t staging_size = 1u << 20;  ///< bytes of the RAM ring of one partition, a power of two
  std::uint64_t cache_size = 4u << 20;    ///< bytes of recent batches kept for readers, per partition
  unsigned writers = 0;                   ///< threads that write, each with its share of the partitions; 0: cores - 1, 1 to 8
};

/// The log of one process. Opened once per directory (the caller holds the directory's lock). Thread-safe.
class Log {
 public:
  virtual ~Log() = default;

  /// Opens or creates, recovers every partition (torn tails are put aside and cut, damage is quarantined), starts the writer
  /// and sync threads. `disk`, `clock` and `metrics` outlive it. Errors: io, corrupt (a format newer than this program; named).
  static Result<std::unique_ptr<Log>> open(LogOptions options, os::Disk& disk, os::Clock& clock, metrics::Table& metrics);

  /// The topic, created (durably, its directory synced) when it is new; options apply then only: those given, else those of
  /// LogOptions for that name. Errors: invalid for a name
  /// that is empty, longer than 200 bytes or not UTF-8; disk_full, io. The reference is valid as long as the log. Names that
  /// begin with `_` are internal.
  virtual Result<Topic*> topic(std::string_view name) = 0;
  virtual Result<Topic*> topic(std::string_view name, const TopicOptions& options) = 0;
  /// nullptr when there is no such topic.
  virtual Topic* find(std::string_view name) = 0;
  virtual std::vector<Topic*> topics() = 0;

  /// Commits offsets for a group, durably, all or none. Never below what is committed unless `allow_rewind`. Blocks for one
  /// sync.
  virtual Status commit(std::span<const GroupOffset> offsets, bool allow_rewind = false) = 0;
  /// Removes everything that a group has committed, durably. Errors: not_found, those of commit.
  virtual Status forget(std::string_view group);
  virtual std::vector<GroupOffset> group_offsets() const = 0;
  virtual std::optional<Offset> committed(std::string_view group, std::string_view topic, PartitionId partition) const = 0;

  /// `signal` is notified whenever a partition's `watermark` moves or a topic is created, until unsubscribe. It must outlive
  /// that.
  virtual void subscribe(Signal& signal, Watermark watermark) = 0;
  virtual void unsubscribe(Signal& signal) = 0;

  /// Refuses appends, writes and syncs what was accepted, answers all when(), stops the threads. Idempotent. Also done on
  /// destruction.
  virtual Status close() = 0;
};

}  // namespace iotstream::log
