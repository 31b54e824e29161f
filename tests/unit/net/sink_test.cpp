// Bodies that a route takes while they arrive.
#include <fmt/format.h>

#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

struct Seen {
  std::mutex mutex;
  std::string body;
  std::size_t largest = 0;
  Event died;
  Event first;
  std::shared_ptr<Event> go_on;  ///< take() waits for it
  std::size_t enough = std::string::npos;

  std::size_t size() {
    const std::lock_guard lock(mutex);
    return body.size();
  }
};

class Sink final : public BodySink {
 public:
  explicit Sink(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  ~Sink() override { seen_->died.set(); }
  bool take(std::string_view bytes) override {
    {
      const std::lock_guard lock(seen_->mutex);
      seen_->body += bytes;
      seen_->largest = std::max(seen_->largest, bytes.size());
    }
    seen_->first.set();
    if (seen_->go_on) seen_->go_on->wait();
    return seen_->size() < seen_->enough;
  }
  void finish(Respond respond) override { respond(Response::text(fmt::format("streamed {}", seen_->size()))); }

 private:
  std::shared_ptr<Seen> seen_;
};

struct Fixture : TestServer {
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  BodySinks sinks;

  Fixture() {
    options.streamed_from = 1000;
    options.config.body_size_max = 5000;
    router.add(Method::post, "/sink",
               [](Request request, Respond respond) { respond(Response::text(fmt::format("whole {}", request.body.size()))); });
    sinks.add("/sink", [seen = seen](const Request& request, std::string_view) -> std::unique_ptr<BodySink> {
      if (request.header("x-whole")) return nullptr;
      return std::make_unique<Sink>(seen);
    });
    options.sinks = &sinks;
    start();
  }
};

std::string chunked(std::string_view path, std::string_view body, std::size_t chunk) {
  std::string text = "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    const std::string_view part = body.substr(at, chunk);
    text += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  }
  return text + "0\r\n\r\n";
}

std::string numbered(std::size_t size) {
  std::string body;
  for (std::size_t i = 0; body.size() < size; ++i) body += fmt::format("{}\n", i);
  body.resize(size);
  return body;
}

}  // namespace

TEST_CASE("a long body comes in pieces, above server.max_body too, whatever its framing; the connection goes on") {
  Fixture fixture;
  const std::string body = numbered(400'000);
  RawClient client(fixture.port);
  for (const std::string& request : {post("/sink", body), chunked("/sink", body, 7'001), chunked("/sink", body, 100'000)}) {
    {
      const std::lock_guard lock(fixture.seen->mutex);
      fixture.seen->body.clear();
    }
    std::thread sender([&] { client.send(request); });
    const ClientResponse answer = client.answer();
    sender.join();
    CHECK(answer.status == 200);
    CHECK(answer.body == "streamed 400000");
    CHECK(fixture.seen->body == body);
  }
  CHECK(fixture.seen->largest < 200'000);
  client.send(post("/sink", "short"));
  CHECK(client.answer().body == "whole 5");
}

TEST_CASE("a body that the route does not want in pieces keeps its limit") {
  Fixture fixture;
  RawClient client(fixture.port);
  client.send(post("/sink", numbered(3000), "X-Whole: 1\r\n"));
  CHECK(client.answer().body == "whole 3000");
  client.send(post("/sink", numbered(6000), "X-Whole: 1\r\n"));
  CHECK(client.answer().status == 413);
  CHECK(client.closed());
  RawClient other(fixture.port);
  other.send("POST /sink HTTP/1.1\r\nHost: localhost\r\nX-Whole: 1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" +
             numbered(6000));
  CHECK(other.answer().status == 413);
  CHECK(other.closed());
}

TEST_CASE("a short body is whole at every split point of its framing") {
  Fixture fixture;
  const std::string request = chunked("/sink", numbered(40), 9) + post("/sink", numbered(40));
  RawClient client(fixture.port);
  for (std::size_t cut = 0; cut <= request.size(); ++cut) {
    REQUIRE(client.send(request.substr(0, cut)));
    if (cut % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(client.send(request.substr(cut)));
    REQUIRE(client.answer().body == "whole 40");
    REQUIRE(client.answer().body == "whole 40");
  }
}

TEST_CASE("a client that leaves in the middle ends the sink without an answer") {
  Fixture fixture;
  {
    RawClient client(fixture.port);
    client.send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + numbered(2000));
    REQUIRE(fixture.seen->first.wait());
  }
  CHECK(fixture.seen->died.wait());
  CHECK(fixture.seen->size() == 2000);
}

TEST_CASE("a body whose framing breaks in the middle is told so, and the sink dies") {
  Fixture fixture;
  RawClient client(fixture.port);
  client.send("POST /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + numbered(2000));
  REQUIRE(fixture.seen->first.wait());
  client.send("\r\nnonsense\r\n");
  CHECK(client.answer().status == 400);
  CHECK(fixture.seen->died.wait());
}

TEST_CASE("a sink that wants no more answers at once, and the connection ends") {
  Fixture fixture;
  fixture.seen->enough = 10;
  RawClient client(fixture.port);
  client.send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n" + numbered(2000));
  std::thread sender([&] {
    while (client.send(numbered(1000))) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  const ClientResponse answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.body.starts_with("streamed "));
  sender.join();
}

TEST_CASE("a slow sink holds its client, and no more than two pieces wait") {
  Fixture fixture;
  fixture.seen->go_on = std::make_shared<Event>();
  RawClient client(fixture.port);
  const std::string body = numbered(4'000'000);
  std::thread sender([&] { client.send(post("/sink", body)); });
  REQUIRE(fixture.seen->first.wait());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(fixture.seen->size() < 200'000);
  CHECK(fixture.table.gauge("iotstream_net_connections", "").value() == 1);
  fixture.seen->go_on->set();
  CHECK(client.answer().body == "streamed 4000000");
  sender.join();
  CHECK(fixture.seen->body == body);
}

TEST_CASE("a server that stops does not wait for a body that is under way") {
  Fixture fixture;
  RawClient client(fixture.port);
  client.send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + numbered(2000));
  REQUIRE(fixture.seen->first.wait());
  const auto begin = std::chrono::steady_clock::now();
  fixture.server->stop(Duration::milliseconds(50));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(fixture.seen->died.wait());
}
