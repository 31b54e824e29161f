// Random members against a plain model of what they may do. The model knows nothing of how partitions are assigned; it checks
// what must hold whatever the assignment: one owner at most per partition and generation, hand-over only after the former owner
// has acknowledged or is gone, the old generation refused, committed offsets that never go back unless asked.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include <catch2/catch.hpp>

#include "support/random.hpp"
#include "unit/log/group_fixture.hpp"

using namespace iotstream;
using namespace iotstream::log;
using namespace iotstream::log::test;
using iotstream::test::between;

namespace {

constexpr std::uint32_t partitions = 6;
constexpr std::uint64_t records = 400;
constexpr std::int64_t session_s = 10;
constexpr std::int64_t rebalance_s = 30;

struct ModelMember {
  std::string group;
  Membership known;  ///< as it was told last
  std::set<std::string> topics;
  std::int64_t seen_s = 0;
  std::uint64_t acknowledged = 0;
  std::int64_t behind_since_s = 0;
  bool dead = false;         ///< says nothing more
  bool stubborn = false;     ///< only ever names the generation of its joining
  std::uint64_t joined = 0;  ///< in that one
};

struct ModelGroup {
  std::uint64_t generation = 0;
  std::map<std::uint64_t, std::map<TopicPartition, std::string>> owners;  ///< generation → who was told that it owns what
  std::map<TopicPartition, std::string> working;                          ///< who may be working on what, as far as they know
  std::map<TopicPartition, std::uint64_t> committed;
};

class Model {
 public:
  Model(GroupFixture& fixture, std::mt19937_64& random) : f_(fixture), random_(random) {}

  void step() {
    switch (between(random_, 0, 19)) {
      case 0:
      case 1:
        return join();
      case 2:
        return leave();
      case 3:
        return die();
      case 4:
      case 5:
      case 6:
        return pass_time();
      case 7:
        return change_topics();
      case 8:
        return haunt();
      case 9:
        return reset();
      case 10:
      case 11:
      case 12:
        return commit();
      case 13:
      case 14:
        return fetch();
      default:
        return heartbeat();
    }
  }

  /// Everybody follows: now every partition that somebody wants must have an owner, and loads must be even.
  void settle() {
    bury();
    for (int round = 0; round != 3; ++round)
      for (auto& [id, member] : members_) follow(member);
    for (auto& [name, group] : groups_) {
      std::set<TopicPartition> owned;
      std::size_t most = 0;
      std::size_t least = SIZE_MAX;
      std::set<std::string> topics;
      bool alike = true;
      for (auto& [id, member] : members_) {
        if (member.group != name) continue;
        for (const auto& place : member.known.owned) CHECK(owned.insert(place).second);
        CHECK(member.known.releasing.empty());
        most = std::max(most, member.known.owned.size());
        least = std::min(least, member.known.owned.size());
        alike = alike && (topics.empty() || topics == member.topics);
        topics.insert(member.topics.begin(), member.topics.end());
      }
      CHECK(owned.size() == topics.size() * partitions);
      if (alike && least != SIZE_MAX) CHECK(most - least <= 1);
      const auto status = f_.status(name);
      CHECK(status.state == (least == SIZE_MAX ? GroupState::empty : GroupState::stable));
      for (const auto& partition : status.partitions)
        CHECK(partition.committed.value_or(Offset(0)).value == committed(name, partition.place));
    }
  }

  std::map<std::string, int> done;  ///< what happened, so that a test that tests nothing is noticed
  std::deque<std::string> last;

 private:
  void note(std::string what) {
    ++done[what.substr(0, what.find(':'))];
    last.push_back(std::move(what));
    if (last.size() > 12) last.pop_front();
  }
  std::uint64_t& committed(const std::string& group, const TopicPartition& place) { return groups_[group].committed[place]; }

  ModelMember* pick() {
    std::vector<ModelMember*> living;
    for (auto& [id, member] : members_)
      if (!member.dead) living.push_back(&member);
    return living.empty() ? nullptr : living[random_() % living.size()];
  }

  void new_generation(const std::string& name) {
    auto& group = groups_[name];
    for (auto& [id, member] : members_)
      if (member.group == name && member.acknowledged == group.generation) member.behind_since_s = now_s_;
    ++group.generation;
  }
  void stop_working(const std::string& group, const std::string& id, const std::set<TopicPartition>* but = nullptr) {
    std::erase_if(groups_[group].working,
                  [&](const auto& entry) { return entry.second == id && (but == nullptr || !but->contains(entry.first)); });
  }

  /// A membership that the coordinator told: checks it against everything told before.
  void told(ModelMember& member, const Membership& given) {
    auto& group = groups_[member.group];
    REQUIRE(given.generation == group.generation);
    for (const auto& place : given.owned) {
      CHECK(member.topics.contains(place.topic));
      const auto [owner, first] = group.owners[given.generation].try_emplace(place, given.member);
      CHECK(owner->second == given.member);  // at most one owner per partition and generation
      const auto [worker, free] = group.working.try_emplace(place, given.member);
      CHECK(worker->second == given.member);  // nobody else can still be at it
    }
    for (const auto& place : given.releasing) {
      const auto worker = group.working.find(place);
      if (worker != group.working.end()) CHECK(worker->second == given.member);
    }
    member.known = given;
  }

  /// Time has passed: who should be gone is gone, in one new generation.
  void expire() {
    std::set<std::string> shaken;
    for (auto it = members_.begin(); it != members_.end();) {
      ModelMember& member = it->second;
      const bool silent = member.seen_s + session_s <= now_s_;
      const bool behind =
          member.acknowledged < groups_[member.group].generation && member.behind_since_s + rebalance_s <= now_s_;
      if (!silent && !behind) {
        ++it;
        continue;
      }
      note(silent ? "silent: " + it->first : "behind: " + it->first);
      shaken.insert(member.group);
      stop_working(member.group, it->first);
      ghosts_.push_back(member);
      it = members_.erase(it);
    }
    for (const auto& name : shaken) new_generation(name);
    for (const auto& name : {"g", "h"}) (void)f_.status(name);  // the coordinator looks at the clock now, too
    forget_empty();
  }
  /// A group without members is forgotten but for what it committed: its next generation is the first.
  void forget_empty() {
    for (auto& [name, group] : groups_) {
      const bool any = std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m.second.group == name; });
      if (any) continue;
      group.generation = 0;
      group.owners.clear();
      CHECK(group.working.empty());
    }
  }

  void pass_time() {
    const auto by = between<std::int64_t>(random_, 1, random_() % 4 == 0 ? 12 : 3);
    now_s_ += by;
    f_.clock.advance(Duration::seconds(by));
    note("time: " + std::to_string(by));
    expire();
    for (auto& [id, member] : members_)
      if (member.stubborn && !member.dead) heartbeat(member, member.joined);
  }

  std::set<std::string> some_topics() {
    if (random_() % 2 == 0) return {"t", "u"};
    return {random_() % 2 == 0 ? "t" : "u"};
  }

  void join() {
    if (members_.size() > 12) return;
    ModelMember member;
    member.group = random_() % 3 == 0 ? "h" : "g";
    member.topics = some_topics();
    member.seen_s = now_s_;
    JoinOptions options;
    options.topics.assign(member.topics.begin(), member.topics.end());
    options.session_timeout = Duration::seconds(session_s);
    options.rebalance_timeout = Duration::seconds(rebalance_s);
    auto joined = f_.groups->join(member.group, options);
    REQUIRE(joined);
    note("join: " + joined->member + " " + member.group);
    new_generation(member.group);
    member.acknowledged = groups_[member.group].generation;
    member.joined = member.acknowledged;
    member.stubborn = random_() % 8 == 0;
    told(member, *joined);
    members_.emplace(joined->member, std::move(member));
  }

  void leave() {
    ModelMember* const member = pick();
    if (member == nullptr || random_() % 2 == 0) return;
    const std::string id = member->known.member;
    const std::string group = member->group;
    note("leave: " + id);
    CHECK(f_.groups->leave(group, id));
    stop_working(group, id);
    ghosts_.push_back(*member);
    members_.erase(id);
    new_generation(group);
    forget_empty();
  }

  /// Says nothing more, until its time is over.
  void die() {
    ModelMember* const member = pick();
    if (member == nullptr || random_() % 3 != 0) return;
    note("die: " + member->known.member);
    member->dead = true;
  }
  /// Lets the dead be noticed while the others go on.
  void bury() {
    for (int i = 0; i != 11; ++i) {
      now_s_ += 3;
      f_.clock.advance(Duration::seconds(3));
      expire();
      for (auto& [id, member] : members_)
        if (!member.dead && !member.stubborn) follow(member);
    }
  }

  /// Who is gone is refused everything, whichever generation it names.
  void haunt() {
    if (ghosts_.empty()) return;
    const ModelMember& ghost = ghosts_[random_() % ghosts_.size()];
    const std::uint64_t generation = random_() % 2 == 0 ? ghost.known.generation : groups_[ghost.group].generation;
    note("haunt: " + ghost.known.member);
    CHECK(f_.groups->heartbeat(ghost.group, ghost.known.member, generation)->standing == Standing::unknown);
    const Position late{{"t", PartitionId(0)}, Offset(records)};
    CHECK(f_.groups->commit(ghost.group, ghost.known.member, generation, std::span(&late, 1))->standing == Standing::unknown);
    CHECK(f_.log->committed(ghost.group, "t", PartitionId(0)).value_or(Offset(0)).value == committed(ghost.group, late.place));
    auto fetch = f_.wanted(ghost.known, {}, ghost.group);
    fetch.generation = generation;
    CHECK(f_.fetch(fetch).standing == Standing::unknown);
  }

  /// The generation that it names in its next call: mostly the one it knows; sometimes an old one, or one that is none yet.
  std::uint64_t some_generation(const ModelMember& member) {
    if (member.stubborn) return member.joined;
    const auto dice = random_() % 12;
    if (dice == 0) return member.known.generation - std::min<std::uint64_t>(member.known.generation, 1);
    if (dice == 1) return groups_[member.group].generation + 5;
    return member.known.generation;
  }

  /// What a call of it that names `generation` does to the model; whether that is the current one.
  bool call(ModelMember& member, std::uint64_t generation, bool acknowledges) {
    const std::uint64_t current = groups_[member.group].generation;
    member.seen_s = now_s_;
    if (acknowledges && generation <= current && generation > member.acknowledged) {
      member.acknowledged = generation;
      member.behind_since_s = now_s_;
      // It has stopped with all that it was told to give up.
      const std::set<TopicPartition> owned(member.known.owned.begin(), member.known.owned.end());
      stop_working(member.group, member.known.member, &owned);
    }
    return generation == current;
  }

  void heartbeat() {
    if (ModelMember* const member = pick()) heartbeat(*member, some_generation(*member));
  }
  bool heartbeat(ModelMember& member, std::uint64_t generation) {
    const std::string id = member.known.member;
    const bool current = call(member, generation, true);
    note((current ? "heartbeat: " : "stale heartbeat: ") + id);
    auto reply = f_.groups->heartbeat(member.group, id, generation);
    REQUIRE(reply);
    REQUIRE(reply->standing == (current ? Standing::current : Standing::fenced));
    told(member, reply->membership);
    return current;
  }
  void follow(ModelMember& member) {
    while (!heartbeat(member, member.known.generation)) {
    }
  }

  void fetch() {
    ModelMember* const member = pick();
    if (member == nullptr) return;
    const std::uint64_t generation = some_generation(*member);
    const bool current = call(*member, generation, true);
    auto wanted = f_.wanted(member->known, {}, member->group);
    wanted.generation = generation;
    wanted.records_max = 20;
    const auto reply = f_.fetch(wanted);
    note((current ? "fetch: " : "stale fetch: ") + member->known.member);
    CHECK(reply.standing == (current ? Standing::current : Standing::fenced));
    if (!current) CHECK(reply.parts.empty());
    told(*member, reply.membership);
    for (const auto& part : reply.parts) {
      CHECK(std::binary_search(member->known.owned.begin(), member->known.owned.end(), part.place));
      CHECK(groups_[member->group].working[part.place] == member->known.member);
    }
    // From the committed offset on, without a gap.
    std::map<TopicPartition, std::uint64_t> next;
    for (const auto& part : reply.parts)
      for (const Record& record : part.batch.records()) {
        const auto [at, first] = next.try_emplace(part.place, committed(member->group, part.place));
        CHECK(record.offset.value == at->second++);
      }
  }

  void commit() {
    ModelMember* const member = pick();
    if (member == nullptr) return;
    const std::uint64_t generation = some_generation(*member);
    const TopicPartition place{random_() % 2 == 0 ? "t" : "u", PartitionId(between<std::uint32_t>(random_, 0, partitions - 1))};
    auto& stored = committed(member->group, place);
    const auto back = std::min<std::uint64_t>(stored, 3);
    const std::uint64_t offset = stored - back + between<std::uint64_t>(random_, 0, back + 6);
    const bool current = call(*member, generation, false);
    const Position position{place, Offset(offset)};
    auto reply = f_.groups->commit(member->group, member->known.member, generation, std::span(&position, 1));
    if (!current) {
      note("stale commit: " + member->known.member);
      REQUIRE(reply);
      CHECK(reply->standing == Standing::fenced);
    } else if (!reply) {
      note("refused commit: " + member->known.member);
      // Above the end, below what is committed, or not its partition: others may hold it.
      const auto& working = groups_[member->group].working;
      const auto worker = working.find(place);
      const bool mine = worker != working.end() && worker->second == member->known.member;
      CHECK((offset > records || offset < stored || !mine));
    } else {
      note("commit: " + member->known.member);
      CHECK(reply->standing == Standing::current);
      CHECK(offset >= stored);
      const auto& working = groups_[member->group].working;
      // Nobody but the one that may be working on it. (It may hold it and not have been told yet.)
      if (const auto worker = working.find(place); worker != working.end()) CHECK(worker->second == member->known.member);
      stored = offset;
    }
    CHECK(f_.log->committed(member->group, place.topic, place.partition).value_or(Offset(0)).value == stored);
  }

  void change_topics() {
    ModelMember* const member = pick();
    if (member == nullptr) return;
    const auto topics = some_topics();
    JoinOptions options;
    options.topics.assign(topics.begin(), topics.end());
    options.session_timeout = Duration::seconds(session_s);
    options.rebalance_timeout = Duration::seconds(rebalance_s);
    options.member = member->known.member;
    note("topics: " + member->known.member);
    auto joined = f_.groups->join(member->group, options);
    REQUIRE(joined);
    CHECK(joined->member == member->known.member);
    member->seen_s = now_s_;
    if (topics != member->topics) new_generation(member->group);
    member->topics = topics;
    std::erase_if(groups_[member->group].working, [&](const auto& entry) {
      return entry.second == member->known.member && !topics.contains(entry.first.topic);
    });
    told(*member, *joined);
  }

  void reset() {
    const std::string group = random_() % 2 == 0 ? "g" : "h";
    const bool force = random_() % 8 == 0;
    const bool any = std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m.second.group == group; });
    const TopicPartition place{"t", PartitionId(between<std::uint32_t>(random_, 0, partitions - 1))};
    const GroupOffset offset{group, "t", place.partition, Offset(between<std::uint64_t>(random_, 0, 100))};
    const auto done_reset = f_.groups->reset(std::span(&offset, 1), force);
    note((done_reset ? "reset: " : "refused reset: ") + group);
    CHECK(done_reset.ok() == (!any || force));
    if (!done_reset) return;
    committed(group, place) = offset.committed.value;
    if (!any) return;
    for (auto it = members_.begin(); it != members_.end();) {
      if (it->second.group != group) {
        ++it;
        continue;
      }
      stop_working(group, it->first);
      ghosts_.push_back(it->second);
      it = members_.erase(it);
    }
    forget_empty();
  }

  GroupFixture& f_;
  std::mt19937_64& random_;
  std::int64_t now_s_ = 0;
  std::map<std::string, ModelMember> members_;
  std::map<std::string, ModelGroup> groups_;
  std::vector<ModelMember> ghosts_;
};

}  // namespace

TEST_CASE(
    "random members against a model: one owner a generation, no stale call has an effect, commits never go back unasked") {
  IOTSTREAM_SEEDED(random);
  GroupFixture f(partitions);
  f.topic("u");
  for (std::uint32_t p = 0; p != partitions; ++p)
    for (const char* name : {"t", "u"}) {
      Offset last;
      for (std::uint64_t i = 0; i != records; ++i) last = LogFixture::append(f.partition(name, p), 0, "k", "v");
      REQUIRE(LogFixture::wait(f.partition(name, p), Watermark::durable, last));
    }
  Model model(f, random);
  for (int i = 0; i != 12'000; ++i) {
    INFO("step " << i);
    model.step();
    if (i % 200 == 199) model.settle();
  }
  for (const char* what : {"join", "leave", "die", "silent", "behind", "haunt", "heartbeat", "stale heartbeat", "fetch",
                           "stale fetch", "commit", "stale commit", "refused commit", "topics", "reset", "refused reset"}) {
    INFO(what);
    CHECK(model.done[what] > 0);
  }
}
