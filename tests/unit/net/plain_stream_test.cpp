// Listeners of plain byte streams: what goes in and out, when reading stops, who ends a connection.
#include <iotstream/net/stream.hpp>

#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

/// Sends back what it gets, until it is told otherwise.
struct Echo final : StreamHandler {
  explicit Echo(Stream& the_stream) : stream(the_stream) {}
  void received(std::string_view bytes) override {
    received_bytes += bytes.size();
    if (bytes.find("pause") != std::string_view::npos) return stream.pause(true);
    if (bytes.find("many") != std::string_view::npos) {
      const auto shared = std::make_shared<const std::string>(100'000, 's');
      for (unsigned i = 0; i < 50; ++i) {
        stream.send("<");
        stream.send(shared);
      }
      return;
    }
    if (bytes.find("alarm") != std::string_view::npos) return stream.set_alarm(Duration::milliseconds(20));
    stream.send(bytes);
    if (bytes.find("close") != std::string_view::npos) stream.close();
    if (bytes.find("drop") != std::string_view::npos) stream.drop();
  }
  void drained() override { ++drains; }
  void alarm() override { stream.send("rang"); }
  void stopping() override {
    stream.send("bye");
    stream.close();
  }
  void closed() override { ++closes; }

  Stream& stream;
  std::atomic<std::size_t> received_bytes{0};
  std::atomic<unsigned> drains{0};
  std::atomic<unsigned> closes{0};
};

struct StreamFixture {
  StreamFixture() {
    options.name = "test";
    options.listen = {{"127.0.0.1", 0}};
    options.linger_timeout = Duration::milliseconds(200);
    options.tick = Duration::milliseconds(5);
  }
  ~StreamFixture() { server->stop(Duration::milliseconds(200)); }
  void start() {
    auto started = StreamServer::start(
        options,
        [this](Stream& stream) {
          auto made = std::make_shared<Echo>(stream);
          const std::lock_guard lock(mutex);
          handlers.push_back(made);
          return made;
        },
        table);
    REQUIRE(started);
    server = std::move(*started);
  }
  int connect() const {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->endpoints().front().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return descriptor;
  }
  std::shared_ptr<Echo> handler(std::size_t index) {
    REQUIRE(eventually([&] {
      const std::lock_guard lock(mutex);
      return handlers.size() > index;
    }));
    const std::lock_guard lock(mutex);
    return handlers[index];
  }

  StreamOptions options;
  metrics::Table table;
  std::mutex mutex;
  std::vector<std::shared_ptr<Echo>> handlers;
  std::unique_ptr<StreamServer> server;
};

/// What comes until `size` bytes are there or the connection ends; -1 in `end` for a reset.
std::string read(int descriptor, std::size_t size, ssize_t* end = nullptr) {
  std::string all;
  while (all.size() < size) {
    char buffer[65536];
    const ssize_t count = ::recv(descriptor, buffer, std::min(sizeof buffer, size - all.size()), 0);
    if (end != nullptr) *end = count;
    if (count <= 0) break;
    all.append(buffer, static_cast<std::size_t>(count));
  }
  return all;
}

void write(int descriptor, std::string_view text) {
  REQUIRE(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("A stream gives back what was sent, copied or shared, in order", "[net]") {
  StreamFixture fixture;
  fixture.start();
  const int client = fixture.connect();
  write(client, "hello");
  CHECK(read(client, 5) == "hello");
  write(client, "many");
  const std::string got = read(client, 50 * 100'001);
  REQUIRE(got.size() == 50 * 100'001);
  for (std::size_t i = 0; i < 50; ++i) CHECK(got[i * 100'001] == '<');
  CHECK(eventually([&] { return fixture.handler(0)->drains > 0; }));
  ::close(client);
  CHECK(eventually([&] { return fixture.handler(0)->closes == 1; }));
}

TEST_CASE("A stream that is closed sends what was queued first; one that is dropped is reset", "[net]") {
  StreamFixture fixture;
  fixture.start();
  const int closing = fixture.connect();
  write(closing, "close");
  ssize_t end = -1;
  CHECK(read(closing, 100, &end) == "close");
  CHECK(end == 0);
  const int dropped = fixture.connect();
  write(dropped, "drop");
  CHECK(read(dropped, 100, &end).size() <= 4);
  CHECK(end == -1);
  ::close(closing);
  ::close(dropped);
}

TEST_CASE("A paused stream is not read, and goes on later", "[net]") {
  StreamFixture fixture;
  fixture.start();
  const int client = fixture.connect();
  write(client, "pause");
  const auto handler = fixture.handler(0);
  REQUIRE(eventually([&] { return handler->received_bytes == 5; }));
  write(client, "x");
  Event looked;
  fixture.server->post_after(Duration::milliseconds(50), [&] { looked.set(); });
  REQUIRE(looked.wait());
  CHECK(handler->received_bytes <= 6);
  fixture.server->post([handler] { handler->stream.pause(false); });
  CHECK(eventually([&] { return handler->received_bytes == 6; }));
  write(client, "y");
  CHECK(read(client, 2) == "xy");
  ::close(client);
}

TEST_CASE("An alarm rings once; stopping lets the handler say goodbye", "[net]") {
  StreamFixture fixture;
  fixture.start();
  const int client = fixture.connect();
  write(client, "alarm");
  CHECK(read(client, 4) == "rang");
  fixture.server->stop(Duration::seconds(5));
  CHECK(read(client, 100) == "bye");
  CHECK(fixture.handler(0)->closes == 1);
  ::close(client);
}

TEST_CASE("Streams over the limit are closed, and a peer that reads nothing is dropped", "[net]") {
  StreamFixture fixture;
  fixture.options.connections_max = 1;
  fixture.options.write_timeout = Duration::milliseconds(50);
  fixture.start();
  const int client = fixture.connect();
  const auto handler = fixture.handler(0);
  const int second = fixture.connect();
  CHECK(read(second, 1).empty());
  CHECK(fixture.table.counter("iotstream_net_stream_refused_total", "", metrics::Table::label("listener", "test")).value() ==
        1);
  for (unsigned i = 0; i < 20; ++i) ::send(client, "many", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
  CHECK(eventually([&] { return handler->closes == 1; }));
  ::close(client);
  ::close(second);
}
