// How a reading gets from a simulated device to ingest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>
#include <iotstream/ingest/gate.hpp>

namespace iotstream::sim {

/// What became of one reading.
enum class Verdict : unsigned char {
  acknowledged,
  refused,  ///< busy, full, not there: the same reading may be sent again
  dropped,  ///< trying again cannot mend it
};
/// `problem` is empty when acknowledged.
using Answered = std::function<void(Verdict verdict, std::string problem)>;

/// Whether the device's next reading may follow at once.
enum class Sent : unsigned char {
  placed,   ///< its place in the order is certain: a refusal would have been answered already
  waiting,  ///< only the answer tells
};

class Transport {
 public:
  virtual ~Transport() = default;
  /// Sends one wire reading (JSON) of the device `lane`. `answered` is called exactly once, on any thread, perhaps before this
  /// returns. Never waits for the answer.
  virtual Sent send(std::uint64_t lane, std::string body, Answered answered) = 0;
  /// Nothing is sent any more, and no answer comes after it has returned. Idempotent.
  virtual void stop() = 0;
};

/// POST /search/results over keep-alive connections to `url`. Errors: those of net::AsyncClient.
Result<std::unique_ptr<Transport>> http_transport(const std::string& url, const std::string& token);
/// Straight to the gate, which outlives it.
std::unique_ptr<Transport> inproc_transport(ingest::Gate& gate);

}  // namespace iotstream::sim
