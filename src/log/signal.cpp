#include <chrono>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include <iotstream/log/log.hpp>

#include "log/futex.hpp"

namespace iotstream::log {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Duration timeout) {
  timespec limit{};
  limit.tv_sec = timeout.us / 1'000'000;
  limit.tv_nsec = timeout.us % 1'000'000 * 1000;
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout.us < 0 ? nullptr : &limit, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) { ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }

void Signal::notify() {
  // Always an exchange, also when it is notified already: the chain of exchanges is what carries everything before this call to
  // the waiter that takes the last one.
  if (state_.exchange(1, std::memory_order_acq_rel) == 2) futex_wake(state_);
}

bool Signal::wait(Duration timeout) {
  using Steady = std::chrono::steady_clock;
  const bool endless = timeout.us < 0;
  const auto end = Steady::now() + std::chrono::microseconds(endless ? 0 : timeout.us);
  for (;;) {
    if (state_.exchange(0, std::memory_order_acq_rel) == 1) return true;
    Duration left = forever;
    if (!endless) {
      left.us = std::chrono::duration_cast<std::chrono::microseconds>(end - Steady::now()).count();
      if (left.us <= 0) return false;
    }
    std::uint32_t idle = 0;
    // A notify in between leaves 1: the exchange fails and the loop takes it.
    if (state_.compare_exchange_strong(idle, 2, std::memory_order_acq_rel)) futex_wait(state_, 2, left);
  }
}

}  // namespace iotstream::log
