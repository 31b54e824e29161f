// A BodySink on the worker pool, fed from a loop.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <iotstream/net/body_sink.hpp>
#include <iotstream/os/worker_pool.hpp>

#include "net/loop.hpp"

namespace iotstream::net {

/// The sink takes one piece while the next is being received; more than these two never exist. The loop's thread, except for
/// what runs on a worker.
class BodyIntake : public std::enable_shared_from_this<BodyIntake> {
 public:
  BodyIntake(std::shared_ptr<Loop> loop, os::WorkerPool& workers, std::unique_ptr<BodySink> sink)
      : loop_(std::move(loop)), workers_(workers), sink_(std::move(sink)) {}

  enum class Outcome : unsigned char {
    taken,     ///< go on
    enough,    ///< the sink wants no more: finish() comes next
    gone,      ///< leave() was called
    too_busy,  ///< no worker could be had for ten seconds
  };
  /// Waits until the sink has taken what it was given before, then gives it `piece`, which is left empty.
  Task<Outcome> give(std::string& piece);
  /// Waits until the sink has taken all, then lets it answer.
  Task<Outcome> finish(const Respond& respond);
  /// The client is gone, or has its answer: the sink dies, after its call if that is running. Idempotent.
  void leave();

 private:
  using Call = std::function<bool(BodySink&)>;
  Task<Outcome> settled();
  Task<Outcome> start(const Call& call);
  bool submit(const Call& call);
  void run(const Call& call);

  std::shared_ptr<Loop> loop_;
  os::WorkerPool& workers_;

  std::mutex mutex_;  ///< guards from here …
  std::shared_ptr<BodySink> sink_;
  bool running_ = false;
  bool enough_ = false;
  bool left_ = false;
  bool failed_ = false;  ///< the sink threw; … to here

  // The loop's thread only.
  Signal changed_;
  bool lost_ = false;  ///< a piece found no worker: the sink never sees the whole
};

}  // namespace iotstream::net
