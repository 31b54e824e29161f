#include "net/loop.hpp"

#include <exception>
#include <pthread.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {

Loop::~Loop() { IOTSTREAM_ASSERT(!thread_.joinable(), "the loop {} must be joined before it dies", name_); }

void Loop::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    while (true) {
      try {
        io_.run();
        return;
      } catch (const std::exception& exception) {
        // Out of memory inside one connection's work: that connection is gone, the others go on.
        diagnostics::error("net", "a connection was dropped: {}", exception.what());
      }
    }
  });
}

void Loop::join() {
  if (!thread_.joinable()) return;
  IOTSTREAM_ASSERT(!here(), "the loop {} cannot join itself", name_);
  work_.reset();
  post([self = this] { self->timer_.cancel(); });
  thread_.join();
  const std::lock_guard lock(mutex_);
  joined_ = true;
}

void Loop::watch(const std::shared_ptr<Watched>& watched) {
  watched->place_ = watched_.size();
  watched_.push_back(watched);
  size_.store(watched_.size(), std::memory_order_relaxed);
  arm();
}

void Loop::forget(Watched& watched) {
  const std::size_t place = watched.place_;
  IOTSTREAM_ASSERT(place < watched_.size() && watched_[place].get() == &watched, "forgotten twice: place {} of {}", place,
                   watched_.size());
  std::swap(watched_[place], watched_.back());
  watched_[place]->place_ = place;
  watched_.pop_back();
  size_.store(watched_.size(), std::memory_order_relaxed);
}

void Loop::stop_all(bool at_once) {
  const auto all = watched_;  // stop() may forget
  for (const auto& watched : all) watched->stop(at_once);
}

void Loop::arm() {
  if (armed_ || watched_.empty()) return;
  armed_ = true;
  timer_.expires_after(std::chrono::microseconds(tick_.us));
  timer_.async_wait([this](const error_code& error) {
    armed_ = false;
    if (error) return;
    look();
    arm();
  });
}

void Loop::look() {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Watched>> late;  // apart, since expired() may forget
  for (const auto& watched : watched_) {
    if (watched->deadline <= now) late.push_back(watched);
  }
  for (const auto& watched : late) {
    if (watched->deadline <= now) watched->expired();
  }
}

}  // namespace iotstream::net
