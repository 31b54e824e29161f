#include <latch>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include <iotstream/os/worker_pool.hpp>

using namespace iotstream;
using os::WorkerPool;

TEST_CASE("every task that was taken is run once before the pool is gone") {
  std::atomic<int> ran{0};
  int taken = 0;
  {
    WorkerPool pool("worker", 3, 100);
    for (int i = 0; i < 1000; ++i) taken += pool.submit([&] { ++ran; }) ? 1 : 0;
  }
  CHECK(ran == taken);
  CHECK(taken >= 100);
}

TEST_CASE("a full queue refuses, and takes again when there is room") {
  WorkerPool pool("worker", 1, 2);
  std::latch running(1);
  std::latch go(1);
  REQUIRE(pool.submit([&] {
    running.count_down();
    go.wait();
  }));
  running.wait();
  CHECK(pool.submit([] {}));
  CHECK(pool.submit([] {}));
  CHECK(pool.waiting() == 2);
  CHECK_FALSE(pool.submit([] {}));
  CHECK(pool.waiting() == 2);
  std::latch done(1);
  go.count_down();
  while (!pool.submit([&] { done.count_down(); })) std::this_thread::yield();
  done.wait();
}

TEST_CASE("a stopping pool finishes what it took and refuses the rest") {
  WorkerPool pool("worker", 2, 100);
  std::atomic<int> ran{0};
  for (int i = 0; i < 50; ++i) REQUIRE(pool.submit([&] { ++ran; }));
  pool.stop();
  CHECK(ran == 50);
  CHECK_FALSE(pool.submit([&] { ++ran; }));
  pool.stop();
  CHECK(ran == 50);
  CHECK(pool.waiting() == 0);
}

TEST_CASE("submits that race with the stop are run or refused, never forgotten") {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran{0};
    std::atomic<int> taken{0};
    WorkerPool pool("worker", 3, 8);
    std::vector<std::thread> submitters;
    std::latch start(3);
    for (int i = 0; i < 2; ++i) {
      submitters.emplace_back([&] {
        start.arrive_and_wait();
        for (int n = 0; n < 50; ++n) taken += pool.submit([&] { ++ran; }) ? 1 : 0;
      });
    }
    start.arrive_and_wait();
    pool.stop();
    for (auto& submitter : submitters) submitter.join();
    REQUIRE(ran == taken);
    REQUIRE(pool.waiting() == 0);
  }
}

TEST_CASE("what a task holds is released when it has run") {
  WorkerPool pool("worker", 1, 8);
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = held;
  std::latch done(1);
  REQUIRE(pool.submit([held = std::move(held)] {}));
  REQUIRE(pool.submit([&] {
    CHECK(watch.expired());
    done.count_down();
  }));
  done.wait();
}

TEST_CASE("tasks run side by side, one on each thread") {
  WorkerPool pool("worker", 3, 8);
  std::latch together(3);  // reached only when three tasks run at the same time
  for (int i = 0; i < 3; ++i) REQUIRE(pool.submit([&] { together.arrive_and_wait(); }));
  together.wait();
}
