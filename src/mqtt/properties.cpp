#include "mqtt/properties.hpp"

#include <algorithm>
#include <array>

namespace iotstream::mqtt {
namespace {

constexpr unsigned connect = 1, will = 2, publish = 4, acknowledge = 8, subscribe = 16, unsubscribe = 32, disconnect = 64;

enum class Kind : unsigned char { byte, two, four, variable, text, binary, pair };

struct Rule {
  std::uint8_t id;
  Kind kind;
  unsigned places;
};

/// What a client may send (MQTT 5, table 2-4); properties that only servers send are in no place.
constexpr std::array rules{
    Rule{0x01, Kind::byte, publish | will},
    Rule{0x02, Kind::four, publish | will},
    Rule{0x03, Kind::text, publish | will},
    Rule{0x08, Kind::text, publish | will},
    Rule{0x09, Kind::binary, publish | will},
    Rule{0x0B, Kind::variable, subscribe},
    Rule{0x11, Kind::four, connect | disconnect},
    Rule{0x15, Kind::text, connect},
    Rule{0x16, Kind::binary, connect},
    Rule{0x17, Kind::byte, connect},
    Rule{0x18, Kind::four, will},
    Rule{0x19, Kind::byte, connect},
    Rule{0x1F, Kind::text, acknowledge | disconnect},
    Rule{0x21, Kind::two, connect},
    Rule{0x22, Kind::two, connect},
    Rule{0x23, Kind::two, publish},
    Rule{0x26, Kind::pair, connect | will | publish | acknowledge | subscribe | unsubscribe | disconnect},
    Rule{0x27, Kind::four, connect},
};

struct Read {
  std::uint32_t number = 0;
  std::string_view text;
};

Read read_value(Reader& reader, Kind kind) {
  Read read;
  switch (kind) {
    case Kind::byte:
      read.number = reader.byte();
      break;
    case Kind::two:
      read.number = reader.two();
      break;
    case Kind::four:
      read.number = reader.four();
      break;
    case Kind::variable:
      read.number = reader.variable();
      break;
    case Kind::text:
      read.text = reader.text();
      break;
    case Kind::binary:
      read.text = reader.binary();
      break;
    case Kind::pair:
      reader.text();
      read.text = reader.text();
      break;
  }
  return read;
}

/// Keeps a value; why it may not be that.
Decoded keep(std::uint8_t id, const Read& read, Properties& into) {
  const auto wrong = [](std::string_view detail) { return Malformed{Reason::protocol_error, detail}; };
  switch (id) {
    case 0x01:
      if (read.number > 1) return wrong("a payload format indicator is 0 or 1");
      into.payload_format = static_cast<std::uint8_t>(read.number);
      break;
    case 0x02:
      into.message_expiry_s = read.number;
      break;
    case 0x03:
      into.content_type = read.text;
      break;
    case 0x08:
      if (read.text.empty() || read.text.find_first_of("+#") != std::string_view::npos)
        return wrong("a response topic is a topic name without wildcards");
      into.response_topic = read.text;
      break;
    case 0x09:
      into.correlation_data = read.text;
      break;
    case 0x0B:
      if (read.number == 0) return wrong("a subscription identifier is not 0");
      into.subscription_ids.push_back(read.number);
      break;
    case 0x11:
      into.session_expiry_s = read.number;
      break;
    case 0x15:
      into.authentication_method = read.text;
      break;
    case 0x17:
    case 0x19:
      if (read.number > 1) return wrong("request information is 0 or 1");
      break;
    case 0x18:
      into.will_delay_s = read.number;
      break;
    case 0x21:
      if (read.number == 0) return wrong("a receive maximum is not 0");
      into.receive_maximum = static_cast<std::uint16_t>(read.number);
      break;
    case 0x22:
      into.topic_alias_maximum = static_cast<std::uint16_t>(read.number);
      break;
    case 0x23:
      into.topic_alias = static_cast<std::uint16_t>(read.number);
      break;
    case 0x27:
      if (read.number == 0) return wrong("a maximum packet size is not 0");
      into.packet_size_max = read.number;
      break;
    default:
      break;  // reason strings, user properties, authentication data: nothing here depends on them
  }
  return std::nullopt;
}

}  // namespace

Decoded read_properties(Reader& reader, PropertyPlace place, Properties& properties) {
  const std::uint32_t length = reader.variable();
  Reader inside(reader.take(length));
  if (!reader.ok()) return Malformed{Reason::malformed, "the properties are cut short"};
  std::uint64_t seen = 0;
  while (!inside.empty()) {
    const std::uint8_t id = inside.byte();
    const auto rule = std::find_if(rules.begin(), rules.end(), [id](const Rule& one) { return one.id == id; });
    if (rule == rules.end() || (rule->places & static_cast<unsigned>(place)) == 0)
      return Malformed{Reason::protocol_error, "a property stands where it may not"};
    const std::uint64_t bit = std::uint64_t{1} << id;
    if (rule->kind != Kind::pair && (seen & bit) != 0) return Malformed{Reason::protocol_error, "a property stands twice"};
    seen |= bit;
    const Read read = read_value(inside, rule->kind);
    if (!inside.ok()) return Malformed{Reason::malformed, "a property is malformed"};
    if (Decoded wrong = keep(id, read, properties)) return wrong;
  }
  if ((seen & (std::uint64_t{1} << 0x16)) != 0 && (seen & (std::uint64_t{1} << 0x15)) == 0)
    return Malformed{Reason::protocol_error, "authentication data needs an authentication method"};
  return std::nullopt;
}

}  // namespace iotstream::mqtt
