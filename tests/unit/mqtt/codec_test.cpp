// Packets: what is decoded, what is refused and why, cut anywhere and damaged anyhow.
#include <catch2/catch.hpp>

#include "mqtt/encode.hpp"
#include "support/random.hpp"
#include "unit/mqtt/any_bytes.hpp"
#include "unit/mqtt/packets.hpp"

using namespace iotstream;
using namespace iotstream::test;
using namespace std::string_literals;
using mqtt::Frame;
using mqtt::Reason;

namespace {

Frame frame_of(const std::string& bytes) {
  const Frame frame = mqtt::next_frame(bytes, mqtt::remaining_length_max);
  REQUIRE(frame.status == Frame::Status::whole);
  return frame;
}

template <class Packet>
mqtt::Decoded decode_into(const std::string& bytes, Version version, Packet& into) {
  const Frame frame = frame_of(bytes);
  return mqtt::decode(frame.head, frame.body, version, into);
}

/// The reason for which a packet is refused; nothing when it is taken.
template <class Packet>
std::optional<Reason> refused(const std::string& bytes, Version version = Version::v5) {
  Packet packet;
  const auto wrong = decode_into(bytes, version, packet);
  return wrong ? std::optional(wrong->reason) : std::nullopt;
}

std::optional<Reason> refused_connect(const std::string& bytes) {
  mqtt::Connect packet;
  const Frame frame = frame_of(bytes);
  const auto wrong = mqtt::decode(frame.head, frame.body, packet);
  return wrong ? std::optional(wrong->reason) : std::nullopt;
}

}  // namespace

TEST_CASE("A packet is cut out of a stream at every split point", "[mqtt]") {
  const std::string bytes = publish(Version::v311, "a/b", std::string(300, 'x'), 1, 7);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Frame frame = mqtt::next_frame(std::string_view(bytes).substr(0, size), 1'000);
    CHECK(frame.status == Frame::Status::more);
  }
  const Frame frame = mqtt::next_frame(bytes + "more", 1'000);
  CHECK(frame.status == Frame::Status::whole);
  CHECK(frame.size == bytes.size());
}

TEST_CASE("Remaining lengths: at most four bytes, in the shortest form, below the server's limit", "[mqtt]") {
  struct Case {
    std::string bytes;
    Frame::Status status;
  };
  const std::vector<Case> cases{
      {"\x30\x00"s, Frame::Status::whole},
      {"\x30\x80\x00"s, Frame::Status::malformed},
      {"\x30\x81\x00"s, Frame::Status::malformed},
      {"\x30\xFF\xFF\xFF\x7F"s, Frame::Status::too_large},
      {"\x30\xFF\xFF\xFF\xFF"s, Frame::Status::malformed},
      {"\x30\xFF\xFF\xFF"s, Frame::Status::more},
      {"\x30\xE9\x07"s, Frame::Status::too_large},  // 1,001
      {"\x30\xE8\x07"s, Frame::Status::more},       // 1,000
  };
  for (const Case& one : cases) CHECK(mqtt::next_frame(one.bytes, 1'000).status == one.status);
}

TEST_CASE("CONNECT with everything in it", "[mqtt]") {
  ConnectOptions options;
  options.version = Version::v5;
  options.client = "pump";
  options.clean = false;
  options.keep_alive_s = 30;
  options.properties = "\x11"s + four(3'600) + "\x21" + two(20) + "\x27" + four(9'000) + "\x26" + text("a") + text("b") +
                       "\x26" + text("a") + text("b");
  options.will_topic = "boiler/pump";
  options.will_payload = "gone";
  options.will_properties = "\x18"s + four(5);
  options.password = "secret";
  const std::string bytes = connect(options);
  mqtt::Connect packet;
  const Frame frame = frame_of(bytes);
  REQUIRE_FALSE(mqtt::decode(frame.head, frame.body, packet));
  CHECK(packet.version == Version::v5);
  CHECK_FALSE(packet.clean);
  CHECK(packet.keep_alive_s == 30);
  CHECK(packet.client_id == "pump");
  CHECK(packet.properties.session_expiry_s == 3'600u);
  CHECK(packet.properties.receive_maximum == 20);
  CHECK(packet.properties.packet_size_max == 9'000u);
  REQUIRE(packet.will);
  CHECK(packet.will->topic == "boiler/pump");
  CHECK(packet.will->payload == "gone");
  CHECK(packet.will->properties.will_delay_s == 5u);
  CHECK(packet.password == "secret");
  // Cut short at every byte of its body it is refused.
  for (std::size_t size = 0; size < frame.body.size(); ++size) {
    mqtt::Connect cut;
    CHECK(mqtt::decode(frame.head, frame.body.substr(0, size), cut));
  }
}

TEST_CASE("CONNECT is refused for the reason that the standard names", "[mqtt]") {
  const auto body = [](unsigned level, unsigned flags, const std::string& rest) {
    return packet(0x10, text("MQTT") + static_cast<char>(level) + static_cast<char>(flags) + two(0) + rest);
  };
  CHECK(refused_connect(body(4, 2, text("c"))) == std::nullopt);
  CHECK(refused_connect(body(3, 2, text("c"))) == Reason::unsupported_version);
  CHECK(refused_connect(body(6, 2, text("c"))) == Reason::unsupported_version);
  CHECK(refused_connect(packet(0x10, text("MQIsdp") + "\3\2" + two(0) + text("c"))) == Reason::unsupported_version);
  CHECK(refused_connect(packet(0x10, text("HTTP") + "\4\2" + two(0) + text("c"))) == Reason::malformed);
  CHECK(refused_connect(packet(0x11, text("MQTT") + "\4\2" + two(0) + text("c"))) == Reason::malformed);
  CHECK(refused_connect(body(4, 3, text("c"))) == Reason::malformed);                             // reserved flag
  CHECK(refused_connect(body(4, 0x1E, text("c") + text("t") + text("p"))) == Reason::malformed);  // will QoS 3
  CHECK(refused_connect(body(4, 0x0A, text("c"))) == Reason::malformed);                          // will QoS without will
  CHECK(refused_connect(body(4, 0x42, text("c") + text("p"))) == Reason::malformed);              // password without user
  CHECK(refused_connect(body(4, 2, text("c") + "x")) == Reason::malformed);                       // something behind
  CHECK(refused_connect(body(4, 2, text("a\xC3"s))) == Reason::malformed);                        // no UTF-8
  CHECK(refused_connect(body(4, 2, text("a\0b"s))) == Reason::malformed);                         // NUL
  CHECK(refused_connect(body(4, 2, text("\xED\xA0\x80"s))) == Reason::malformed);                 // a surrogate
  CHECK(refused_connect(body(4, 6, text("c") + text("a/#") + text("p"))) == Reason::topic_name_invalid);
  const auto with = [&](const std::string& props) {
    return refused_connect(body(5, 2, properties(Version::v5, props) + text("c")));
  };
  CHECK(with("\x11"s + four(1)) == std::nullopt);
  CHECK(with("\x11"s + four(1) + "\x11" + four(1)) == Reason::protocol_error);  // twice
  CHECK(with("\x23"s + two(1)) == Reason::protocol_error);                      // a PUBLISH's
  CHECK(with("\x7A"s) == Reason::protocol_error);                               // none at all
  CHECK(with("\x11\1"s) == Reason::malformed);                                  // cut short
  CHECK(with("\x21"s + two(0)) == Reason::protocol_error);                      // receive maximum 0
  CHECK(with("\x27"s + four(0)) == Reason::protocol_error);                     // packet size 0
  CHECK(with("\x16"s + text("x")) == Reason::protocol_error);                   // data without a method
}

TEST_CASE("PUBLISH is refused for the reason that the standard names", "[mqtt]") {
  using P = mqtt::Publish;
  CHECK(refused<P>(publish(Version::v5, "a", "x", 1, 1)) == std::nullopt);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 1, 0)) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 3, 1)) == Reason::malformed);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, true)) == Reason::malformed);
  CHECK(refused<P>(publish(Version::v5, "a/+", "x")) == Reason::topic_name_invalid);
  CHECK(refused<P>(publish(Version::v5, "a/#", "x")) == Reason::topic_name_invalid);
  CHECK(refused<P>(publish(Version::v5, "", "x")) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v311, "", "x"), Version::v311) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v5, "", "x", 0, 0, false, "\x23"s + two(4))) == std::nullopt);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, false, "\x23"s + two(0))) == Reason::topic_alias_invalid);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, false, "\x23"s + two(1) + "\x23" + two(2))) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, false, "\x01\x02")) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, false, "\x0B\x01")) == Reason::protocol_error);  // only servers send it
  CHECK(refused<P>(publish(Version::v5, "a", "x", 0, 0, false, "\x08"s + text("r/#"))) == Reason::protocol_error);
  CHECK(refused<P>(publish(Version::v311, "a\xFF", "x"), Version::v311) == Reason::malformed);
}

TEST_CASE("The other packets", "[mqtt]") {
  using mqtt::Acknowledge, mqtt::Subscribe, mqtt::Unsubscribe, mqtt::Disconnect;
  CHECK(refused<Acknowledge>(puback(1)) == std::nullopt);
  CHECK(refused<Acknowledge>(puback(0)) == Reason::protocol_error);
  CHECK(refused<Acknowledge>(packet(0x41, two(1))) == Reason::malformed);
  CHECK(refused<Acknowledge>(packet(0x60, two(1))) == Reason::malformed);  // PUBREL has flag 2
  CHECK(refused<Acknowledge>(pubrel(1)) == std::nullopt);
  CHECK(refused<Acknowledge>(packet(0x40, two(1) + "\x10"s + "\0"s)) == std::nullopt);
  CHECK(refused<Acknowledge>(packet(0x40, two(1) + "x"), Version::v311) == Reason::malformed);
  CHECK(refused<Subscribe>(subscribe(Version::v5, 1, "a/#", 0x2E, "\x0B\x81\x01")) == std::nullopt);
  CHECK(refused<Subscribe>(subscribe(Version::v5, 0, "a", 0)) == Reason::protocol_error);
  CHECK(refused<Subscribe>(subscribe(Version::v5, 1, "a", 3)) == Reason::malformed);
  CHECK(refused<Subscribe>(subscribe(Version::v5, 1, "a", 0x30)) == Reason::protocol_error);
  CHECK(refused<Subscribe>(subscribe(Version::v311, 1, "a", 4), Version::v311) == Reason::malformed);
  CHECK(refused<Subscribe>(subscribe(Version::v5, 1, "a", 0, "\x0B\x00"s)) == Reason::protocol_error);
  CHECK(refused<Subscribe>(packet(0x82, two(1)), Version::v311) == Reason::protocol_error);
  CHECK(refused<Subscribe>(packet(0x80, two(1) + text("a") + "\0"s), Version::v311) == Reason::malformed);
  CHECK(refused<Unsubscribe>(unsubscribe(Version::v5, 1, "a")) == std::nullopt);
  CHECK(refused<Unsubscribe>(packet(0xA2, two(1)), Version::v311) == Reason::protocol_error);
  CHECK(refused<Disconnect>(disconnect()) == std::nullopt);
  CHECK(refused<Disconnect>(packet(0xE0, "\x04\x05\x11"s + four(9))) == std::nullopt);
  CHECK(refused<Disconnect>(packet(0xE1, "")) == Reason::malformed);
  CHECK(mqtt::decode_ping(0xC1, ""));
  CHECK(mqtt::decode_ping(0xC0, "x"));
  CHECK(mqtt::decode_ping(0xC0, "") == std::nullopt);
}

TEST_CASE("What the server writes of an event is what a client reads", "[mqtt]") {
  for (const Version version : {Version::v311, Version::v5}) {
    for (const std::size_t size : {0, 1, 127, 128, 20'000, 3'000'000}) {
      const std::string payload(size, 'p');
      const std::vector<std::uint32_t> ids =
          version == Version::v5 ? std::vector<std::uint32_t>{1, 300} : std::vector<std::uint32_t>{};
      mqtt::Delivery delivery{mqtt::Qos::at_least_once, true, 513, "boiler/b7", payload, ids};
      std::string bytes;
      mqtt::append_publish(bytes, version, delivery);
      CHECK(bytes.size() == mqtt::publish_size(version, delivery));
      const Frame frame = frame_of(bytes);
      CHECK(frame.size == bytes.size());
      CHECK(frame.head == 0x3A);
      const std::string props = version == Version::v5 ? "\x05\x0B\x01\x0B\xAC\x02"s : "";
      CHECK(frame.body == text("boiler/b7") + two(513) + props + payload);
    }
  }
}

TEST_CASE("Damaged packets are decoded or refused, never worse", "[mqtt]") {
  ConnectOptions full;
  full.version = Version::v5;
  full.properties = "\x11"s + four(1) + "\x26" + text("k") + text("v");
  full.will_topic = "w";
  full.password = "p";
  const std::vector<std::string> seeds{connect(full),
                                       publish(Version::v5, "a/b", R"({"a":1})", 2, 9, false, "\x02"s + four(1)),
                                       subscribe(Version::v5, 1, "a/+/#", 1, "\x0B\x01"),
                                       unsubscribe(Version::v5, 2, "a"),
                                       packet(0xE0, "\x04\x05\x11"s + four(9)),
                                       pubrel(3)};
  const std::uint64_t used = seed();
  INFO("seed " << used);
  std::mt19937_64 random(used);
  for (unsigned round = 0; round < 60'000; ++round) {
    std::string bytes(1, static_cast<char>(round & 1));
    bytes += seeds[round % seeds.size()];
    for (unsigned change = 0; change <= round % 4; ++change)
      bytes[between<std::size_t>(random, 0, bytes.size() - 1)] = static_cast<char>(between(random, 0, 255));
    if (round % 5 == 0) bytes.resize(between<std::size_t>(random, 0, bytes.size()));
    mqtt_input(bytes);
  }
  SUCCEED();
}
