// log → subscribers: one thread reads what is subscribed to, renders each event once, and hands it to all who asked for it.
//
// The log is the queue. Every reader has its own offsets; one that falls behind, or was away, reads on from there, and nothing
// is kept for it in memory but what it was just handed (at most about portion_bytes_max).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>

#include "mqtt/packet.hpp"
#include "mqtt/session.hpp"

namespace iotstream::mqtt {

/// Consecutive events of one partition, rendered. Immutable once handed out.
struct Rendered {
  struct Event {
    std::uint32_t at = 0;  ///< of its topic in `bytes`; the payload follows it
    std::uint32_t topic_size = 0;
    std::uint32_t payload_size = 0;
    Offset offset;
  };
  Place place;
  Offset next;  ///< one past the last
  std::string bytes;
  std::vector<Event> events;

  std::string_view topic(const Event& event) const { return {bytes.data() + event.at, event.topic_size}; }
  std::string_view device(const Event& event) const { return topic(event).substr(device_at); }
  std::string_view payload(const Event& event) const {
    return {bytes.data() + event.at + event.topic_size, event.payload_size};
  }
  std::size_t device_at = 0;  ///< within a topic
};

/// What one reader gets of it.
struct Portion {
  struct Pick {
    std::uint32_t event = 0;
    Qos qos = Qos::at_most_once;
    std::uint32_t ids = 0;  ///< index into `ids`
  };
  std::shared_ptr<const Rendered> rendered;
  std::shared_ptr<const std::string> packets;  ///< all events as packets with QoS 0, in place of picks
  std::vector<Pick> picks;
  std::vector<std::vector<std::uint32_t>> ids;  ///< sets of subscription identifiers
  std::size_t size = 0;                         ///< counted against the reader's share
};

/// What a reader holds and has not sent yet. Shared with its connection, which takes off what it has sent.
struct Share {
  std::atomic<std::size_t> bytes{0};  ///< relaxed: a bound, not a hand-over
};

using ReaderId = std::uint64_t;

struct ReaderOptions {
  Version version = Version::v311;
  bool to_durable = true;  ///< else to written: sooner, but what a crash takes back may have been told
  bool may_skip = false;   ///< QoS 0: one that is too far behind goes on at the end
  std::shared_ptr<const Filters> filters;
  Positions positions;  ///< of partitions that are not there: their beginning, since they are newer than the subscription
  std::shared_ptr<Share> share = std::make_shared<Share>();
  /// Called on the fan-out's thread: must not block.
  std::function<void(Portion)> take;
};

class Fanout {
 public:
  static constexpr std::size_t portion_bytes_max = 1u << 20;

  /// `log`, `schemas`, `metrics` outlive it. `lag_max`: records that a reader which may skip may be behind, of a partition.
  Fanout(log::Log& log, catalog::Schemas& schemas, metrics::Table& metrics, std::uint64_t lag_max);
  ~Fanout();

  // Any thread; never block.
  void add(ReaderId id, ReaderOptions options);
  void change(ReaderId id, ReaderOptions options);  ///< filters and options anew; positions that it has, stay
  void remove(ReaderId id);
  void wake() { signal_.notify(); }
  void stop();

 private:
  struct Plan;
  struct Reader;
  struct Head;

  void post(std::function<void()> command);
  void run();
  bool turn();
  bool serve(log::Topic& topic);
  bool serve(log::Topic& topic, std::uint32_t partition, const std::vector<Reader*>& readers);
  std::shared_ptr<const Rendered> render(const Place& place, const log::Batch& batch, Offset from);
  void hand_over(Reader& reader, const Plan& plan, const std::shared_ptr<const Rendered>& rendered, Head& head);
  const Plan& plan_of(Reader& reader, log::Topic& topic);
  void skip(Reader& reader, const Plan& plan, Offset& at, Offset end);

  log::Log& log_;
  catalog::Schemas& schemas_;
  std::uint64_t lag_max_;
  metrics::Counter& rendered_;
  metrics::Counter& skipped_;
  log::Signal signal_;
  std::mutex mutex_;  ///< guards commands_
  std::vector<std::function<void()>> commands_;
  std::map<ReaderId, std::unique_ptr<Reader>> readers_;  ///< the thread's
  std::atomic<bool> stopping_{false};                    ///< relaxed: the wake after it carries it
  std::thread thread_;
};

}  // namespace iotstream::mqtt
