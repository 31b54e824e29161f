// Pipelined requests of routes that say so begin before the ones before them are answered.
#include <set>
#include <vector>

#include "support.hpp"

namespace iotstream::net {

namespace {

/// POST /take keeps its requests waiting and overlaps, unless a body is `alone`; GET /at-once answers in the handler.
struct Taking {
  Taking() {
    const auto take = [this](Request request, Respond respond) {
      const std::lock_guard lock(mutex);
      taken.push_back(std::move(request.body));
      waiting.push_back(std::move(respond));
    };
    fixture.router.add(Method::post, "/take", take, [](const Request& request) { return request.body != "alone"; });
    fixture.router.add(Method::get, "/at-once", [](Request, Respond respond) { respond(Response::text("at once")); });
    fixture.start();
  }
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return taken.size();
  }
  void answer(std::size_t i) {
    const std::lock_guard lock(mutex);
    waiting[i](Response::text(taken[i]));
  }

  std::mutex mutex;
  std::vector<std::string> taken;
  std::vector<Respond> waiting;
  TestServer fixture;
};

}  // namespace

TEST_CASE("requests that overlap are all under way at once and answered in their order") {
  Taking taking;
  RawClient client(taking.fixture.port);
  std::string all;
  for (int i = 0; i < 20; ++i) all += post("/take", std::to_string(i));
  REQUIRE(client.send(all));
  REQUIRE(eventually([&] { return taking.size() == 20; }));
  for (std::size_t i = 20; i > 0; --i) taking.answer(i - 1);
  for (int i = 0; i < 20; ++i) REQUIRE(client.answer().body == std::to_string(i));
  CHECK(taking.fixture.metric("iotstream_net_requests_overlapped_total") == 20);
  // One by one none overlaps.
  REQUIRE(client.send(post("/take", "single")));
  REQUIRE(eventually([&] { return taking.size() == 21; }));
  taking.answer(20);
  CHECK(client.answer().body == "single");
  CHECK(taking.fixture.metric("iotstream_net_requests_overlapped_total") == 20);
}

TEST_CASE("an early answer does not wait for a late one, and what does not overlap waits for all before it") {
  Taking taking;
  RawClient client(taking.fixture.port);
  REQUIRE(client.send(post("/take", "a") + post("/take", "b") + get("/at-once") + post("/take", "alone") + post("/take", "c")));
  REQUIRE(eventually([&] { return taking.size() == 2; }));
  taking.answer(0);
  CHECK(client.answer().body == "a");
  CHECK(taking.size() == 2);
  taking.answer(1);
  CHECK(client.answer().body == "b");
  CHECK(client.answer().body == "at once");
  REQUIRE(eventually([&] { return taking.size() == 3; }));
  CHECK(taking.taken.back() == "alone");
  taking.answer(2);
  CHECK(client.answer().body == "alone");
  REQUIRE(eventually([&] { return taking.size() == 4; }));
  taking.answer(3);
  CHECK(client.answer().body == "c");
}

TEST_CASE("so many requests of a connection are under way and no more") {
  Taking taking;
  RawClient client(taking.fixture.port);
  std::string all;
  for (int i = 0; i < 100; ++i) all += post("/take", std::to_string(i));
  REQUIRE(client.send(all));
  REQUIRE(eventually([&] { return taking.size() >= 32; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // The one behind the last that overlaps has begun when all before it are answered, so 32 and not 33.
  CHECK(taking.size() == 32);
  for (std::size_t i = 0; i < 100; ++i) {
    REQUIRE(eventually([&] { return taking.size() > i; }));
    taking.answer(i);
    REQUIRE(client.answer().body == std::to_string(i));
  }
}

TEST_CASE("refusals, broken requests and 100 Continue come behind the answers of what overlaps") {
  Taking taking;
  RawClient client(taking.fixture.port);
  REQUIRE(client.send(post("/take", "a") + post("/take", "b") + get("/nowhere") + post("/take", "c") + post("/take", "d") +
                      "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"));
  REQUIRE(eventually([&] { return taking.size() == 2; }));
  taking.answer(1);
  taking.answer(0);
  CHECK(client.answer().body == "a");
  CHECK(client.answer().body == "b");
  CHECK(client.answer().status == 404);
  REQUIRE(eventually([&] { return taking.size() == 4; }));
  taking.answer(3);
  taking.answer(2);
  CHECK(client.answer().body == "c");
  CHECK(client.answer().body == "d");
  REQUIRE(client.send("e" + post("/take", "f") + "nonsense\r\n\r\n"));
  REQUIRE(eventually([&] { return taking.size() == 6; }));
  taking.answer(5);
  taking.answer(4);
  CHECK(client.answer().body == "e");
  CHECK(client.answer().body == "f");
  CHECK(client.answer().status == 400);
  CHECK(client.closed());
}

TEST_CASE("a stop answers what overlaps, and a client that leaves harms nobody") {
  Taking taking;
  {
    RawClient leaving(taking.fixture.port);
    REQUIRE(leaving.send(post("/take", "x") + post("/take", "y")));
    REQUIRE(eventually([&] { return taking.size() == 2; }));
  }
  taking.answer(1);
  taking.answer(0);
  RawClient client(taking.fixture.port);
  REQUIRE(client.send(post("/take", "a") + post("/take", "b")));
  REQUIRE(eventually([&] { return taking.size() == 4; }));
  std::thread stopper([&] { taking.fixture.server->stop(Duration::seconds(20)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  taking.answer(3);
  taking.answer(2);
  const auto first = client.answer();
  CHECK(first.body == "a");
  CHECK_FALSE(first.header("connection"));
  const auto last = client.answer();
  CHECK(last.body == "b");
  CHECK(last.header("connection") == "close");
  CHECK(client.closed());
  stopper.join();
}

}  // namespace iotstream::net
