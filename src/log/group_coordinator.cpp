// Members and commits of all groups: who may do what, and what is stored.
#include "log/group_coordinator.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::log {
namespace {

std::uint64_t new_nonce() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

bool plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status check_name(ErrorKind kind, std::string_view what, std::string_view name, std::size_t size_max) {
  if (!name.empty() && name.size() <= size_max && plain(name)) return {};
  return Error{kind, fmt::format("the name of a {} has 1 to {} bytes and no control characters", what, size_max)};
}

Status check_options(JoinOptions& options, std::size_t topics_max) {
  std::sort(options.topics.begin(), options.topics.end());
  options.topics.erase(std::unique(options.topics.begin(), options.topics.end()), options.topics.end());
  if (options.topics.empty() || options.topics.size() > topics_max)
    return Error{ErrorKind::unprocessable, fmt::format("a member subscribes to 1 to {} topics", topics_max)};
  for (const std::string& topic : options.topics)
    if (auto good = check_name(ErrorKind::unprocessable, "topic", topic, group_name_size_max); !good) return good;
  if (!options.client.empty())
    if (auto good = check_name(ErrorKind::unprocessable, "client", options.client, client_name_size_max); !good) return good;
  if (options.session_timeout < session_timeout_min || options.session_timeout > session_timeout_max)
    return Error{ErrorKind::unprocessable,
                 fmt::format("the session timeout is from {} to {}", format_duration(session_timeout_min),
                             format_duration(session_timeout_max))};
  if (options.rebalance_timeout < session_timeout_min || options.rebalance_timeout > rebalance_timeout_max)
    return Error{ErrorKind::unprocessable,
                 fmt::format("the rebalance timeout is from {} to {}", format_duration(session_timeout_min),
                             format_duration(rebalance_timeout_max))};
  return {};
}

}  // namespace

GroupCounters::GroupCounters(metrics::Table& table)
    : groups(table.gauge("iotstream_log_groups", "Consumer groups that have members.")),
      members(table.gauge("iotstream_log_group_members", "Members of all consumer groups.")),
      waiting(table.gauge("iotstream_log_group_fetches_waiting", "Fetches of members that wait for records.")),
      generations(table.counter("iotstream_log_group_generations_total", "New generations of consumer groups.")),
      commits(table.counter("iotstream_log_group_commits_total", "Commits of members that were stored.")),
      fetches(table.counter("iotstream_log_group_fetches_total", "Fetches of members that were answered.")),
      fenced(table.counter("iotstream_log_group_fenced_total", "Calls refused because they named an older generation.")),
      silent(table.counter("iotstream_log_group_members_removed_total", "Members removed by the coordinator.",
                           "reason=\"silent\"")),
      not_acknowledged(table.counter("iotstream_log_group_members_removed_total", "Members removed by the coordinator.",
                                     "reason=\"not_acknowledged\"")),
      rewound(table.counter("iotstream_log_group_offsets_rewound_total",
                            "Committed offsets that lay above the end of their partition and were put back to it.")) {}

Result<std::unique_ptr<GroupCoordinator>> GroupCoordinator::create(Log& log, os::WorkerPool& workers, os::Clock& clock,
                                                                   metrics::Table& metrics, GroupLimits limits) {
  auto coordinator = std::make_unique<Coordinator>(log, workers, clock, metrics, limits);
  if (auto started = coordinator->start(); !started) return started.error();
  return std::unique_ptr<GroupCoordinator>(std::move(coordinator));
}

Coordinator::Coordinator(Log& log, os::WorkerPool& workers, os::Clock& clock, metrics::Table& metrics, GroupLimits limits)
    : log_(log),
      workers_(workers),
      clock_(clock),
      metrics_(metrics),
      limits_(limits),
      counters_(metrics),
      lag_(log, clock),
      nonce_(new_nonce()),
      count_([this](const std::string& topic) { return partitions_of(topic); }) {}

Coordinator::~Coordinator() { close(); }

Status Coordinator::start() {
  if (auto rewound = rewind_lost_tails(); !rewound) return rewound;
  observe();
  thread_ = std::thread([this] {
    os::name_thread("log-groups");
    run();
  });
  return {};
}

void Coordinator::close() {
  Answers answers;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (auto& [name, group] : groups_) {
      const auto fetches = group->fetches;
      for (const auto& [member, fetch] : fetches) answer(fetch, closing(), answers);
    }
  }
  answers.give();
  unobserve();
  signal_.notify();
  if (thread_.joinable()) thread_.join();
  std::unique_lock lock(mutex_);
  tasks_done_.wait(lock, [this] { return tasks_ == 0; });
  for (auto& [name, group] : groups_)
    for (const auto& [id, member] : group->members.members())
      if (member->options.signal != nullptr) member->options.signal->notify();
  groups_.clear();
}

std::uint32_t Coordinator::partitions_of(const std::string& topic) const {
  const Topic* const found = log_.find(topic);
  return found == nullptr ? 0 : found->partition_count();
}

GroupMembers::Member* Coordinator::find(std::string_view group, std::string_view member) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second->members.find(member);
}

/// The group as it is now: whose time is over is gone. nullptr when there is none.
Coordinator::Group* Coordinator::visit(std::string_view group, Answers& answers) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  expire(found->first, *found->second, answers);
  return found->second.get();
}

void Coordinator::expire(const std::string& name, Group& group, Answers& answers) {
  const std::int64_t now_ns = clock_.monotonic_ns();
  const auto gone = group.members.expire(now_ns, count_);
  for (const auto& [member, removal] : gone) {
    const bool silent = removal == GroupMembers::Removal::silent;
    (silent ? counters_.silent : counters_.not_acknowledged).add();
    diagnostics::info("log", "group {}: member {} is removed: {}", name, member,
                      silent ? "silent for longer than its session timeout"
                             : "did not acknowledge a new generation within its rebalance timeout");
  }
  if (group.members.refresh(now_ns, count_) || !gone.empty()) changed(group, answers);
}

/// Tells whoever waits, after members, owners or holders may have changed.
void Coordinator::changed(Group& group, Answers& answers) {
  counters_.generations.add(group.members.generation() - group.counted);
  group.counted = group.members.generation();
  const auto fetches = group.fetches;
  for (const auto& [id, fetch] : fetches) {
    const auto* member = group.members.find(id);
    if (member == nullptr)
      answer(fetch, FetchReply{}, answers);
    else if (fetch->parked && fetch->version != member->version)
      answer(fetch, FetchReply{Standing::current, group.members.membership(*member), {}, {}}, answers);
  }
  for (const auto& [id, member] : group.members.members()) {
    if (member->options.signal == nullptr || member->told == member->version) continue;
    member->told = member->version;
    member->options.signal->notify();
  }
}

void Coordinator::drop_if_idle(std::string_view group) {
  const auto found = groups_.find(group);
  if (found != groups_.end() && found->second->members.idle() && found->second->fetches.empty()) groups_.erase(found);
  count_members();
}

void Coordinator::count_members() {
  std::size_t members = 0;
  for (const auto& [name, group] : groups_) members += group->members.size();
  members_ = members;
  counters_.members.set(static_cast<std::int64_t>(members));
  counters_.groups.set(static_cast<std::int64_t>(groups_.size()));
}

std::size_t Coordinator::groups_known(std::string_view but) const {
  std::set<std::string, std::less<>> names;
  for (const auto& [name, group] : groups_) names.insert(name);
  for (GroupOffset& offset : log_.group_offsets()) names.insert(std::move(offset.group));
  return names.size() - (names.contains(but) ? 1 : 0);
}

Status Coordinator::admit(std::string_view group, const JoinOptions& options) {
  if (closed_) return closing();
  const auto found = groups_.find(group);
  const bool known = found != groups_.end();
  if (!options.member.empty()) {
    if (known && found->second->members.find(options.member) != nullptr) return {};
    return Error{ErrorKind::not_found,
                 fmt::format("group '{}' has no member '{}' (any more); join without 'member'", group, options.member)};
  }
  if (known && found->second->members.size() >= limits_.members_per_group)
    return Error{ErrorKind::busy, fmt::format("group '{}' has {} members already", group, limits_.members_per_group)};
  if (members_ >= limits_.members)
    return Error{ErrorKind::busy, fmt::format("all groups together have {} members already", limits_.members)};
  if (!known && groups_known(group) >= limits_.groups)
    return Error{ErrorKind::busy, fmt::format("there are {} groups already; remove one that is not needed", limits_.groups)};
  return {};
}

Membership Coordinator::enter(std::string_view group, JoinOptions options, Answers& answers) {
  auto& entry = groups_[std::string(group)];
  if (entry == nullptr) entry = std::make_unique<Group>();
  GroupMembers& members = entry->members;
  const std::int64_t now_ns = clock_.monotonic_ns();
  GroupMembers::Member* member = members.find(options.member);
  if (member != nullptr)
    members.change(*member, std::move(options), now_ns, count_);
  else
    member = &members.add(fmt::format("m-{:016x}-{}", nonce_, ++members_made_), std::move(options), now_ns, count_);
  Membership membership = members.membership(*member);
  changed(*entry, answers);
  return membership;
}

Result<Membership> Coordinator::join(std::string_view group, JoinOptions options) {
  if (auto good = check_name(ErrorKind::invalid, "group", group, group_name_size_max); !good) return good.error();
  if (auto good = check_options(options, limits_.topics_per_member); !good) return good.error();
  Answers answers;
  Status admitted;
  Membership membership;
  {
    std::lock_guard committing(commits_);
    {
      std::lock_guard lock(mutex_);
      (void)visit(group, answers);
      admitted = admit(group, options);
    }
    if (admitted) admitted = fix_starts(group, options);
    std::lock_guard lock(mutex_);
    (void)visit(group, answers);
    if (admitted) admitted = admit(group, options);
    if (admitted) membership = enter(group, std::move(options), answers);
    drop_if_idle(group);
  }
  answers.give();
  if (!admitted) return admitted.error();
  signal_.notify();  // a new deadline
  return membership;
}

Result<MemberReply> Coordinator::heartbeat(std::string_view group, std::string_view member, std::uint64_t generation,
                                           Duration stays) {
  Answers answers;
  MemberReply reply;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return closing();
    Group* const found = visit(group, answers);
    if (auto* caller = found == nullptr ? nullptr : found->members.find(member)) {
      const std::int64_t now_ns = clock_.monotonic_ns();
      reply.standing = found->members.touch(*caller, generation, now_ns, stays);
      found->members.acknowledge(*caller, generation, now_ns);
      if (reply.standing == Standing::fenced) counters_.fenced.add();
      reply.membership = found->members.membership(*caller);
      caller->told = caller->version;
      changed(*found, answers);
    }
    drop_if_idle(group);
  }
  answers.give();
  return reply;
}

bool Coordinator::leave(std::string_view group, std::string_view member) {
  Answers answers;
  bool known = false;
  {
    std::lock_guard lock(mutex_);
    Group* const found = visit(group, answers);
    known = found != nullptr && found->members.find(member) != nullptr;
    if (known) {
      found->members.remove(member, clock_.monotonic_ns(), count_);
      changed(*found, answers);
    }
    drop_if_idle(group);
  }
  answers.give();
  return known;
}

}  // namespace iotstream::log
