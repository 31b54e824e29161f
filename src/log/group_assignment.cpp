#include "log/group_assignment.hpp"

#include <algorithm>
#include <numeric>

namespace iotstream::log {
namespace {

class Table {
 public:
  Table(const std::vector<std::vector<std::size_t>>& subscriptions, const std::vector<Seat>& seats, std::size_t topics)
      : seats_(seats),
        owners_(seats.size()),
        loads_(subscriptions.size()),
        takers_(topics),
        topics_(topics),
        counts_(subscriptions.size() * topics) {
    for (std::size_t member = 0; member != subscriptions.size(); ++member)
      for (const std::size_t topic : subscriptions[member]) takers_[topic].push_back(member);
  }

  std::vector<std::optional<std::size_t>> run() {
    keep();
    fill();
    while (improve()) {
    }
    return std::move(owners_);
  }

 private:
  void keep() {
    for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
      const auto& takers = takers_[seats_[seat].topic];
      const auto member = seats_[seat].keeps;
      if (member && std::binary_search(takers.begin(), takers.end(), *member)) give(seat, *member);
    }
  }

  void fill() {
    for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
      const auto& takers = takers_[seats_[seat].topic];
      if (owners_[seat] || takers.empty()) continue;
      give(seat, *std::min_element(takers.begin(), takers.end(),
                                   [this](std::size_t a, std::size_t b) { return loads_[a] < loads_[b]; }));
    }
  }

  void give(std::size_t seat, std::size_t member) {
    if (const auto former = owners_[seat]) {
      --loads_[*former];
      --count(*former, seats_[seat].topic);
    }
    owners_[seat] = member;
    ++loads_[member];
    ++count(member, seats_[seat].topic);
  }

  std::size_t& count(std::size_t member, std::size_t topic) { return counts_[member * topics_ + topic]; }

  /// Moves one seat's worth of load from a member that has at least two more than another; false when there is no such pair.
  /// Without such a chain the assignment is the best there is (optimal semi-matching).
  bool improve() {
    std::vector<std::size_t> order(loads_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Of members with as many seats the latest gives first: the odd seats stay with the earlier ones.
    std::sort(order.begin(), order.end(),
              [this](std::size_t a, std::size_t b) { return loads_[a] != loads_[b] ? loads_[a] > loads_[b] : a > b; });
    for (const std::size_t member : order) {
      if (loads_[member] < loads_[order.back()] + 2) return false;
      if (relieve(member)) return true;
    }
    return false;
  }

  struct Step {
    std::size_t from = 0;
    std::size_t topic = 0;
  };

  bool relieve(std::size_t giver) {
    std::vector<std::optional<Step>> steps(loads_.size());
    std::vector<bool> topic_seen(topics_);
    std::vector<std::size_t> queue{giver};
    std::size_t receiver = giver;
    for (std::size_t i = 0; i != queue.size(); ++i) {
      const std::size_t member = queue[i];
      if (loads_[member] < loads_[receiver]) receiver = member;
      for (std::size_t topic = 0; topic != topics_; ++topic) {
        if (count(member, topic) == 0 || topic_seen[topic]) continue;
        topic_seen[topic] = true;
        for (const std::size_t taker : takers_[topic]) {
          if (taker == giver || steps[taker]) continue;
          steps[taker] = Step{member, topic};
          queue.push_back(taker);
        }
      }
    }
    if (loads_[receiver] + 2 > loads_[giver]) return false;
    for (std::size_t member = receiver; member != giver; member = steps[member]->from) give(seat_of(*steps[member]), member);
    return true;
  }

  /// A seat of that topic that its member can part with most cheaply.
  std::size_t seat_of(const Step& step) const {
    std::optional<std::size_t> found;
    for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
      if (owners_[seat] != step.from || seats_[seat].topic != step.topic) continue;
      const bool free = seats_[seat].keeps != step.from || !seats_[seat].held;
      if (free) return seat;
      found = seat;
    }
    return found.value_or(0);
  }

  const std::vector<Seat>& seats_;
  std::vector<std::optional<std::size_t>> owners_;
  std::vector<std::size_t> loads_;
  std::vector<std::vector<std::size_t>> takers_;  ///< by topic, in order
  std::size_t topics_;
  std::vector<std::size_t> counts_;  ///< seats of each member of each topic
};

}  // namespace

std::vector<std::optional<std::size_t>> assign(const std::vector<std::vector<std::size_t>>& subscriptions,
                                               const std::vector<Seat>& seats, std::size_t topics) {
  return Table(subscriptions, seats, topics).run();
}

}  // namespace iotstream::log
