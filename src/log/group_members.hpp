// The members of one group, its generation, and who holds which partition. Pure: time is an argument, nothing waits here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/log/group.hpp>

namespace iotstream::log {

/// Not thread-safe: the coordinator's lock guards it. What always holds:
///   a place has at most one holder, who alone may commit it;
///   the holder changes only while no commit of the place is under way, and only to the owner of the current generation;
///   who is owner and holder may fetch; a holder that is no owner has not acknowledged the generation that took the place away.
class GroupMembers {
 public:
  struct Member {
    std::string id;
    JoinOptions options;
    std::uint64_t number = 0;          ///< order of joining
    std::int64_t alive_until_ns = 0;   ///< unless busy
    std::int64_t seen_ns = 0;          ///< its last call
    unsigned busy = 0;                 ///< fetches that are not answered: it is alive while they wait
    std::uint64_t acknowledged = 0;    ///< the newest generation that it has named
    std::int64_t behind_since_ns = 0;  ///< while acknowledged < generation: since when it has had nothing newer to name
    std::uint64_t version = 0;         ///< moves with every change of what its Membership says
    std::uint64_t told = 0;            ///< the version of which its signal has been told
    std::size_t turn = 0;              ///< which of its places a fetch begins with
  };
  /// The number of a topic's partitions; 0: no such topic (yet).
  using Count = std::function<std::uint32_t(const std::string& topic)>;
  /// Why a member is gone.
  enum class Removal : unsigned char { left, silent, not_acknowledged };

  std::uint64_t generation() const { return generation_; }
  bool empty() const { return members_.empty(); }
  std::size_t size() const { return members_.size(); }
  /// Whether nothing is left to wait for: no member, no commit under way.
  bool idle() const;
  bool stable() const;
  Member* find(std::string_view id);
  const std::map<std::string, std::unique_ptr<Member>, std::less<>>& members() const { return members_; }

  /// A new generation.
  Member& add(std::string id, JoinOptions options, std::int64_t now_ns, const Count& count);
  /// A member's other topics: a new generation when they differ. What it no longer wants it has given up.
  void change(Member& member, JoinOptions options, std::int64_t now_ns, const Count& count);
  /// A new generation.
  void remove(std::string_view id, std::int64_t now_ns, const Count& count);
  /// Removes whose time is over: one new generation for all. Their ids, with the reason.
  std::vector<std::pair<std::string, Removal>> expire(std::int64_t now_ns, const Count& count);
  /// The earliest time at which expire() may have something to do.
  std::optional<std::int64_t> deadline_ns() const;
  /// A new generation when a topic that a member waits for has come into being.
  bool refresh(std::int64_t now_ns, const Count& count);
  /// Whether a member waits for a topic that is not there.
  bool awaits_topics() const { return awaits_topics_; }
  void clear(std::int64_t now_ns, const Count& count);

  /// A call of the member that names `generation`: a sign of life, good for its session timeout or for `stays`. Current or
  /// fenced.
  Standing touch(Member& member, std::uint64_t generation, std::int64_t now_ns, Duration stays = {});
  /// The member knows this generation: places that it or an older one took from it go to their new owners.
  void acknowledge(Member& member, std::uint64_t generation, std::int64_t now_ns);

  bool holds(const Member& member, const TopicPartition& place) const;
  /// Brackets a commit by the holder of a place: it changes hands only when the last bracket is closed.
  void begin_commit(const TopicPartition& place);
  void end_commit(const TopicPartition& place);

  Membership membership(const Member& member) const;
  /// Empty: nobody.
  std::string owner(const TopicPartition& place) const;
  std::vector<TopicPartition> places() const;

 private:
  struct Place {
    Member* owner = nullptr;       ///< in this generation
    Member* holder = nullptr;      ///< who may commit it
    std::uint64_t revoked_in = 0;  ///< while holder != owner: the generation that took it from the holder
    unsigned commits = 0;          ///< under way
  };

  void make_generation(std::int64_t now_ns, const Count& count);
  void find_places(const Count& count);
  void give_places();
  static void settle(Place& place);
  void forget_member(Member& member);
  std::int64_t deadline_of(const Member& member) const;

  std::uint64_t generation_ = 0;
  std::uint64_t joined_ = 0;
  std::map<std::string, std::unique_ptr<Member>, std::less<>> members_;
  std::map<TopicPartition, Place> places_;
  bool awaits_topics_ = false;
};

}  // namespace iotstream::log
