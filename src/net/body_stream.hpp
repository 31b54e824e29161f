// A BodySource on the worker pool, its pieces on a loop.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <iotstream/net/http.hpp>
#include <iotstream/os/worker_pool.hpp>

#include "net/loop.hpp"

namespace iotstream::net {

/// Produces one piece ahead of the one that is being written, so that worker and socket work at the same time; two pieces are
/// the most that exist. While a source pauses there is a timer on the loop and nothing else.
class BodyStream : public std::enable_shared_from_this<BodyStream> {
 public:
  BodyStream(std::shared_ptr<Loop> loop, os::WorkerPool& workers, std::unique_ptr<BodySource> source)
      : loop_(std::move(loop)), workers_(workers), source_(std::move(source)) {}

  struct Piece {
    std::string bytes;
    bool last = false;
    std::optional<Error> error;
    Duration pause;  ///< before the next one
  };
  /// Waits for the next piece. The loop's thread; not after a last piece or an error.
  Task<Piece> next();
  /// The client is gone, or the answer is whole: the source dies, after its next() if that is running, on a worker where one
  /// can be had. Wakes next(). The loop's thread; idempotent.
  void leave();

 private:
  enum class State : unsigned char { idle, running, ready };

  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

  bool start();
  Task<void> rest();
  std::optional<Piece> take();
  void produce();

  std::shared_ptr<Loop> loop_;
  os::WorkerPool& workers_;

  std::mutex mutex_;  ///< guards from here …
  std::shared_ptr<BodySource> source_;
  State state_ = State::idle;
  bool left_ = false;
  Piece piece_;  ///< … to here

  // The loop's thread only.
  Signal changed_;
  SteadyTime rest_until_{};
  Timer* resting_ = nullptr;
};

}  // namespace iotstream::net
