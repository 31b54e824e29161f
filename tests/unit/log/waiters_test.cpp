#include "log/waiters.hpp"

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
