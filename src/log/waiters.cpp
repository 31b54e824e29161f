#include "log/waiters.hpp"

#include <algorithm>
#include <limits>

namespace iotstream::log {

void Waiters::add(std::uint64_t offset, Done done) {
  std::optional<Error> error;
  {
    std::lock_guard lock(mutex_);
    if (offset >= watermark_) {
      if (!error_) {
        heap_.push_back({offset, number_++, std::move(done)});
        std::push_heap(heap_.begin(), heap_.end());
        return;
      }
      error = error_;
    }
  }
  done(error ? Status(*error) : Status());
}

std::vector<Waiters::Waiter> Waiters::take_below(std::uint64_t next_offset) {
  std::vector<Waiter> ready;
  while (!heap_.empty() && heap_.front().offset < next_offset) {
    std::pop_heap(heap_.begin(), heap_.end());
    ready.push_back(std::move(heap_.back()));
    heap_.pop_back();
  }
  return ready;
}

void Waiters::advance(std::uint64_t next_offset) {
  std::vector<Waiter> ready;
  {
    std::lock_guard lock(mutex_);
    watermark_ = std::max(watermark_, next_offset);
    ready = take_below(watermark_);
  }
  // Outside the lock: a callback may call add().
  for (Waiter& waiter : ready) waiter.done({});
}

void Waiters::fail(Error error) {
  std::vector<Waiter> ready;
  {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    ready = take_below(std::numeric_limits<std::uint64_t>::max());
  }
  for (Waiter& waiter : ready) waiter.done(error);
}

}  // namespace iotstream::log
