// Callbacks that wait for one watermark of one partition, called in offset order.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::log {

class Waiters {
 public:
  using Done = std::function<void(Status)>;

  /// Calls `done` now when the watermark has passed `offset` or can pass it no more, else keeps it.
  void add(std::uint64_t offset, Done done);
  /// The watermark is now `next_offset`: calls all that wait for less, in offset order, and of one offset in the order of
  /// add(). One thread at a time.
  void advance(std::uint64_t next_offset);
  /// The watermark will not move again: calls all that still wait, and from now on all that would have to, with `error`.
  void fail(Error error);

 private:
  struct Waiter {
    std::uint64_t offset;
    std::uint64_t number;
    Done done;
    /// For a heap whose front is the least.
    bool operator<(const Waiter& other) const { return offset != other.offset ? offset > other.offset : number > other.number; }
  };
  /// Neighbours in a queue; those that were taken already are empty functions at its front.
  using Chunk = std::vector<Waiter>;
  static constexpr std::size_t chunk_size = 256;
  static constexpr std::size_t spares_max = 4;

  std::vector<Chunk> take_below(std::uint64_t next_offset);
  void take_front(std::uint64_t next_offset, Chunk& ready);
  void append(Waiter waiter);
  Waiter take_late();
  void call(std::vector<Chunk> ready, const Status& status);

  std::mutex mutex_;
  /// Callers mostly arrive in offset order, and then nothing is sorted: who waits for no less than the last stands behind it,
  /// who comes late goes to the heap. In chunks, so that a watermark that passes thousands takes them without touching each.
  std::deque<Chunk> in_order_;
  std::size_t front_ = 0;  ///< how many of the first chunk were taken; less than its size
  std::vector<Chunk> spares_;
  std::vector<Waiter> late_;
  std::uint64_t number_ = 0;
  std::uint64_t watermark_ = 0;
  std::optional<Error> error_;
};

}  // namespace iotstream::log
