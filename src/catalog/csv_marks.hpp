// Finds the bytes that matter in CSV, 64 at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace iotstream::catalog {

/// Separators, line breaks, quotes and zero bytes between `at` and `end`, one after the other.
class CsvMarks {
 public:
  CsvMarks(const char* at, const char* end, char separator) : base_(at), next_(at), end_(end), separator_(separator) {}

  /// The next one; `end` when there is none.
  const char* next() {
    while (found_ == 0) {
      if (next_ >= end_) return end_;
      base_ = next_;
      look();
      next_ += block;
    }
    const char* mark = base_ + std::countr_zero(found_);
    found_ &= found_ - 1;
    return mark;
  }

 private:
  static constexpr std::ptrdiff_t block = 64;

  void look() {
    if (end_ - base_ >= block) {
      found_ = marks_in(base_);
      return;
    }
    const auto rest = static_cast<std::size_t>(end_ - base_);
    char padded[block];
    std::memset(padded, 'x', sizeof padded);
    if (separator_ == 'x') std::memset(padded, 'y', sizeof padded);
    std::memcpy(padded, base_, rest);
    found_ = marks_in(padded);
  }

#ifdef __SSE2__
  std::uint64_t marks_in(const char* bytes) const {
    const auto same = [](__m128i text, char c) { return _mm_cmpeq_epi8(text, _mm_set1_epi8(c)); };
    std::uint64_t found = 0;
    for (int i = 0; i < 4; ++i) {
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i * 16));
      const __m128i breaks = _mm_or_si128(same(text, '\n'), same(text, '\r'));
      const __m128i others = _mm_or_si128(same(text, '"'), same(text, '\0'));
      const __m128i all = _mm_or_si128(_mm_or_si128(breaks, others), same(text, separator_));
      found |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(all))) << (i * 16);
    }
    return found;
  }
#else
  std::uint64_t marks_in(const char* bytes) const {
    std::uint64_t found = 0;
    for (int i = 0; i < block; ++i) {
      const char c = bytes[i];
      const bool mark = c == separator_ || c == '\n' || c == '\r' || c == '"' || c == '\0';
      found |= static_cast<std::uint64_t>(mark) << i;
    }
    return found;
  }
#endif

  const char* base_;
  const char* next_;
  const char* end_;
  std::uint64_t found_ = 0;
  char separator_;
};

}  // namespace iotstream::catalog
