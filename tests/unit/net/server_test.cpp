#include <iotstream/net/server.hpp>

#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

/// Answers with what it was asked.
void add_echo(Router& router) {
  router.add(Method::get, "/hello", [](Request, Respond respond) { respond(Response::text("hello")); });
  router.add(Method::post, "/echo", [](Request request, Respond respond) { respond(Response::text(std::move(request.body))); });
}

}  // namespace

TEST_CASE("requests follow each other over one connection") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send(get("/hello")));
    const auto answer = client.answer();
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello");
    CHECK(answer.header("x-content-type-options") == "nosniff");
    CHECK(answer.header("date"));
  }
  CHECK(fixture.metric("iotstream_net_connections_accepted_total") == 1);
  CHECK(fixture.metric("iotstream_net_requests_total", R"(status="2xx")") == 3);
}

TEST_CASE("pipelined requests are answered in their order, quick ones behind slow ones") {
  TestServer fixture;
  fixture.router.add(Method::get, "/at-once/{n}",
                     [](Request request, Respond respond) { respond(Response::text(std::string(request.param("n")))); });
  fixture.router.add(Method::get, "/later/{n}", [&](Request request, Respond respond) {
    fixture.workers.submit([n = std::string(request.param("n")), respond] { respond(Response::text(n)); });
  });
  fixture.start();
  RawClient client(fixture.port);
  std::string all;
  for (int i = 0; i < 200; ++i) all += get((i % 3 == 0 ? "/later/" : "/at-once/") + std::to_string(i));
  REQUIRE(client.send(all));
  for (int i = 0; i < 200; ++i) REQUIRE(client.answer().body == std::to_string(i));
}

TEST_CASE("a request sent byte by byte is answered like one sent at once") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  for (const std::string& request : {post("/echo", "hello world"), chunked}) {
    RawClient client(fixture.port);
    for (const char byte : request) REQUIRE(client.send({&byte, 1}));
    CHECK(client.answer().body == "hello world");
    REQUIRE(client.send(request));
    CHECK(client.answer().body == "hello world");
  }
}

TEST_CASE("bodies of many sizes come back whole, by length and in chunks") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  auto client = *Client::create(fixture.url);
  for (const std::size_t size : {0u, 1u, 16383u, 16384u, 16385u, 65536u, 1'000'000u, 5'000'000u}) {
    std::string body(size, ' ');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    const auto answer = client->request(Method::post, "/echo", body);
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == body);
  }
}

TEST_CASE("HEAD has the header of GET and no body") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/hello")));
  const auto head = client.answer(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "5");
  CHECK(client.answer().body == "hello");
}

TEST_CASE("what is not there is 404, a wrong method 405 with what is allowed, OPTIONS tells it") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  auto client = *Client::create(fixture.url);
  const auto missing = client->request(Method::get, "/nothing");
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->header("content-type") == "application/problem+json");
  const auto wrong = client->request(Method::put, "/hello", "x");
  CHECK(wrong->status == 405);
  CHECK(wrong->header("allow") == "GET, HEAD, OPTIONS");
  const auto options = client->request(Method::options, "/echo");
  CHECK(options->status == 204);
  CHECK(options->header("allow") == "POST, OPTIONS");
  RawClient raw(fixture.port);
  REQUIRE(raw.send("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(raw.answer().status == 204);
  CHECK(fixture.metric("iotstream_net_refused_total", R"(reason="path")") == 1);
  CHECK(fixture.metric("iotstream_net_refused_total", R"(reason="method")") == 1);
}

TEST_CASE("path, query, params and headers arrive decoded") {
  TestServer fixture;
  fixture.router.add(Method::get, "/d/{name}", [](Request request, Respond respond) {
    const std::string text = request.path + "|" + std::string(request.param("name")) + "|" +
                             std::string(*request.query_value("q")) + "|" + std::string(*request.header("x-test")) + "|" +
                             request.remote;
    respond(Response::text(text));
  });
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/d/a%20b?q=%C3%A9+x", "X-Test: value\r\n")));
  const std::string body = client.answer().body;
  CHECK(body.starts_with("/d/a b|a b|é x|value|127.0.0.1:"));
  REQUIRE(client.send("GET http://localhost/d/abs?q=1 HTTP/1.1\r\nHost: localhost\r\nX-Test: y\r\n\r\n"));
  CHECK(client.answer().body.starts_with("/d/abs|abs|1|y|"));
}

TEST_CASE("a malformed target is 400") {
  TestServer fixture;
  fixture.router.add(Method::get, "/{path...}", [](Request, Respond respond) { respond(Response::text("x")); });
  fixture.start();
  RawClient client(fixture.port);
  for (const char* target :
       {"/%zz", "/%", "/%ff", "/a%00b", "/a%0d%0ab", "/../etc/passwd", "/a/%2e%2e/b", "/a/..%2fb", "/?q=%", "/a/./b"}) {
    INFO(target);
    REQUIRE(client.send(get(target)));
    CHECK(client.answer().status == 400);
  }
}

TEST_CASE("Host, Origin and token are checked before any route is asked") {
  TestServer fixture;
  std::atomic<int> calls{0};
  fixture.options.config.token = "t0ken";
  fixture.options.config.allowed_origins = {"https://grafana.example"};
  fixture.router.add(Method::post, "/p", [&](Request, Respond respond) {
    ++calls;
    respond(Response::text("ok"));
  });
  fixture.start();
  const auto status = [&](const std::string& headers) {
    RawClient client(fixture.port);
    REQUIRE(client.send("POST /p HTTP/1.1\r\nContent-Length: 2\r\n" + headers + "\r\nhi"));
    return client.answer().status;
  };
  const std::string token = "Authorization: Bearer t0ken\r\n";
  CHECK(status("Host: evil.example\r\n" + token) == 421);
  CHECK(status(token) == 400);
  CHECK(status("Host: localhost\r\nHost: localhost\r\n" + token) == 400);
  CHECK(status("Host: localhost\r\n") == 401);
  CHECK(status("Host: localhost\r\nOrigin: https://evil.example\r\n" + token) == 403);
  CHECK(status("Host: localhost\r\nOrigin: null\r\n" + token) == 403);
  CHECK(status("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n" + token) == 403);
  CHECK(calls == 0);
  CHECK(status("Host: localhost\r\n" + token) == 200);
  CHECK(status("Host: localhost\r\nOrigin: http://localhost\r\n" + token) == 200);
  CHECK(status("Host: localhost\r\nCookie: iotstream_token=t0ken\r\n") == 200);
  CHECK(calls == 3);

  RawClient client(fixture.port);
  REQUIRE(
      client.send("OPTIONS /p HTTP/1.1\r\nHost: localhost\r\nOrigin: https://grafana.example\r\nAccess-Control-Request-Method: "
                  "POST\r\n\r\n"));
  auto answer = client.answer();
  CHECK(answer.status == 204);
  CHECK(answer.header("access-control-allow-origin") == "https://grafana.example");
  CHECK(answer.header("access-control-allow-methods") == "POST, OPTIONS");
  REQUIRE(client.send(post("/p", "hi", "Origin: https://grafana.example\r\n" + token)));
  answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("access-control-allow-origin") == "https://grafana.example");
  REQUIRE(client.send(get("/nothing")));
  answer = client.answer();
  CHECK(answer.status == 401);
  CHECK(answer.header("www-authenticate"));
}

TEST_CASE("a route that drops its Respond answers 500, one that throws too, and a second answer is dropped") {
  TestServer fixture;
  fixture.router.add(Method::get, "/drops", [](Request, Respond) {});
  fixture.router.add(Method::get, "/drops-later", [&](Request, Respond respond) { fixture.workers.submit([respond] {}); });
  fixture.router.add(Method::get, "/throws", [](Request, Respond) { throw std::runtime_error("thrown on purpose"); });
  fixture.router.add(Method::get, "/twice", [](Request, Respond respond) {
    respond(Response::text("first"));
    respond(Response::text("second"));
  });
  fixture.router.add(Method::get, "/broken-header", [](Request, Respond respond) {
    Response response = Response::text("x");
    response.headers.emplace_back("X", "a\r\nSet-Cookie: b");
    respond(std::move(response));
  });
  fixture.start();
  RawClient client(fixture.port);
  for (const char* path : {"/drops", "/drops-later", "/throws", "/broken-header"}) {
    INFO(path);
    REQUIRE(client.send(get(path)));
    const auto answer = client.answer();
    CHECK(answer.status == 500);
    CHECK_FALSE(answer.header("set-cookie"));
  }
  REQUIRE(client.send(get("/twice") + get("/twice")));
  CHECK(client.answer().body == "first");
  CHECK(client.answer().body == "first");
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection behind the answer") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  for (const char* request :
       {"GET /hello HTTP/1.0\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}) {
    RawClient client(fixture.port);
    REQUIRE(client.send(request));
    const auto answer = client.answer();
    CHECK(answer.body == "hello");
    CHECK(answer.header("connection") == "close");
    CHECK(client.closed());
  }
  RawClient client(fixture.port);
  REQUIRE(client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(client.answer().header("connection") == "keep-alive");
  REQUIRE(client.send(get("/hello")));
  CHECK(client.answer().body == "hello");
}

TEST_CASE("a client that ends its side behind its requests still gets the answers") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  RawClient client(fixture.port);
  REQUIRE(client.send(get("/hello") + post("/echo", "last")));
  client.end();
  CHECK(client.answer().body == "hello");
  CHECK(client.answer().body == "last");
  CHECK(client.closed());
}

TEST_CASE("bytes that live as long as the process are sent as they are") {
  TestServer fixture;
  static const std::string asset(300'000, 'a');
  fixture.router.add(Method::get, "/asset", [](Request, Respond respond) {
    Response response;
    response.content_type = "text/javascript";
    response.static_body = asset;
    response.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    respond(std::move(response));
  });
  fixture.start();
  auto client = *Client::create(fixture.url);
  const auto answer = client->request(Method::get, "/asset");
  REQUIRE(answer);
  CHECK(answer->body == asset);
  CHECK(answer->header("cache-control") == "public, max-age=31536000, immutable");
}

TEST_CASE("a taken port is named, with what to do") {
  TestServer fixture;
  fixture.start();
  TestServer second;
  second.options.config.listen = {{"127.0.0.1", fixture.port}};
  const auto started = Server::start(second.options, second.router, second.workers, second.table);
  REQUIRE_FALSE(started);
  CHECK(started.error().kind == ErrorKind::io);
  CHECK(started.error().message.find("127.0.0.1:" + std::to_string(fixture.port)) != std::string::npos);
  CHECK(started.error().message.find("server.listen") != std::string::npos);
}

TEST_CASE("several listeners serve the same routes") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.config.listen = {{"127.0.0.1", 0}, {"127.0.0.1", 0}};
  fixture.start();
  const auto endpoints = fixture.server->endpoints();
  REQUIRE(endpoints.size() == 2);
  CHECK(endpoints[0].port != endpoints[1].port);
  for (const auto& endpoint : endpoints) {
    RawClient client(endpoint.port);
    REQUIRE(client.send(get("/hello")));
    CHECK(client.answer().body == "hello");
  }
}

TEST_CASE("stop lets a running request finish, closes idle connections, and is idempotent") {
  TestServer fixture;
  Event entered;
  Event release;
  fixture.router.add(Method::get, "/slow", [&](Request, Respond respond) {
    fixture.workers.submit([&, respond] {
      entered.set();
      release.wait();
      respond(Response::text("finished"));
    });
  });
  add_echo(fixture.router);
  fixture.start();
  RawClient idle(fixture.port);
  REQUIRE(idle.send(get("/hello")));
  REQUIRE(idle.answer().status == 200);
  RawClient busy(fixture.port);
  REQUIRE(busy.send(get("/slow")));
  REQUIRE(entered.wait());
  std::thread stopper([&] { fixture.server->stop(Duration::seconds(20)); });
  CHECK(idle.closed());
  release.set();
  const auto answer = busy.answer();
  CHECK(answer.body == "finished");
  CHECK(answer.header("connection") == "close");
  CHECK(busy.closed());
  stopper.join();
  fixture.server->stop(Duration::seconds(20));
  CHECK(fixture.table.gauge("iotstream_net_connections", "").value() == 0);
}

TEST_CASE("stop ends what does not finish in time, and a late answer is dropped") {
  TestServer fixture;
  Event entered;
  std::mutex mutex;
  std::vector<Respond> late;
  fixture.router.add(Method::get, "/never", [&](Request, Respond respond) {
    const std::lock_guard lock(mutex);
    late.push_back(std::move(respond));
    if (late.size() == 2) entered.set();
  });
  fixture.start();
  RawClient first(fixture.port);
  RawClient second(fixture.port);
  REQUIRE(first.send(get("/never")));
  REQUIRE(second.send(get("/never")));
  REQUIRE(entered.wait());
  fixture.server->stop(Duration::milliseconds(10));
  CHECK(first.closed());
  CHECK(second.closed());
  late[0](Response::text("too late"));
  fixture.server.reset();
  late[1](Response::text("much too late"));
  late.clear();
}
