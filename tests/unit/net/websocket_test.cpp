#include <random>

#include "net/text.hpp"
#include "net/websocket_frame.hpp"
#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

std::shared_ptr<const std::string> shared(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

void add_echo(Router& router) {
  router.add_websocket("/echo", [](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
    WebSocketEvents events;
    events.message = [socket](std::string_view message, bool binary) { socket->send(shared(std::string(message)), binary); };
    return events;
  });
}

/// Gives its socket to the test, and counts what it is told.
struct Kept {
  std::shared_ptr<WebSocket> socket;
  Event opened;
  Event closed;
  std::atomic<int> closed_count{0};
  std::atomic<int> drained_count{0};
  std::atomic<int> messages{0};

  void add(Router& router) {
    router.add_websocket("/kept", [this](const Request&, std::shared_ptr<WebSocket> given) -> Result<WebSocketEvents> {
      socket = std::move(given);
      WebSocketEvents events;
      events.message = [this](std::string_view, bool) { ++messages; };
      events.drained = [this] { ++drained_count; };
      events.closed = [this] {
        ++closed_count;
        closed.set();
      };
      opened.set();
      return events;
    });
  }
};

constexpr Mask mask{'a', 'b', 'c', 'd'};

std::string frame(unsigned first_byte, std::string_view payload) {
  std::string out;
  append_frame_header(out, Opcode::text, payload.size(), mask);
  out[0] = static_cast<char>(first_byte);
  const std::size_t at = out.size();
  out += payload;
  apply_mask(out.data() + at, payload.size(), mask, 0);
  return out;
}

std::string upgrade(std::string_view path, std::string_view headers = {}) {
  return get(path,
             "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 std::string(headers));
}

/// A WebSocket client that may break the rules.
struct RawWebSocket {
  RawWebSocket(std::uint16_t port, std::string_view path, int receive_buffer = 0) : client(port, receive_buffer) {
    REQUIRE(client.send(upgrade(path)));
    while (input.find("\r\n\r\n") == std::string::npos) {
      const std::string bytes = client.read();
      REQUIRE_FALSE(bytes.empty());
      input += bytes;
    }
    REQUIRE(input.starts_with("HTTP/1.1 101 "));
    input.erase(0, input.find("\r\n\r\n") + 4);
  }
  /// The next item; an error of code 0 when the connection ends.
  FrameDecoder::Item next() {
    while (true) {
      if (!rest.empty()) {
        const auto item = decoder.next(rest);
        if (item.kind != FrameDecoder::Kind::more) return item;
      }
      input = input_taken ? client.read() : input;
      input_taken = true;
      if (input.empty() && !first) return {FrameDecoder::Kind::error, false, 0, {}};
      first = false;
      rest = input;
    }
  }

  RawClient client;
  std::string input;
  std::string_view rest;
  bool input_taken = false;
  bool first = true;
  FrameDecoder decoder{false, 1u << 24};
};

std::uint16_t close_code_after(TestServer& fixture, const std::string& bytes) {
  RawWebSocket socket(fixture.port, "/echo");
  REQUIRE(socket.client.send(bytes));
  while (true) {
    const auto item = socket.next();
    if (item.kind == FrameDecoder::Kind::close || item.kind == FrameDecoder::Kind::error) return item.code;
  }
}

}  // namespace

TEST_CASE("the upgrade's answer is RFC 6455's example") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(upgrade("/echo")));
  const auto answer = client.answer();
  CHECK(answer.status == 101);
  CHECK(answer.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("messages of every size come back, text and binary") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.websocket_message_size_max = 1u << 20;
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/echo");
  for (const std::size_t size : {0u, 1u, 125u, 126u, 1024u, 1025u, 65535u, 65536u, 1'000'000u}) {
    const std::string text(size, 't');
    REQUIRE(client->send(text));
    const auto message = client->receive(Duration::seconds(20));
    REQUIRE(message);
    CHECK(message->bytes == text);
    CHECK_FALSE(message->binary);
  }
  RawWebSocket raw(fixture.port, "/echo");
  REQUIRE(raw.client.send(frame(0x82, "\xff\xfe")));
  const auto item = raw.next();
  CHECK(item.binary);
  CHECK(item.bytes == "\xff\xfe");
  CHECK(fixture.metric("iotstream_net_websocket_messages_in_total") == 10);
}

TEST_CASE("a message sent in fragments and byte by byte comes back whole, pings between them are answered") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawWebSocket socket(fixture.port, "/echo");
  for (const char byte : frame(0x01, "Hel") + frame(0x89, "are you there") + frame(0x80, "lo"))
    REQUIRE(socket.client.send({&byte, 1}));
  const auto pong = socket.next();
  CHECK(pong.kind == FrameDecoder::Kind::pong);
  CHECK(pong.bytes == "are you there");
  const auto message = socket.next();
  CHECK(message.bytes == "Hello");
}

TEST_CASE("bytes right behind the upgrade request are the first frames") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(upgrade("/echo") + frame(0x81, "early")));
  std::string all;
  while (all.find("early") == std::string::npos) {
    const std::string bytes = client.read();
    REQUIRE_FALSE(bytes.empty());
    all += bytes;
  }
  CHECK(all.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
}

TEST_CASE("an upgrade is refused for a foreign Origin, a wrong Host, a missing token, or when it is none") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.router.add_websocket("/refuses", [](const Request&, std::shared_ptr<WebSocket>) -> Result<WebSocketEvents> {
    return Error{ErrorKind::busy, "too many viewers"};
  });
  fixture.start();
  const auto status = [&](const std::string& request) {
    RawClient client(fixture.port);
    REQUIRE(client.send(request));
    return client.answer().status;
  };
  CHECK(status(upgrade("/echo")) == 101);
  CHECK(status(upgrade("/echo", "Origin: http://localhost\r\n")) == 101);
  CHECK(status(upgrade("/echo", "Origin: http://evil.example\r\n")) == 403);
  CHECK(status(upgrade("/echo", "Origin: null\r\n")) == 403);
  CHECK(status(upgrade("/echo", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: websocket\r\n")) == 403);
  CHECK(status(upgrade("/nothing")) == 404);
  CHECK(status(upgrade("/refuses")) == 429);
  CHECK(status(get("/echo")) == 426);
  CHECK(status(get("/echo",
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: "
                   "dGhlIHNhbXBsZSBub25jZQ==\r\n")) == 426);
  CHECK(status(get("/echo",
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n")) ==
        400);
  CHECK(status(post("/echo", "x")) == 405);

  TestServer guarded;
  add_echo(guarded.router);
  guarded.options.config.token = "t0ken";
  guarded.start();
  CHECK_FALSE(WebSocketClient::connect(guarded.url, "/echo"));
  CHECK(WebSocketClient::connect(guarded.url, "/echo", {{"Authorization", "Bearer t0ken"}}));
}

TEST_CASE("what breaks the protocol is closed with its code") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.websocket_message_size_max = 1000;
  fixture.start();
  CHECK(close_code_after(fixture, frame(0xC1, "x")) == 1002);
  CHECK(close_code_after(fixture, frame(0x09, "x")) == 1002);
  CHECK(close_code_after(fixture, std::string("\x81\x01x")) == 1002);
  CHECK(close_code_after(fixture, frame(0x81, "\xff")) == 1007);
  CHECK(close_code_after(fixture, frame(0x82, std::string(1001, 'x'))) == 1009);
  CHECK(close_code_after(fixture, frame(0x82, std::string(3'000'000, 'x'))) == 1009);
  CHECK(close_code_after(fixture, frame(0x88, std::string("\x03\xe8", 2))) == 1000);
  CHECK(close_code_after(fixture, frame(0x88, std::string("\x0f\xa0", 2))) == 4000);
  CHECK(close_code_after(fixture, frame(0x88, "")) == 1005);
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_websockets", "").value() == 0; }));
}

TEST_CASE("the server's close comes behind what was queued, with its code, and closed is called once") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/kept");
  REQUIRE(kept.opened.wait());
  for (int i = 0; i < 100; ++i) CHECK(kept.socket->send(shared(std::to_string(i)), false) == SendResult::queued);
  kept.socket->close(4001, "that was all");
  CHECK(kept.socket->send(shared("late"), false) == SendResult::closed);
  for (int i = 0; i < 100; ++i) {
    const auto message = client->receive(Duration::seconds(20));
    REQUIRE(message);
    REQUIRE(message->bytes == std::to_string(i));
  }
  const auto end = client->receive(Duration::seconds(20));
  REQUIRE_FALSE(end);
  CHECK(client->close_code() == 4001);
  CHECK(end.error().message.find("that was all") != std::string::npos);
  CHECK(kept.closed.wait());
  CHECK(kept.closed_count == 1);
  CHECK(kept.drained_count <= 1);
  CHECK(kept.socket->send(shared("later"), false) == SendResult::closed);
  CHECK(kept.socket->queued_bytes() == 0);
}

TEST_CASE("messages sent by the route before its answer come first") {
  TestServer fixture;
  fixture.router.add_websocket("/greets", [](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
    socket->send(shared("hello"), false);
    socket->send(shared(std::string(5000, 'x')), true);
    return WebSocketEvents();
  });
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/greets");
  CHECK(client->receive(Duration::seconds(20))->bytes == "hello");
  const auto second = client->receive(Duration::seconds(20));
  REQUIRE(second);
  CHECK(second->binary);
  CHECK(second->bytes == std::string(5000, 'x'));
}

TEST_CASE("drained is called when the queue has become empty") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/kept");
  REQUIRE(kept.opened.wait());
  CHECK(kept.drained_count == 0);
  CHECK(kept.socket->send(shared("x"), false) == SendResult::queued);
  REQUIRE(client->receive(Duration::seconds(20)));
  CHECK(eventually([&] { return kept.drained_count == 1; }));
  CHECK(kept.socket->queued_bytes() == 0);
}

TEST_CASE("a viewer that does not read is held back at the queue's limit, and others are served") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  add_echo(fixture.router);
  fixture.options.websocket_queue_size_max = 1'000'000;
  fixture.start();
  RawWebSocket frozen(fixture.port, "/kept", 4096);
  REQUIRE(kept.opened.wait());
  const auto message = shared(std::string(10'000, 'm'));
  std::size_t taken = 0;
  // The sockets' buffers take some megabytes; the loop ends when they and the queue are full.
  while (kept.socket->send(message, true) == SendResult::queued) {
    ++taken;
    CHECK(kept.socket->queued_bytes() <= 1'000'000);
    REQUIRE(taken < 100'000);
  }
  CHECK(kept.socket->queued_bytes() > 900'000);
  CHECK(fixture.metric("iotstream_net_websocket_back_pressured_total") >= 1);
  auto other = *WebSocketClient::connect(fixture.url, "/echo");
  REQUIRE(other->send("still here?"));
  CHECK(other->receive(Duration::seconds(20))->bytes == "still here?");
  // Reading again frees the queue, and everything that was taken arrives.
  std::size_t arrived = 0;
  while (arrived < taken) {
    const auto item = frozen.next();
    REQUIRE(item.kind == FrameDecoder::Kind::message);
    REQUIRE(item.bytes.size() == 10'000);
    ++arrived;
  }
  CHECK(eventually([&] { return kept.drained_count > 0 && kept.socket->queued_bytes() == 0; }));
  CHECK(kept.socket->send(message, true) == SendResult::queued);
}

TEST_CASE("a viewer that takes nothing for too long is cut off") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.options.write_timeout = Duration::milliseconds(50);
  fixture.start();
  RawWebSocket frozen(fixture.port, "/kept", 4096);
  REQUIRE(kept.opened.wait());
  const auto message = shared(std::string(100'000, 'm'));
  while (kept.socket->send(message, true) == SendResult::queued) {
  }
  CHECK(kept.closed.wait());
  CHECK(kept.socket->send(message, true) == SendResult::closed);
}

TEST_CASE("a message larger than the queue's limit is taken by an empty queue") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.options.websocket_queue_size_max = 1000;
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/kept");
  REQUIRE(kept.opened.wait());
  CHECK(kept.socket->send(shared(std::string(100'000, 'x')), true) == SendResult::queued);
  CHECK(client->receive(Duration::seconds(20))->bytes.size() == 100'000);
}

TEST_CASE("a silent peer is pinged, one that answers stays, one that does not is dropped") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.options.websocket_ping_interval = Duration::milliseconds(20);
  fixture.options.config.idle_timeout = Duration::milliseconds(200);
  fixture.start();
  RawWebSocket socket(fixture.port, "/kept");
  for (int i = 0; i < 20; ++i) {
    REQUIRE(socket.next().kind == FrameDecoder::Kind::ping);
    REQUIRE(socket.client.send(frame(0x8A, "")));
  }
  CHECK(kept.closed_count == 0);
  CHECK(kept.closed.wait());
  CHECK(kept.closed_count == 1);
}

TEST_CASE("a peer that leaves without a word ends its WebSocket") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.start();
  {
    RawWebSocket socket(fixture.port, "/kept");
    REQUIRE(kept.opened.wait());
  }
  CHECK(kept.closed.wait());
  CHECK(kept.closed_count == 1);
}

TEST_CASE("a peer that never answers the close frame is left behind") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.options.websocket_close_timeout = Duration::milliseconds(30);
  fixture.start();
  RawWebSocket socket(fixture.port, "/kept");
  REQUIRE(kept.opened.wait());
  kept.socket->close(1000, "");
  CHECK(kept.closed.wait());
}

TEST_CASE("no message is delivered after close") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.start();
  RawWebSocket socket(fixture.port, "/kept");
  REQUIRE(kept.opened.wait());
  kept.socket->close(1000, "");
  const int before = kept.messages;
  REQUIRE(socket.client.send(frame(0x81, "late") + frame(0x88, std::string("\x03\xe8", 2))));
  CHECK(kept.closed.wait());
  CHECK(kept.messages == before);
}

TEST_CASE("stop closes WebSockets with 1001") {
  TestServer fixture;
  Kept kept;
  kept.add(fixture.router);
  fixture.start();
  auto client = *WebSocketClient::connect(fixture.url, "/kept");
  REQUIRE(kept.opened.wait());
  std::thread stopper([&] { fixture.server->stop(Duration::seconds(20)); });
  CHECK_FALSE(client->receive(Duration::seconds(20)));
  CHECK(client->close_code() == 1001);
  stopper.join();
  CHECK(kept.closed_count == 1);
  CHECK(kept.socket->send(shared("x"), false) == SendResult::closed);
}

TEST_CASE("stop under load ends everything: senders, talkers, streams, requests") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 3; ++round) {
    TestServer fixture;
    std::mutex mutex;
    std::vector<std::shared_ptr<WebSocket>> sockets;
    std::atomic<int> opened{0};
    std::atomic<int> closed{0};
    fixture.router.add_websocket("/fan", [&](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
      const std::lock_guard lock(mutex);
      sockets.push_back(socket);
      ++opened;
      WebSocketEvents events;
      events.message = [socket](std::string_view text, bool binary) { socket->send(shared(std::string(text)), binary); };
      events.closed = [&closed] { ++closed; };
      return events;
    });
    fixture.router.add(Method::get, "/stream", [](Request, Respond respond) {
      Response response;
      response.content_type = "text/plain";
      response.source = std::make_unique<PieceSource>(1u << 20, std::string(10'000, 's'), false, nullptr);
      respond(std::move(response));
    });
    fixture.router.add(Method::get, "/work",
                       [&](Request, Respond respond) { fixture.workers.submit([respond] { respond(Response::text("x")); }); });
    fixture.options.websocket_queue_size_max = 100'000;
    fixture.start();

    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        auto client = WebSocketClient::connect(fixture.url, "/fan");
        while (client && !over && (*client)->send("hello") && (*client)->receive(Duration::seconds(5))) {
        }
      });
      threads.emplace_back([&] {
        auto client = *Client::create(fixture.url, Duration::seconds(5));
        while (!over && client->request(Method::get, "/work")) {
        }
      });
    }
    threads.emplace_back([&] {
      auto client = *Client::create(fixture.url, Duration::seconds(5));
      static_cast<void>(client->stream(Method::get, "/stream", [&](std::string_view) { return !over.load(); }));
    });
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        const auto message = shared(std::string(2000, 'f'));
        while (!over) {
          const std::lock_guard lock(mutex);
          for (const auto& socket : sockets) socket->send(message, true);
        }
      });
    }
    REQUIRE(eventually([&] { return opened == 3; }));
    fixture.server->stop(Duration::milliseconds(static_cast<std::int64_t>(random() % 50)));
    CHECK(closed == opened);
    over = true;
    for (auto& thread : threads) thread.join();
  }
}
