// One connection of a stream server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/net/stream.hpp>

#include "net/transport.hpp"

namespace iotstream::net {

/// What all connections of a stream server share.
struct StreamShared {
  StreamOptions options;
  StreamServer::Accept accept;
  metrics::Counter& bytes_in;
  metrics::Counter& bytes_out;
};

/// A reader and a writer on the loop's thread. An idle one holds no buffer.
class StreamSession final : public Stream, public Watched {
 public:
  StreamSession(std::shared_ptr<Loop> loop, std::shared_ptr<StreamShared> shared, std::unique_ptr<Transport> transport,
                std::string remote)
      : loop_(std::move(loop)), shared_(std::move(shared)), transport_(std::move(transport)), remote_(std::move(remote)) {}

  /// Serves until the connection has ended.
  Task<void> run();

  void send(std::string_view bytes) override;
  void send(std::shared_ptr<const std::string> bytes) override;
  std::size_t queued_bytes() const override { return queued_bytes_; }
  void pause(bool paused) override;
  void close() override;
  void drop() override;
  void set_alarm(Duration after) override;
  const std::string& remote() const override { return remote_; }

  void expired() override;
  void stop(bool at_once) override;

 private:
  /// Own bytes, or shared ones.
  struct Chunk {
    std::string own;
    std::shared_ptr<const std::string> shared;
    std::string_view bytes() const { return shared ? std::string_view(*shared) : std::string_view(own); }
  };

  std::shared_ptr<StreamSession> self() { return std::static_pointer_cast<StreamSession>(shared_from_this()); }
  Task<void> serve();
  Task<void> read();
  Task<bool> wait_while_paused();
  static Task<void> write(std::shared_ptr<StreamSession> session);
  Task<bool> write_pending();
  void wake_writer();
  void move_deadline();

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<StreamShared> shared_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<StreamHandler> handler_;
  std::string remote_;

  std::vector<Chunk> queue_;
  std::vector<Chunk> writing_;
  std::size_t queued_bytes_ = 0;
  Signal wake_;
  Signal resume_;
  Signal writer_ended_;
  bool wake_posted_ = false;
  bool paused_ = false;
  bool closing_ = false;   ///< nothing more is taken from the handler, nor given to it
  bool finished_ = false;  ///< our side has ended
  bool broken_ = false;
  bool reader_ended_ = false;
  bool writer_running_ = false;
  SteadyTime alarm_ = never;
  SteadyTime write_stuck_ = never;
  SteadyTime end_late_ = never;  ///< of the handshake, or of the lingering end
};

}  // namespace iotstream::net
