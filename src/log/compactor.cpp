#include "log/compactor.hpp"

#include <chrono>

#include <iotstream/os/process.hpp>

namespace iotstream::log {
namespace {

/// What waits for its time, or for a pin to move, is looked at again after this.
constexpr std::chrono::seconds look_again{60};

}  // namespace

void Compactor::wake() {
  std::lock_guard lock(mutex_);
  if (stopping_.load(std::memory_order_relaxed)) return;
  work_ = true;
  if (!thread_.joinable())
    thread_ = std::thread([this] {
      os::name_thread("log-compact");
      run();
    });
  woken_.notify_one();
}

void Compactor::run() {
  std::unique_lock lock(mutex_);
  bool waits = false;
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (!work_ && waits) work_ = woken_.wait_for(lock, look_again) == std::cv_status::timeout || work_;
    if (!work_ && !waits) woken_.wait(lock);
    if (!work_) continue;
    work_ = false;
    lock.unlock();
    waits = pass_(stopping_);
    lock.lock();
  }
}

void Compactor::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_relaxed);
  }
  woken_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace iotstream::log
