// The most recent batches of one partition, in memory, as they stand on disk. Bounded; the oldest leave first. Readers share
// ownership.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "log/format.hpp"

namespace iotstream::log {

struct CachedFrame {
  std::shared_ptr<const std::byte[]> bytes;
  format::FrameHeader header;
  ByteView view() const { return {bytes.get(), header.length}; }
};

/// Any thread.
class TailCache {
 public:
  explicit TailCache(std::uint64_t size_max) : size_max_(size_max) {}

  /// Frames come in offset order. One longer than the whole cache empties it and is not kept.
  void add(CachedFrame frame);
  /// The frame that holds `offset` and those behind it, until `bytes_max` is reached; at least one. Empty when `offset` is not
  /// in the cache.
  std::vector<CachedFrame> find(std::uint64_t offset, std::size_t bytes_max) const;
  std::uint64_t size() const;

 private:
  /// What a small frame costs beside its bytes: deque entry, control block, allocation.
  static constexpr std::uint64_t overhead = 192;

  std::uint64_t size_max_;
  mutable std::mutex mutex_;
  std::deque<CachedFrame> frames_;
  std::uint64_t size_ = 0;
};

}  // namespace iotstream::log
