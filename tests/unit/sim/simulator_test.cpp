// The simulator's own thread, on real time, straight to the gate and over real connections.
#include <future>

#include <iotstream/net/client.hpp>
#include <iotstream/net/server.hpp>

#include "unit/ingest/memory_log.hpp"
#include "unit/sim/fixture.hpp"

using namespace iotstream;

namespace {

struct LiveFixture {
  test::MemoryLog log;
  catalog::Schemas schemas;
  metrics::Table metrics;
  test::MemoryCatalog catalog;
  os::WorkerPool workers{"test", 1, 16};
  net::Router router;
  std::unique_ptr<ingest::Gate> gate;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<sim::Simulator> simulator;

  LiveFixture() {
    auto opened = ingest::Gate::open(log, schemas, os::system_clock(), metrics);
    REQUIRE(opened.ok());
    gate = std::move(*opened);
    simulator = sim::Simulator::create(catalog, *gate, os::system_clock(), metrics);
    catalog.record("X", 50, Duration::milliseconds(5));
    catalog.record("Y", 50, Duration::milliseconds(5));
  }
  std::string serve(const std::string& token) {
    ingest::add_routes(router, *gate, workers, 1u << 20);
    net::ServerOptions options;
    options.config.listen = {{"127.0.0.1", 0}};
    options.config.token = token;
    auto started = net::Server::start(options, router, workers, metrics);
    REQUIRE(started.ok());
    server = std::move(*started);
    return "http://" + server->endpoints().front().text();
  }
  static config::Simulation simulation(const std::string& code, config::Transport transport, std::uint32_t devices = 1) {
    config::Simulation settings;
    settings.prototype = code;
    settings.period = Duration::milliseconds(5);
    settings.transport = transport;
    settings.devices = devices;
    return settings;
  }
  /// Every device's readings follow each other as their rows do, skipped ones aside, and so do their times.
  void check_order(const std::string& dataset) {
    std::map<std::string, Timestamp> last;
    for (const test::Stored& record : log.records(dataset)) {
      const auto found = last.find(record.key);
      if (found != last.end()) {
        CHECK(record.time > found->second);
        CHECK((record.time - found->second).us % 5000 == 0);
      }
      last[record.key] = record.time;
    }
  }
};

}  // namespace

TEST_CASE("devices go straight to the gate, at even times, until they are stopped") {
  LiveFixture fixture;
  auto reached = fixture.log.after(40);
  REQUIRE(fixture.simulator->start("", "", {LiveFixture::simulation("X", config::Transport::inproc, 3)}).ok());
  reached.get();
  fixture.simulator->stop();
  const auto stored = fixture.log.records("X").size();
  CHECK(stored >= 40);
  fixture.check_order("X");
  const auto status = fixture.simulator->list().at(0);
  CHECK(status.sent == stored);
  CHECK(status.acknowledged == stored);
  CHECK(status.state == sim::State::running);
}

TEST_CASE("devices post over HTTP with their token, and try again what was refused") {
  LiveFixture fixture;
  const std::string url = fixture.serve("secret");
  fixture.log.refuse_after(0, log::AppendStatus::back_pressured);
  REQUIRE(fixture.simulator
              ->start(url, "secret",
                      {LiveFixture::simulation("X", config::Transport::http, 2),
                       LiveFixture::simulation("Y", config::Transport::http)})
              .ok());
  auto reached = fixture.log.after(60);
  fixture.log.clear_sky();
  reached.get();
  fixture.simulator->stop();
  fixture.server->stop(Duration::seconds(1));
  fixture.check_order("X");
  fixture.check_order("Y");
  for (const auto& status : fixture.simulator->list()) {
    CHECK(status.acknowledged > 0);
    CHECK(status.dropped == 0);
  }
}

TEST_CASE("a wrong token is no weather: the readings are given up, with the reason") {
  LiveFixture fixture;
  const std::string url = fixture.serve("secret");
  REQUIRE(fixture.simulator->start(url, "wrong", {LiveFixture::simulation("X", config::Transport::http)}).ok());
  for (int i = 0; i < 2'000 && fixture.simulator->list().at(0).dropped == 0; ++i) {
    // Another request and its answer: time passes without anybody sleeping.
    auto client = net::Client::create(url);
    REQUIRE(client.ok());
    CHECK((*client)->request(net::Method::post, "/search/results", "{}").ok());
  }
  const auto status = fixture.simulator->list().at(0);
  fixture.simulator->stop();
  CHECK(status.dropped > 0);
  CHECK_THAT(status.problem, Catch::StartsWith("401"));
}

TEST_CASE("stopping does not wait for acknowledgements, and late ones find nobody") {
  LiveFixture fixture;
  auto topic = fixture.log.topic("X");
  REQUIRE(topic.ok());
  auto& partition = fixture.log.find("X")->partition((*topic)->partition_of("X"));
  partition.hold();
  auto reached = fixture.log.after(5);
  REQUIRE(fixture.simulator->start("", "", {LiveFixture::simulation("X", config::Transport::inproc)}).ok());
  reached.get();
  fixture.simulator->stop();
  CHECK(fixture.simulator->list().at(0).acknowledged == 0);
  fixture.simulator.reset();
  partition.release({});
}

TEST_CASE("a simulation of an unknown prototype is told, and the others run") {
  LiveFixture fixture;
  auto reached = fixture.log.after(3);
  const auto started = fixture.simulator->start(
      "", "",
      {LiveFixture::simulation("unknown", config::Transport::inproc), LiveFixture::simulation("X", config::Transport::inproc)});
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().kind == ErrorKind::not_found);
  reached.get();
  const auto added = fixture.simulator->add(LiveFixture::simulation("Y", config::Transport::inproc));
  REQUIRE(added.ok());
  fixture.log.after(10).get();
  CHECK(fixture.simulator->list().size() == 2);
  CHECK(fixture.simulator->remove(*added).ok());
  CHECK(fixture.simulator->list().size() == 1);
}
