#include "mqtt/decode.hpp"

#include "mqtt/properties.hpp"
#include "mqtt/topic.hpp"
#include "mqtt/wire.hpp"

namespace iotstream::mqtt {
namespace {

Malformed malformed(std::string_view detail) { return {Reason::malformed, detail}; }
Malformed violation(std::string_view detail) { return {Reason::protocol_error, detail}; }

constexpr std::uint8_t flags_of(std::uint8_t head) { return head & 0x0F; }

Decoded finish(const Reader& reader) {
  if (!reader.ok()) return malformed("the packet is cut short, or a text in it is not UTF-8 without NUL");
  if (!reader.empty()) return malformed("something follows the packet's last field");
  return std::nullopt;
}

/// 3.1.1 has no properties.
Decoded properties(Reader& reader, Version version, PropertyPlace place, Properties& into) {
  return version == Version::v5 ? read_properties(reader, place, into) : std::nullopt;
}

Decoded read_will(Reader& reader, Version version, std::uint8_t flags, Will& will) {
  will.qos = static_cast<Qos>(flags >> 3 & 3);
  will.retain = (flags & 0x20) != 0;
  if (Decoded wrong = properties(reader, version, PropertyPlace::will, will.properties)) return wrong;
  will.topic = reader.text();
  will.payload = reader.binary();
  if (reader.ok() && !valid_topic_name(will.topic))
    return Malformed{Reason::topic_name_invalid, "the will's topic is no topic name"};
  return std::nullopt;
}

Decoded check_connect_flags(std::uint8_t flags, Version version) {
  if ((flags & 0x01) != 0) return malformed("CONNECT's reserved flag is set");
  const bool will = (flags & 0x04) != 0;
  if ((flags >> 3 & 3) == 3) return malformed("the will's QoS is 3");
  if (!will && (flags & 0x38) != 0) return malformed("will QoS or retain without a will");
  if (version == Version::v311 && (flags & 0x40) != 0 && (flags & 0x80) == 0) return malformed("a password without a user");
  return std::nullopt;
}

}  // namespace

Decoded decode(std::uint8_t head, std::string_view body, Connect& packet) {
  if (flags_of(head) != 0) return malformed("CONNECT's reserved flags are set");
  Reader reader(body);
  const std::string_view name = reader.binary();
  const std::uint8_t level = reader.byte();
  if (!reader.ok()) return malformed("CONNECT is cut short");
  if (name != "MQTT" || (level != 4 && level != 5)) {
    if (name == "MQTT" || (name == "MQIsdp" && level == 3))
      return Malformed{Reason::unsupported_version, "this server speaks MQTT 3.1.1 and 5"};
    return malformed("the protocol's name is not MQTT");
  }
  packet.version = static_cast<Version>(level);
  const std::uint8_t flags = reader.byte();
  if (Decoded wrong = check_connect_flags(flags, packet.version)) return wrong;
  packet.clean = (flags & 0x02) != 0;
  packet.keep_alive_s = reader.two();
  if (Decoded wrong = properties(reader, packet.version, PropertyPlace::connect, packet.properties)) return wrong;
  packet.client_id = reader.text();
  if ((flags & 0x04) != 0) {
    packet.will.emplace();
    if (Decoded wrong = read_will(reader, packet.version, flags, *packet.will)) return wrong;
  }
  if ((flags & 0x80) != 0) packet.user = reader.text();
  if ((flags & 0x40) != 0) packet.password = reader.binary();
  return finish(reader);
}

Decoded decode(std::uint8_t head, std::string_view body, Version version, Publish& packet) {
  packet.duplicate = (head & 0x08) != 0;
  packet.retain = (head & 0x01) != 0;
  const unsigned qos = head >> 1 & 3;
  if (qos == 3) return malformed("PUBLISH with QoS 3");
  packet.qos = static_cast<Qos>(qos);
  if (qos == 0 && packet.duplicate) return malformed("PUBLISH with QoS 0 marked as a duplicate");
  Reader reader(body);
  packet.topic = reader.text();
  if (qos > 0) packet.packet_id = reader.two();
  if (!reader.ok()) return malformed("PUBLISH is cut short, or its topic is not UTF-8 without NUL");
  if (qos > 0 && packet.packet_id == 0) return violation("PUBLISH with packet identifier 0");
  if (Decoded wrong = properties(reader, version, PropertyPlace::publish, packet.properties)) return wrong;
  if (packet.properties.topic_alias == 0) return Malformed{Reason::topic_alias_invalid, "topic alias 0"};
  if (packet.topic.empty() && !packet.properties.topic_alias) return violation("PUBLISH without a topic");
  if (!packet.topic.empty() && !valid_topic_name(packet.topic))
    return Malformed{Reason::topic_name_invalid, "PUBLISH to a topic with wildcards"};
  packet.payload = reader.rest();
  return std::nullopt;
}

Decoded decode(std::uint8_t head, std::string_view body, Version version, Acknowledge& packet) {
  const std::uint8_t wanted = type_of(head) == Type::pubrel ? 2 : 0;
  if (flags_of(head) != wanted) return malformed("the reserved flags of an acknowledgement are not as they must be");
  Reader reader(body);
  packet.packet_id = reader.two();
  if (version == Version::v5 && !reader.empty()) {
    packet.reason = static_cast<Reason>(reader.byte());
    Properties unused;
    if (!reader.empty())
      if (Decoded wrong = read_properties(reader, PropertyPlace::acknowledge, unused)) return wrong;
  }
  if (Decoded wrong = finish(reader)) return wrong;
  if (packet.packet_id == 0) return violation("an acknowledgement of packet identifier 0");
  return std::nullopt;
}

Decoded decode(std::uint8_t head, std::string_view body, Version version, Subscribe& packet) {
  if (flags_of(head) != 2) return malformed("SUBSCRIBE's reserved flags are not as they must be");
  Reader reader(body);
  packet.packet_id = reader.two();
  if (reader.ok() && packet.packet_id == 0) return violation("SUBSCRIBE with packet identifier 0");
  if (Decoded wrong = properties(reader, version, PropertyPlace::subscribe, packet.properties)) return wrong;
  while (reader.ok() && !reader.empty()) {
    Subscription one;
    one.filter = reader.text();
    const std::uint8_t options = reader.byte();
    if (!reader.ok()) break;
    const std::uint8_t reserved = version == Version::v5 ? 0xC0 : 0xFC;
    if ((options & 3) == 3 || (options & reserved) != 0) return malformed("SUBSCRIBE with options that do not exist");
    one.qos = static_cast<Qos>(options & 3);
    one.no_local = (options & 4) != 0;
    one.retain_as_published = (options & 8) != 0;
    one.retain_handling = options >> 4 & 3;
    if (one.retain_handling == 3) return violation("SUBSCRIBE with retain handling 3");
    packet.subscriptions.push_back(one);
  }
  if (Decoded wrong = finish(reader)) return wrong;
  if (packet.subscriptions.empty()) return violation("SUBSCRIBE without a filter");
  return std::nullopt;
}

Decoded decode(std::uint8_t head, std::string_view body, Version version, Unsubscribe& packet) {
  if (flags_of(head) != 2) return malformed("UNSUBSCRIBE's reserved flags are not as they must be");
  Reader reader(body);
  packet.packet_id = reader.two();
  if (reader.ok() && packet.packet_id == 0) return violation("UNSUBSCRIBE with packet identifier 0");
  Properties unused;
  if (Decoded wrong = properties(reader, version, PropertyPlace::unsubscribe, unused)) return wrong;
  while (reader.ok() && !reader.empty()) packet.filters.push_back(reader.text());
  if (Decoded wrong = finish(reader)) return wrong;
  if (packet.filters.empty()) return violation("UNSUBSCRIBE without a filter");
  return std::nullopt;
}

Decoded decode(std::uint8_t head, std::string_view body, Version version, Disconnect& packet) {
  if (flags_of(head) != 0) return malformed("DISCONNECT's reserved flags are set");
  Reader reader(body);
  if (version == Version::v5 && !reader.empty()) {
    packet.reason = static_cast<Reason>(reader.byte());
    if (!reader.empty())
      if (Decoded wrong = read_properties(reader, PropertyPlace::disconnect, packet.properties)) return wrong;
  }
  return finish(reader);
}

Decoded decode_ping(std::uint8_t head, std::string_view body) {
  if (flags_of(head) != 0 || !body.empty()) return malformed("PINGREQ with flags or a body");
  return std::nullopt;
}

}  // namespace iotstream::mqtt
