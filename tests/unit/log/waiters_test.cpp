#include "log/waiters.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

using namespace iotstream;
using log::Waiters;

TEST_CASE("waiters are called in offset order, and in order of arrival for one offset") {
  Waiters waiters;
  std::vector<int> called;
  auto note = [&called](int number) { return [&called, number](Status) { called.push_back(number); }; };
  waiters.add(9, note(90));
  waiters.add(3, note(30));
  waiters.add(5, note(50));
  waiters.add(3, note(31));
  waiters.advance(3);
  CHECK(called.empty());
  waiters.advance(6);
  CHECK(called == std::vector<int>{30, 31, 50});
  waiters.add(5, note(51));
  CHECK(called == std::vector<int>{30, 31, 50, 51});
  waiters.advance(100);
  CHECK(called.back() == 90);
}

TEST_CASE("waiters that arrive in any order are called as if they were sorted") {
  std::mt19937 random(20260101);
  for (int round = 0; round != 200; ++round) {
    Waiters waiters;
    std::vector<std::pair<std::uint64_t, int>> added;
    std::vector<std::pair<std::uint64_t, int>> called;
    std::uint64_t watermark = 0;
    for (int number = 0; number != 60; ++number) {
      // Mostly in order, as threads that append one after another arrive.
      const std::uint64_t offset = watermark + (random() % 4 != 0 ? static_cast<unsigned>(number) / 4 : random() % 20);
      added.emplace_back(offset, number);
      waiters.add(offset, [&called, offset, number](Status) { called.emplace_back(offset, number); });
      if (random() % 8 != 0) continue;
      watermark += random() % 6;
      const auto begin = static_cast<std::ptrdiff_t>(called.size());
      waiters.advance(watermark);
      CHECK(std::is_sorted(called.begin() + begin, called.end()));
    }
    waiters.advance(1000);
    std::sort(called.begin(), called.end());
    std::sort(added.begin(), added.end());
    CHECK(called == added);
  }
}

TEST_CASE("after a failure nobody waits, and what had been reached stays reached") {
  Waiters waiters;
  std::vector<bool> good;
  auto note = [&good](Status status) { good.push_back(status.ok()); };
  waiters.advance(10);
  waiters.add(20, note);
  waiters.fail({ErrorKind::unavailable, "gone"});
  waiters.add(15, note);
  waiters.add(9, note);
  CHECK(good == std::vector<bool>{false, false, true});
}

TEST_CASE("a callback may wait for something else") {
  Waiters waiters;
  int calls = 0;
  waiters.add(0, [&](Status) { waiters.add(1, [&](Status) { ++calls; }); });
  waiters.advance(1);
  CHECK(calls == 0);
  waiters.advance(2);
  CHECK(calls == 1);
}
