// The hand-over to the hub's thread.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

#include <concurrentqueue/concurrentqueue.h>

#include <iotstream/live/hub.hpp>
#include <iotstream/log/log.hpp>

namespace iotstream::live {

/// Bytes of control messages of one viewer that wait for the hub; a viewer above it is dropped.
inline constexpr std::size_t inbox_bytes_max = 1u << 20;

/// A viewer as other threads see it. Its messages lie here, in order, because the queue between threads keeps the order of
/// each producer only, and a socket is served by one thread after another.
struct Door {
  Door(ViewerId viewer, ViewerSink viewer_sink, bool wants_json, std::string from)
      : id(viewer), sink(std::move(viewer_sink)), json(wants_json), remote(std::move(from)) {}
  const ViewerId id;
  const ViewerSink sink;
  const bool json;
  const std::string remote;

  std::mutex mutex;
  std::deque<std::string> inbox;  ///< guarded by mutex
  std::size_t inbox_bytes = 0;    ///< guarded by mutex
  bool flooded = false;           ///< guarded by mutex
  bool closed = false;            ///< guarded by mutex

  // Relaxed: statistics, read by viewers().
  std::atomic<std::uint64_t> subscriptions{0};
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> merged{0};
};

struct BackfillJob;

/// Something changed behind a door, or a back-fill is done.
using Command = std::variant<std::shared_ptr<Door>, std::shared_ptr<BackfillJob>>;

/// Shared by the hub and the back-fills under way, which may end after it.
class Mailbox {
 public:
  void post(Command command) {
    queue_.enqueue(std::move(command));
    wake();
  }
  bool take(Command& command) { return queue_.try_dequeue(command); }
  void wake() {
    commands.notify();
    arrivals.notify();
  }

  log::Signal arrivals;  ///< notified for records and commands
  log::Signal commands;  ///< notified for commands alone: the hub waits on it while records could not be sent yet

 private:
  moodycamel::ConcurrentQueue<Command> queue_;
};

}  // namespace iotstream::live
