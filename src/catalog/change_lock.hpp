// A mutex that is fair to whoever waits.
#pragma once

#include <mutex>

namespace iotstream::catalog {

/// Taken in the order of asking, nearly: a long import that lets go for a moment lets those pass who wait. With a plain mutex
/// it would take it again before any of them woke up.
class ChangeLock {
 public:
  void lock() {
    const std::lock_guard waiting(next_);
    turn_.lock();
  }
  void unlock() { turn_.unlock(); }

 private:
  std::mutex next_;  ///< held by the one who gets the turn next; taken before turn_
  std::mutex turn_;
};

}  // namespace iotstream::catalog
