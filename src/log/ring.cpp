#include "log/ring.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <new>
#include <vector>

#include <sys/mman.h>

#include <iotstream/base/assert.hpp>

#include "log/format.hpp"

namespace iotstream::log {
namespace {

static_assert(StagingRing::header_size == format::record_header_size);

/// Whether this thread is one of the `fast_producers` of the process. Counted over all rings: fewer in one ring is as good.
class FastPermit {
 public:
  bool held() {
    if (state_ == State::unknown) ask();
    return state_ == State::held;
  }
  constexpr FastPermit() = default;
  ~FastPermit() {
    if (state_ == State::held) holders_.fetch_sub(1, std::memory_order_release);
  }

 private:
  enum class State : unsigned char { unknown, held, refused };

  void ask() {
    // Acquire here, release in the destructor: the claims of the thread that gave a permit back happen before the checks of the
    // one that gets it, so that the two count as one thread in the proof.
    auto holders = holders_.load(std::memory_order_relaxed);
    while (holders < StagingRing::fast_producers)
      if (holders_.compare_exchange_weak(holders, holders + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
        state_ = State::held;
        return;
      }
    state_ = State::refused;
  }

  State state_ = State::unknown;
  static inline std::atomic<unsigned> holders_{0};
};

constinit thread_local FastPermit fast_permit;

constexpr std::uint32_t position_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
constexpr std::uint32_t count_of(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
constexpr std::uint64_t step(std::uint32_t units) { return (std::uint64_t{units} << 32) | 1; }
/// Far beyond any ring, far below the sign bit: the check and the claim both refuse.
constexpr std::uint64_t seal_step = std::uint64_t{1} << (30 + 32);

/// What stands behind a record's header: key and value.
struct Plain {
  std::string_view key;
  ByteView value;

  std::size_t size() const { return key.size() + value.size(); }
  std::uint32_t key_field() const { return static_cast<std::uint32_t>(key.size()); }
  template <class Copy>
  void each(Copy copy) const {
    copy(key.data(), key.size());
    copy(value.data(), value.size());
  }
};

/// Likewise, with producer and sequence in front.
struct Numbered {
  std::array<std::byte, format::producer_size> producer;
  Plain plain;

  std::size_t size() const { return producer.size() + plain.size(); }
  std::uint32_t key_field() const { return plain.key_field() | format::producer_bit; }
  template <class Copy>
  void each(Copy copy) const {
    copy(producer.data(), producer.size());
    plain.each(copy);
  }
};

/// As memcpy, but keys of some bytes, as nearly all are, are worth no call.
inline void copy(std::byte* to, const void* from, std::size_t size) {
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::uint64_t ends[2];
    std::memcpy(&ends[0], from, 8);
    std::memcpy(&ends[1], static_cast<const std::byte*>(from) + size - 8, 8);
    std::memcpy(to, &ends[0], 8);
    std::memcpy(to + size - 8, &ends[1], 8);
  } else {
    for (std::size_t i = 0; i != size; ++i) to[i] = static_cast<const std::byte*>(from)[i];
  }
}

}  // namespace

/// Commit word at the front; the release-store of it publishes all the rest of the frame.
struct StagingRing::Frame {
  std::uint32_t length;  ///< header and contents, bytes; 0 while not committed
  std::uint32_t key_field;
  std::int64_t time_us;

  static std::atomic_ref<std::uint32_t> commit(std::byte* at) {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(at));
  }
};

StagingRing::StagingRing(std::size_t size, std::uint64_t first_offset, std::uint32_t first_position)
    : size_(std::bit_ceil(std::clamp<std::size_t>(size, 16u << 10, 1u << 30))),
      mask_(static_cast<std::uint32_t>(size_ / unit_size - 1)),
      capacity_(mask_ + 1),
      admitted_(capacity_ - capacity_ / 4),
      fast_units_(capacity_ / 4 / fast_producers - 1),  // one unit is for the carry
      heap_limit_(std::max<std::size_t>(size_, 1u << 20)),
      claim_((std::uint64_t{first_position} << 32) | static_cast<std::uint32_t>(first_offset)),
      consumed_units_(first_position),
      consumed_offset_(first_offset) {
  void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  IOTSTREAM_ASSERT(memory != MAP_FAILED, "no memory for a staging ring of {} bytes", size_);
  memory_ = static_cast<std::byte*>(memory);
}

StagingRing::~StagingRing() {
  // Contents on the heap are freed by taking them.
  std::vector<std::byte> rest(unit_size);
  for (Run run = take(rest); run.bytes != 0; run = take(rest)) rest.resize(std::max(rest.size(), run.bytes));
  ::munmap(memory_, size_);
}

// Claim and commit stand in front of their use and go into it: calls between them cost as much as they do.

[[gnu::always_inline]] inline bool StagingRing::claim_fast(std::uint32_t units, std::uint64_t& word, bool& sealed) {
  // Order of the two loads: with the position first, a consumer that moves in between makes the ring look emptier than the
  // position says, never fuller than it is; a negative difference means empty.
  const std::uint32_t seen = position_of(claim_.load(std::memory_order_relaxed));
  const auto used = static_cast<std::int32_t>(seen - consumed_units_.load(std::memory_order_acquire));
  if (used > 0 && static_cast<std::uint32_t>(used) + units > admitted_) [[unlikely]]
    return false;

  word = claim_.fetch_add(step(units), std::memory_order_seq_cst);
  const std::uint32_t end = position_of(word + step(units));
  const std::uint32_t span = end - consumed_units_.load(std::memory_order_acquire);
  if (span > capacity_) [[unlikely]] {
    // Only behind seal(), which nobody else's space can reach: see the proof in the header.
    IOTSTREAM_ASSERT(span >= (1u << 29), "claim of {} units spans {} of {}", units, span, capacity_);
    sealed = true;
    return false;
  }
  return true;
}

[[gnu::always_inline]] inline bool StagingRing::claim(std::uint32_t units, std::uint64_t& word, bool& sealed) {
  if (units <= fast_units_ && fast_permit.held()) [[likely]]
    return claim_fast(units, word, sealed);
  return claim_exact(units, word);
}

/// Writes the frame's header, commits it, and returns its full offset.
[[gnu::always_inline]] inline std::uint64_t StagingRing::finish(std::uint64_t word, std::uint32_t length,
                                                                std::uint32_t key_field, Timestamp time) {
  // Before the commit: until then this record is not taken, and the consumed offset cannot have passed it. Relaxed: any value
  // since the acquire in claim() will do.
  const std::uint64_t consumed = consumed_offset_.load(std::memory_order_relaxed);
  const std::uint64_t offset = consumed + static_cast<std::uint32_t>(count_of(word) - static_cast<std::uint32_t>(consumed));
  std::byte* frame = at(position_of(word));
  store_le(frame + offsetof(Frame, key_field), key_field);
  store_le(frame + offsetof(Frame, time_us), time.us);
  Frame::commit(frame).store(length, std::memory_order_release);
  return offset;
}

StagingRing::Claimed StagingRing::append(Timestamp time, std::string_view key, ByteView value) {
  return append(time, Plain{key, value});
}

StagingRing::Claimed StagingRing::append(Timestamp time, std::string_view key, ByteView value, std::uint64_t producer,
                                         std::uint64_t sequence) {
  Numbered numbered{{}, {key, value}};
  store_le(numbered.producer.data(), producer);
  store_le(numbered.producer.data() + 8, sequence);
  return append(time, numbered);
}

template <class Contents>
StagingRing::Claimed StagingRing::append(Timestamp time, const Contents& contents) {
  const std::size_t size = header_size + contents.size();
  if (size > size_ / 4) [[unlikely]]
    return append_on_heap(time, contents);
  const auto units = static_cast<std::uint32_t>(units_for(size));
  std::uint64_t word = 0;
  bool sealed = false;
  if (!claim(units, word, sealed)) [[unlikely]]
    return {sealed ? Outcome::sealed : Outcome::full, 0};
  const std::uint32_t position = position_of(word);
  if ((position & mask_) + units <= capacity_) [[likely]] {
    std::byte* to = at(position) + header_size;
    contents.each([&to](const void* from, std::size_t length) {
      copy(to, from, length);
      to += length;
    });
  } else {
    std::size_t offset = header_size;
    contents.each([&](const void* from, std::size_t length) {
      copy_in(position, offset, from, length);
      offset += length;
    });
  }
  return {Outcome::accepted, finish(word, static_cast<std::uint32_t>(size), contents.key_field(), time)};
}

template <class Contents>
StagingRing::Claimed StagingRing::append_on_heap(Timestamp time, const Contents& contents) {
  const std::size_t size = contents.size();
  if (heap_bytes_.fetch_add(size, std::memory_order_relaxed) + size > heap_limit_) {
    heap_bytes_.fetch_sub(size, std::memory_order_relaxed);
    return {Outcome::full, 0};
  }
  HeapRecord record{size, new (std::nothrow) std::byte[size]};
  std::uint64_t word = 0;
  bool sealed = false;
  if (record.bytes == nullptr || !claim(static_cast<std::uint32_t>(units_for(header_size + sizeof record)), word, sealed)) {
    delete[] record.bytes;
    heap_bytes_.fetch_sub(size, std::memory_order_relaxed);
    return {sealed ? Outcome::sealed : Outcome::full, 0};
  }
  std::size_t at = 0;
  contents.each([&](const void* from, std::size_t length) {
    if (length != 0) std::memcpy(record.bytes + at, from, length);
    at += length;
  });
  copy_in(position_of(word), header_size, &record, sizeof record);
  return {Outcome::accepted,
          finish(word, static_cast<std::uint32_t>(header_size + sizeof record), contents.key_field() | heap_bit, time)};
}

[[gnu::noinline]] bool StagingRing::claim_exact(std::uint32_t units, std::uint64_t& word) {
  word = claim_.load(std::memory_order_acquire);
  for (;;) {
    // A position of the past may lie behind what is consumed by now (negative): the exchange then fails and looks again.
    const auto used = static_cast<std::int32_t>(position_of(word) - consumed_units_.load(std::memory_order_acquire));
    if (used > 0 && static_cast<std::uint32_t>(used) + units + 1 > admitted_) return false;
    if (claim_.compare_exchange_weak(word, word + step(units), std::memory_order_seq_cst, std::memory_order_acquire))
      return true;
  }
}

bool StagingRing::has_claims() const {
  if (sealed_) return !drained();
  const std::uint64_t word = claim_.load(std::memory_order_seq_cst);
  return count_of(word) != static_cast<std::uint32_t>(consumed_offset_.load(std::memory_order_relaxed));
}

/// A frame is as long as its bytes need, and one unit more when its count was the last before the overflow.
std::uint32_t StagingRing::units_of_frame(std::uint32_t length, std::uint64_t offset) const {
  return static_cast<std::uint32_t>(units_for(length)) +
         (static_cast<std::uint32_t>(offset) == std::numeric_limits<std::uint32_t>::max() ? 1 : 0);
}

StagingRing::Run StagingRing::take(MutableByteView out) {
  Run run;
  run.first_offset = consumed_offset_.load(std::memory_order_relaxed);  // this thread's own
  run.min_time_us = std::numeric_limits<std::int64_t>::max();
  run.max_time_us = std::numeric_limits<std::int64_t>::min();
  const std::uint32_t begin = consumed_units_.load(std::memory_order_relaxed);
  std::uint32_t position = begin;
  while (position - begin < capacity_) {
    std::byte* const frame = at(position);
    // Acquire: makes the rest of the frame visible.
    const std::uint32_t length = Frame::commit(frame).load(std::memory_order_acquire);
    if (length == 0) break;
    const auto key_field = load_le<std::uint32_t>(frame + offsetof(Frame, key_field));
    const auto time = load_le<std::int64_t>(frame + offsetof(Frame, time_us));
    HeapRecord heap{};
    if ((key_field & heap_bit) != 0) [[unlikely]]
      heap = heap_record(position);
    const std::size_t bytes = heap.bytes == nullptr ? length : header_size + heap.size;
    if (bytes > out.size() - run.bytes) {
      if (run.records == 0) return {.bytes = bytes, .first_offset = run.first_offset};
      break;
    }
    std::byte* const to = out.data() + run.bytes;
    if (heap.bytes == nullptr) {
      copy_out(position, 0, to, length);
    } else {
      std::memcpy(to + header_size, heap.bytes, heap.size);
      store_le(to + 8, time);
      delete[] heap.bytes;
      heap_bytes_.fetch_sub(heap.size, std::memory_order_relaxed);
    }
    const std::size_t prefix = (key_field & format::producer_bit) != 0 ? format::producer_size : 0;
    store_le(to, static_cast<std::uint32_t>(bytes - header_size - prefix - (key_field & format::key_size_mask)));
    store_le(to + 4, key_field & ~heap_bit);
    run.key_fields |= key_field;
    run.min_time_us = std::min(run.min_time_us, time);
    run.max_time_us = std::max(run.max_time_us, time);
    position += units_of_frame(length, run.first_offset + run.records);
    run.bytes += bytes;
    ++run.records;
  }
  if (run.records != 0) give_back(begin, position, run.first_offset + run.records);
  return run;
}

void StagingRing::give_back(std::uint32_t begin_units, std::uint32_t end_units, std::uint64_t next_offset) {
  // Whole frames, not only their lengths: the next lap's frames begin at other units, and there a byte of one of these would
  // look like a committed length.
  const std::size_t begin = std::size_t{begin_units & mask_} * unit_size;
  const std::size_t size = std::size_t{end_units - begin_units} * unit_size;
  const std::size_t first = std::min(size, size_ - begin);
  std::memset(memory_ + begin, 0, first);
  std::memset(memory_, 0, size - first);
  // Relaxed first, release second: a producer that acquires the position sees this offset or a later one.
  consumed_offset_.store(next_offset, std::memory_order_relaxed);
  consumed_units_.store(end_units, std::memory_order_release);
}

StagingRing::HeapRecord StagingRing::heap_record(std::uint32_t position_units) const {
  HeapRecord record{};
  copy_out(position_units, header_size, reinterpret_cast<std::byte*>(&record), sizeof record);
  return record;
}

void StagingRing::seal() {
  if (sealed_) return;
  sealed_ = true;
  sealed_position_ = position_of(claim_.fetch_add(seal_step, std::memory_order_seq_cst));
}

bool StagingRing::drained() const { return sealed_ && consumed_units_.load(std::memory_order_relaxed) == sealed_position_; }

void StagingRing::copy_in(std::uint32_t position_units, std::size_t offset, const void* from, std::size_t size) {
  if (size == 0) return;
  const std::size_t begin = (std::size_t{position_units & mask_} * unit_size + offset) & (size_ - 1);
  const std::size_t first = std::min(size, size_ - begin);
  std::memcpy(memory_ + begin, from, first);
  if (first != size) std::memcpy(memory_, static_cast<const std::byte*>(from) + first, size - first);
}

void StagingRing::copy_out(std::uint32_t position_units, std::size_t offset, std::byte* to, std::size_t size) const {
  if (size == 0) return;
  const std::size_t begin = (std::size_t{position_units & mask_} * unit_size + offset) & (size_ - 1);
  const std::size_t first = std::min(size, size_ - begin);
  std::memcpy(to, memory_ + begin, first);
  if (first != size) std::memcpy(to + first, memory_, size - first);
}

}  // namespace iotstream::log
