#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

/// Each request to `path` is answered by a Source of its own, made of `parts`.
template <class Source, class... Parts>
void add_source(Router& router, std::string path, Parts... parts) {
  router.add(Method::get, std::move(path), [=](Request, Respond respond) {
    Response response;
    response.content_type = "application/x-ndjson";
    response.source = std::make_unique<Source>(parts...);
    respond(std::move(response));
  });
}

void add_stream(Router& router, std::string path, std::size_t pieces, std::string piece, bool fails,
                std::shared_ptr<Event> died) {
  add_source<PieceSource>(router, std::move(path), pieces, std::move(piece), fails, std::move(died));
}

/// Gives one piece, then waits until it is told to go on.
class WaitingSource final : public BodySource {
 public:
  WaitingSource(std::shared_ptr<Event> go_on, std::shared_ptr<Event> died) : go_on_(std::move(go_on)), died_(std::move(died)) {}
  ~WaitingSource() override { died_->set(); }
  Result<bool> next(std::string& out) override {
    if (std::exchange(first_, false)) {
      out = "first";
      return true;
    }
    go_on_->wait();
    out = "second";
    return true;
  }

 private:
  std::shared_ptr<Event> go_on_;
  std::shared_ptr<Event> died_;
  bool first_ = true;
};

/// Gives one piece, then works on the next for as long as somebody waits for it.
class LongSource final : public BodySource {
 public:
  LongSource(std::shared_ptr<Event> works, std::shared_ptr<Event> died) : works_(std::move(works)), died_(std::move(died)) {}
  ~LongSource() override { died_->set(); }
  Result<bool> next(std::string& out) override {
    out = "first";
    if (std::exchange(first_, false)) return true;
    works_->set();
    while (!client_gone()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Error{ErrorKind::unavailable, "the client has left"};
  }

 private:
  std::shared_ptr<Event> works_;
  std::shared_ptr<Event> died_;
  bool first_ = true;
};

/// Numbers, with a pause behind each.
class PausingSource final : public BodySource {
 public:
  PausingSource(Duration pause, std::size_t pieces, std::shared_ptr<Event> died)
      : pause_(pause), pieces_(pieces), died_(std::move(died)) {}
  ~PausingSource() override { died_->set(); }
  Result<bool> next(std::string& out) override {
    out += std::to_string(pieces_) + "\n";
    return --pieces_ > 0;
  }
  Duration pause() const override { return pause_; }

 private:
  Duration pause_;
  std::size_t pieces_;
  std::shared_ptr<Event> died_;
};

}  // namespace

TEST_CASE("a source that pauses is asked again afterwards, and holds no worker meanwhile") {
  TestServer fixture;
  std::vector<std::shared_ptr<Event>> died;
  // More of them than there are workers.
  for (int i = 0; i != 5; ++i) died.push_back(std::make_shared<Event>());
  for (std::size_t i = 0; i != died.size(); ++i)
    add_source<PausingSource>(fixture.router, "/slow" + std::to_string(i), Duration::seconds(3600), std::size_t{2}, died[i]);
  const auto quick_died = std::make_shared<Event>();
  add_source<PausingSource>(fixture.router, "/quick", Duration::milliseconds(5), std::size_t{3}, quick_died);
  fixture.start();
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i != 5; ++i) {
    slow.push_back(std::make_unique<RawClient>(fixture.port));
    REQUIRE(slow.back()->send(get("/slow" + std::to_string(i))));
    std::string seen;
    while (seen.find("2\n") == std::string::npos) {
      const std::string bytes = slow.back()->read();
      REQUIRE(!bytes.empty());
      seen += bytes;
    }
  }
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/quick")));
  CHECK(client.answer().body == "3\n2\n1\n");
  CHECK(quick_died->wait());
  // Who leaves in the pause frees the source at once, and so does the end of the server.
  slow[0]->leave();
  CHECK(died[0]->wait());
  fixture.server->stop(Duration::milliseconds(50));
  for (int i = 1; i != 5; ++i) CHECK(died[static_cast<std::size_t>(i)]->wait());
}

TEST_CASE("a streamed body arrives whole, in chunks, and the connection goes on") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  add_stream(fixture.router, "/stream", 50, std::string(10'000, 's'), false, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/stream") + get("/nothing")));
  const auto answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("transfer-encoding") == "chunked");
  CHECK(answer.body == std::string(500'000, 's'));
  CHECK(died->wait());
  CHECK(client.answer().status == 404);
}

TEST_CASE("a streamed body of one piece has a length, of none is empty") {
  TestServer fixture;
  add_stream(fixture.router, "/one", 1, "only", false, nullptr);
  add_stream(fixture.router, "/empty-pieces", 5, "", false, nullptr);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/one") + get("/empty-pieces") + get("/one")));
  auto answer = client.answer();
  CHECK(answer.header("content-length") == "4");
  CHECK(answer.body == "only");
  answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
  CHECK(client.answer().body == "only");
}

TEST_CASE("HEAD of a streamed body asks its source for nothing") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  add_stream(fixture.router, "/stream", 3, "x", true, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/nothing")));
  CHECK(client.answer(true).status == 200);
  CHECK(died->wait());
  CHECK(client.answer().status == 404);
}

TEST_CASE("HTTP/1.0 gets a streamed body up to the end of the connection") {
  TestServer fixture;
  add_stream(fixture.router, "/stream", 5, std::string(100, 's'), false, nullptr);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const auto answer = client.answer();
  CHECK_FALSE(answer.header("transfer-encoding"));
  CHECK(answer.body == std::string(500, 's'));
}

TEST_CASE("a source that fails at once is answered as an error") {
  TestServer fixture;
  add_stream(fixture.router, "/fails", 1, "x", true, nullptr);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/fails") + get("/nothing")));
  const auto answer = client.answer();
  CHECK(answer.status == 500);
  CHECK(answer.body.find("the source broke") != std::string::npos);
  CHECK(client.answer().status == 404);
}

TEST_CASE("a source that fails in the middle cuts the connection, so that nobody takes the rest for the whole") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  add_stream(fixture.router, "/fails", 10, std::string(1000, 'x'), true, died);
  fixture.start();
  {
    RawClient client(fixture.port);
    REQUIRE(client.send(get("/fails")));
    CHECK(client.answer().status == 0);
    CHECK(died->wait());
  }
  RawClient old(fixture.port);
  REQUIRE(old.send("GET /fails HTTP/1.0\r\n\r\n"));
  old.read_all();
  CHECK(old.reset());
  auto client = *Client::create(fixture.url);
  CHECK_FALSE(client->request(Method::get, "/fails"));
}

TEST_CASE("the source dies when the client leaves in the middle") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  add_stream(fixture.router, "/endless", 1u << 30, std::string(65'536, 'e'), false, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/endless")));
  CHECK_FALSE(client.read().empty());
  client.leave();
  CHECK(died->wait());
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
}

TEST_CASE("a client that leaves while its source waits is noticed, and the source dies as soon as it returns") {
  TestServer fixture;
  const auto go_on = std::make_shared<Event>();
  const auto died = std::make_shared<Event>();
  add_source<WaitingSource>(fixture.router, "/waits", go_on, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/waits")));
  std::string text;
  while (text.find("first") == std::string::npos) text += client.read();
  client.leave();
  // Without another byte written, the server sees that the client is gone.
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
  go_on->set();
  CHECK(died->wait());
}

TEST_CASE("a source that is at work is told that its client has left, and gives up") {
  TestServer fixture;
  const auto works = std::make_shared<Event>();
  const auto died = std::make_shared<Event>();
  add_source<LongSource>(fixture.router, "/long", works, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/long")));
  REQUIRE(works->wait());
  client.leave();
  CHECK(died->wait());
}

TEST_CASE("stop at once ends a stream") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  add_stream(fixture.router, "/endless", 1u << 30, std::string(65'536, 'e'), false, died);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/endless")));
  CHECK_FALSE(client.read().empty());
  fixture.server->stop(Duration::milliseconds(1));
  CHECK(died->wait());
}

TEST_CASE("many streams share two workers") {
  TestServer fixture;
  add_stream(fixture.router, "/stream", 20, std::string(20'000, 's'), false, nullptr);
  fixture.start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<RawClient>(fixture.port));
    REQUIRE(clients.back()->send(get("/stream")));
  }
  for (const auto& client : clients) CHECK(client->answer().body.size() == 400'000);
}
