// Values → the packets that a server sends, appended to a string.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mqtt/packet.hpp"

namespace iotstream::mqtt {

/// What CONNACK of MQTT 5 says about this server.
struct ServerLimits {
  std::uint32_t packet_size_max = 0;  ///< of a whole packet
  std::uint16_t topic_alias_maximum = 0;
  std::string_view assigned_client_id;  ///< empty: the client has its own
  std::uint32_t session_expiry_s = 0;
  bool session_expiry_changed = false;
};

void append_connack(std::string& out, Version version, bool session_present, const ServerLimits& limits);
/// A refusal: in 3.1.1 the nearest of its five codes. `version` is the client's, or 3.1.1 when that is not known.
void append_connack_refusal(std::string& out, Version version, Reason reason, std::string_view detail);
void append_acknowledge(std::string& out, Version version, Type type, std::uint16_t packet_id, Reason reason);
/// `codes`: a granted QoS, or a reason from 0x80 on.
void append_suback(std::string& out, Version version, std::uint16_t packet_id, std::span<const std::uint8_t> codes);
void append_unsuback(std::string& out, Version version, std::uint16_t packet_id, std::span<const Reason> reasons);
void append_pingresp(std::string& out);
/// MQTT 5 only; 3.1.1 has no such packet from a server: nothing is appended.
void append_disconnect(std::string& out, Version version, Reason reason, std::string_view detail);

struct Delivery {
  Qos qos = Qos::at_most_once;
  bool duplicate = false;
  std::uint16_t packet_id = 0;
  std::string_view topic;
  std::string_view payload;
  std::span<const std::uint32_t> subscription_ids;  ///< MQTT 5
};
void append_publish(std::string& out, Version version, const Delivery& delivery);
/// Bytes that append_publish would append.
std::size_t publish_size(Version version, const Delivery& delivery);

}  // namespace iotstream::mqtt
