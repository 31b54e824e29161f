// Bodies of packets → values, with every check that the standards ask of a server. Pure: no state, no I/O.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/packet.hpp"

namespace iotstream::mqtt {

/// Why a packet is not taken: the connection ends with it.
struct Malformed {
  Reason reason = Reason::malformed;
  std::string_view detail;  ///< one sentence, static
};
using Decoded = std::optional<Malformed>;  ///< nothing: decoded

/// `head`: the packet's first byte. A version other than 3.1.1 and 5 is unsupported_version.
Decoded decode(std::uint8_t head, std::string_view body, Connect& packet);
Decoded decode(std::uint8_t head, std::string_view body, Version version, Publish& packet);
Decoded decode(std::uint8_t head, std::string_view body, Version version, Acknowledge& packet);
Decoded decode(std::uint8_t head, std::string_view body, Version version, Subscribe& packet);
Decoded decode(std::uint8_t head, std::string_view body, Version version, Unsubscribe& packet);
Decoded decode(std::uint8_t head, std::string_view body, Version version, Disconnect& packet);
/// PINGREQ: nothing in it.
Decoded decode_ping(std::uint8_t head, std::string_view body);

inline Type type_of(std::uint8_t head) { return static_cast<Type>(head >> 4); }

}  // namespace iotstream::mqtt
