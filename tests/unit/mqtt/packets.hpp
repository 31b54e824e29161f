// Packets as a client sends them, and a server's packets taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/packet.hpp"
#include "mqtt/wire.hpp"

namespace iotstream::test {

using mqtt::Version;

inline std::string packet(unsigned head, std::string_view body) {
  std::string out;
  mqtt::append_head(out, static_cast<std::uint8_t>(head), body.size());
  return out.append(body);
}

inline std::string text(std::string_view bytes) {
  std::string out;
  mqtt::append_text(out, bytes);
  return out;
}

inline std::string two(unsigned number) {
  std::string out;
  mqtt::append_two(out, static_cast<std::uint16_t>(number));
  return out;
}

inline std::string four(std::uint32_t number) {
  std::string out;
  mqtt::append_four(out, number);
  return out;
}

/// Properties with their length in front; nothing in 3.1.1.
inline std::string properties(Version version, std::string_view bytes = {}) {
  std::string out;
  if (version == Version::v311) return out;
  mqtt::append_variable(out, static_cast<std::uint32_t>(bytes.size()));
  return out.append(bytes);
}

struct ConnectOptions {
  Version version = Version::v311;
  std::string client = "c";
  bool clean = true;
  unsigned keep_alive_s = 0;
  std::string properties;
  std::string will_topic;  ///< empty: no will
  std::string will_payload;
  std::string will_properties;
  std::string password;  ///< empty: none
};

inline std::string connect(const ConnectOptions& options = {}) {
  const bool v5 = options.version == Version::v5;
  unsigned flags = options.clean ? 2 : 0;
  if (!options.will_topic.empty()) flags |= 4;
  if (!options.password.empty()) flags |= 0xC0;
  std::string body = text("MQTT");
  body += static_cast<char>(v5 ? 5 : 4);
  body += static_cast<char>(flags);
  body += two(options.keep_alive_s) + properties(options.version, options.properties) + text(options.client);
  if (!options.will_topic.empty())
    body += properties(options.version, options.will_properties) + text(options.will_topic) + text(options.will_payload);
  if (!options.password.empty()) body += text("user") + text(options.password);
  return packet(0x10, body);
}

inline std::string publish(Version version, std::string_view topic, std::string_view payload, unsigned qos = 0,
                           unsigned packet_id = 0, bool duplicate = false, std::string_view props = {}) {
  std::string body = text(topic);
  if (qos > 0) body += two(packet_id);
  body += properties(version, props);
  body += payload;
  return packet(0x30u | qos << 1 | (duplicate ? 8u : 0u), body);
}

inline std::string subscribe(Version version, unsigned packet_id, std::string_view filter, unsigned options,
                             std::string_view props = {}) {
  return packet(0x82, two(packet_id) + properties(version, props) + text(filter) + static_cast<char>(options));
}

inline std::string unsubscribe(Version version, unsigned packet_id, std::string_view filter) {
  return packet(0xA2, two(packet_id) + properties(version) + text(filter));
}

inline std::string puback(unsigned packet_id) { return packet(0x40, two(packet_id)); }
inline std::string pubrel(unsigned packet_id) { return packet(0x62, two(packet_id)); }
inline std::string pingreq() { return packet(0xC0, ""); }
inline std::string disconnect() { return packet(0xE0, ""); }

/// The packets of some bytes, each head and body.
struct Answer {
  unsigned head = 0;
  std::string body;
  unsigned type() const { return head >> 4; }
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(body.at(at)); }
  unsigned id(std::size_t at = 0) const { return byte(at) << 8 | byte(at + 1); }
};

inline std::vector<Answer> answers(std::string_view bytes) {
  std::vector<Answer> all;
  while (true) {
    const mqtt::Frame frame = mqtt::next_frame(bytes, mqtt::remaining_length_max);
    if (frame.status != mqtt::Frame::Status::whole) return all;
    all.push_back({frame.head, std::string(frame.body)});
    bytes.remove_prefix(frame.size);
  }
}

}  // namespace iotstream::test
