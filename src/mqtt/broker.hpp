// What the connections share: sessions by client, wills that wait, the ledger, limits, metrics. The server's thread only.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

#include "mqtt/fanout.hpp"
#include "mqtt/ledger.hpp"
#include "mqtt/message.hpp"
#include "mqtt/session.hpp"

namespace iotstream::mqtt {

struct Limits {
  Duration connect_timeout = Duration::seconds(10);  ///< to the whole of CONNECT
  Duration patience = Duration::milliseconds(250);   ///< how long a full log holds a sender before it is told, or QoS 0 dropped
  Duration retry = Duration::milliseconds(5);        ///< between two tries meanwhile
  std::size_t unacknowledged_max = 20'000;           ///< messages of a connection that wait for the disk; it is not read above
  std::size_t window_max = 1'000;                    ///< messages with QoS 1 on their way to a client
  std::size_t filters_max = 100;                     ///< of a session
  std::size_t received_max = 1'000'000;              ///< QoS 2 messages between PUBLISH and PUBREL, of all sessions
  std::size_t output_max = 256u << 10;               ///< bytes queued for a client before its portions wait
  std::uint64_t lag_max = 100'000;                   ///< see Fanout
};

struct Metrics {
  explicit Metrics(metrics::Table& table);
  void refused(std::string_view reason);  ///< a connection

  metrics::Gauge& connections;
  metrics::Gauge& sessions;
  std::array<metrics::Counter*, 3> published{};  ///< by QoS
  std::array<metrics::Counter*, 2> delivered{};  ///< by QoS
  metrics::Counter& acknowledged;
  metrics::Counter& dropped;
  metrics::Counter& repeated;
  metrics::Counter& taken_over;
  metrics::Counter& wills;

 private:
  metrics::Table& table_;
};

class Broker {
 public:
  using Post = std::function<void(std::function<void()>)>;
  using PostAfter = std::function<void(Duration, std::function<void()>)>;
  struct Needs {
    const config::Mqtt& config;
    std::string token;  ///< empty: none is asked
    log::Log& log;
    ingest::Gate& gate;
    os::Clock& clock;
    Fanout& fanout;
    Ledger& ledger;
    Metrics& metrics;
    Post post;
    PostAfter post_after;
    Limits limits;
  };
  /// `sessions`: as the ledger has restored them.
  Broker(Needs needs, Sessions sessions);

  const Needs& needs() const { return needs_; }
  const Limits& limits() const { return needs_.limits; }
  Metrics& metrics() { return needs_.metrics; }
  os::Clock& clock() { return needs_.clock; }
  Ledger& ledger() { return needs_.ledger; }
  Fanout& fanout() { return needs_.fanout; }

  bool admits(std::string_view password) const;
  /// The session of a client, of its last connection or new. `present`: it is an old one. Takes it over from another
  /// connection. nullptr: there are too many.
  std::shared_ptr<Session> attach(const std::string& client, bool clean, std::uint32_t expiry_s, bool& present);
  /// Its connection has ended: it stays or goes.
  void detach(const std::shared_ptr<Session>& session);
  void save(Session& session);
  std::string new_client_id();
  ReaderId next_reader() { return ++last_reader_; }

  /// Takes a will's message like a published one.
  void publish(std::string_view topic, std::string_view payload);
  /// Fills in a message's submission; `made` holds its text where it was made.
  void address(Message& message, std::string_view topic, std::string_view payload, std::string_view source,
               std::string& made) const;

  /// Once a second: wills and sessions that are due, the ledger.
  void tick();
  void close();
  Batching batching;
  std::size_t received_count = 0;  ///< see Limits::received_max
  /// Batches with QoS 2 messages that are not durable yet, by the time they were appended.
  std::multiset<std::int64_t> pending_us;
  const Sessions& sessions() const { return sessions_; }

 private:
  void end(Session& session);
  void give_will(Session& session);

  Needs needs_;
  Sessions sessions_;
  ReaderId last_reader_ = 0;
  std::uint64_t last_client_ = 0;
};

}  // namespace iotstream::mqtt
