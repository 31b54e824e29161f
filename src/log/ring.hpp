// The staging ring of one partition: many producers claim, fill and commit; one consumer gathers. After Aeron's log buffer
// (claim by one fetch_add on a packed tail, commit by a release-store of the frame's length), with two changes: it is bounded
// memory that wraps, and the claim word also counts records, so that a producer knows its dense offset at once.
//
// The claim word holds the position (in units of 32 bytes, modulo 2^32) in its high half and the record count (modulo 2^32) in
// its low half. One fetch_add moves both. When the count overflows, the carry moves the position by one unit more: that claim's
// frame is one unit longer, and both sides know it, because both know the count.
//
// Bounded without a loop: a producer first checks that the ring is at most three quarters full (`admitted`), then claims.
// Producers that checked at the same moment may pass that limit together, each by one frame: the last quarter is for them. At
// most `fast_producers` threads may use this path and only with frames of at most `fast_units`, whose product is that quarter;
// longer frames and further threads claim by compare-and-swap, which never passes the limit. So a claim always finds its space
// free, and nobody ever waits.
//
// Proof of the bound, in the words of the memory model: let a claim see `consumed` = c afterwards, and call *late* the claims
// that follow, in the modification order of the claim word, the one that brought the position to c + admitted. The check of a
// late claim cannot have loaded a position from behind that point, or it would have failed: the `consumed` that it loaded
// happens before its fetch_add, hence before our load (the claim word is a chain of acquire-release operations), hence is at
// most c. A thread has at most one claim whose check loaded from before that point and that is late, since its next check loads
// a position behind its own claim. Compare-and-swap claims are never late. So the late claims span at most fast_producers ×
// fast_units, and ours ends at or before c + capacity.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::log {

class StagingRing {
 public:
  enum class Outcome : unsigned char { accepted, full, sealed };
  struct Claimed {
    Outcome outcome = Outcome::full;
    std::uint64_t offset = 0;
  };

  static constexpr std::size_t unit_size = 32;
  static constexpr std::size_t header_size = 16;  ///< the record's header on disk: length, key length, time
  static constexpr unsigned fast_producers = 64;

  /// `size` bytes, rounded up to a power of two from 16 KiB to 1 GiB; the first record gets `first_offset`. `first_position` is
  /// for tests of the wrap: units. Memory comes from the system as zeros and is resident only once used.
  StagingRing(std::size_t size, std::uint64_t first_offset, std::uint32_t first_position = 0);
  ~StagingRing();
  StagingRing(const StagingRing&) = delete;
  StagingRing& operator=(const StagingRing&) = delete;

  // ---- producers: any thread ----

  /// Claims, copies, commits. No lock, no system call, no wait. A record longer than a quarter of the ring is copied to the
  /// heap first and passes as a pointer; at most max(1 MiB, the ring's size) of such bytes are on their way at once.
  Claimed append(Timestamp time, std::string_view key, ByteView value);
  /// The same, with the producer that numbered the record (format::producer_bit).
  Claimed append(Timestamp time, std::string_view key, ByteView value, std::uint64_t producer, std::uint64_t sequence);

  // ---- consumer: one thread ----

  /// Whether something is claimed that has not been taken, committed or not. Part of the consumer's parking protocol
  /// (writer.hpp).
  bool has_claims() const;

  /// A run of records. `bytes` as they stand on disk: headers and contents.
  struct Run {
    std::size_t bytes = 0;
    std::uint32_t records = 0;
    std::uint64_t first_offset = 0;
    std::int64_t min_time_us = 0;
    std::int64_t max_time_us = 0;
    std::uint32_t key_fields = 0;  ///< of all records, together: whether some carry their producer
  };
  /// Copies the committed records at the front, as they stand on disk, as many as `out` has room for, cleans their place and
  /// gives it back to the producers. When the first alone is longer than `out` nothing is taken and `bytes` says how long it
  /// is. One pass: sizing a run first would touch one line in five, and nothing fetches such ahead from the producer's cache.
  Run take(MutableByteView out);
  /// No claim succeeds any more. What was claimed before will be committed; drained() says when all of it has been taken.
  void seal();
  bool drained() const;

 private:
  struct Frame;
  /// What stands in a frame in place of contents that are too long for the ring.
  struct HeapRecord {
    std::size_t size;
    std::byte* bytes;
  };
  static constexpr std::uint32_t heap_bit = 1u << 31;  ///< in the key length: the contents are behind a pointer

  std::size_t units_for(std::size_t bytes) const { return (bytes + unit_size - 1) / unit_size; }
  template <class Contents>
  Claimed append(Timestamp time, const Contents& contents);
  template <class Contents>
  [[gnu::noinline]] Claimed append_on_heap(Timestamp time, const Contents& contents);
  bool claim(std::uint32_t units, std::uint64_t& word, bool& sealed);
  bool claim_fast(std::uint32_t units, std::uint64_t& word, bool& sealed);
  bool claim_exact(std::uint32_t units, std::uint64_t& word);
  void copy_in(std::uint32_t position_units, std::size_t offset, const void* from, std::size_t size);
  void copy_out(std::uint32_t position_units, std::size_t offset, std::byte* to, std::size_t size) const;
  HeapRecord heap_record(std::uint32_t position_units) const;
  void give_back(std::uint32_t begin_units, std::uint32_t end_units, std::uint64_t next_offset);
  std::byte* at(std::uint32_t position_units) const { return memory_ + std::size_t{position_units & mask_} * unit_size; }
  std::uint64_t finish(std::uint64_t word, std::uint32_t length, std::uint32_t key_field, Timestamp time);
  std::uint32_t units_of_frame(std::uint32_t length, std::uint64_t offset) const;

  std::byte* memory_ = nullptr;
  std::size_t size_;
  std::uint32_t mask_;      ///< units - 1
  std::uint32_t capacity_;  ///< units
  std::uint32_t admitted_;  ///< units a check lets be in use
  std::uint32_t fast_units_;
  std::size_t heap_limit_;

  /// Sequentially consistent RMW by producers: acquire-release chains the checks of all claims (the proof above), and the
  /// single order is half of the parking handshake: a producer claims then looks whether the consumer is parked, the consumer
  /// says it parks then looks for claims; one of them sees the other.
  alignas(64) std::atomic<std::uint64_t> claim_;

  /// Release by the consumer: publishes that the bytes before this position have been read and cleaned; acquired by each claim
  /// before it writes there. The offset is stored first and so is never behind what belongs to the position.
  alignas(64) std::atomic<std::uint32_t> consumed_units_;
  /// The full offset of the next record to take. A producer rebuilds its own from the low half of its claim: its record is not
  /// taken yet, so this is at most its offset and less than 2^31 below it, whenever it is loaded after the claim.
  std::atomic<std::uint64_t> consumed_offset_;

  bool sealed_ = false;                ///< the consumer's own, as is the next
  std::uint32_t sealed_position_ = 0;  ///< where the claims end that count

  /// Relaxed: a bound on memory, publishes nothing (the pointer travels through the frame's commit).
  alignas(64) std::atomic<std::size_t> heap_bytes_{0};
};

}  // namespace iotstream::log
