// One client's connection: packets in, packets out. The server's thread only, but for acknowledgements, which are posted there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/net/stream.hpp>

#include "mqtt/broker.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/wire.hpp"

namespace iotstream::mqtt {

class Connection final : public net::StreamHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(net::Stream& stream, std::shared_ptr<Broker> broker);

  void received(std::string_view bytes) override;
  void drained() override;
  void alarm() override;
  void stopping() override;
  void closed() override;

  /// Its client has connected anew.
  void taken_over();

  struct Status {
    std::string client;
    std::string remote;
    Version version = Version::v311;
    std::size_t filters = 0;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
  };
  Status status() const;

 private:
  enum class State : unsigned char { awaiting_connect, connected, ended };
  /// Why nothing is read: a set of bits.
  enum Hold : unsigned { hold_log = 1, hold_unacknowledged = 2, hold_ledger = 4 };

  struct Answer {
    Type type = Type::puback;
    std::uint16_t packet_id = 0;
    Reason reason = Reason::success;
    std::uint64_t delivery = 0;  ///< QoS 2, when the session remembers it
  };
  /// Answers that are due when what was appended is durable.
  struct Batch {
    std::vector<Answer> answers;
    std::shared_ptr<Session> session;
    std::int64_t pending_us = 0;  ///< in Broker::pending_us; 0: no QoS 2 in it
    bool done = false;
    bool failed = false;
  };

  // connection.cpp
  void process();
  std::size_t process(std::string_view bytes);
  bool take(const Frame& frame, std::size_t at);
  void take_connect(const Frame& frame);
  bool refuse(const Connect& connect);
  void accept(const Connect& connect, const std::string& client, bool assigned);
  void take_disconnect(const Disconnect& disconnect);
  void fail(const Malformed& malformed);
  void end(Reason reason, std::string_view detail, bool with_will);
  void detach();
  void hold(Hold why, bool held);
  void set_alarm();

  // publishing.cpp
  bool take_publish(const Frame& frame, std::size_t at);
  bool resolve_alias(Publish& publish);
  bool take_exactly_once(const Publish& publish, Message& message);
  bool repeat(Received::State state, std::uint16_t packet_id);
  void await_ledger();
  void take_release(const Acknowledge& release);
  void finish_release(std::uint16_t packet_id, bool known);
  void flush_batch();
  std::size_t submit_batch();
  std::size_t answer_batch(const std::vector<Result<ingest::Outcome>>& outcomes, Batch& batch);
  bool put_off(const Message& message, const ingest::Outcome& outcome);
  void answer(const Message& message, const Result<ingest::Outcome>& outcome, Batch& batch);
  void give_up(const Message& message, Batch& batch);
  void send_batch(std::shared_ptr<Batch> batch);
  static void settle(Broker& broker, Batch& batch, bool ok);
  void flush_answers();
  void retry_later();

  // delivering.cpp
  void take_subscribe(const Subscribe& subscribe);
  void take_unsubscribe(const Unsubscribe& unsubscribe);
  void take_acknowledge(const Acknowledge& acknowledge);
  std::uint8_t grant(const Subscription& wanted, std::uint32_t id, Filters& filters);
  void use_filters(Filters filters);
  ReaderOptions reader_options();
  void start_reader();
  void deliver(Portion portion);
  void pump();
  bool send_portion(Portion& portion);
  bool send_event(const Portion& portion, const Portion::Pick& pick);
  std::size_t window_max() const;

  net::Stream& stream_;
  std::shared_ptr<Broker> broker_;
  State state_ = State::awaiting_connect;
  Version version_ = Version::v311;
  std::shared_ptr<Session> session_;
  std::uint16_t keep_alive_s_ = 0;
  std::uint16_t receive_maximum_ = 65'535;
  std::uint32_t peer_packet_size_max_ = 0;  ///< 0: no limit
  std::int64_t received_ns_ = 0;

  std::string input_;  ///< what could not be processed yet
  unsigned holds_ = 0;
  bool paused_ = false;
  std::size_t rewind_ = std::string_view::npos;  ///< the log was full: processing goes on from there later
  std::uint64_t retry_skip_ = 0;                 ///< readings of the first message then that were taken
  std::int64_t full_since_ns_ = 0;               ///< 0: the log takes what comes
  std::unordered_map<std::uint16_t, std::string> aliases_;
  std::vector<std::shared_ptr<Batch>> unanswered_;
  std::size_t unacknowledged_ = 0;

  ReaderId reader_ = 0;  ///< 0: subscribes to nothing
  std::shared_ptr<Share> share_;
  std::vector<Portion> portions_;
  std::size_t next_pick_ = 0;  ///< of portions_.front()
  std::uint64_t published_ = 0;
  std::uint64_t delivered_ = 0;
};

inline constexpr std::size_t client_id_max = 200;
inline constexpr std::uint16_t topic_aliases_max = 32;

}  // namespace iotstream::mqtt
