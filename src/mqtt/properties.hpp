// Properties of MQTT 5: which may stand where, and how often.
#pragma once

#include "mqtt/decode.hpp"
#include "mqtt/packet.hpp"
#include "mqtt/wire.hpp"

namespace iotstream::mqtt {

/// Where properties stand, as a set of bits.
enum class PropertyPlace : unsigned char {
  connect = 1,
  will = 2,
  publish = 4,
  acknowledge = 8,
  subscribe = 16,
  unsubscribe = 32,
  disconnect = 64
};

/// Reads a property length and its properties. Each may stand once, but user properties.
Decoded read_properties(Reader& reader, PropertyPlace place, Properties& properties);

}  // namespace iotstream::mqtt
