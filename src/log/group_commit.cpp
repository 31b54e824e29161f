// What is stored of groups: commits of members, resets, and where a group begins.
#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/group_coordinator.hpp"

namespace iotstream::log {
/// A log that lost its end, or was put back from a copy, will give the offsets that are missing to other records: a group that
/// waited there for its old place would never see those. Only now can this be told, before anything is appended.
Status Coordinator::rewind_lost_tails() {
  std::vector<GroupOffset> rewinds;
  for (GroupOffset& offset : log_.group_offsets()) {
    Topic* const topic = log_.find(offset.topic);
    if (topic == nullptr || offset.partition.value >= topic->partition_count()) continue;
    const Offset end = topic->partition(offset.partition).watermarks().durable;
    if (offset.committed <= end) continue;
    diagnostics::warning("log", "group {}: offset {} of {}/{} was committed, but the partition ends at {}: it goes on there",
                         offset.group, offset.committed, offset.topic, offset.partition, end);
    rewound_[{offset.group, {offset.topic, offset.partition}}] = {offset.committed, end};
    offset.committed = end;
    rewinds.push_back(std::move(offset));
  }
  if (rewinds.empty()) return {};
  counters_.rewound.add(rewinds.size());
  return log_.commit(rewinds, true);
}

/// Commits where the group begins on partitions on which it has committed nothing, so that it does not begin anew, and
/// elsewhere, after every restart before its first commit. Under commits_.
Status Coordinator::fix_starts(std::string_view group, const JoinOptions& options) {
  std::vector<GroupOffset> starts;
  for (const std::string& name : options.topics) {
    Topic* const topic = log_.find(name);
    // Of a topic that is still to come, every record will be newer than this.
    for (std::uint32_t i = 0; topic != nullptr && i != topic->partition_count(); ++i) {
      if (log_.committed(group, name, PartitionId(i))) continue;
      const Watermarks marks = topic->partition(PartitionId(i)).watermarks();
      starts.push_back(
          {std::string(group), name, PartitionId(i), options.start == Start::earliest ? marks.earliest : marks.durable});
    }
  }
  return starts.empty() ? Status() : log_.commit(starts, false);
}

std::optional<Error> Coordinator::begin_commit(Group& group, GroupMembers::Member& member,
                                               std::span<const Position> positions) {
  for (const Position& position : positions)
    if (!group.members.holds(member, position.place))
      return Error{ErrorKind::conflict,
                   fmt::format("member {} does not hold {}/{}", member.id, position.place.topic, position.place.partition)};
  for (const Position& position : positions) group.members.begin_commit(position.place);
  ++member.busy;
  return std::nullopt;
}

void Coordinator::end_commit(std::string_view group, std::string_view member, std::span<const Position> positions,
                             Answers& answers) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;  // closed meanwhile
  GroupMembers& members = found->second->members;
  for (const Position& position : positions) members.end_commit(position.place);
  if (auto* caller = members.find(member)) {
    --caller->busy;
    (void)members.touch(*caller, members.generation(), clock_.monotonic_ns());
  }
  changed(*found->second, answers);
}

Status Coordinator::store(std::string_view group, std::span<const Position> positions) {
  std::vector<GroupOffset> offsets;
  for (const auto& [place, offset] : positions) {
    const Offset end = log_.find(place.topic)->partition(place.partition).watermarks().durable;
    if (offset > end)
      return Error{ErrorKind::unprocessable,
                   fmt::format("offset {} of {}/{} is above its end, which is {}", offset, place.topic, place.partition, end)};
    offsets.push_back({std::string(group), place.topic, place.partition, offset});
  }
  return offsets.empty() ? Status() : log_.commit(offsets);
}

Result<MemberReply> Coordinator::commit(std::string_view group, std::string_view member, std::uint64_t generation,
                                        std::span<const Position> positions) {
  Answers answers;
  MemberReply reply;
  Status stored;
  {
    std::lock_guard committing(commits_);
    {
      std::lock_guard lock(mutex_);
      if (closed_) return closing();
      Group* const found = visit(group, answers);
      auto* const caller = found == nullptr ? nullptr : found->members.find(member);
      if (caller != nullptr) {
        reply.standing = found->members.touch(*caller, generation, clock_.monotonic_ns());
        reply.membership = found->members.membership(*caller);
        if (reply.standing == Standing::fenced) counters_.fenced.add();
        if (reply.standing == Standing::current)
          if (auto refused = begin_commit(*found, *caller, positions)) stored = *refused;
      }
      drop_if_idle(group);
    }
    if (reply.standing == Standing::current && stored) {
      stored = store(group, positions);
      std::lock_guard lock(mutex_);
      end_commit(group, member, positions, answers);
      if (stored)
        for (const Position& position : positions) rewound_.erase({std::string(group), position.place});
      drop_if_idle(group);
    }
  }
  answers.give();
  if (!stored) return stored.error();
  if (reply.standing == Standing::current) counters_.commits.add();
  return reply;
}

Status Coordinator::reset(std::span<const GroupOffset> offsets, bool force) {
  Answers answers;
  Status stored;
  {
    std::lock_guard committing(commits_);
    {
      std::lock_guard lock(mutex_);
      if (closed_) return closing();
      for (const GroupOffset& offset : offsets) {
        const Group* const found = visit(offset.group, answers);
        if (found != nullptr && !found->members.empty() && !force)
          stored = Error{ErrorKind::conflict, fmt::format("group '{}' has {} members; stop them, or ask to force it",
                                                          offset.group, found->members.size())};
        if (found == nullptr && groups_known(offset.group) >= limits_.groups)
          stored = Error{ErrorKind::busy, fmt::format("there are {} groups already", limits_.groups)};
      }
    }
    if (stored) stored = log_.commit(offsets, true);
    std::lock_guard lock(mutex_);
    // Only now, and still under commits_: no commit of a member lands behind the reset.
    for (const GroupOffset& offset : offsets) {
      if (!stored) break;
      rewound_.erase({offset.group, {offset.topic, offset.partition}});
      if (const auto found = groups_.find(offset.group); found != groups_.end() && !found->second->members.empty()) {
        found->second->members.clear(clock_.monotonic_ns(), count_);
        changed(*found->second, answers);
      }
    }
    for (const GroupOffset& offset : offsets) drop_if_idle(offset.group);
  }
  answers.give();
  return stored;
}

Status Coordinator::forget(std::string_view group) {
  Answers answers;
  Status forgotten;
  {
    std::lock_guard committing(commits_);
    {
      std::lock_guard lock(mutex_);
      if (closed_) return closing();
      const Group* const found = visit(group, answers);
      if (found != nullptr && !found->members.empty())
        forgotten = Error{ErrorKind::conflict, fmt::format("group '{}' has {} members", group, found->members.size())};
    }
    if (forgotten) forgotten = log_.forget(group);
    std::lock_guard lock(mutex_);
    if (forgotten) std::erase_if(rewound_, [group](const auto& entry) { return entry.first.first == group; });
  }
  answers.give();
  lag_.forget(std::string(group));
  return forgotten;
}

}  // namespace iotstream::log
