// The server's side of one WebSocket after its upgrade.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/net/http.hpp>

#include "net/loop.hpp"
#include "net/server_state.hpp"
#include "net/transport.hpp"
#include "net/websocket_frame.hpp"

namespace iotstream::net {

/// send() from any thread puts a message into a queue bounded in bytes; a writer on the loop's thread takes all that is there
/// and sends it with as few system calls as it can. A reader on the same thread decodes and calls the events.
class WebSocketSession final : public WebSocket, public Watched {
 public:
  WebSocketSession(std::shared_ptr<Loop> loop, std::shared_ptr<ServerState> state)
      : loop_(std::move(loop)), state_(std::move(state)) {}

  SendResult send(std::shared_ptr<const std::string> message, bool binary) override;
  void close(std::uint16_t code, std::string_view reason) override;
  std::size_t queued_bytes() const override;

  /// What run() works on, set before it. `early`: bytes that came behind the upgrade request; `greeting`: what is still to be
  /// written before the first frame.
  struct Upgrade {
    std::unique_ptr<Transport> transport;
    WebSocketEvents events;
    std::string early;
    std::string greeting;
  };
  void begin(Upgrade upgrade) { upgrade_ = std::move(upgrade); }
  /// The upgrade did not come about: nothing is sent any more.
  void refuse() { mark_closed(); }

  /// Serves until the connection has ended; calls events.closed last. The loop's thread.
  Task<void> run();

  void expired() override;
  void stop(bool at_once) override;

 private:
  struct Message {
    std::shared_ptr<const std::string> bytes;
    bool binary = false;
  };
  struct Batch;

  std::shared_ptr<WebSocketSession> self() { return std::static_pointer_cast<WebSocketSession>(shared_from_this()); }
  Transport& transport() { return *upgrade_.transport; }

  Task<void> read();
  bool take(std::string_view bytes);
  bool take(const FrameDecoder::Item& item);
  void fail(std::uint16_t code, std::string_view reason);

  static Task<void> write(std::shared_ptr<WebSocketSession> session);
  Task<bool> write_pending();
  Task<bool> write_batch();
  Task<bool> write_bytes(const std::string& bytes);
  Task<bool> write_buffers(std::span<asio::const_buffer> buffers);
  std::string urgent_frames();

  bool enqueue_close(std::uint16_t code, std::string_view reason, bool drop_queue);
  void wake_writer();
  void mark_closed();
  void move_deadline();

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<ServerState> state_;
  Upgrade upgrade_;

  mutable std::mutex mutex_;  ///< guards from here …
  std::vector<Message> queue_;
  std::size_t queued_bytes_ = 0;  ///< waiting and being written
  bool wake_posted_ = false;
  bool closing_ = false;  ///< a close frame is due or sent: nothing more is taken
  bool closed_ = false;
  std::string close_frame_;  ///< … to here

  // The loop's thread only.
  std::vector<Message> writing_;
  Signal wake_;
  Signal writer_ended_;
  bool writer_running_ = false;
  bool reader_ended_ = false;
  bool close_sent_ = false;
  bool failed_ = false;  ///< the peer broke the protocol: its bytes are read, and not decoded
  bool wrote_ = false;   ///< something since the last drained()
  bool ping_due_ = false;
  std::optional<std::string> pong_due_;  ///< the latest ping's; earlier ones need no answer (RFC 6455 §5.5.3)
  SteadyTime last_received_{};
  SteadyTime last_ping_{};
  SteadyTime write_stuck_ = never;
  SteadyTime close_late_ = never;
};

}  // namespace iotstream::net
