// MQTT 3.1.1 and 5 packets as plain values. Views are of the bytes that were decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace iotstream::mqtt {

enum class Version : unsigned char { v311 = 4, v5 = 5 };

enum class Type : unsigned char {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth,
};

enum class Qos : unsigned char { at_most_once, at_least_once, exactly_once };

/// Reason codes of MQTT 5, those that are used here; 3.1.1 has a few of its own in CONNACK and SUBACK.
enum class Reason : unsigned char {
  success = 0x00,
  disconnect_with_will = 0x04,
  no_matching_subscribers = 0x10,
  no_subscription_existed = 0x11,
  unspecified = 0x80,
  malformed = 0x81,
  protocol_error = 0x82,
  implementation_specific = 0x83,
  unsupported_version = 0x84,
  client_id_not_valid = 0x85,
  bad_login = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_shutting_down = 0x8B,
  bad_authentication_method = 0x8C,
  keep_alive_timeout = 0x8D,
  session_taken_over = 0x8E,
  topic_filter_invalid = 0x8F,
  topic_name_invalid = 0x90,
  packet_id_in_use = 0x91,
  packet_id_not_found = 0x92,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  quota_exceeded = 0x97,
  payload_format_invalid = 0x99,
  retain_not_supported = 0x9A,
  shared_not_supported = 0x9E,
};

/// Properties of MQTT 5 that say something to this server or to its clients. What is allowed where is checked when decoding.
struct Properties {
  std::optional<std::uint8_t> payload_format;
  std::optional<std::uint32_t> message_expiry_s;
  std::optional<std::string_view> content_type;
  std::optional<std::string_view> response_topic;
  std::optional<std::string_view> correlation_data;
  std::optional<std::uint32_t> session_expiry_s;
  std::optional<std::string_view> authentication_method;
  std::optional<std::uint32_t> will_delay_s;
  std::optional<std::uint16_t> receive_maximum;
  std::optional<std::uint16_t> topic_alias_maximum;
  std::optional<std::uint16_t> topic_alias;
  std::optional<std::uint32_t> packet_size_max;
  std::vector<std::uint32_t> subscription_ids;
};

struct Will {
  std::string_view topic;
  std::string_view payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  Properties properties;
};

struct Connect {
  Version version = Version::v311;
  bool clean = false;  ///< clean session (3.1.1), clean start (5)
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id;
  std::optional<std::string_view> user;
  std::optional<std::string_view> password;
  std::optional<Will> will;
  Properties properties;
};

struct Publish {
  bool duplicate = false;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::string_view topic;  ///< empty only with a topic alias
  std::uint16_t packet_id = 0;
  std::string_view payload;
  Properties properties;
};

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct Acknowledge {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
};

struct Subscription {
  std::string_view filter;
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
};

struct Subscribe {
  std::uint16_t packet_id = 0;
  std::vector<Subscription> subscriptions;  ///< at least one
  Properties properties;
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  std::vector<std::string_view> filters;  ///< at least one
};

struct Disconnect {
  Reason reason = Reason::success;
  Properties properties;
};

}  // namespace iotstream::mqtt
