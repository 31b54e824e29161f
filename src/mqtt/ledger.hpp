// What must survive a restart, in the internal topic `_mqtt`: sessions, and which QoS 2 messages have been received.
//
// A QoS 2 message is remembered by its own row: the row carries a token (client, packet identifier, delivery number), so that
// message and memory are one record and cannot be torn apart by a crash. A release (PUBREL) is a record here. So that a start
// need not read every dataset from its beginning, the ledger holds marks: the offsets below which no token matters, and the
// messages that were unreleased then. While no QoS 2 message has come since the last mark it is closed, and a start scans
// nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/log/log.hpp>
#include <iotstream/os/clock.hpp>

#include "mqtt/session.hpp"

namespace iotstream::mqtt {

using Sessions = std::map<std::string, std::shared_ptr<Session>, std::less<>>;

/// The token of a row: Submission::token. `client` has at most 200 bytes.
std::string make_token(std::string_view client, std::uint64_t delivery, std::uint16_t packet_id);
struct Token {
  std::string_view client;
  std::uint64_t delivery = 0;
  std::uint16_t packet_id = 0;
  std::uint32_t reading = 0;
};
/// As it stands in a row, the reading's number behind it.
std::optional<Token> read_token(std::string_view token);

/// One thread, but for callbacks: they come on a thread of the log, or at once.
class Ledger {
 public:
  /// Replays `_mqtt` into `sessions` and, when the last mark is open, reads the datasets from there. Errors: those of the log.
  static Result<std::unique_ptr<Ledger>> open(log::Log& log, os::Clock& clock, Sessions& sessions);

  /// False when the log did not take it just now.
  bool save(const Session& session);
  bool forget(std::string_view client);
  /// `done` when the release is durable.
  bool release(std::string_view client, std::uint16_t packet_id, std::uint64_t delivery, std::function<void(Status)> done);

  std::uint64_t next_delivery() { return ++last_delivery_; }
  /// Whether QoS 2 messages may be appended: the mark is open, durably.
  bool ready() const { return ready_; }
  /// Opens the mark. `done` when it is durable; the caller then calls set_ready() on its own thread.
  bool open_mark(std::function<void(Status)> done);
  void set_ready() { ready_ = true; }
  /// Every now and then: a new mark while QoS 2 messages come, a closed one when none has come for a while, a copy of
  /// everything when the topic has grown. `pending_since`: when the oldest message that is still pending was appended; nothing
  /// when none is.
  void tick(const Sessions& sessions, std::optional<Timestamp> pending_since);
  void used() { used_ = true; }
  /// At the end: closes the mark. Waits for nothing.
  void close(const Sessions& sessions, bool pending);

 private:
  Ledger(log::Log& log, os::Clock& clock, log::Partition& partition);
  std::optional<Offset> append(std::string_view key, const std::string& record);
  Status replay(Sessions& sessions);
  bool write_mark(const Sessions& sessions, bool open, const std::string& watermarks);
  void copy_all(const Sessions& sessions);
  std::string watermarks();

  struct Replay;
  log::Log& log_;
  os::Clock& clock_;
  log::Partition& partition_;
  std::uint64_t last_delivery_;
  std::uint64_t mark_ = 0;
  bool ready_ = false;
  bool used_ = false;  ///< a QoS 2 message came since the last mark
  unsigned unused_ticks_ = 0;
  Timestamp last_mark_;
  std::string earlier_watermarks_;  ///< of the tick before
  Timestamp earlier_time_;
  std::uint64_t bytes_since_copy_ = 0;
  std::uint64_t copy_size_ = 0;
  Offset last_appended_;
  std::optional<std::pair<Offset, Offset>> copied_;  ///< first and last record of a copy that is not known to be durable
};

}  // namespace iotstream::mqtt
