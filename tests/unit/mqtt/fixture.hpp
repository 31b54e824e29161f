// A broker on a log in memory, whose thread is the test's, and clients whose connections are texts.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mqtt/connection.hpp"
#include "unit/ingest/fixture.hpp"
#include "unit/mqtt/packets.hpp"

namespace iotstream::test {

/// The server's end of a connection: keeps what is sent.
class FakeStream final : public net::Stream {
 public:
  void send(std::string_view bytes) override {
    if (open) sent += bytes;
  }
  void send(std::shared_ptr<const std::string> bytes) override { send(std::string_view(*bytes)); }
  std::size_t queued_bytes() const override { return stuck ? sent.size() : 0; }
  void pause(bool wanted) override { paused = wanted; }
  void close() override { open = false; }
  void drop() override { open = false; }
  void set_alarm(Duration after) override { alarm = after; }
  const std::string& remote() const override { return remote_; }

  std::string sent;
  bool open = true;
  bool paused = false;
  bool stuck = false;  ///< the client reads nothing
  Duration alarm{-1};

 private:
  std::string remote_ = "127.0.0.1:1";
};

struct MqttFixture : GateFixture {
  config::Mqtt config;
  mqtt::Metrics counters{metrics};
  mqtt::Limits limits;
  std::string token;
  std::unique_ptr<mqtt::Fanout> fanout;
  std::unique_ptr<mqtt::Ledger> ledger;
  std::shared_ptr<mqtt::Broker> broker;

  MqttFixture() {
    for (const char* const pattern : {"{dataset}/{device}", "#/{device}/{dataset}", "{dataset}"})
      config.topics.push_back(*config::parse_topic_pattern(pattern));
    limits.lag_max = 1'000'000;
    start();
  }
  ~MqttFixture() { stop(); }

  void start() {
    stop();
    fanout = std::make_unique<mqtt::Fanout>(log, schemas, metrics, limits.lag_max);
    mqtt::Sessions sessions;
    auto opened = mqtt::Ledger::open(log, clock, sessions);
    REQUIRE(opened);
    ledger = std::move(*opened);
    const auto tasks = std::make_shared<Tasks>();
    tasks_ = tasks;
    broker = std::make_shared<mqtt::Broker>(
        mqtt::Broker::Needs{config, token, log, *gate, clock, *fanout, *ledger, counters,
                            [tasks](std::function<void()> task) { tasks->add(Duration{0}, std::move(task)); },
                            [tasks](Duration delay, std::function<void()> task) { tasks->add(delay, std::move(task)); },
                            limits},
        std::move(sessions));
  }
  /// As a crash: nothing is written any more.
  void stop() {
    if (fanout) fanout->stop();
    broker.reset();
    static_cast<void>(tasks_->take());  // what waits there holds the broker, which holds the place where it waits
    tasks_ = std::make_shared<Tasks>();
  }
  /// Runs what was posted; later() tasks too.
  void run() {
    for (std::vector<std::function<void()>> tasks; !(tasks = tasks_->take()).empty();)
      for (const auto& task : tasks) task();
  }
  bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (true) {
      fanout->wake();
      run();
      if (condition()) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
  }

 private:
  struct Tasks {
    std::mutex mutex;
    std::vector<std::function<void()>> waiting;
    void add(Duration, std::function<void()> task) {
      const std::scoped_lock lock(mutex);
      waiting.push_back(std::move(task));
    }
    std::vector<std::function<void()>> take() {
      const std::scoped_lock lock(mutex);
      return std::exchange(waiting, {});
    }
  };
  std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
};

/// A client: what it sends goes in at once, what it gets is taken apart.
struct Client {
  explicit Client(MqttFixture& the_fixture, Version the_version = Version::v311)
      : fixture(the_fixture),
        version(the_version),
        connection(std::make_shared<mqtt::Connection>(stream, the_fixture.broker)) {}
  ~Client() { leave(); }

  void send(std::string_view bytes) {
    if (stream.open) connection->received(bytes);
  }
  /// The connection ends without a word.
  void leave() {
    if (!std::exchange(left, true)) connection->closed();
  }
  /// The packets since the last call.
  std::vector<Answer> got() {
    fixture.run();
    return answers(std::exchange(stream.sent, {}));
  }
  Answer one() {
    const auto all = got();
    REQUIRE(all.size() == 1);
    return all.front();
  }
  /// CONNECT, and the CONNACK's session-present bit.
  bool join(ConnectOptions options) {
    options.version = version;
    send(connect(options));
    const mqtt::Frame frame = mqtt::next_frame(stream.sent, mqtt::remaining_length_max);
    REQUIRE(frame.head == 0x20);
    REQUIRE(frame.body[1] == 0);
    const bool present = frame.body[0] == 1;
    stream.sent.erase(0, frame.size);  // what waited for the client may follow at once
    return present;
  }
  bool join(const std::string& id, bool clean = true) {
    ConnectOptions options;
    options.client = id;
    options.clean = clean;
    if (version == Version::v5 && !clean) options.properties = std::string("\x11") + four(3'600);
    return join(options);
  }
  /// Waits until so many PUBLISH have come, and returns them.
  std::vector<Answer> published(std::size_t count) {
    std::vector<Answer> all;
    fixture.eventually([&] {
      for (Answer& answer : got())
        if (answer.type() == 3) all.push_back(std::move(answer));
      return all.size() >= count;
    });
    REQUIRE(all.size() == count);
    return all;
  }

  MqttFixture& fixture;
  Version version;
  FakeStream stream;
  std::shared_ptr<mqtt::Connection> connection;
  bool left = false;
};

}  // namespace iotstream::test
