#include "log/group_assignment.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include <catch2/catch.hpp>

#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::test::between;

namespace {

using Subscriptions = std::vector<std::vector<std::size_t>>;
using Owners = std::vector<std::optional<std::size_t>>;

std::vector<std::size_t> loads_of(const Owners& owners, std::size_t members) {
  std::vector<std::size_t> loads(members);
  for (const auto& owner : owners)
    if (owner) ++loads[*owner];
  return loads;
}

std::size_t squares(const Owners& owners, std::size_t members) {
  std::size_t sum = 0;
  for (const std::size_t load : loads_of(owners, members)) sum += load * load;
  return sum;
}

/// The least sum of squares over all assignments, by trying them all.
std::size_t least_squares(const Subscriptions& subscriptions, const std::vector<Seat>& seats) {
  Owners owners(seats.size());
  std::size_t least = SIZE_MAX;
  std::function<void(std::size_t)> place = [&](std::size_t seat) {
    if (seat == seats.size()) {
      least = std::min(least, squares(owners, subscriptions.size()));
      return;
    }
    bool any = false;
    for (std::size_t member = 0; member != subscriptions.size(); ++member) {
      const auto& topics = subscriptions[member];
      if (std::find(topics.begin(), topics.end(), seats[seat].topic) == topics.end()) continue;
      any = true;
      owners[seat] = member;
      place(seat + 1);
    }
    owners[seat].reset();
    if (!any) place(seat + 1);
  };
  place(0);
  return least;
}

std::vector<Seat> seats_of(std::size_t count, std::size_t topic = 0) {
  return std::vector<Seat>(count, Seat{topic, {}, false});
}

void keep(std::vector<Seat>& seats, const Owners& owners) {
  for (std::size_t i = 0; i != seats.size(); ++i) {
    seats[i].keeps = owners[i];
    seats[i].held = owners[i].has_value();
  }
}

}  // namespace

TEST_CASE("partitions are shared evenly, the odd ones with those who came first") {
  CHECK(loads_of(assign({{0}, {0}, {0}}, seats_of(8), 1), 3) == std::vector<std::size_t>{3, 3, 2});
  CHECK(loads_of(assign({{0}, {0}, {0}}, seats_of(2), 1), 3) == std::vector<std::size_t>{1, 1, 0});
  CHECK(assign({}, seats_of(2), 1) == Owners(2));
  CHECK(assign({{}}, seats_of(1), 1) == Owners(1));
}

TEST_CASE("what a member has it keeps, unless balance asks for it") {
  auto seats = seats_of(8);
  keep(seats, assign({{0}, {0}}, seats, 1));
  const auto grown = assign({{0}, {0}, {0}}, seats, 1);
  std::size_t moved = 0;
  for (std::size_t i = 0; i != seats.size(); ++i) moved += grown[i] != seats[i].keeps;
  CHECK(moved == 2);
  CHECK(loads_of(grown, 3) == std::vector<std::size_t>{3, 3, 2});
  CHECK(assign({{0}, {0}}, seats, 1) == Owners{seats[0].keeps, seats[1].keeps, seats[2].keeps, seats[3].keeps, seats[4].keeps,
                                               seats[5].keeps, seats[6].keeps, seats[7].keeps});
}

TEST_CASE("balance is found over chains of members that share no topic") {
  // The first reads topics 0 and 1, the second 1 and 2, the third 2: three of topic 0 … the surplus has to travel.
  std::vector<Seat> seats{{0, 0, true}, {0, 0, true}, {1, 0, true}, {1, 1, true}, {2, 1, true}, {2, 2, true}};
  const auto owners = assign({{0, 1}, {1, 2}, {2}}, seats, 3);
  CHECK(loads_of(owners, 3) == std::vector<std::size_t>{2, 2, 2});
}

TEST_CASE("random subscriptions: everything that can be given is given, to subscribers, as evenly as is possible at all") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 400; ++round) {
    const auto topics = between<std::size_t>(random, 1, 3);
    Subscriptions subscriptions(between<std::size_t>(random, 1, 4));
    for (auto& list : subscriptions)
      for (std::size_t topic = 0; topic != topics; ++topic)
        if (random() % 2 == 0) list.push_back(topic);
    std::vector<Seat> seats;
    for (auto left = between<std::size_t>(random, 0, 7); left != 0; --left) {
      Seat seat{between<std::size_t>(random, 0, topics - 1), {}, random() % 2 == 0};
      if (random() % 2 == 0) seat.keeps = between<std::size_t>(random, 0, subscriptions.size() - 1);
      seats.push_back(seat);
    }
    std::sort(seats.begin(), seats.end(), [](const Seat& a, const Seat& b) { return a.topic < b.topic; });
    const auto owners = assign(subscriptions, seats, topics);
    for (std::size_t i = 0; i != seats.size(); ++i) {
      const auto subscribes = [&](const auto& list) { return std::count(list.begin(), list.end(), seats[i].topic) > 0; };
      CHECK(owners[i].has_value() == std::any_of(subscriptions.begin(), subscriptions.end(), subscribes));
      if (owners[i]) CHECK(subscribes(subscriptions[*owners[i]]));
    }
    CHECK(squares(owners, subscriptions.size()) == least_squares(subscriptions, seats));
    // Nobody came and nobody left: nothing moves.
    keep(seats, owners);
    CHECK(assign(subscriptions, seats, topics) == owners);
  }
}
