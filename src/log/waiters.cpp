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
        if (in_order_.empty() || offset >= in_order_.back().offset) {
          in_order_.push_back({offset, number_++, std::move(done)});
        } else {
          late_.push_back({offset, number_++, std::move(done)});
          std::push_heap(late_.begin(), late_.end());
        }
        return;
      }
      error = error_;
    }
  }
  done(error ? Status(*error) : Status());
}

Waiters::Waiter Waiters::take_late() {
  std::pop_heap(late_.begin(), late_.end());
  Waiter waiter = std::move(late_.back());
  late_.pop_back();
  return waiter;
}

std::vector<Waiters::Waiter> Waiters::take_below(std::uint64_t next_offset) {
  std::vector<Waiter> ready;
  while (!in_order_.empty() && in_order_.front().offset < next_offset) {
    // The operator says who is called later.
    while (!late_.empty() && in_order_.front() < late_.front()) ready.push_back(take_late());
    ready.push_back(std::move(in_order_.front()));
    in_order_.pop_front();
  }
  while (!late_.empty() && late_.front().offset < next_offset) ready.push_back(take_late());
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
