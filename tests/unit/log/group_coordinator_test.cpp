#include <algorithm>
#include <thread>

#include <catch2/catch.hpp>

#include "unit/log/group_fixture.hpp"

using namespace iotstream;
using namespace iotstream::log;
using namespace iotstream::log::test;

using Numbers = std::vector<std::uint32_t>;

TEST_CASE("the first member gets all partitions, at earliest or at latest") {
  GroupFixture f(2);
  f.fill(3);
  const auto first = f.join("early");
  CHECK(first.generation == 1);
  CHECK(numbers(first.owned) == Numbers{0, 1});
  CHECK(first.releasing.empty());
  const auto reply = f.fetch(f.wanted(first, {}, "early"));
  CHECK(reply.standing == Standing::current);
  REQUIRE(reply.parts.size() == 2);
  CHECK(reply.parts[0].batch.records().size() == 3);
  CHECK(reply.parts[0].next == Offset(3));

  const auto late = f.join("late", {"t"}, Start::latest);
  CHECK(f.fetch(f.wanted(late, {}, "late")).parts.empty());
  f.fill(1);
  CHECK(f.fetch(f.wanted(late, {}, "late")).parts.size() == 2);
}

TEST_CASE("latest is fixed by the first join: what came while nobody was there is delivered, also after a restart") {
  GroupFixture f(1);
  f.fill(2);
  const auto member = f.join("g", {"t"}, Start::latest);
  CHECK(f.log->committed("g", "t", PartitionId(0)) == Offset(2));
  f.restart();
  f.fill(1);
  const auto again = f.join("g", {"t"}, Start::latest);
  CHECK(again.member != member.member);
  const auto reply = f.fetch(f.wanted(again));
  REQUIRE(reply.parts.size() == 1);
  CHECK(reply.parts[0].batch.records()[0].offset == Offset(2));
  // The member of the former life is none any more, whatever number it names.
  CHECK(f.heartbeat(member, member.generation).standing == Standing::unknown);
}

TEST_CASE("a partition changes hands only when its former owner has acknowledged") {
  GroupFixture f;
  f.fill(5);
  auto a = f.join();
  auto b = f.join();
  CHECK(b.generation == 2);
  CHECK(b.owned.empty());  // all are still with the first
  CHECK(f.status().state == GroupState::rebalancing);

  const auto fenced = f.heartbeat(a, a.generation);
  CHECK(fenced.standing == Standing::fenced);
  CHECK(fenced.membership.generation == 2);
  CHECK(numbers(fenced.membership.owned) == Numbers{0, 1});
  CHECK(numbers(fenced.membership.releasing) == Numbers{2, 3});
  CHECK(f.heartbeat(b, 2).membership.owned.empty());
  CHECK(f.commit(a, 2, 5)->standing == Standing::fenced);
  CHECK(f.log->committed("g", "t", PartitionId(2)) == Offset(0));

  // It knows the generation and commits what it had begun; only that is not yet the acknowledgement.
  a = fenced.membership;
  CHECK(f.commit(a, 2, 4)->standing == Standing::current);
  CHECK(f.heartbeat(b, 2).membership.owned.empty());
  CHECK(f.commit(b, 2, 5).error().kind == ErrorKind::conflict);
  CHECK(f.fetch(f.wanted(b)).parts.empty());

  CHECK(f.heartbeat(a, 2).standing == Standing::current);
  b = f.heartbeat(b, 2).membership;
  CHECK(numbers(b.owned) == Numbers{2, 3});
  CHECK(f.commit(a, 2, 5).error().kind == ErrorKind::conflict);
  CHECK(f.status().state == GroupState::stable);
  const auto reply = f.fetch(f.wanted(b));
  REQUIRE_FALSE(reply.parts.empty());
  for (const auto& part : reply.parts)
    if (part.place.partition == PartitionId(2)) CHECK(part.batch.records()[0].offset == Offset(4));
}

TEST_CASE("a fetch acknowledges too, and never gives what is being released") {
  GroupFixture f(2);
  f.fill(1);
  auto a = f.join();
  auto b = f.join();
  CHECK(f.fetch(f.wanted(a)).standing == Standing::fenced);
  a.generation = 2;
  const auto reply = f.fetch(f.wanted(a));
  REQUIRE(reply.parts.size() == 1);
  CHECK(reply.parts[0].place.partition == PartitionId(0));
  CHECK(numbers(f.heartbeat(b, 2).membership.owned) == Numbers{1});
}

TEST_CASE("who is silent is fenced, and its partitions go on from what it had committed") {
  GroupFixture f(1);
  f.fill(4);
  auto a = f.join();
  auto b = f.join();
  f.clock.advance(Duration::seconds(9));
  CHECK(f.heartbeat(b, 2).standing == Standing::current);
  CHECK(f.commit(a, 0, 2)->standing == Standing::fenced);  // a sign of life, though
  f.clock.advance(Duration::seconds(9));
  CHECK(f.heartbeat(b, 2).standing == Standing::current);
  f.clock.advance(Duration::seconds(2));
  CHECK(f.heartbeat(a, 2).standing == Standing::unknown);
  CHECK(f.commit(a, 0, 3)->standing == Standing::unknown);
  f.follow(b);
  CHECK(b.generation == 3);
  CHECK(numbers(b.owned) == Numbers{0});
  CHECK(f.fetch(f.wanted(b)).parts.at(0).batch.records()[0].offset == Offset(0));
}

TEST_CASE("who only ever repeats an old generation is removed after its rebalance timeout") {
  GroupFixture f(2);
  auto a = f.join();
  auto b = f.join();
  for (int i = 0; i != 29; ++i) {
    f.clock.advance(Duration::seconds(1));
    CHECK(f.heartbeat(a, 1).standing == Standing::fenced);
    CHECK(f.heartbeat(b, 2).membership.owned.empty());
  }
  f.clock.advance(Duration::seconds(2));
  CHECK(f.heartbeat(a, 1).standing == Standing::unknown);
  f.follow(b);
  CHECK(numbers(b.owned) == Numbers{0, 1});
}

TEST_CASE("an acknowledgement of a generation that has passed gives up what that one took") {
  GroupFixture f(4);
  auto a = f.join();
  auto b = f.join();
  auto c = f.join();
  CHECK(f.heartbeat(a, 2).standing == Standing::fenced);  // there is a third by now
  CHECK_FALSE(f.heartbeat(b, 2).membership.owned.empty());
}

TEST_CASE("leaving hands over at once; the last one's place is kept by the commits") {
  GroupFixture f(2);
  f.fill(3);
  auto a = f.join();
  auto b = f.join();
  f.follow(a);
  f.follow(b);
  CHECK(f.commit(b, 1, 2)->standing == Standing::current);
  CHECK(f.groups->leave("g", b.member));
  CHECK_FALSE(f.groups->leave("g", b.member));
  f.follow(a);
  CHECK(numbers(a.owned) == Numbers{0, 1});
  CHECK(f.groups->leave("g", a.member));
  CHECK(f.status().state == GroupState::empty);
  a = f.join();
  const auto reply = f.fetch(f.wanted(a));
  for (const auto& part : reply.parts)
    if (part.place.partition == PartitionId(1)) CHECK(part.batch.records()[0].offset == Offset(2));
}

TEST_CASE("commits never go back, never pass the end, and are whole or not at all") {
  GroupFixture f(2);
  f.fill(5);
  const auto a = f.join();
  REQUIRE(f.commit(a, 0, 3));
  CHECK(f.commit(a, 0, 2).error().kind == ErrorKind::conflict);
  CHECK(f.commit(a, 0, 6).error().kind == ErrorKind::unprocessable);
  CHECK(f.commit(a, 7, 1).error().kind == ErrorKind::conflict);
  const std::vector<Position> both{{{"t", PartitionId(0)}, Offset(5)}, {{"t", PartitionId(1)}, Offset(6)}};
  CHECK_FALSE(f.groups->commit("g", a.member, a.generation, both));
  CHECK(f.log->committed("g", "t", PartitionId(0)) == Offset(3));
  CHECK(f.commit(a, 0, 3)->standing == Standing::current);  // the same again is no step back
}

TEST_CASE(
    "a partition waits for a commit that is under way, though its member has gone: it cannot land behind the next owner's") {
  GroupFixture f(1);
  f.fill(5);
  const auto a = f.join();
  auto b = f.join();
  CHECK(f.heartbeat(a, 2).standing == Standing::current);
  std::promise<void> syncing;
  std::promise<void> go_on;
  f.disk->set_fault([&, once = true](MemoryDisk::Kind kind, const std::string& path) mutable -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::sync || path.find("groups.") == std::string::npos || !std::exchange(once, false))
      return std::nullopt;
    syncing.set_value();
    go_on.get_future().wait();
    return std::nullopt;
  });
  auto member = a;
  member.generation = 2;
  std::thread committing([&] { CHECK(f.commit(member, 0, 4)->standing == Standing::current); });
  syncing.get_future().wait();
  CHECK(f.groups->leave("g", a.member));
  f.follow(b);
  CHECK(b.owned.empty());
  CHECK(f.status().state == GroupState::rebalancing);
  go_on.set_value();
  committing.join();
  f.disk->set_fault(nullptr);
  f.follow(b);
  CHECK(numbers(b.owned) == Numbers{0});
  CHECK(f.fetch(f.wanted(b)).parts.at(0).batch.records()[0].offset == Offset(4));
}

TEST_CASE("two groups on one topic are independent") {
  GroupFixture f(2);
  f.fill(3);
  const auto a = f.join("one");
  const auto b = f.join("two");
  CHECK(numbers(a.owned) == numbers(b.owned));
  REQUIRE(f.commit(a, 0, 3, "one"));
  CHECK(f.fetch(f.wanted(a, {}, "one")).parts.size() == 1);
  CHECK(f.fetch(f.wanted(b, {}, "two")).parts.size() == 2);
  CHECK(f.groups->heartbeat("two", a.member, 1)->standing == Standing::unknown);
}

TEST_CASE("a fetch waits without a thread: for records, for news, for its time, for nobody") {
  GroupFixture f(1);
  auto a = f.join();
  // More waiting fetches than there are workers.
  std::vector<Membership> others;
  std::vector<std::future<Result<FetchReply>>> waiting;
  for (int i = 0; i != 5; ++i) {
    const std::string group = "g" + std::to_string(i);
    others.push_back(f.join(group));
    waiting.push_back(f.fetch_later(f.wanted(others.back(), Duration::seconds(20), group)));
  }
  LogFixture::append_durably(f.partition(), 1, "k", "v");
  for (auto& future : waiting) {
    const auto reply = future.get();
    REQUIRE(reply);
    CHECK(reply->parts.size() == 1);
  }
  REQUIRE(f.commit(a, 0, 1));

  auto news = f.fetch_later(f.wanted(a, Duration::seconds(20)));
  const auto b = f.join();
  auto reply = news.get();
  REQUIRE(reply);
  CHECK(reply->standing == Standing::current);
  CHECK(reply->membership.generation == 2);
  CHECK(reply->parts.empty());
  a = reply->membership;

  std::shared_ptr<PendingFetch> pending;
  auto left = f.fetch_later(f.wanted(a, Duration::seconds(20)), &pending);
  pending->hurry();
  CHECK(left.get()->parts.empty());
  pending->hurry();

  // The member lives while its fetch waits, however long that is; then its session begins anew.
  auto timed = f.fetch_later(f.wanted(a, Duration::seconds(20)));
  f.clock.advance(Duration::seconds(15));
  CHECK(f.status().members.size() == 1);  // the other one was silent
  reply = timed.get();
  CHECK(reply->membership.generation == 3);
  auto superseded = f.fetch_later(f.wanted(reply->membership, Duration::seconds(20)));
  auto last = f.fetch_later(f.wanted(reply->membership, Duration::seconds(20)));
  CHECK(superseded.get()->parts.empty());
  f.clock.advance(Duration::seconds(21));
  LogFixture::append_durably(f.partition(), 1, "k", "v");  // wakes the thread, which sees the clock
  CHECK(last.get().ok());
  CHECK(f.heartbeat(a, 3).standing == Standing::current);
}

TEST_CASE("closing answers what waits and refuses what comes") {
  GroupFixture f(1);
  const auto a = f.join();
  auto waiting = f.fetch_later(f.wanted(a, Duration::seconds(20)));
  f.groups->close();
  CHECK(waiting.get().error().kind == ErrorKind::unavailable);
  CHECK(f.groups->heartbeat("g", a.member, 1).error().kind == ErrorKind::unavailable);
  CHECK(f.fetch_later(f.wanted(a)).get().error().kind == ErrorKind::unavailable);
  CHECK_FALSE(f.metrics.prometheus().empty());
}

TEST_CASE("a member's own positions run ahead of its commits; limits are kept") {
  GroupFixture f(2);
  f.fill(10);
  const auto a = f.join();
  auto fetch = f.wanted(a);
  fetch.positions = {{{"t", PartitionId(0)}, Offset(7)}};
  fetch.records_max = 5;
  auto reply = f.fetch(fetch);
  std::size_t records = 0;
  for (const auto& part : reply.parts) {
    records += part.batch.records().size();
    if (part.place.partition == PartitionId(0)) CHECK(part.batch.records()[0].offset == Offset(7));
  }
  CHECK(records == 5);
  fetch.bytes_max = 1;
  CHECK(f.fetch(fetch).parts.size() == 1);
  fetch.positions = {{{"t", PartitionId(0)}, Offset(11)}};
  CHECK(f.fetch_later(fetch).get().error().kind == ErrorKind::unprocessable);
}

TEST_CASE("no partition starves behind a busy one") {
  GroupFixture f(3);
  f.fill(50);
  const auto a = f.join();
  auto fetch = f.wanted(a);
  fetch.records_max = 1;
  std::vector<std::uint32_t> first;
  for (int i = 0; i != 3; ++i) first.push_back(f.fetch(fetch).parts.at(0).place.partition.value);
  std::sort(first.begin(), first.end());
  CHECK(first == Numbers{0, 1, 2});
}

TEST_CASE("a topic that comes into being makes a new generation, and its records are read from the first") {
  GroupFixture f(2);
  const auto a = f.join("g", {"t", "later"}, Start::latest);
  CHECK(a.owned.size() == 2);
  auto waiting = f.fetch_later(f.wanted(a, Duration::seconds(20)));
  f.topic("later");
  const auto reply = waiting.get();
  REQUIRE(reply);
  CHECK(reply->membership.generation == 2);
  CHECK(reply->membership.owned.size() == 4);
  f.fill(1, "later");
  CHECK(f.fetch(f.wanted(reply->membership)).parts.size() == 2);
}

TEST_CASE("a member may change its topics") {
  GroupFixture f(2);
  f.topic("other");
  auto a = f.join();
  JoinOptions change;
  change.topics = {"other"};
  change.member = a.member;
  auto changed = f.groups->join("g", change);
  REQUIRE(changed);
  CHECK(changed->member == a.member);
  CHECK(changed->generation == 2);
  REQUIRE(changed->owned.size() == 2);
  CHECK(changed->owned[0].topic == "other");
  changed = f.groups->join("g", change);  // the same again changes nothing
  CHECK(changed->generation == 2);
  change.member = "nobody";
  CHECK(f.groups->join("g", change).error().kind == ErrorKind::not_found);
}

TEST_CASE("reset: refused while members are active, forced it removes them; forget needs an empty group") {
  GroupFixture f(1);
  f.fill(5);
  auto a = f.join();
  REQUIRE(f.commit(a, 0, 4));
  const std::vector<GroupOffset> back{{"g", "t", PartitionId(0), Offset(1)}};
  CHECK(f.groups->reset(back, false).error().kind == ErrorKind::conflict);
  CHECK(f.groups->forget("g").error().kind == ErrorKind::conflict);
  CHECK(f.log->committed("g", "t", PartitionId(0)) == Offset(4));
  REQUIRE(f.groups->reset(back, true));
  CHECK(f.commit(a, 0, 5)->standing == Standing::unknown);
  a = f.join();
  CHECK(f.fetch(f.wanted(a)).parts.at(0).batch.records()[0].offset == Offset(1));
  f.groups->leave("g", a.member);
  REQUIRE(f.groups->reset(back, false));
  REQUIRE(f.groups->forget("g"));
  CHECK(f.groups->forget("g").error().kind == ErrorKind::not_found);
  CHECK(f.status().partitions.empty());
  f.restart();
  CHECK_FALSE(f.log->committed("g", "t", PartitionId(0)));
}

TEST_CASE("names, timeouts and counts are limited") {
  GroupFixture f(1);
  f.limits.groups = 2;
  f.limits.members_per_group = 2;
  f.limits.members = 3;
  f.coordinate();
  JoinOptions good;
  good.topics = {"t"};
  const auto refused = [&](std::string_view group, const JoinOptions& options) {
    auto joined = f.groups->join(group, options);
    return joined ? std::nullopt : std::optional(joined.error().kind);
  };
  CHECK(refused("", good) == ErrorKind::invalid);
  CHECK(refused(std::string(201, 'g'), good) == ErrorKind::invalid);
  CHECK(refused("g\n", good) == ErrorKind::invalid);
  JoinOptions bad = good;
  bad.topics.clear();
  CHECK(refused("g", bad) == ErrorKind::unprocessable);
  bad.topics.assign(65, "t");
  CHECK(refused("g", bad) == std::nullopt);  // one topic, named often
  for (std::size_t i = 0; i != bad.topics.size(); ++i) bad.topics[i] = std::to_string(i);
  CHECK(refused("g", bad) == ErrorKind::unprocessable);
  bad = good;
  bad.session_timeout = Duration::milliseconds(99);
  CHECK(refused("g", bad) == ErrorKind::unprocessable);
  bad = good;
  bad.client.assign(101, 'c');
  CHECK(refused("g", bad) == ErrorKind::unprocessable);

  CHECK(refused("g", good) == std::nullopt);
  CHECK(refused("g", good) == ErrorKind::busy);
  CHECK(refused("h", good) == std::nullopt);
  CHECK(refused("h", good) == ErrorKind::busy);
  CHECK(refused("i", good) == ErrorKind::busy);
  const std::vector<GroupOffset> reset{{"i", "t", PartitionId(0), Offset(0)}};
  CHECK(f.groups->reset(reset, false).error().kind == ErrorKind::busy);
}

TEST_CASE("lag: records and their age, in the status and in the metrics, for a bounded number of partitions") {
  GroupFixture f(2);
  f.fill(4);
  auto a = f.join();
  REQUIRE(f.commit(a, 0, 1));
  f.clock.advance(Duration::seconds(3));
  const auto status = f.status();
  REQUIRE(status.partitions.size() == 2);
  CHECK(status.partitions[0].lag == 3);
  CHECK(status.partitions[1].lag == 4);
  CHECK(status.partitions[0].owner == a.member);
  REQUIRE(status.partitions[0].behind);
  CHECK(*status.partitions[0].behind == Duration::seconds(3));
  const std::string line = "iotstream_log_group_lag_records{group=\"g\",topic=\"t\",partition=\"0\"} 3\n";
  CHECK(f.metrics.prometheus().find(line) != std::string::npos);
  CHECK(f.metrics.prometheus().find("iotstream_log_group_lag_seconds{group=\"g\",topic=\"t\",partition=\"0\"} 3\n") !=
        std::string::npos);
  f.limits.lag_series = 1;
  f.coordinate();
  const std::string text = f.metrics.prometheus();
  CHECK(text.find(line) == std::string::npos);  // the other one is further behind
  CHECK(text.find("iotstream_log_group_lag_records{group=\"g\",topic=\"t\",partition=\"1\"} 4\n") != std::string::npos);
}

TEST_CASE("committed below earliest after retention: reading goes on at earliest, and the loss is said") {
  GroupFixture f(1);
  auto& partition = f.partition("small");
  auto a = f.join("g", {"small"});
  const std::string value(5000, 'x');
  for (int i = 0; i != 60; ++i) LogFixture::append_durably(partition, i, "k", value);
  // Retention begins only a minute after the start: what it would do is done here.
  auto& disk = *f.disk;
  f.groups.reset();
  f.close();
  auto names = disk.list("data/log/small/0");
  REQUIRE(names);
  std::vector<std::string> segments;
  for (const auto& name : *names)
    if (name.ends_with(".segment")) segments.push_back(name);
  std::sort(segments.begin(), segments.end());
  REQUIRE(segments.size() > 2);
  REQUIRE(disk.remove("data/log/small/0/" + segments.front()));
  f.open();
  f.coordinate();
  const Offset earliest = f.partition("small").watermarks().earliest;
  REQUIRE(earliest > Offset(0));

  const auto status = f.status();
  REQUIRE(status.partitions.size() == 1);
  CHECK(status.partitions[0].committed == Offset(0));
  CHECK(status.partitions[0].next == earliest);
  CHECK(status.partitions[0].lost == earliest.value);
  CHECK(status.partitions[0].lag == 60 - earliest.value);
  a = f.join("g", {"small"});
  const auto reply = f.fetch(f.wanted(a));
  REQUIRE_FALSE(reply.parts.empty());
  CHECK(reply.parts[0].batch.records()[0].offset == earliest);
  REQUIRE(reply.resets.size() == 1);
  CHECK(reply.resets[0].reason == OffsetReset::Reason::retention);
  CHECK(reply.resets[0].from == Offset(0));
  CHECK(reply.resets[0].to == earliest);
}

TEST_CASE("committed above the end after the log lost it: put back durably to the end, so that no new record is passed over") {
  GroupFixture f(1);
  f.fill(10);
  auto a = f.join();
  REQUIRE(f.commit(a, 0, 10));
  f.groups.reset();
  f.close();
  // The partition's files are gone, as after a restore of an older copy; the commits are not.
  const auto names = f.disk->list("data/log/t/0");
  REQUIRE(names);
  for (const auto& name : *names) REQUIRE(f.disk->remove("data/log/t/0/" + name));
  f.open();
  f.coordinate();
  const Offset end = f.partition().watermarks().durable;
  REQUIRE(end < Offset(10));
  CHECK(f.log->committed("g", "t", PartitionId(0)) == end);
  CHECK(f.status().partitions.at(0).rewound_from == Offset(10));
  f.fill(2);
  a = f.join();
  const auto reply = f.fetch(f.wanted(a));
  REQUIRE(reply.parts.size() == 1);
  CHECK(reply.parts[0].batch.records().size() == 2);
  REQUIRE(reply.resets.size() == 1);
  CHECK(reply.resets[0].reason == OffsetReset::Reason::lost_tail);
  CHECK(reply.resets[0].from == Offset(10));
  REQUIRE(f.commit(a, 0, reply.parts[0].next.value));
  CHECK_FALSE(f.status().partitions.at(0).rewound_from);
  f.restart();
  CHECK(f.log->committed("g", "t", PartitionId(0)) == reply.parts[0].next);
}
