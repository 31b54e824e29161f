// What a client sees: connecting, publishing in three qualities, subscribing, leaving and coming back.
#include "unit/mqtt/fixture.hpp"

using namespace iotstream;
using namespace iotstream::test;
using namespace std::string_literals;

namespace {

std::string topic_of(const Answer& publish) { return publish.body.substr(2, publish.id()); }

/// The payload of a PUBLISH.
std::string payload_of(const Answer& publish, Version version = Version::v311) {
  std::size_t at = 2 + publish.id() + ((publish.head & 6) != 0 ? 2 : 0);
  if (version == Version::v5) at += 1 + publish.byte(at);
  return publish.body.substr(at);
}

unsigned id_of(const Answer& publish) { return publish.id(2 + publish.id()); }

constexpr const char* reading = R"({"a":1})";

}  // namespace

TEST_CASE("The first packet is CONNECT, once, and within its time", "[mqtt]") {
  MqttFixture fixture;
  SECTION("a browser is sent away without an answer") {
    Client client(fixture);
    client.send("POST / HTTP/1.1\r\n\r\n");
    CHECK(client.got().empty());
    CHECK_FALSE(client.stream.open);
    CHECK(fixture.metrics.counter("iotstream_mqtt_refused_total", "", metrics::Table::label("reason", "http")).value() == 1);
  }
  SECTION("another packet") {
    Client client(fixture);
    client.send(pingreq());
    CHECK_FALSE(client.stream.open);
  }
  SECTION("a second CONNECT") {
    Client client(fixture, Version::v5);
    client.join("c");
    client.send(connect());
    const Answer answer = client.one();
    CHECK(answer.type() == 14);
    CHECK(answer.byte(0) == 0x82);
    CHECK_FALSE(client.stream.open);
  }
  SECTION("none at all") {
    Client client(fixture);
    CHECK(client.stream.alarm == fixture.limits.connect_timeout);
    client.connection->alarm();
    CHECK_FALSE(client.stream.open);
  }
  SECTION("a version that nobody speaks") {
    Client client(fixture);
    client.send(packet(0x10, text("MQTT") + "\6\2" + two(0) + text("c")));
    CHECK(client.one().byte(1) == 1);
    CHECK_FALSE(client.stream.open);
  }
  SECTION("no client identifier, and a session all the same") {
    Client client(fixture);
    ConnectOptions options;
    options.client = "";
    options.clean = false;
    client.send(connect(options));
    CHECK(client.one().byte(1) == 2);
  }
  SECTION("byte by byte it is the same") {
    Client client(fixture);
    for (const char byte : connect()) client.send(std::string(1, byte));
    CHECK(client.one().type() == 2);
  }
}

TEST_CASE("The password is the server's token", "[mqtt]") {
  MqttFixture fixture;
  fixture.token = "secret";
  fixture.start();
  for (const Version version : {Version::v311, Version::v5}) {
    for (const char* const password : {"", "secre", "secret"}) {
      Client client(fixture, version);
      ConnectOptions options;
      options.version = version;
      options.password = password;
      client.send(connect(options));
      const Answer answer = client.one();
      const unsigned refusal = version == Version::v5 ? 0x86 : 4;
      CHECK(answer.byte(1) == (options.password == fixture.token ? 0 : refusal));
      CHECK(client.stream.open == (options.password == fixture.token));
    }
  }
}

TEST_CASE("CONNACK of MQTT 5 says what the server does", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  ConnectOptions options;
  options.version = Version::v5;
  options.client = "";
  client.send(connect(options));
  const Answer answer = client.one();
  CHECK(answer.body.find("\x25\0"s) != std::string::npos);
  CHECK(answer.body.find("\x2A\0"s) != std::string::npos);
  CHECK(answer.body.find("\x27"s + four(static_cast<std::uint32_t>(fixture.config.packet_size_max))) != std::string::npos);
  CHECK(answer.body.find("auto-") != std::string::npos);
}

TEST_CASE("A message with QoS 1 is acknowledged once it is durable, many in one go and in order", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    MqttFixture fixture;
    Client client(fixture, version);
    client.join("c");
    client.send(publish(version, "boiler/b7", reading, 1, 1));
    CHECK(client.one().type() == 4);
    MemoryTopic& topic = *fixture.log.find("boiler");
    for (std::uint32_t i = 0; i < topic.partition_count(); ++i) topic.partition(PartitionId(i)).hold();
    std::string many;
    for (unsigned id = 2; id < 50; ++id) many += publish(version, "boiler/b" + std::to_string(id), reading, 1, id);
    client.send(many);
    CHECK(client.got().empty());
    for (std::uint32_t i = topic.partition_count(); i-- > 0;) topic.partition(PartitionId(i)).release({});
    const auto got = client.got();
    REQUIRE(got.size() == 48);
    for (unsigned i = 0; i < 48; ++i) CHECK(got[i].id() == i + 2);
    CHECK(fixture.log.records("boiler").size() == 49);
    CHECK(fixture.log.records("boiler").front().key.starts_with("b"));
    CHECK(fixture.count("accepted", "mqtt") == 49);
  }
}

TEST_CASE("Whatever way the bytes are cut, the same messages arrive", "[mqtt]") {
  std::string bytes = connect();
  for (unsigned i = 1; i <= 4; ++i) bytes += publish(Version::v311, "d/x", "{\"n\":" + std::to_string(i) + "}", i % 3, i);
  bytes += pingreq();
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    MqttFixture fixture;
    Client client(fixture);
    client.send(std::string_view(bytes).substr(0, at));
    if (at < bytes.size()) client.send(std::string_view(bytes).substr(at));
    CHECK(fixture.log.records("d").size() == 4);
    bool pinged = false;
    for (const Answer& answer : client.got()) pinged = pinged || answer.type() == 13;
    CHECK(pinged);
  }
}

TEST_CASE("A reading that cannot be taken is acknowledged, counted, and in MQTT 5 told", "[mqtt]") {
  MqttFixture fixture;
  Client old(fixture);
  old.join("old");
  old.send(publish(Version::v311, "boiler/b7", "{broken", 1, 1));
  CHECK(old.one().id() == 1);
  Client client(fixture, Version::v5);
  client.join("new");
  client.send(publish(Version::v5, "boiler/b7", "{broken", 1, 1));
  CHECK(client.one().byte(2) == 0x99);
  client.send(publish(Version::v5, "/boiler", reading, 1, 2));
  CHECK(client.one().byte(2) == 0x90);
  client.send(publish(Version::v5, "$SYS/x", reading, 1, 3));
  CHECK(client.one().byte(2) == 0x90);
  client.send(publish(Version::v5, "_mqtt/x", reading, 2, 4));
  CHECK(client.one().byte(2) == 0x83);
  client.send(pubrel(4));
  CHECK(client.one().byte(2) == 0x92);  // the exchange ended with the refusal
  CHECK(fixture.count("rejected", "mqtt") == 5);
  CHECK(fixture.count("received", "mqtt") == 5);
}

TEST_CASE("QoS 2: appended once, however often it is sent before its release", "[mqtt]") {
  for (const bool clean : {true, false}) {
    MqttFixture fixture;
    Client client(fixture);
    client.join("c", clean);
    client.send(publish(Version::v311, "d/x", reading, 2, 7));
    CHECK(client.one().head == 0x50);
    client.send(publish(Version::v311, "d/x", reading, 2, 7, true));
    CHECK(client.one().head == 0x50);
    CHECK(fixture.log.records("d").size() == 1);
    client.send(pubrel(7));
    CHECK(client.one().head == 0x70);
    client.send(pubrel(7));
    CHECK(client.one().head == 0x70);
    client.send(publish(Version::v311, "d/x", reading, 2, 7));
    CHECK(client.one().head == 0x50);
    CHECK(fixture.log.records("d").size() == 2);
    CHECK(fixture.broker->received_count == 1);
  }
}

TEST_CASE("QoS 2 over a reconnection and over a crash, at every step", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    MqttFixture fixture;
    const auto come_back = [&](bool crash) {
      if (crash) fixture.start();
      auto client = std::make_unique<Client>(fixture, version);
      CHECK(client->join("c", false));
      return client;
    };
    auto client = std::make_unique<Client>(fixture, version);
    client->join("c", false);
    std::size_t taken = 0;
    for (unsigned id = 1; id <= 12; ++id) {
      const bool crash = id % 2 == 0;
      const auto away = [&](unsigned at) {
        if (id / 2 % 3 != at) return;
        client.reset();
        client = come_back(crash);
      };
      // Several readings in one message: each is there once.
      client->send(publish(version, "d/x", "[{\"n\":1},{\"n\":2},{\"n\":3}]", 2, id));
      CHECK(client->one().type() == 5);
      away(0);
      client->send(publish(version, "d/x", "[{\"n\":1},{\"n\":2},{\"n\":3}]", 2, id, true));
      CHECK(client->one().type() == 5);
      taken += 3;
      CHECK(fixture.log.records("d").size() == taken);
      away(1);
      client->send(pubrel(id));
      const Answer complete = client->one();
      CHECK(complete.type() == 7);
      CHECK(complete.body.size() == 2);
      away(2);
      client->send(pubrel(id));
      CHECK(client->one().type() == 7);
      fixture.clock.advance(Duration::seconds(4));
      fixture.broker->tick();
    }
    CHECK(fixture.log.records("d").size() == taken);
  }
}

TEST_CASE("QoS 2: a crash that keeps some readings of a message loses none and doubles none", "[mqtt]") {
  MqttFixture fixture;
  {
    Client client(fixture);
    client.join("c", false);
    client.send(publish(Version::v311, "d/x", "[{\"n\":0}]", 2, 1));
    client.got();
    client.send(pubrel(1));
    client.got();
    fixture.log.refuse_after(2, log::AppendStatus::closed);
    client.send(publish(Version::v311, "d/x", "[{\"n\":1},{\"n\":2},{\"n\":3}]", 2, 2));
  }
  fixture.log.clear_sky();
  fixture.start();
  Client client(fixture);
  CHECK(client.join("c", false));
  client.send(publish(Version::v311, "d/x", "[{\"n\":1},{\"n\":2},{\"n\":3}]", 2, 2, true));
  CHECK(client.one().type() == 5);
  CHECK(fixture.events("d") == std::vector<std::string>{R"({"n":0})", R"({"n":1})", R"({"n":2})", R"({"n":3})"});
}

TEST_CASE("A full log holds the sender; nothing acknowledged is lost, and the order stays", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture);
  client.join("c");
  client.send(publish(Version::v311, "d/x", "{\"n\":0}"));
  fixture.log.refuse_after(3, log::AppendStatus::back_pressured);
  std::string many;
  for (unsigned n = 1; n <= 10; ++n) many += publish(Version::v311, "d/x", "{\"n\":" + std::to_string(n) + "}", n % 3, n);
  client.connection->received(many);
  CHECK(client.stream.paused);
  fixture.log.clear_sky();
  client.got();
  CHECK_FALSE(client.stream.paused);
  const auto events = fixture.events("d");
  REQUIRE(events.size() == 11);
  for (unsigned n = 0; n <= 10; ++n) CHECK(events[n] == "{\"n\":" + std::to_string(n) + "}");
  CHECK(fixture.counters.dropped.value() == 0);
}

TEST_CASE("A log that stays full: QoS 0 is dropped and counted, MQTT 5 is told, 3.1.1 waits", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    MqttFixture fixture;
    fixture.limits.patience = Duration::seconds(0);
    fixture.start();
    Client client(fixture, version);
    client.join("c");
    client.send(publish(version, "d/x", reading));
    fixture.log.refuse_after(0, log::AppendStatus::back_pressured);
    client.send(publish(version, "d/x", reading) + publish(version, "d/x", reading, 1, 5));
    CHECK(fixture.counters.dropped.value() == 1);
    if (version == Version::v5) {
      const Answer answer = client.one();
      CHECK(answer.id() == 5);
      CHECK(answer.byte(2) == 0x97);
      CHECK(fixture.log.records("d").size() == 1);
    } else {
      CHECK(client.stream.paused);
      CHECK(client.stream.sent.empty());
      fixture.log.clear_sky();
      CHECK(client.one().id() == 5);
      CHECK(fixture.log.records("d").size() == 2);
    }
  }
}

TEST_CASE("A message that could not be made durable ends the connection, unacknowledged", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  client.join("c");
  client.send(publish(Version::v5, "d/x", reading));
  MemoryTopic& topic = *fixture.log.find("d");
  for (std::uint32_t i = 0; i < topic.partition_count(); ++i) topic.partition(PartitionId(i)).hold();
  client.send(publish(Version::v5, "d/x", reading, 1, 1));
  for (std::uint32_t i = 0; i < topic.partition_count(); ++i)
    topic.partition(PartitionId(i)).release(Error{ErrorKind::io, "the disk is gone"});
  CHECK(client.one().type() == 14);
  CHECK_FALSE(client.stream.open);
}

TEST_CASE("Topic aliases", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  client.join("c");
  const std::string alias = "\x23"s + two(3);
  client.send(publish(Version::v5, "d/x", reading, 0, 0, false, alias) + publish(Version::v5, "", reading, 0, 0, false, alias));
  CHECK(fixture.log.records("d").size() == 2);
  client.send(publish(Version::v5, "", reading, 0, 0, false, "\x23"s + two(4)));
  CHECK(client.one().byte(0) == 0x94);
  CHECK_FALSE(client.stream.open);
}

TEST_CASE("Subscribers get events as they were rendered, once, with the best QoS that they asked for", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    MqttFixture fixture;
    fixture.taken("boiler", R"({"device":"b0","a":0})");
    Client client(fixture, version);
    client.join("reader");
    client.send(subscribe(version, 1, "boiler/+", 0, version == Version::v5 ? "\x0B\x05" : ""));
    const Answer granted = client.one();
    CHECK(granted.type() == 9);
    CHECK(granted.byte(granted.body.size() - 1) == 0);
    client.send(subscribe(version, 2, "#", 2, version == Version::v5 ? "\x0B\x06" : ""));
    CHECK(client.one().body.back() == 1);
    // Events that come in the moment of a SUBSCRIBE may still go by the filters before it: this one is wanted by the new one
    // only.
    fixture.taken("warm", R"({"device":"x","b":1})");
    client.send(puback(id_of(client.published(1).front())));
    fixture.taken("boiler", R"({"device":"b7","a":1})");
    fixture.taken("fresh", R"({"device":"x","b":2})");
    const auto got = client.published(2);
    for (const Answer& one : got) {
      const bool boiler = topic_of(one) == "boiler/b7";
      CHECK((boiler || topic_of(one) == "fresh/x"));
      CHECK((one.head & 6) == 2);
      CHECK(payload_of(one, version) == (boiler ? R"({"device":"b7","a":1})" : R"({"device":"x","b":2})"));
      if (version == Version::v5) CHECK(one.body.find(boiler ? "\x04\x0B\x05\x0B\x06"s : "\x02\x0B\x06"s) != std::string::npos);
      client.send(puback(id_of(one)));
    }
    client.send(unsubscribe(version, 3, "#"));
    CHECK(client.one().type() == 11);
    // As with SUBSCRIBE: the first event may still go by the filters before it.
    fixture.taken("boiler", R"({"device":"b7","a":3})");
    CHECK(payload_of(client.published(1).front(), version) == R"({"device":"b7","a":3})");
    fixture.taken("fresh", R"({"device":"x","b":3})");
    fixture.taken("boiler", R"({"device":"b7","a":4})");
    CHECK(payload_of(client.published(1).front(), version) == R"({"device":"b7","a":4})");
  }
}

TEST_CASE("What cannot be subscribed to is told, each for itself", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  client.join("reader");
  client.send(packet(0x82, two(1) + properties(Version::v5) + text("a/#/b") + "\0"s + text("$share/g/a") + "\0"s + text("a") +
                               "\4"s + text("ok") + "\1"s));
  CHECK(client.one().body.substr(3) == "\x8F\x9E\x83\x01"s);
  std::string many;
  for (unsigned i = 0; i < fixture.limits.filters_max; ++i) many += text("f" + std::to_string(i)) + "\0"s;
  client.send(packet(0x82, two(2) + properties(Version::v5) + many));
  const Answer answer = client.one();
  CHECK(answer.byte(answer.body.size() - 1) == 0x97);
  CHECK(answer.byte(answer.body.size() - 2) == 0);
}

TEST_CASE("A subscriber that does not acknowledge is sent no more than its window, then goes on", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  ConnectOptions options;
  options.client = "slow";
  options.properties = "\x21"s + two(3);
  client.join(options);
  client.send(subscribe(Version::v5, 1, "#", 1));
  client.one();
  for (unsigned n = 0; n < 10; ++n) fixture.taken("d", "{\"device\":\"x\",\"n\":" + std::to_string(n) + "}");
  unsigned next = 0;
  while (next < 10) {
    const auto got = client.published(std::min(3u, 10 - next));
    for (const Answer& one : got) {
      CHECK(payload_of(one, Version::v5) == "{\"device\":\"x\",\"n\":" + std::to_string(next++) + "}");
    }
    fixture.run();
    CHECK(client.got().empty());
    for (const Answer& one : got) client.connection->received(puback(id_of(one)));
  }
}

TEST_CASE("A session that waits gets what came meanwhile, and again what it had not acknowledged", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    for (const bool crash : {false, true}) {
      MqttFixture fixture;
      const auto event = [](unsigned n) { return "{\"device\":\"x\",\"n\":" + std::to_string(n) + "}"; };
      {
        Client client(fixture, version);
        CHECK_FALSE(client.join("reader", false));
        client.send(subscribe(version, 1, "d/#", 1));
        client.one();
        for (unsigned n = 0; n < 4; ++n) fixture.taken("d", event(n));
        const auto got = client.published(4);
        client.send(puback(id_of(got[0])));
        client.send(puback(id_of(got[2])));
      }
      for (unsigned n = 4; n < 6; ++n) fixture.taken("d", event(n));
      if (crash) fixture.start();
      Client client(fixture, version);
      CHECK(client.join("reader", false));
      // After a crash the acknowledgement of number 2, behind an open one, is forgotten: at least once.
      const std::vector<unsigned> expected = crash ? std::vector<unsigned>{1, 2, 3, 4, 5} : std::vector<unsigned>{1, 3, 4, 5};
      const auto got = client.published(expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(payload_of(got[i], version) == event(expected[i]));
        CHECK(((got[i].head & 8) != 0) == (!crash && expected[i] < 4));
      }
      if (!crash) CHECK(id_of(got[0]) == 2);
    }
  }
}

TEST_CASE("A session ends when it has expired, or when its client wants a new one", "[mqtt]") {
  MqttFixture fixture;
  const auto join = [&](bool clean, std::uint32_t expiry_s) {
    Client client(fixture, Version::v5);
    ConnectOptions options;
    options.clean = clean;
    options.properties = "\x11"s + four(expiry_s);
    const bool present = client.join(options);
    client.send(disconnect());
    return present;
  };
  CHECK_FALSE(join(false, 10));
  fixture.clock.advance(Duration::seconds(9));
  fixture.broker->tick();
  CHECK(join(false, 10));
  fixture.clock.advance(Duration::seconds(11));
  fixture.broker->tick();
  CHECK_FALSE(join(false, 10));
  CHECK_FALSE(join(true, 10));
  CHECK(join(false, 0));
  CHECK_FALSE(join(false, 10));
  fixture.start();
  CHECK(join(false, 10));
}

TEST_CASE("Who connects under the same name takes over", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    MqttFixture fixture;
    Client first(fixture, version);
    first.join("c", false);
    first.send(subscribe(version, 1, "d/#", 1));
    first.one();
    Client second(fixture, version);
    CHECK(second.join("c", false));
    CHECK_FALSE(first.stream.open);
    if (version == Version::v5) CHECK(first.one().byte(0) == 0x8E);
    fixture.taken("d", R"({"device":"x","n":1})");
    CHECK(second.published(1).size() == 1);
    CHECK(first.got().empty());
    first.leave();
    second.send(pingreq());
    CHECK(second.one().type() == 13);
  }
}

TEST_CASE("A will is published when its client goes without a word, and only then", "[mqtt]") {
  MqttFixture fixture;
  const auto with_will = [&](Client& client, std::uint32_t delay_s) {
    ConnectOptions options;
    options.will_topic = "state/pump";
    options.will_payload = "gone";
    options.clean = false;
    if (client.version == Version::v5) {
      options.properties = "\x11"s + four(3'600);
      options.will_properties = "\x18"s + four(delay_s);
    }
    client.join(options);
  };
  {
    Client client(fixture);
    with_will(client, 0);
    client.send(disconnect());
  }
  CHECK(fixture.log.records("state").empty());
  {
    Client client(fixture);
    with_will(client, 0);
    fixture.clock.advance(Duration::seconds(1));
  }
  CHECK(fixture.event("state") == R"({"value":"gone"})");
  CHECK(fixture.log.records("state").front().key == "pump");
  {
    Client client(fixture, Version::v5);
    with_will(client, 10);
  }
  CHECK(fixture.log.records("state").size() == 1);
  {
    Client client(fixture, Version::v5);
    with_will(client, 10);  // back in time
  }
  fixture.clock.advance(Duration::seconds(9));
  fixture.broker->tick();
  CHECK(fixture.log.records("state").size() == 1);
  fixture.clock.advance(Duration::seconds(2));
  fixture.broker->tick();
  CHECK(fixture.log.records("state").size() == 2);
  Client client(fixture, Version::v5);
  with_will(client, 0);
  client.send(packet(0xE0, "\x04"));  // DISCONNECT with will
  CHECK(fixture.log.records("state").size() == 3);
}

TEST_CASE("Silence for one and a half times the keep-alive ends a connection", "[mqtt]") {
  MqttFixture fixture;
  Client client(fixture, Version::v5);
  ConnectOptions options;
  options.keep_alive_s = 10;
  client.join(options);
  fixture.clock.advance(Duration::seconds(14));
  client.connection->alarm();
  CHECK(client.stream.open);
  client.send(pingreq());
  CHECK(client.one().type() == 13);
  fixture.clock.advance(Duration::seconds(14));
  client.connection->alarm();
  CHECK(client.stream.open);
  fixture.clock.advance(Duration::seconds(1));
  client.connection->alarm();
  CHECK(client.one().byte(0) == 0x8D);
  CHECK_FALSE(client.stream.open);
}

TEST_CASE("A subscriber that reads nothing is handed a bounded amount", "[mqtt]") {
  MqttFixture fixture;
  Client slow(fixture);
  Client quick(fixture);
  slow.join("slow");
  quick.join("quick");
  for (Client* client : {&slow, &quick}) {
    client->send(subscribe(Version::v311, 1, "#", 0));
    client->one();
  }
  slow.stream.stuck = true;
  std::string body;
  for (unsigned n = 0; n < 2'000; ++n) body += "{\"device\":\"x\",\"text\":\"" + std::string(1'000, 'x') + "\"}\n";
  std::size_t got = 0;
  for (unsigned round = 0; round < 8; ++round) {
    fixture.taken("d", body);
    got += quick.published(2'000).size();
  }
  CHECK(got == 16'000);
  CHECK(slow.stream.sent.size() < 3 * mqtt::Fanout::portion_bytes_max);
  slow.stream.stuck = false;
  std::size_t rest = 0;
  CHECK(fixture.eventually([&] {
    slow.connection->drained();
    for (const Answer& answer : slow.got()) rest += answer.type() == 3 ? 1 : 0;
    return rest == 16'000;
  }));
}

TEST_CASE("A subscriber with QoS 0 that is too far behind goes on at the end, and that is counted", "[mqtt]") {
  MqttFixture fixture;
  fixture.limits.lag_max = 100;
  fixture.start();
  Client client(fixture);
  client.join("slow");
  client.send(subscribe(Version::v311, 1, "#", 0));
  client.one();
  // The fanout may have begun while they still come in: what it has handed out before it was too far behind is not skipped.
  constexpr std::uint64_t count = 20'000;
  std::string body;
  for (std::uint64_t n = 0; n != count; ++n) body += "{\"device\":\"x\",\"n\":1}\n";
  fixture.taken("d", body);
  const auto skipped = [&] { return fixture.metrics.counter("iotstream_mqtt_events_skipped_total", "").value(); };
  std::uint64_t delivered = 0;
  const auto deliver = [&] {
    client.connection->drained();
    for (const Answer& answer : client.got()) delivered += answer.type() == 3 ? 1 : 0;
    return skipped() + delivered;
  };
  CHECK(fixture.eventually([&] { return deliver() == count; }));
  CHECK(skipped() > 0);
  fixture.taken("d", R"({"device":"x","n":2})");
  CHECK(payload_of(client.published(1).front()) == R"({"device":"x","n":2})");
}

TEST_CASE("The ledger's copies carry everything over", "[mqtt]") {
  MqttFixture fixture;
  {
    Client client(fixture);
    client.join("c", false);
    client.send(subscribe(Version::v311, 1, "d/#", 1));
    client.send(publish(Version::v311, "d/x", reading, 2, 9));
    client.got();
    // Enough to make a copy due, over many ticks.
    for (unsigned round = 0; round < 60; ++round) {
      for (unsigned i = 0; i < 1'000; ++i) fixture.broker->save(*fixture.broker->sessions().find("c")->second);
      fixture.clock.advance(Duration::seconds(1));
      fixture.broker->tick();
    }
    client.send(publish(Version::v311, "d/x", reading, 2, 10));
    client.got();
  }
  fixture.start();
  Client client(fixture);
  CHECK(client.join("c", false));
  for (const unsigned id : {9u, 10u}) {
    client.send(publish(Version::v311, "d/x", reading, 2, id, true));
    bool answered = false;
    for (const Answer& answer : client.got()) answered = answered || answer.type() == 5;
    CHECK(answered);
  }
  CHECK(fixture.log.records("d").size() == 2);
}
