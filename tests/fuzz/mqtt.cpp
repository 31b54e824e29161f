// MQTT packets of both versions.
#include "fuzz/mqtt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  iotstream::test::mqtt_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
