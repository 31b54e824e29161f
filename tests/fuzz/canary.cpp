// The canary of this alarm: a decoder that reads a byte behind a PUBLISH packet of three bytes. The fuzzer must find it.
#include <cstring>
#include <memory>

#include "fuzz/mqtt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace iotstream;
  const mqtt::Frame frame = mqtt::next_frame({reinterpret_cast<const char*>(data), size}, 1u << 20);
  if (frame.status != mqtt::Frame::Status::whole || mqtt::type_of(frame.head) != mqtt::Type::publish || frame.body.size() != 3)
    return 0;
  const auto copy = std::make_unique<char[]>(frame.body.size());
  std::memcpy(copy.get(), frame.body.data(), frame.body.size());
  const volatile char* const bytes = copy.get();
  return bytes[frame.body.size()] == 0 ? 0 : 0;
}
