// The limit of the log's staging ring: claim, copy in, commit, copy out, and nothing else. After Aeron's many-to-one ring
// buffer: one fetch_add claims, a release-store of the length commits, the one reader takes the records out in order, cleans
// their place in one go and moves the head. No key, no offset, no refusal, records of one size only.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>

namespace iotstream::bench {

class BareRing {
 public:
  static constexpr std::size_t record_size = 256;
  static constexpr std::size_t take_max = 512;

  /// Any thread; yields while the ring is full.
  void put(const std::byte* record) {
    const std::uint64_t at = tail_.fetch_add(slot_size, std::memory_order_acq_rel);
    while (at + slot_size - head_.load(std::memory_order_acquire) > size) std::this_thread::yield();
    std::byte* const slot = memory_.get() + at % size;
    std::memcpy(slot + header_size, record, record_size);
    // Release: publishes the copy to the reader, which acquires the length.
    length_of(slot).store(record_size, std::memory_order_release);
  }

  /// The reader: copies what is committed, at most take_max records, to `out` and returns how many they were.
  std::size_t take(std::byte* out) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    std::byte* const begin = memory_.get() + head % size;
    // Not across the end: what lies behind it comes with the next call.
    const std::size_t most = std::min<std::size_t>(take_max, (size - head % size) / slot_size);
    std::size_t taken = 0;
    for (std::byte* slot = begin; taken != most && length_of(slot).load(std::memory_order_acquire) != 0; slot += slot_size)
      std::memcpy(out + record_size * taken++, slot + header_size, record_size);
    if (taken == 0) return 0;
    std::memset(begin, 0, taken * slot_size);
    // Release: the cleaning happens before a producer writes there again.
    head_.store(head + taken * slot_size, std::memory_order_release);
    return taken;
  }

 private:
  static constexpr std::size_t header_size = 8;
  static constexpr std::size_t slot_size = 288;          // what the same record takes in the log's ring
  static constexpr std::size_t size = slot_size * 3640;  // about 1 MiB

  static std::atomic_ref<std::uint32_t> length_of(std::byte* slot) {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(slot));
  }

  std::unique_ptr<std::byte[]> memory_ = std::make_unique<std::byte[]>(size);
  alignas(64) std::atomic<std::uint64_t> tail_{0};  ///< chains the claims; publishes nothing by itself
  alignas(64) std::atomic<std::uint64_t> head_{0};  ///< stored with release by the reader, see take()
};

}  // namespace iotstream::bench
