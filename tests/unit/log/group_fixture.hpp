// A coordinator over a log in memory, with a clock that the test moves.
#pragma once

#include <future>
#include <string>
#include <vector>

#include <iotstream/log/group.hpp>

#include "unit/log/log_fixture.hpp"

namespace iotstream::log::test {

struct GroupFixture : LogFixture {
  os::WorkerPool workers{"test-work", 2, 64};
  std::unique_ptr<GroupCoordinator> groups;
  GroupLimits limits;

  explicit GroupFixture(std::uint32_t partitions = 4) {
    options.topic_defaults.partitions = partitions;
    open();
    topic("t");
    coordinate();
  }
  ~GroupFixture() { groups.reset(); }

  void coordinate() {
    groups.reset();
    auto created = GroupCoordinator::create(*log, workers, clock, metrics, limits);
    if (!created) FAIL("no coordinator: " << created.error().message);
    groups = std::move(*created);
  }
  /// Another life of the process on the same disk.
  void restart() {
    groups.reset();
    close();
    open();
    coordinate();
  }

  Membership join(std::string_view group = "g", std::vector<std::string> topics = {"t"}, Start start = Start::earliest) {
    JoinOptions join;
    join.topics = std::move(topics);
    join.start = start;
    auto joined = groups->join(group, std::move(join));
    if (!joined) FAIL("join: " << joined.error().message);
    return *joined;
  }
  MemberReply heartbeat(const Membership& member, std::uint64_t generation, std::string_view group = "g") {
    auto reply = groups->heartbeat(group, member.member, generation);
    if (!reply) FAIL("heartbeat: " << reply.error().message);
    return *reply;
  }
  /// Adopts what it is told until it knows the current generation, and acknowledges that.
  void follow(Membership& member, std::string_view group = "g") {
    for (;;) {
      auto reply = heartbeat(member, member.generation, group);
      REQUIRE(reply.standing != Standing::unknown);
      member = reply.membership;
      if (reply.standing == Standing::current) return;
    }
  }
  Result<MemberReply> commit(const Membership& member, std::uint32_t partition, std::uint64_t offset,
                             std::string_view group = "g") {
    const Position position{{"t", PartitionId(partition)}, Offset(offset)};
    return groups->commit(group, member.member, member.generation, std::span(&position, 1));
  }
  FetchOptions wanted(const Membership& member, Duration wait = {}, std::string_view group = "g") {
    FetchOptions fetch;
    fetch.group = group;
    fetch.member = member.member;
    fetch.generation = member.generation;
    fetch.wait_max = wait;
    return fetch;
  }
  std::future<Result<FetchReply>> fetch_later(FetchOptions fetch, std::shared_ptr<PendingFetch>* pending = nullptr) {
    auto promise = std::make_shared<std::promise<Result<FetchReply>>>();
    auto started =
        groups->fetch(std::move(fetch), [promise](Result<FetchReply> reply) { promise->set_value(std::move(reply)); });
    if (pending != nullptr) *pending = std::move(started);
    return promise->get_future();
  }
  FetchReply fetch(FetchOptions options_given) {
    auto reply = fetch_later(std::move(options_given)).get();
    if (!reply) FAIL("fetch: " << reply.error().message);
    return *reply;
  }
  /// Fills every partition with as many records.
  void fill(std::uint64_t records, std::string_view name = "t") {
    for (std::uint32_t p = 0; p != topic(name).partition_count(); ++p)
      for (std::uint64_t i = 0; i != records; ++i)
        append_durably(partition(name, p), static_cast<std::int64_t>(i), "k", "value " + std::to_string(i));
  }
  GroupStatus status(std::string_view group = "g") {
    auto all = groups->status(group);
    return all.empty() ? GroupStatus() : all.front();
  }
};

inline std::vector<std::uint32_t> numbers(const std::vector<TopicPartition>& places) {
  std::vector<std::uint32_t> numbers;
  for (const TopicPartition& place : places) numbers.push_back(place.partition.value);
  return numbers;
}

}  // namespace iotstream::log::test
