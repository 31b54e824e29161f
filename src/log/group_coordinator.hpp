// The coordinator behind the door: locks, the thread, fetches that wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <iotstream/log/group.hpp>

#include "log/group_lag.hpp"
#include "log/group_members.hpp"

namespace iotstream::log {

class Coordinator;

inline Error closing() { return {ErrorKind::unavailable, "the consumer groups are closing"}; }

/// The metrics of all groups, asked for once.
struct GroupCounters {
  explicit GroupCounters(metrics::Table& table);
  metrics::Gauge& groups;
  metrics::Gauge& members;
  metrics::Gauge& waiting;
  metrics::Counter& generations;
  metrics::Counter& commits;
  metrics::Counter& fetches;
  metrics::Counter& fenced;
  metrics::Counter& silent;
  metrics::Counter& not_acknowledged;
  metrics::Counter& rewound;
};

/// Everything but the fixed members is guarded by the coordinator's lock.
class Fetch final : public PendingFetch, public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(Coordinator& coordinator, FetchOptions asked, GroupCoordinator::Fetched finished, std::int64_t deadline)
      : options(std::move(asked)), deadline_ns(deadline), done(std::move(finished)), coordinator_(coordinator) {}
  void hurry() override;

  struct Wanted {
    Partition* partition = nullptr;
    Offset offset;
  };
  const FetchOptions options;
  const std::int64_t deadline_ns;
  GroupCoordinator::Fetched done;  ///< called once, by whoever has set `answered`
  bool parked = false;             ///< waits for what is in `wanted`
  /// Written under the lock. Acquire and release: who sees it outside of the lock does not touch the coordinator any more.
  std::atomic<bool> answered{false};
  bool hurried = false;
  std::uint64_t version = 0;  ///< of the membership when it was parked
  std::vector<Wanted> wanted;

 private:
  Coordinator& coordinator_;  ///< not touched any more once answered
};

/// What is said once the lock is released: an answer may do anything but block.
class Answers {
 public:
  void add(GroupCoordinator::Fetched done, Result<FetchReply> reply) {
    answers_.emplace_back(std::move(done), std::move(reply));
  }
  void give() {
    for (auto& [done, reply] : answers_) done(std::move(reply));
    answers_.clear();
  }

 private:
  std::vector<std::pair<GroupCoordinator::Fetched, Result<FetchReply>>> answers_;
};

/// Locks, in this order: commits_, then mutex_, then those inside the log. No answer is given under either.
class Coordinator final : public GroupCoordinator {
 public:
  Coordinator(Log& log, os::WorkerPool& workers, os::Clock& clock, metrics::Table& metrics, GroupLimits limits);
  ~Coordinator() override;

  /// Rewinds what is committed above an end, then starts the thread.
  Status start();

  Result<Membership> join(std::string_view group, JoinOptions options) override;
  Result<MemberReply> heartbeat(std::string_view group, std::string_view member, std::uint64_t generation,
                                Duration stays) override;
  Result<MemberReply> commit(std::string_view group, std::string_view member, std::uint64_t generation,
                             std::span<const Position> positions) override;
  bool leave(std::string_view group, std::string_view member) override;
  std::shared_ptr<PendingFetch> fetch(FetchOptions options, Fetched done) override;
  Status reset(std::span<const GroupOffset> offsets, bool force) override;
  Status forget(std::string_view group) override;
  std::vector<GroupStatus> status(std::optional<std::string_view> group) override;
  void close() override;

  /// Answers it now, if nobody has.
  void hurry(const std::shared_ptr<Fetch>& fetch);

 private:
  struct Group {
    GroupMembers members;
    std::map<std::string, std::shared_ptr<Fetch>, std::less<>> fetches;  ///< by member: those not answered
    std::uint64_t counted = 0;                                           ///< generations, in the metrics
  };
  using GroupsByName = std::map<std::string, std::unique_ptr<Group>, std::less<>>;
  struct Planned {
    TopicPartition place;
    Partition* partition = nullptr;
    std::optional<Offset> asked;
  };
  struct Plan {
    std::vector<Planned> places;
    std::uint64_t version = 0;
  };
  struct Room {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };

  // group_coordinator.cpp; under mutex_
  std::uint32_t partitions_of(const std::string& topic) const;
  GroupMembers::Member* find(std::string_view group, std::string_view member);
  Group* visit(std::string_view group, Answers& answers);
  void expire(const std::string& name, Group& group, Answers& answers);
  void changed(Group& group, Answers& answers);
  void drop_if_idle(std::string_view group);
  void count_members();
  Status admit(std::string_view group, const JoinOptions& options);
  Membership enter(std::string_view group, JoinOptions options, Answers& answers);
  std::size_t groups_known(std::string_view but) const;

  // group_commit.cpp; begin_commit() and end_commit() under mutex_
  Status fix_starts(std::string_view group, const JoinOptions& options);
  std::optional<Error> begin_commit(Group& group, GroupMembers::Member& member, std::span<const Position> positions);
  void end_commit(std::string_view group, std::string_view member, std::span<const Position> positions, Answers& answers);
  Status store(std::string_view group, std::span<const Position> positions);
  Status rewind_lost_tails();

  // group_fetch.cpp
  bool begin(const std::shared_ptr<Fetch>& fetch, Answers& answers);
  void attempt(const std::shared_ptr<Fetch>& fetch);
  std::optional<Plan> plan(const std::shared_ptr<Fetch>& fetch);
  Result<FetchReply> read(const FetchOptions& options, const Plan& plan, std::vector<Fetch::Wanted>& wanted);
  Status read_place(const std::string& group, const Planned& planned, Room& room, FetchReply& reply,
                    std::vector<Fetch::Wanted>& wanted);
  Result<Offset> begin_of(const std::string& group, const Planned& planned, std::vector<OffsetReset>& resets);
  void park(const std::shared_ptr<Fetch>& fetch, std::uint64_t version, std::vector<Fetch::Wanted> wanted);
  void finish(const std::shared_ptr<Fetch>& fetch, Result<FetchReply> reply);
  void answer(const std::shared_ptr<Fetch>& fetch, Result<FetchReply> reply, Answers& answers);
  void task_done();
  std::vector<std::shared_ptr<Fetch>> wake_fetches(std::int64_t now_ns, Answers& answers);
  void resume(std::vector<std::shared_ptr<Fetch>> readable);

  // the thread, in group_fetch.cpp
  void run();
  Duration next_wait(std::int64_t now_ns) const;
  void update_subscription();

  // group_status.cpp
  GroupStatus status_of(const std::string& name, const Group* group) const;
  std::vector<GroupStatus> gather(std::optional<std::string_view> group);
  metrics::Table::Samples lag_samples(bool age);
  void observe();
  void unobserve();

  Log& log_;
  os::WorkerPool& workers_;
  os::Clock& clock_;
  metrics::Table& metrics_;
  const GroupLimits limits_;
  GroupCounters counters_;
  LagReader lag_;
  const std::uint64_t nonce_;  ///< members of another life of the process are not taken for those of this one
  GroupMembers::Count count_;

  std::mutex commits_;        ///< held over the sync of a commit: what a check has found still holds when the commit lands
  mutable std::mutex mutex_;  ///< guards everything below; never held over I/O
  GroupsByName groups_;
  std::vector<std::shared_ptr<Fetch>> parked_;
  std::map<std::pair<std::string, TopicPartition>, std::pair<Offset, Offset>> rewound_;  ///< from, to; until the next commit
  std::uint64_t members_made_ = 0;
  std::size_t members_ = 0;
  bool subscribed_ = false;
  bool closed_ = false;
  unsigned tasks_ = 0;  ///< on the workers, with this in hand
  std::condition_variable tasks_done_;

  Signal signal_;  ///< wakes the thread
  std::thread thread_;
};

}  // namespace iotstream::log
