#include "log/group_members.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "log/group_assignment.hpp"

namespace iotstream::log {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

std::int64_t later(std::int64_t now_ns, Duration by) { return now_ns + by.us * 1000; }

}  // namespace

bool GroupMembers::idle() const {
  return members_.empty() && std::all_of(places_.begin(), places_.end(), [](const auto& p) { return p.second.commits == 0; });
}

bool GroupMembers::stable() const {
  return std::all_of(members_.begin(), members_.end(),
                     [this](const auto& m) { return m.second->acknowledged == generation_; }) &&
         std::all_of(places_.begin(), places_.end(), [](const auto& p) { return p.second.holder == p.second.owner; });
}

GroupMembers::Member* GroupMembers::find(std::string_view id) {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : found->second.get();
}

GroupMembers::Member& GroupMembers::add(std::string id, JoinOptions options, std::int64_t now_ns, const Count& count) {
  auto added = std::make_unique<Member>();
  Member& member = *added;
  member.id = id;
  member.options = std::move(options);
  member.number = ++joined_;
  member.seen_ns = now_ns;
  member.alive_until_ns = later(now_ns, member.options.session_timeout);
  members_.emplace(std::move(id), std::move(added));
  make_generation(now_ns, count);
  // The answer to the join tells it, and there is nothing that it has to give up.
  member.acknowledged = generation_;
  return member;
}

void GroupMembers::change(Member& member, JoinOptions options, std::int64_t now_ns, const Count& count) {
  options.signal = member.options.signal;
  const bool other_topics = options.topics != member.options.topics;
  member.options = std::move(options);
  member.seen_ns = now_ns;
  member.alive_until_ns = later(now_ns, member.options.session_timeout);
  if (!other_topics) return;
  for (auto& [id, place] : places_)
    if (place.holder == &member && !std::binary_search(member.options.topics.begin(), member.options.topics.end(), id.topic))
      place.holder = nullptr;
  make_generation(now_ns, count);
}

void GroupMembers::remove(std::string_view id, std::int64_t now_ns, const Count& count) {
  Member* const member = find(id);
  if (member == nullptr) return;
  forget_member(*member);
  make_generation(now_ns, count);
}

void GroupMembers::forget_member(Member& member) {
  for (auto& [id, place] : places_) {
    if (place.owner == &member) place.owner = nullptr;
    if (place.holder == &member) place.holder = nullptr;
  }
  members_.erase(members_.find(member.id));
}

std::int64_t GroupMembers::deadline_of(const Member& member) const {
  std::int64_t deadline = member.busy > 0 ? never : member.alive_until_ns;
  if (member.acknowledged < generation_)
    deadline = std::min(deadline, later(member.behind_since_ns, member.options.rebalance_timeout));
  return deadline;
}

std::vector<std::pair<std::string, GroupMembers::Removal>> GroupMembers::expire(std::int64_t now_ns, const Count& count) {
  std::vector<std::pair<std::string, Removal>> gone;
  for (const auto& [id, member] : members_) {
    if (deadline_of(*member) > now_ns) continue;
    const bool silent = member->busy == 0 && member->alive_until_ns <= now_ns;
    gone.emplace_back(id, silent ? Removal::silent : Removal::not_acknowledged);
  }
  for (const auto& [id, removal] : gone) forget_member(*find(id));
  if (!gone.empty()) make_generation(now_ns, count);
  return gone;
}

std::optional<std::int64_t> GroupMembers::deadline_ns() const {
  std::int64_t earliest = never;
  for (const auto& [id, member] : members_) earliest = std::min(earliest, deadline_of(*member));
  return earliest == never ? std::nullopt : std::optional(earliest);
}

bool GroupMembers::refresh(std::int64_t now_ns, const Count& count) {
  if (!awaits_topics_) return false;
  std::set<std::string_view> topics;
  for (const auto& [id, member] : members_) topics.insert(member->options.topics.begin(), member->options.topics.end());
  const bool appeared = std::any_of(topics.begin(), topics.end(), [&](std::string_view topic) {
    const std::string name(topic);
    return !places_.contains({name, PartitionId(0)}) && count(name) > 0;
  });
  if (appeared) make_generation(now_ns, count);
  return appeared;
}

void GroupMembers::clear(std::int64_t now_ns, const Count& count) {
  while (!members_.empty()) forget_member(*members_.begin()->second);
  make_generation(now_ns, count);
}

Standing GroupMembers::touch(Member& member, std::uint64_t generation, std::int64_t now_ns, Duration stays) {
  member.seen_ns = now_ns;
  member.alive_until_ns = later(now_ns, std::max(member.options.session_timeout, stays));
  return generation == generation_ ? Standing::current : Standing::fenced;
}

void GroupMembers::acknowledge(Member& member, std::uint64_t generation, std::int64_t now_ns) {
  // A number above the current one was made up; one that was superseded meanwhile still tells what it has let go.
  if (generation > generation_ || generation <= member.acknowledged) return;
  member.acknowledged = generation;
  member.behind_since_ns = now_ns;
  bool gave = false;
  for (auto& [id, place] : places_) {
    if (place.holder != &member || place.owner == &member || place.revoked_in > generation) continue;
    place.holder = nullptr;
    gave = true;
    settle(place);
  }
  if (gave) ++member.version;
}

bool GroupMembers::holds(const Member& member, const TopicPartition& place) const {
  const auto found = places_.find(place);
  return found != places_.end() && found->second.holder == &member;
}

void GroupMembers::begin_commit(const TopicPartition& place) { ++places_.at(place).commits; }

void GroupMembers::end_commit(const TopicPartition& place) {
  Place& ended = places_.at(place);
  if (--ended.commits == 0) settle(ended);
}

Membership GroupMembers::membership(const Member& member) const {
  Membership membership{member.id, generation_, {}, {}};
  for (const auto& [id, place] : places_) {
    if (place.holder != &member) continue;
    (place.owner == &member ? membership.owned : membership.releasing).push_back(id);
  }
  return membership;
}

std::string GroupMembers::owner(const TopicPartition& place) const {
  const auto found = places_.find(place);
  return found == places_.end() || found->second.owner == nullptr ? std::string() : found->second.owner->id;
}

std::vector<TopicPartition> GroupMembers::places() const {
  std::vector<TopicPartition> all;
  for (const auto& [id, place] : places_) all.push_back(id);
  return all;
}

void GroupMembers::make_generation(std::int64_t now_ns, const Count& count) {
  for (const auto& [id, member] : members_) {
    if (member->acknowledged == generation_) member->behind_since_ns = now_ns;
    ++member->version;
  }
  ++generation_;
  find_places(count);
  give_places();
}

/// The places of all topics that somebody wants; those that nobody wants go, unless a commit is still under way.
void GroupMembers::find_places(const Count& count) {
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) topics.insert(member->options.topics.begin(), member->options.topics.end());
  std::erase_if(places_, [&topics](const auto& p) { return p.second.commits == 0 && !topics.contains(p.first.topic); });
  awaits_topics_ = false;
  for (const std::string& topic : topics) {
    const std::uint32_t partitions = count(topic);
    awaits_topics_ = awaits_topics_ || partitions == 0;
    for (std::uint32_t i = 0; i != partitions; ++i) places_.try_emplace({topic, PartitionId(i)});
  }
}

void GroupMembers::give_places() {
  std::vector<Member*> members;
  for (const auto& [id, member] : members_) members.push_back(member.get());
  std::sort(members.begin(), members.end(), [](const Member* a, const Member* b) { return a->number < b->number; });
  std::map<const Member*, std::size_t> index_of;
  for (std::size_t i = 0; i != members.size(); ++i) index_of[members[i]] = i;
  std::map<std::string, std::size_t> topics;
  for (const auto& [id, place] : places_) topics.try_emplace(id.topic, topics.size());

  std::vector<std::vector<std::size_t>> subscriptions(members.size());
  for (std::size_t i = 0; i != members.size(); ++i)
    for (const std::string& topic : members[i]->options.topics)
      if (const auto found = topics.find(topic); found != topics.end()) subscriptions[i].push_back(found->second);
  std::vector<Seat> seats;
  for (const auto& [id, place] : places_) {
    Seat seat{topics[id.topic], std::nullopt, place.holder != nullptr};
    // Who has it keeps it; else who was to get it.
    if (const Member* keeps = place.holder != nullptr ? place.holder : place.owner) seat.keeps = index_of[keeps];
    seats.push_back(seat);
  }

  const auto owners = assign(subscriptions, seats, topics.size());
  std::size_t seat = 0;
  for (auto& [id, place] : places_) {
    Member* const owner = owners[seat] ? members[*owners[seat]] : nullptr;
    ++seat;
    const bool was_whole = place.holder == place.owner;
    place.owner = owner;
    if (was_whole && place.holder != owner) place.revoked_in = generation_;
    settle(place);
  }
}

/// Gives a place that nobody holds, and nobody is committing, to its owner.
void GroupMembers::settle(Place& place) {
  if (place.holder != nullptr || place.commits > 0 || place.owner == nullptr) return;
  place.holder = place.owner;
  ++place.owner->version;
}

}  // namespace iotstream::log
