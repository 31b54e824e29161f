// What is remembered of a client between its packets, and when it wants that, between its connections.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/log/log.hpp>

#include "mqtt/packet.hpp"

namespace iotstream::mqtt {

/// A partition of a dataset's topic.
struct Place {
  log::Topic* topic = nullptr;
  std::uint32_t partition = 0;
  bool operator==(const Place&) const = default;
};
struct PlaceHash {
  std::size_t operator()(const Place& place) const { return std::hash<const void*>()(place.topic) * 31 + place.partition; }
};
/// The next offset to be told, of every partition that a client reads.
using Positions = std::unordered_map<Place, Offset, PlaceHash>;

struct Filter {
  std::string text;
  Qos qos = Qos::at_most_once;
  std::uint32_t id = 0;  ///< subscription identifier; 0: none
};
using Filters = std::vector<Filter>;

/// A PUBLISH with QoS 2 on its way in.
struct Received {
  enum class State : unsigned char {
    pending,    ///< appended, not yet durable: no PUBREC yet
    taken,      ///< durable, or refused for good: PUBREC was sent
    doubtful,   ///< found in the log after a restart: `known` of its readings are there
    releasing,  ///< PUBREL came; its release is not yet durable
  };
  std::uint64_t delivery = 0;
  State state = State::pending;
  std::vector<std::uint32_t> known;
};

/// Messages with QoS 1 that the client has not acknowledged, in order of sending; their packet identifiers are consecutive.
class Window {
 public:
  struct Entry {
    Place place;
    Offset offset;
    bool acknowledged = false;
  };
  std::size_t size() const { return entries_.size() - head_; }
  /// The packet identifier of a new message. At most 65,000 at a time.
  std::uint16_t push(Place place, Offset offset);
  /// False when there is no such message.
  bool acknowledge(std::uint16_t packet_id);
  /// The identifier of a message that is unacknowledged.
  std::optional<std::uint16_t> find(Place place, Offset offset) const;
  /// Lowers every position to the first unacknowledged message there.
  void hold_back(Positions& positions) const;

 private:
  std::vector<Entry> entries_;  ///< from head_ on
  std::size_t head_ = 0;
  std::uint16_t first_ = 1;  ///< identifier of entries_[head_], or the next one
};

struct PendingWill {
  std::string topic;
  std::string payload;
  std::uint32_t delay_s = 0;
};

class Connection;

/// The server's thread only.
struct Session {
  std::string client;
  bool persistent = false;  ///< outlives its connection
  std::uint32_t expiry_s = 0;
  Timestamp ended;  ///< when its last connection ended; 0 while connected
  std::shared_ptr<const Filters> filters = std::make_shared<const Filters>();
  Positions positions;  ///< all before is sent
  /// After a reconnection: up to there everything was sent before; what of it was not acknowledged is sent again.
  Positions resent_until;
  Window window;
  std::map<std::uint16_t, Received> received;
  std::optional<PendingWill> will;  ///< waits for its delay
  Timestamp will_due;
  Connection* connection = nullptr;
  bool dirty = false;  ///< its saved form is behind
};

}  // namespace iotstream::mqtt
