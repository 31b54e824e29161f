// What is told about groups: members, offsets, lag.
#include <algorithm>
#include <set>

#include "log/group_coordinator.hpp"

namespace iotstream::log {
namespace {

GroupMemberStatus status_of(const GroupMembers& members, const GroupMembers::Member& member, std::int64_t now_ns) {
  Membership membership = members.membership(member);
  GroupMemberStatus status;
  status.member = member.id;
  status.client = member.options.client;
  status.topics = member.options.topics;
  status.owned = std::move(membership.owned);
  status.releasing = std::move(membership.releasing);
  status.session_timeout = member.options.session_timeout;
  status.rebalance_timeout = member.options.rebalance_timeout;
  status.idle = Duration{(now_ns - member.seen_ns) / 1000};
  status.acknowledged = member.acknowledged;
  status.fetching = member.busy > 0;
  return status;
}

}  // namespace

std::string_view name_of(GroupState state) {
  switch (state) {
    case GroupState::empty:
      return "empty";
    case GroupState::rebalancing:
      return "rebalancing";
    case GroupState::stable:
      return "stable";
  }
  return "unknown";
}

/// Members, and the places with their owners; the rest needs no lock. Under mutex_.
GroupStatus Coordinator::status_of(const std::string& name, const Group* group) const {
  GroupStatus status;
  status.group = name;
  if (group == nullptr) return status;
  const GroupMembers& members = group->members;
  status.generation = members.generation();
  if (!members.empty()) status.state = members.stable() ? GroupState::stable : GroupState::rebalancing;
  const std::int64_t now_ns = clock_.monotonic_ns();
  for (const auto& [id, member] : members.members()) status.members.push_back(log::status_of(members, *member, now_ns));
  for (TopicPartition& place : members.places()) {
    GroupPartitionStatus partition;
    partition.owner = members.owner(place);
    partition.place = std::move(place);
    status.partitions.push_back(std::move(partition));
  }
  return status;
}

/// Without ages: memory only.
std::vector<GroupStatus> Coordinator::gather(std::optional<std::string_view> wanted) {
  using Committed = std::map<TopicPartition, Offset>;
  std::map<std::string, Committed, std::less<>> committed;
  for (GroupOffset& offset : log_.group_offsets())
    if (!wanted || offset.group == *wanted)
      committed[std::move(offset.group)][{std::move(offset.topic), offset.partition}] = offset.committed;
  Answers answers;
  std::vector<GroupStatus> all;
  decltype(rewound_) rewound;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, group] : groups_)
      if (!wanted || name == *wanted) committed.try_emplace(name);
    for (const auto& [name, offsets] : committed) all.push_back(status_of(name, visit(name, answers)));
    for (const auto& [name, offsets] : committed) drop_if_idle(name);
    rewound = rewound_;
  }
  answers.give();
  for (GroupStatus& status : all) {
    const Committed& offsets = committed.find(status.group)->second;
    std::map<TopicPartition, std::string> places;
    for (const auto& [place, offset] : offsets) places.try_emplace(place);
    for (GroupPartitionStatus& partition : status.partitions) places[partition.place] = std::move(partition.owner);
    status.partitions.clear();
    for (auto& [place, owner] : places) {
      const auto found = offsets.find(place);
      auto partition = lag_.measure(place, found == offsets.end() ? std::nullopt : std::optional(found->second));
      partition.owner = std::move(owner);
      if (const auto back = rewound.find({status.group, place}); back != rewound.end())
        partition.rewound_from = back->second.first;
      status.partitions.push_back(std::move(partition));
    }
  }
  return all;
}

std::vector<GroupStatus> Coordinator::status(std::optional<std::string_view> group) {
  auto all = gather(group);
  for (GroupStatus& status : all)
    for (GroupPartitionStatus& partition : status.partitions) lag_.add_age(status.group, partition);
  return all;
}

/// The partitions that are furthest behind, when there are more than the metrics should carry.
metrics::Table::Samples Coordinator::lag_samples(bool age) {
  auto all = gather(std::nullopt);
  struct Row {
    const std::string* group;
    GroupPartitionStatus* partition;
  };
  std::vector<Row> rows;
  for (GroupStatus& status : all)
    for (GroupPartitionStatus& partition : status.partitions)
      if (partition.exists) rows.push_back({&status.group, &partition});
  if (rows.size() > limits_.lag_series) {
    std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(limits_.lag_series), rows.end(),
                     [](const Row& a, const Row& b) { return a.partition->lag > b.partition->lag; });
    rows.resize(limits_.lag_series);
  }
  metrics::Table::Samples samples;
  for (const auto& [group, partition] : rows) {
    if (age) lag_.add_age(*group, *partition);
    const std::string labels = metrics::Table::label("group", *group) + "," +
                               metrics::Table::label("topic", partition->place.topic) + "," +
                               metrics::Table::label("partition", std::to_string(partition->place.partition.value));
    const double seconds = partition->behind ? static_cast<double>(partition->behind->us) / 1e6 : 0;
    samples.emplace_back(labels, age ? seconds : static_cast<double>(partition->lag));
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

namespace {

constexpr const char* lag_name = "iotstream_log_group_lag_records";
constexpr const char* lag_help = "Records between what a group has committed and the durable end.";
constexpr const char* age_name = "iotstream_log_group_lag_seconds";
constexpr const char* age_help = "Time since the oldest record that a group has not committed was appended.";

}  // namespace

void Coordinator::observe() {
  metrics_.collect(lag_name, lag_help, [this] { return lag_samples(false); });
  metrics_.collect(age_name, age_help, [this] { return lag_samples(true); });
}

/// When it returns, no scrape is inside here, and none will be.
void Coordinator::unobserve() {
  metrics_.collect(lag_name, lag_help, [] { return metrics::Table::Samples(); });
  metrics_.collect(age_name, age_help, [] { return metrics::Table::Samples(); });
}

}  // namespace iotstream::log
