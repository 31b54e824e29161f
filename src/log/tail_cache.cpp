#include "log/tail_cache.hpp"

#include <algorithm>

namespace iotstream::log {

void TailCache::add(CachedFrame frame) {
  std::vector<CachedFrame> dropped;  // destroyed after the lock: freeing takes time
  std::lock_guard lock(mutex_);
  size_ += frame.header.length + overhead;
  frames_.push_back(std::move(frame));
  while (size_ > size_max_ && !frames_.empty()) {
    size_ -= frames_.front().header.length + overhead;
    dropped.push_back(std::move(frames_.front()));
    frames_.pop_front();
  }
}

std::vector<CachedFrame> TailCache::find(std::uint64_t offset, std::size_t bytes_max) const {
  std::vector<CachedFrame> found;
  std::lock_guard lock(mutex_);
  auto frame = std::partition_point(frames_.begin(), frames_.end(),
                                    [offset](const CachedFrame& f) { return f.header.next_offset() <= offset; });
  if (frame == frames_.end() || frame->header.base_offset > offset) return found;
  for (std::size_t bytes = 0; frame != frames_.end() && (found.empty() || bytes < bytes_max); ++frame) {
    bytes += frame->header.length;
    found.push_back(*frame);
  }
  return found;
}

std::uint64_t TailCache::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace iotstream::log
