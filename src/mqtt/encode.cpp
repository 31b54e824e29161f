#include "mqtt/encode.hpp"

#include "mqtt/wire.hpp"

namespace iotstream::mqtt {
namespace {

std::uint8_t head_of(Type type, unsigned flags = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

std::size_t variable_size(std::size_t number) { return number < 128 ? 1 : number < 16'384 ? 2 : number < 2'097'152 ? 3 : 4; }

/// Appends a packet whose body is `body`.
void append_packet(std::string& out, std::uint8_t head, std::string_view body) {
  append_head(out, head, body.size());
  out += body;
}

void append_byte_property(std::string& out, std::uint8_t id, std::uint8_t value) {
  out += static_cast<char>(id);
  out += static_cast<char>(value);
}

void append_text_property(std::string& out, std::uint8_t id, std::string_view text) {
  out += static_cast<char>(id);
  append_text(out, text);
}

void append_properties(std::string& body, std::string_view properties) {
  append_variable(body, static_cast<std::uint32_t>(properties.size()));
  body += properties;
}

std::uint8_t code_311(Reason reason) {
  switch (reason) {
    case Reason::unsupported_version:
      return 1;
    case Reason::client_id_not_valid:
      return 2;
    case Reason::bad_login:
      return 4;
    case Reason::not_authorized:
    case Reason::bad_authentication_method:
      return 5;
    default:
      return 3;
  }
}

std::size_t ids_size(std::span<const std::uint32_t> ids) {
  std::size_t size = 0;
  for (const std::uint32_t id : ids) size += 1 + variable_size(id);
  return size;
}

std::size_t publish_body_size(Version version, const Delivery& delivery) {
  const std::size_t properties = version == Version::v5 ? ids_size(delivery.subscription_ids) : 0;
  return 2 + delivery.topic.size() + (delivery.qos == Qos::at_most_once ? 0 : 2) +
         (version == Version::v5 ? variable_size(properties) + properties : 0) + delivery.payload.size();
}

}  // namespace

void append_connack(std::string& out, Version version, bool session_present, const ServerLimits& limits) {
  std::string body;
  body += session_present ? '\1' : '\0';
  body += '\0';
  if (version == Version::v5) {
    std::string properties;
    append_byte_property(properties, 0x25, 0);  // retained messages: none are kept
    append_byte_property(properties, 0x2A, 0);  // shared subscriptions: not available
    properties += '\x27';
    append_four(properties, limits.packet_size_max);
    properties += '\x22';
    append_two(properties, limits.topic_alias_maximum);
    if (!limits.assigned_client_id.empty()) append_text_property(properties, 0x12, limits.assigned_client_id);
    if (limits.session_expiry_changed) {
      properties += '\x11';
      append_four(properties, limits.session_expiry_s);
    }
    append_properties(body, properties);
  }
  append_packet(out, head_of(Type::connack), body);
}

void append_connack_refusal(std::string& out, Version version, Reason reason, std::string_view detail) {
  std::string body(1, '\0');
  if (version == Version::v5) {
    body += static_cast<char>(reason);
    std::string properties;
    if (!detail.empty()) append_text_property(properties, 0x1F, detail);
    append_properties(body, properties);
  } else {
    body += static_cast<char>(code_311(reason));
  }
  append_packet(out, head_of(Type::connack), body);
}

void append_acknowledge(std::string& out, Version version, Type type, std::uint16_t packet_id, Reason reason) {
  const bool told = version == Version::v5 && reason != Reason::success;
  append_head(out, head_of(type, type == Type::pubrel ? 2 : 0), told ? 3 : 2);
  append_two(out, packet_id);
  if (told) out += static_cast<char>(reason);
}

void append_suback(std::string& out, Version version, std::uint16_t packet_id, std::span<const std::uint8_t> codes) {
  std::string body;
  append_two(body, packet_id);
  if (version == Version::v5) body += '\0';
  for (const std::uint8_t code : codes) body += static_cast<char>(version == Version::v5 || code < 0x80 ? code : 0x80);
  append_packet(out, head_of(Type::suback), body);
}

void append_unsuback(std::string& out, Version version, std::uint16_t packet_id, std::span<const Reason> reasons) {
  std::string body;
  append_two(body, packet_id);
  if (version == Version::v5) {
    body += '\0';
    for (const Reason reason : reasons) body += static_cast<char>(reason);
  }
  append_packet(out, head_of(Type::unsuback), body);
}

void append_pingresp(std::string& out) { append_head(out, head_of(Type::pingresp), 0); }

void append_disconnect(std::string& out, Version version, Reason reason, std::string_view detail) {
  if (version != Version::v5) return;
  std::string body(1, static_cast<char>(reason));
  std::string properties;
  if (!detail.empty()) append_text_property(properties, 0x1F, detail);
  append_properties(body, properties);
  append_packet(out, head_of(Type::disconnect), body);
}

std::size_t publish_size(Version version, const Delivery& delivery) {
  const std::size_t body = publish_body_size(version, delivery);
  return 1 + variable_size(body) + body;
}

void append_publish(std::string& out, Version version, const Delivery& delivery) {
  const unsigned flags = (delivery.duplicate ? 8u : 0u) | static_cast<unsigned>(delivery.qos) << 1;
  append_head(out, head_of(Type::publish, flags), publish_body_size(version, delivery));
  append_text(out, delivery.topic);
  if (delivery.qos != Qos::at_most_once) append_two(out, delivery.packet_id);
  if (version == Version::v5) {
    append_variable(out, static_cast<std::uint32_t>(ids_size(delivery.subscription_ids)));
    for (const std::uint32_t id : delivery.subscription_ids) {
      out += '\x0B';
      append_variable(out, id);
    }
  }
  out += delivery.payload;
}

}  // namespace iotstream::mqtt
