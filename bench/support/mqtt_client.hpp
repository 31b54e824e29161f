// The least MQTT 3.1.1 that a publisher and a subscriber need to be faster than any server: packets made before the clock runs,
// many in one write, many acknowledged in one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

class MqttClient {
 public:
  static Result<std::unique_ptr<MqttClient>> connect(std::uint16_t port, const std::string& client);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  Status subscribe(const std::string& filter, unsigned qos);
  /// Sends `count` messages, `topics` in turn, all with `payload`; with QoS 1 at most `window` unacknowledged. Returns when all
  /// are acknowledged.
  Status publish(const std::vector<std::string>& topics, std::string_view payload, unsigned qos, std::uint64_t count,
                 std::uint64_t window);
  /// Reads and acknowledges until `count` messages have come, or none has for `patience_ms`; how many came.
  Result<std::uint64_t> receive(std::uint64_t count, int patience_ms);

 private:
  explicit MqttClient(int descriptor) : descriptor_(descriptor) {}
  Status write(std::string_view bytes);
  /// Calls `packet` for every whole packet that has come; waits for one at most `wait_ms` (-1: as long as it takes). False at
  /// the end or when nothing came.
  bool read(int wait_ms, const std::function<void(unsigned head, std::string_view body)>& packet);

  int descriptor_ = -1;
  std::string input_;
};

}  // namespace iotstream::bench
