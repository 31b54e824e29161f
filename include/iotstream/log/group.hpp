// Consumer groups: members share the partitions of topics, each partition with one member at a time, and what they have done is
// committed for the group. Groups never disturb each other.
//
// Every change of a group's members or topics makes a new *generation*. In it a partition has at most one owner, who alone may
// fetch it. A partition that moves is handed over in steps: the former owner is told of the generation and keeps the right to
// commit; it finishes what it has begun, commits, and acknowledges (its next heartbeat or fetch that names the generation);
// only then does the new owner get it. A member that is silent for longer than its session timeout, or does not acknowledge
// within its rebalance timeout, is removed. Calls that name an older generation are refused as fenced, calls of a member that
// is none (any more) as unknown: nothing of what they ask is done.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::log {

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

struct Position {
  TopicPartition place;
  Offset offset;  ///< next to read
};

/// Where a group begins on a partition on which it has committed nothing. The first join fixes it: the place is committed.
enum class Start : unsigned char { earliest, latest };

/// Beyond any of these a join is refused as busy. They bound the memory that strangers can take.
struct GroupLimits {
  std::size_t groups = 1000;  ///< with members or with committed offsets
  std::size_t members = 4096;
  std::size_t members_per_group = 512;
  std::size_t topics_per_member = 64;
  std::size_t lag_series = 1000;  ///< partitions of groups in the metrics
};
inline constexpr std::size_t group_name_size_max = 200;   ///< bytes
inline constexpr std::size_t client_name_size_max = 100;  ///< bytes
inline constexpr Duration session_timeout_min = Duration::milliseconds(100);
inline constexpr Duration session_timeout_max = Duration::seconds(300);
inline constexpr Duration rebalance_timeout_max = Duration::seconds(900);
inline constexpr Duration fetch_wait_max = Duration::seconds(30);

struct JoinOptions {
  std::vector<std::string> topics;  ///< at least one; a topic may come into being later
  Start start = Start::earliest;
  Duration session_timeout = Duration::seconds(10);
  Duration rebalance_timeout = Duration::seconds(30);
  std::string client;        ///< a name for people; need not be unique
  std::string member;        ///< the id of a member that joins again, with other topics; empty: a new one
  Signal* signal = nullptr;  ///< of a member in this process: notified when its membership changes; outlives that
};

/// What a member is to know. Places are in order.
struct Membership {
  std::string member;
  std::uint64_t generation = 0;
  std::vector<TopicPartition> owned;      ///< to be fetched and committed
  std::vector<TopicPartition> releasing;  ///< to be finished and committed; acknowledging gives them up
};

enum class Standing : unsigned char {
  current,  ///< done
  fenced,   ///< not done: the generation named is not the group's. The answer tells the one that is
  unknown,  ///< not done: no such member. It left, or was silent for too long; join again
};

struct MemberReply {
  Standing standing = Standing::unknown;
  Membership membership;  ///< unless unknown
};

/// A place where a group could not go on at its committed offset, or at the position asked for.
struct OffsetReset {
  enum class Reason : unsigned char {
    retention,  ///< the records up to `to` have been removed unread
    lost_tail,  ///< the offset lay above the end of the partition: the log had lost its end, or was restored from a copy
  };
  TopicPartition place;
  Offset from;
  Offset to;
  Reason reason = Reason::retention;
};

struct FetchOptions {
  std::string group;
  std::string member;
  std::uint64_t generation = 0;
  Duration wait_max = Duration::seconds(5);  ///< 0: answer at once; at most fetch_wait_max
  std::size_t bytes_max = 1u << 20;          ///< about; at least one record when there is one
  std::size_t records_max = 1000;
  std::vector<Position> positions;  ///< where to read on; a place that is not named: at its committed offset
};

/// Consecutive records of one partition.
struct FetchedPart {
  TopicPartition place;
  Batch batch;
  Offset next;  ///< to be committed when all are done
};

struct FetchReply {
  Standing standing = Standing::unknown;
  Membership membership;
  std::vector<FetchedPart> parts;
  std::vector<OffsetReset> resets;
};

/// A fetch that is not answered yet.
class PendingFetch {
 public:
  virtual ~PendingFetch() = default;
  /// Nobody waits for it any more: it is answered at once, empty. Any thread; without effect when it was answered.
  virtual void hurry() = 0;
};

struct GroupMemberStatus {
  std::string member;
  std::string client;
  std::vector<std::string> topics;
  std::vector<TopicPartition> owned;
  std::vector<TopicPartition> releasing;
  Duration session_timeout;
  Duration rebalance_timeout;
  Duration idle;                   ///< since its last call
  std::uint64_t acknowledged = 0;  ///< the generation
  bool fetching = false;
};

struct GroupPartitionStatus {
  TopicPartition place;
  std::optional<Offset> committed;
  bool exists = false;                 ///< whether there is such a partition; without it the following mean nothing
  Offset next;                         ///< what would be read next: committed, or earliest when that was removed
  std::uint64_t lag = 0;               ///< records from `next` to the durable end
  std::uint64_t lost = 0;              ///< records removed by retention before this group had read them
  std::optional<Duration> behind;      ///< since the record at `next` was appended; nothing without lag
  std::optional<Offset> rewound_from;  ///< was committed above the end (OffsetReset::Reason::lost_tail)
  std::string owner;                   ///< member id; empty: nobody
};

enum class GroupState : unsigned char {
  empty,        ///< no members
  rebalancing,  ///< a partition waits for its former owner, or a member has not acknowledged yet
  stable,
};
std::string_view name_of(GroupState state);

struct GroupStatus {
  std::string group;
  GroupState state = GroupState::empty;
  std::uint64_t generation = 0;
  std::vector<GroupMemberStatus> members;
  std::vector<GroupPartitionStatus> partitions;
};

/// The members of all groups of one log. One per log. Any thread. Committed offsets outlive it; members do not: after a restart
/// they are unknown and join again.
///
/// Of its own it has one thread, `log-groups`, which parks until a session ends, a fetch has waited long enough, or, while one
/// waits, a watermark moves.
class GroupCoordinator {
 public:
  virtual ~GroupCoordinator() = default;

  /// Puts offsets that were committed above a partition's end back to it, durably, and says so. All arguments outlive it;
  /// `workers` read for fetches that waited. Errors: those of that commit.
  static Result<std::unique_ptr<GroupCoordinator>> create(Log& log, os::WorkerPool& workers, os::Clock& clock,
                                                          metrics::Table& metrics, GroupLimits limits = {});

  /// Blocks for a sync when the group is new on a topic. Errors: invalid for the group's name, unprocessable for
  /// other names, topics and timeouts, busy (limits), not_found for a `member` that is none, unavailable.
  virtual Result<Membership> join(std::string_view group, JoinOptions options) = 0;
  /// A sign of life; with the current generation the acknowledgement of it. The member counts as alive for `stays` without
  /// another call, if that is longer than its session timeout. Errors: unavailable.
  virtual Result<MemberReply> heartbeat(std::string_view group, std::string_view member, std::uint64_t generation,
                                        Duration stays = {}) = 0;
  /// Commits for the group, durably, all or none; acknowledges nothing. Blocks for a sync. Errors: unprocessable above the
  /// durable end, conflict for a partition that the member does not hold and below what is committed; those of Log::commit.
  virtual Result<MemberReply> commit(std::string_view group, std::string_view member, std::uint64_t generation,
                                     std::span<const Position> positions) = 0;
  /// Its partitions go to others at once. False: no such member.
  virtual bool leave(std::string_view group, std::string_view member) = 0;

  using Fetched = std::function<void(Result<FetchReply>)>;
  /// Records of the partitions that the member owns, up to their durable ends. Acknowledges as heartbeat() does. `done` is
  /// called once: now, when there is something to say, else when records come, the membership changes or `wait_max` is over, on
  /// a worker or on the coordinator's thread: it must not block. Blocks on the disk for what is not in memory; a fetch that
  /// waits holds no thread, and its member counts as alive. A second fetch of a member ends the first. Errors: unprocessable
  /// for a position above the durable end, unavailable, those of Partition::read.
  virtual std::shared_ptr<PendingFetch> fetch(FetchOptions options, Fetched done) = 0;

  /// Sets committed offsets, durably, all or none, also back. With members conflict, unless `force`: then they are removed, so
  /// that they join again and go on from there. Errors: those of Log::commit, busy (limits).
  virtual Status reset(std::span<const GroupOffset> offsets, bool force) = 0;
  /// Removes what a group without members has committed. Errors: not_found, conflict with members, those of Log::forget.
  virtual Status forget(std::string_view group) = 0;

  /// All groups, or the one named. May read from the disk for the times.
  virtual std::vector<GroupStatus> status(std::optional<std::string_view> group = std::nullopt) = 0;

  /// Answers all fetches and refuses everything from now on. Idempotent; also done on destruction.
  virtual void close() = 0;
};

struct ConsumerOptions {
  std::string group;
  JoinOptions join;  ///< `member` and `signal` are the consumer's own
  std::size_t bytes_max = 256u << 10;
  /// Called by poll() before partitions are given up: what was polled of them is done by then, and may be committed here.
  std::function<void(std::span<const TopicPartition>)> released;
};

/// A member of a group in this process. One thread at a time, wake() from any. Outlived by log and coordinator.
class Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> join(Log& log, GroupCoordinator& coordinator, ConsumerOptions options);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Records of one partition, in order, from where the last poll() of it ended, at first from its committed offset. Parks
  /// until there are some; an empty part (no place) after `timeout` (negative: never) and after wake(). Calling it says that
  /// all that was polled before is done. A consumer that was removed because it was away for too long joins again by itself and
  /// goes on from what is committed. Errors: unavailable when coordinator or log are closed, those of Partition::read.
  Result<FetchedPart> poll(Duration timeout);
  /// Commits all that was polled, or the given positions. Blocks for a sync. Errors: conflict when a partition has gone to
  /// another member meanwhile (that one gets the records again), those of GroupCoordinator::commit.
  Status commit();
  Status commit(std::span<const Position> positions);
  void wake();
  /// Leaves the group. Idempotent; also done on destruction. Commits nothing.
  void close();
  const Membership& membership() const;

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace iotstream::log
