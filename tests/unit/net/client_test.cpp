#include <map>
#include <set>

#include <iotstream/net/client.hpp>

#include "net/url.hpp"
#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

void add_echo(Router& router) {
  router.add(Method::post, "/echo", [](Request request, Respond respond) { respond(Response::text(std::move(request.body))); });
  router.add(Method::get, "/where", [](Request request, Respond respond) { respond(Response::text(request.remote)); });
}

}  // namespace

TEST_CASE("URLs are taken apart, and refused with a sentence") {
  auto url = Url::parse("http://127.0.0.1:8080/base/");
  REQUIRE(url);
  CHECK(url->host == "127.0.0.1");
  CHECK(url->port == 8080);
  CHECK(url->path == "/base");
  CHECK(url->authority() == "127.0.0.1:8080");
  url = Url::parse("HTTPS://[::1]");
  REQUIRE(url);
  CHECK(url->tls);
  CHECK(url->host == "::1");
  CHECK(url->authority() == "[::1]");
  CHECK(Url::parse("ws://localhost:80")->authority() == "localhost");
  for (const char* bad : {"", "127.0.0.1:8080", "ftp://x", "http://", "http://:80", "http://x:0", "http://x:65536",
                          "http://x:8o", "http://[::1", "http://[::1]x", "http://u:p@x", "http://x y", "http://x/\r\n"}) {
    INFO(bad);
    const auto refused = Url::parse(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("the client keeps its connection, and opens it again when the server has closed it") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.options.config.idle_timeout = Duration::milliseconds(50);
  fixture.start();
  auto client = *Client::create(fixture.url);
  REQUIRE(client->request(Method::post, "/echo", "1"));
  REQUIRE(client->request(Method::post, "/echo", "2"));
  CHECK(fixture.metric("iotstream_net_connections_accepted_total") == 1);
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
  const auto answer = client->request(Method::post, "/echo", "3");
  REQUIRE(answer);
  CHECK(answer->body == "3");
  CHECK(fixture.metric("iotstream_net_connections_accepted_total") == 2);
}

TEST_CASE("a server that is not there is unavailable, and the message says where") {
  std::uint16_t port = 0;
  {
    TestServer fixture;
    fixture.start();
    port = fixture.port;
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  auto client = *Client::create(url);
  const auto answer = client->request(Method::get, "/");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::unavailable);
  CHECK(answer.error().message.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
  CHECK_FALSE(WebSocketClient::connect(url, "/live"));
}

TEST_CASE("an answer that does not come in time is unavailable") {
  TestServer fixture;
  std::mutex mutex;
  std::vector<Respond> kept;
  fixture.router.add(Method::get, "/never", [&](Request, Respond respond) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(respond));
  });
  fixture.start();
  auto client = *Client::create(fixture.url, Duration::milliseconds(30));
  const auto answer = client->request(Method::get, "/never");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::unavailable);
  fixture.server->stop(Duration::milliseconds(1));
}

TEST_CASE("a path or header that would break the request is refused before it is sent") {
  TestServer fixture;
  fixture.start();
  auto client = *Client::create(fixture.url);
  CHECK(client->request(Method::get, "no-slash").error().kind == ErrorKind::invalid);
  CHECK(client->request(Method::get, "/a b").error().kind == ErrorKind::invalid);
  CHECK(client->request(Method::get, "/", "", {{"X", "a\r\nY: b"}}).error().kind == ErrorKind::invalid);
}

TEST_CASE("a long answer is handed on piece by piece, until the taker has enough") {
  TestServer fixture;
  const auto died = std::make_shared<Event>();
  fixture.router.add(Method::get, "/stream", [=](Request, Respond respond) {
    Response response;
    response.content_type = "text/plain";
    response.source = std::make_unique<PieceSource>(1000, std::string(1000, 's'), false, died);
    respond(std::move(response));
  });
  fixture.start();
  auto client = *Client::create(fixture.url);
  std::size_t size = 0;
  auto answer = client->stream(Method::get, "/stream", [&](std::string_view piece) {
    size += piece.size();
    return true;
  });
  REQUIRE(answer);
  CHECK(size == 1'000'000);
  CHECK(answer->body.empty());
  size = 0;
  answer = client->stream(Method::get, "/stream", [&](std::string_view piece) {
    size += piece.size();
    return size < 5000;
  });
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(size < 1'000'000);
}

TEST_CASE("many requests of many lanes are all answered, those of a lane in order and over one connection") {
  TestServer fixture;
  std::mutex mutex;
  std::map<std::string, std::vector<int>> arrived;
  std::map<std::string, std::set<std::string>> remotes;
  fixture.router.add(Method::post, "/lane/{lane}", [&](Request request, Respond respond) {
    const std::lock_guard lock(mutex);
    arrived[std::string(request.param("lane"))].push_back(std::stoi(request.body));
    remotes[std::string(request.param("lane"))].insert(request.remote);
    respond(Response::text("ok"));
  });
  fixture.start();
  auto client = *AsyncClient::create(fixture.url, 3);
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i) {
    for (std::uint64_t lane = 0; lane < 7; ++lane) {
      REQUIRE(client->post(lane, "/lane/" + std::to_string(lane), "text/plain", std::to_string(i),
                           [&](Result<ClientResponse> response) {
                             if (response && response->status == 200) ++answered;
                           }));
    }
  }
  CHECK(eventually([&] { return answered == 700; }));
  client->stop();
  std::vector<int> in_order(100);
  for (int i = 0; i < 100; ++i) in_order[static_cast<std::size_t>(i)] = i;
  REQUIRE(arrived.size() == 7);
  for (const auto& [lane, numbers] : arrived) CHECK(numbers == in_order);
  for (const auto& [lane, addresses] : remotes) CHECK(addresses.size() == 1);
}

TEST_CASE("above its bound the crowd's client refuses, and every request that it took is answered once") {
  TestServer fixture;
  std::mutex mutex;
  std::vector<Respond> kept;
  fixture.router.add(Method::post, "/never", [&](Request, Respond respond) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(respond));
  });
  fixture.start();
  auto client = *AsyncClient::create(fixture.url, 2, 10);
  std::atomic<int> done{0};
  std::atomic<int> failed{0};
  const auto count = [&](Result<ClientResponse> response) {
    ++done;
    if (!response && response.error().kind == ErrorKind::unavailable) ++failed;
  };
  for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(client->post(i, "/never", "text/plain", "x", count));
  const Status refused = client->post(0, "/never", "text/plain", "x", count);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unavailable);
  CHECK(done == 0);
  client->stop();
  CHECK(done == 10);
  CHECK(failed == 10);
  CHECK_FALSE(client->post(0, "/never", "text/plain", "x", count));
  client->stop();
  CHECK(done == 10);
}

TEST_CASE("the crowd's client survives a server that goes away and comes back") {
  TestServer fixture;
  add_echo(fixture.router);
  fixture.start();
  auto client = *AsyncClient::create(fixture.url, 1, 100);
  const auto status = [&] {
    Event came;
    unsigned outcome = 0;
    REQUIRE(client->post(1, "/echo", "text/plain", "x", [&](Result<ClientResponse> response) {
      outcome = response ? response->status : 0;
      came.set();
    }));
    REQUIRE(came.wait());
    return outcome;
  };
  CHECK(status() == 200);
  fixture.server->stop(Duration::milliseconds(100));
  CHECK(status() == 0);
  TestServer second;
  add_echo(second.router);
  second.options.config.listen = {{"127.0.0.1", fixture.port}};
  second.start();
  CHECK(status() == 200);
}

TEST_CASE("the crowd's client says that it speaks no https") {
  const auto client = AsyncClient::create("https://127.0.0.1:1", 1);
  REQUIRE_FALSE(client);
  CHECK(client.error().kind == ErrorKind::unsupported);
}
