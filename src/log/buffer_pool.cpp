#include "log/buffer_pool.hpp"

#include <mutex>
#include <vector>

#include "log/format.hpp"

namespace iotstream::log {
namespace {

struct SizeClass {
  std::size_t size;
  std::size_t keep;
  std::mutex mutex;
  std::vector<std::unique_ptr<std::byte[]>> free;

  SizeClass(std::size_t bytes, std::size_t count) : size(bytes), keep(count) { free.reserve(keep); }
  std::unique_ptr<std::byte[]> take() {
    {
      std::lock_guard lock(mutex);
      if (!free.empty()) {
        auto buffer = std::move(free.back());
        free.pop_back();
        return buffer;
      }
    }
    return std::make_unique_for_overwrite<std::byte[]>(size);
  }
  void give(std::unique_ptr<std::byte[]> buffer) {
    std::lock_guard lock(mutex);
    if (free.size() < keep) free.push_back(std::move(buffer));
  }
};

/// Never destroyed: batches may be dropped by threads that end after main.
SizeClass& small_class() {
  static auto& pool = *new SizeClass(256u << 10, 8);
  return pool;
}
SizeClass& large_class() {
  static auto& pool = *new SizeClass(format::frame_size_max + 4096, 2);
  return pool;
}

}  // namespace

std::shared_ptr<std::byte[]> pooled_buffer(std::size_t size) {
  SizeClass& pool = size <= small_class().size ? small_class() : large_class();
  if (size > pool.size || size < small_class().size / 4) return std::make_shared_for_overwrite<std::byte[]>(size);
  return {pool.take().release(), [&pool](std::byte* bytes) { pool.give(std::unique_ptr<std::byte[]>(bytes)); }};
}

}  // namespace iotstream::log
