// A message on its way to the gate.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <iotstream/ingest/gate.hpp>

#include "mqtt/packet.hpp"

namespace iotstream::mqtt {

struct Message {
  std::size_t at = 0;  ///< of its packet in what is being processed
  Qos qos = Qos::at_most_once;
  std::uint16_t packet_id = 0;
  std::uint64_t delivery = 0;  ///< QoS 2
  ingest::Submission submission;
  bool addressed = true;  ///< else its topic means no dataset
};

/// The messages of one read. One for all connections: they are processed one after the other, and an idle one keeps nothing.
struct Batching {
  std::vector<Message> messages;
  std::deque<std::string> texts;  ///< that the submissions view
  void clear() {
    messages.clear();
    texts.clear();
  }
};

}  // namespace iotstream::mqtt
