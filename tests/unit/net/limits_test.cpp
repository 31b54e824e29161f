#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

void add_echo(Router& router) {
  router.add(Method::post, "/echo", [](Request request, Respond respond) { respond(Response::text(std::move(request.body))); });
}

}  // namespace

TEST_CASE("a body over the limit is answered 413, and the client that is still sending sees it") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.config.body_size_max = 100'000;
  fixture.options.linger_timeout = Duration::seconds(20);
  fixture.start();
  {
    RawClient client(fixture.port);
    REQUIRE(client.send(post("/echo", std::string(3'000'000, 'x'))));
    const auto answer = client.answer();
    CHECK(answer.status == 413);
    CHECK(answer.header("connection") == "close");
  }
  {
    RawClient client(fixture.port);
    REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
    const std::string chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
    for (int i = 0; i < 20; ++i) client.send(chunk);
    CHECK(client.answer().status == 413);
  }
  RawClient client(fixture.port);
  REQUIRE(client.send(post("/echo", std::string(100'000, 'x'))));
  CHECK(client.answer().status == 200);
  CHECK(fixture.metric("iotstream_net_refused_total", R"(reason="body")") == 2);
}

TEST_CASE("headers over the limit are answered 431") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  {
    RawClient client(fixture.port);
    client.send(get("/echo", "X: " + std::string(1'000'000, 'x') + "\r\n"));
    CHECK(client.answer().status == 431);
  }
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  RawClient client(fixture.port);
  client.send(get("/echo", many));
  CHECK(client.answer().status == 431);
  CHECK(client.closed());
}

TEST_CASE("headers that come too slowly are answered 408 and closed") {
  TestServer fixture;
  fixture.options.header_timeout = Duration::milliseconds(30);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: local"));
  CHECK(client.answer().status == 408);
  CHECK(client.closed());
  CHECK(fixture.metric("iotstream_net_refused_total", R"(reason="timeout")") == 1);
}

TEST_CASE("a drip of header bytes does not move the deadline") {
  TestServer fixture;
  fixture.options.header_timeout = Duration::milliseconds(30);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("GET / HTTP/1.1\r\n"));
  std::thread drip([&] {
    while (client.send("X: y\r\n")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  CHECK(client.answer().status == 408);
  client.read_all();
  drip.join();
}

TEST_CASE("a body that stops coming is answered 408") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.body_timeout = Duration::milliseconds(30);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this"));
  CHECK(client.answer().status == 408);
  CHECK(client.closed());
}

TEST_CASE("an idle connection is closed, before its first request and behind it") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.config.idle_timeout = Duration::milliseconds(50);
  fixture.start();
  RawClient silent(fixture.port);
  RawClient client(fixture.port);
  client.send(post("/echo", "x"));
  CHECK(client.answer().body == "x");
  CHECK(client.closed());
  CHECK_FALSE(client.reset());
  CHECK(silent.closed());
}

TEST_CASE("a client that does not read its answer is cut off") {
  TestServer fixture;
  fixture.options.write_timeout = Duration::milliseconds(50);
  static const std::string large(64u << 20, 'x');
  fixture.router.add(Method::get, "/large", [](Request, Respond respond) {
    Response response;
    response.content_type = "text/plain";
    response.static_body = large;
    respond(std::move(response));
  });
  fixture.start();
  RawClient client(fixture.port, 4096);
  REQUIRE(client.send(get("/large")));
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 1; }));
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
  client.read_all();
  CHECK(client.reset());
}

TEST_CASE("one connection too many is told 503 and closed, and there is room again behind it") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.config.connections_max = 2;
  fixture.start();
  RawClient first(fixture.port);
  first.send(post("/echo", "1"));
  REQUIRE(first.answer().body == "1");
  {
    RawClient second(fixture.port);
    second.send(post("/echo", "2"));
    REQUIRE(second.answer().body == "2");
    RawClient third(fixture.port);
    third.send(post("/echo", "3"));
    const auto answer = third.answer();
    CHECK(answer.status == 503);
    CHECK(answer.header("retry-after"));
    CHECK(third.closed());
  }
  REQUIRE(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 1; }));
  RawClient fourth(fixture.port);
  fourth.send(post("/echo", "4"));
  CHECK(fourth.answer().body == "4");
  CHECK(fixture.metric("iotstream_net_refused_total", R"(reason="connections")") == 1);
}

TEST_CASE("100-continue is said before the body comes, and not for a request that is refused") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(client.read() == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.send("body"));
  CHECK(client.answer().body == "body");
  REQUIRE(client.send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  const std::string refusal = client.read();
  CHECK(refusal.starts_with("HTTP/1.1 404"));
  CHECK(client.closed());
}

TEST_CASE("a refused request's small body is passed over, a large one ends the connection") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.linger_timeout = Duration::seconds(20);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(post("/nothing", std::string(1000, 'x')) + post("/echo", "next")));
  CHECK(client.answer().status == 404);
  CHECK(client.answer().body == "next");
  REQUIRE(client.send(post("/nothing", std::string(1'000'000, 'x'))));
  const auto answer = client.answer();
  CHECK(answer.status == 404);
  CHECK(answer.header("connection") == "close");
}

TEST_CASE("what could be read as two different requests is refused, and nothing behind it is read") {
  TestServer fixture;
  std::atomic<int> calls{0};
  fixture.router.add(Method::get, "/smuggled", [&](Request, Respond respond) {
    ++calls;
    respond(Response::text("x"));
  });
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
              get("/smuggled"));
  CHECK(client.answer().status == 400);
  CHECK(client.closed());
  CHECK(calls == 0);
}
