// One socket thread: its io_context, its read buffer, the deadlines of what lives on it.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include "net/task.hpp"

namespace iotstream::net {

/// Something on a loop that may take too long. The loop's thread only.
class Watched : public std::enable_shared_from_this<Watched> {
 public:
  virtual ~Watched() = default;
  /// The deadline has passed: end what takes too long, or set a later deadline. Called again at every tick until one of both
  /// happened.
  virtual void expired() = 0;
  /// The loop is stopping. At once: drop the connection; else end it as soon as what runs has finished.
  virtual void stop(bool at_once) = 0;

  SteadyTime deadline = never;

 private:
  friend class Loop;
  std::size_t place_ = 0;  ///< in the loop's list
};

/// Deadlines are looked at in ticks, in place of a timer per connection: a timer's insertion and removal with every read and
/// write costs more than the reads and writes of small requests do. A deadline is met late by up to a tick.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  static constexpr std::size_t scratch_size = 64u << 10;

  Loop(std::string name, Duration tick) : name_(std::move(name)), tick_(tick) {}
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start();
  /// Lets the thread end once nothing is left to do on it, and joins. Later posts are dropped. Not from the loop's thread.
  void join();

  asio::io_context& io() { return io_; }
  bool here() { return io_.get_executor().running_in_this_thread(); }

  /// Runs `task` on the loop's thread; drops it when the loop has been joined. Any thread.
  template <class Task>
  void post(Task task) {
    const std::lock_guard lock(mutex_);
    if (!joined_) asio::post(io_, std::move(task));
  }

  /// What read() reads into: valid until the coroutine waits.
  std::array<char, scratch_size>& scratch() { return *scratch_; }

  void watch(const std::shared_ptr<Watched>& watched);
  void forget(Watched& watched);
  /// Tells everything watched to stop. The loop's thread.
  void stop_all(bool at_once);
  /// How many are watched. Any thread.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  void arm();
  void look();

  std::string name_;
  Duration tick_;
  asio::io_context io_{1};  ///< one thread runs it; others only post
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer_{
      io_.get_executor()};
  bool armed_ = false;
  std::unique_ptr<std::array<char, scratch_size>> scratch_ = std::make_unique<std::array<char, scratch_size>>();
  std::vector<std::shared_ptr<Watched>> watched_;
  std::atomic<std::size_t> size_{0};  ///< relaxed: only balances the load
  std::mutex mutex_;                  ///< joined_, against post()
  bool joined_ = false;
  std::thread thread_;
};

}  // namespace iotstream::net
