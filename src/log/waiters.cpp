#include "log/waiters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace iotstream::log {

void Waiters::add(std::uint64_t offset, Done done) {
  std::optional<Error> error;
  {
    std::lock_guard lock(mutex_);
    if (offset >= watermark_) {
      if (!error_) {
        Waiter waiter{offset, number_++, std::move(done)};
        if (in_order_.empty() || offset >= in_order_.back().back().offset) return append(std::move(waiter));
        late_.push_back(std::move(waiter));
        std::push_heap(late_.begin(), late_.end());
        return;
      }
      error = error_;
    }
  }
  done(error ? Status(*error) : Status());
}

void Waiters::append(Waiter waiter) {
  if (in_order_.empty() || in_order_.back().size() == chunk_size) {
    if (spares_.empty()) {
      in_order_.emplace_back();
    } else {
      in_order_.push_back(std::move(spares_.back()));
      spares_.pop_back();
    }
  }
  in_order_.back().push_back(std::move(waiter));
}

Waiters::Waiter Waiters::take_late() {
  std::pop_heap(late_.begin(), late_.end());
  Waiter waiter = std::move(late_.back());
  late_.pop_back();
  return waiter;
}

std::vector<Waiters::Chunk> Waiters::take_below(std::uint64_t next_offset) {
  std::vector<Chunk> ready;
  while (late_.empty() && !in_order_.empty() && in_order_.front().back().offset < next_offset) {
    ready.push_back(std::move(in_order_.front()));
    in_order_.pop_front();
    front_ = 0;
  }
  Chunk rest;
  take_front(next_offset, rest);
  while (!late_.empty() && late_.front().offset < next_offset) rest.push_back(take_late());
  if (!rest.empty()) ready.push_back(std::move(rest));
  return ready;
}

/// One by one, with those among them that came late.
void Waiters::take_front(std::uint64_t next_offset, Chunk& ready) {
  while (!in_order_.empty()) {
    Waiter& first = in_order_.front()[front_];
    if (first.offset >= next_offset) return;
    // The operator says who is called later.
    while (!late_.empty() && first < late_.front()) ready.push_back(take_late());
    ready.push_back({first.offset, first.number, std::exchange(first.done, nullptr)});
    if (++front_ == in_order_.front().size()) {
      in_order_.pop_front();
      front_ = 0;
    }
  }
}

/// Outside the lock: a callback may call add().
void Waiters::call(std::vector<Chunk> ready, const Status& status) {
  for (Chunk& chunk : ready) {
    for (Waiter& waiter : chunk)
      if (waiter.done) waiter.done(status);
    chunk.clear();
  }
  std::lock_guard lock(mutex_);
  for (Chunk& chunk : ready)
    if (spares_.size() < spares_max && chunk.capacity() <= chunk_size) spares_.push_back(std::move(chunk));
}

void Waiters::advance(std::uint64_t next_offset) {
  std::vector<Chunk> ready;
  {
    std::lock_guard lock(mutex_);
    watermark_ = std::max(watermark_, next_offset);
    ready = take_below(watermark_);
  }
  if (!ready.empty()) call(std::move(ready), {});
}

void Waiters::fail(Error error) {
  std::vector<Chunk> ready;
  {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    ready = take_below(std::numeric_limits<std::uint64_t>::max());
  }
  call(std::move(ready), error);
}

}  // namespace iotstream::log
