// The thread that compacts. One pass after the other; parked without a timeout when nothing waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace iotstream::log {

class Compactor {
 public:
  /// `pass` looks at everything once and returns whether something waits for its time; on the thread. It ends early when its
  /// argument becomes true.
  explicit Compactor(std::function<bool(const std::atomic<bool>& stopping)> pass) : pass_(std::move(pass)) {}
  ~Compactor() { stop(); }

  /// Any thread: there may be work. The first call starts the thread.
  void wake();
  /// Ends the pass under way, joins. Idempotent; nothing starts afterwards.
  void stop();

 private:
  void run();

  std::function<bool(const std::atomic<bool>&)> pass_;
  std::atomic<bool> stopping_{false};  ///< relaxed where it only ends a pass early; else under mutex_
  std::mutex mutex_;
  std::condition_variable woken_;
  bool work_ = false;
  std::thread thread_;
};

}  // namespace iotstream::log
