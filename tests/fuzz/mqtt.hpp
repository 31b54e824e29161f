// One input of a fuzzer: bytes as some client might send them, through every decoder. Allocates what the packets hold, no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mqtt/decode.hpp"
#include "mqtt/payload.hpp"
#include "mqtt/topic.hpp"
#include "mqtt/wire.hpp"

namespace iotstream::test {

inline void decode_any(std::uint8_t head, std::string_view body, mqtt::Version version) {
  using namespace mqtt;
  const auto into = [&](auto packet) { return decode(head, body, version, packet); };
  switch (type_of(head)) {
    case Type::connect: {
      Connect connect;
      decode(head, body, connect);
      break;
    }
    case Type::publish: {
      Publish packet;
      if (decode(head, body, version, packet)) break;
      const std::vector<config::TopicPattern> patterns{*config::parse_topic_pattern("{dataset}/{device}"),
                                                       *config::parse_topic_pattern("#/{device}/{dataset}")};
      addressee_of(patterns, packet.topic);
      std::string made;
      body_of(packet.payload, made);
      break;
    }
    case Type::puback:
    case Type::pubrec:
    case Type::pubrel:
    case Type::pubcomp:
      into(Acknowledge());
      break;
    case Type::subscribe: {
      Subscribe packet;
      if (decode(head, body, version, packet)) break;
      for (const Subscription& one : packet.subscriptions) {
        valid_filter(one.filter);
        matches(one.filter, "boiler/b 7");
        const Reach reach = reach_of(one.filter, "boiler");
        if (reach.kind == Reach::Kind::some) matches_device(reach.rest, "b 7");
      }
      break;
    }
    case Type::unsubscribe:
      into(Unsubscribe());
      break;
    case Type::disconnect:
      into(Disconnect());
      break;
    default:
      decode_ping(head, body);
      break;
  }
}

/// What a libFuzzer target calls. The first byte chooses the version.
inline void mqtt_input(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto version = (bytes[0] & 1) != 0 ? mqtt::Version::v5 : mqtt::Version::v311;
  bytes.remove_prefix(1);
  while (true) {
    const mqtt::Frame frame = mqtt::next_frame(bytes, 1u << 20);
    if (frame.status != mqtt::Frame::Status::whole) return;
    decode_any(frame.head, frame.body, version);
    bytes.remove_prefix(frame.size);
  }
}

}  // namespace iotstream::test
