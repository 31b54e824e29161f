// Routes that keep a request waiting are told when nobody waits any more.
#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

/// A route that answers only when its client has left, or when it is told to.
struct Waiting {
  Event entered;
  Event left;
  std::atomic<int> told{0};
  std::mutex mutex;
  Respond respond;

  Handler handler(bool from_another_thread) {
    return [this, from_another_thread](Request request, Respond given) {
      {
        const std::lock_guard lock(mutex);
        respond = std::move(given);
      }
      const auto ask = [this, departure = request.departure] {
        if (const auto known = departure.lock())
          known->when_left([this] {
            ++told;
            answer("nobody is there");
            left.set();
          });
        entered.set();
      };
      from_another_thread ? std::thread(ask).detach() : ask();
    };
  }
  void answer(std::string text) {
    Respond taken;
    {
      const std::lock_guard lock(mutex);
      taken = std::move(respond);
    }
    if (taken) taken(Response::text(std::move(text)));
  }
};

}  // namespace

TEST_CASE("a client that closes its connection is noticed while its request waits") {
  for (const bool from_another_thread : {false, true}) {
    TestServer fixture;
    Waiting waiting;
    fixture.router.add(Method::get, "/wait", waiting.handler(from_another_thread));
    fixture.start();
    RawClient client(fixture.port);
    REQUIRE(client.send(get("/wait")));
    REQUIRE(waiting.entered.wait());
    client.leave();
    CHECK(waiting.left.wait());
    CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
  }
}

TEST_CASE("a client that only ends its side still gets the answer") {
  TestServer fixture;
  Waiting waiting;
  fixture.router.add(Method::get, "/wait", waiting.handler(false));
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/wait")));
  REQUIRE(waiting.entered.wait());
  client.end();
  CHECK(waiting.left.wait());
  CHECK(client.answer().body == "nobody is there");
}

TEST_CASE("nothing is told after the answer, and the next request of the connection is not taken for the former") {
  TestServer fixture;
  Waiting waiting;
  fixture.router.add(Method::get, "/wait", waiting.handler(false));
  fixture.router.add(Method::get, "/quick", [](Request, Respond respond) { respond(Response::text("quick")); });
  fixture.start();
  {
    RawClient client(fixture.port);
    REQUIRE(client.send(get("/wait")));
    REQUIRE(waiting.entered.wait());
    waiting.answer("in time");
    CHECK(client.answer().body == "in time");
    REQUIRE(client.send(get("/quick") + get("/quick")));
    CHECK(client.answer().body == "quick");
    CHECK(client.answer().body == "quick");
  }
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
  fixture.server->stop(Duration::milliseconds(200));
  CHECK(waiting.told == 0);
}
