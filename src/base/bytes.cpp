#include <array>

#include <iotstream/base/bytes.hpp>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace iotstream {

#ifdef __SSE4_2__

namespace {

/// One lane of the three below. The instruction takes three cycles and one can begin in each: three lanes fill the gaps.
constexpr std::size_t lane = 4096;
static_assert(lane % 8 == 0);

using Matrix = std::array<std::uint32_t, 32>;  // column by column, over GF(2)

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (std::size_t column = 0; vector != 0; ++column, vector >>= 1)
    if ((vector & 1) != 0) sum ^= matrix[column];
  return sum;
}

/// What `lane` bytes of zeros do to a checksum, as four tables by byte. After Mark Adler's crc32c.c (2013): the operator of one
/// zero bit, squared until it is that of the lane.
constexpr std::array<std::array<std::uint32_t, 256>, 4> make_shift() {
  Matrix power{};
  power[0] = 0x82f63b78u;
  for (std::size_t bit = 1; bit < 32; ++bit) power[bit] = 1u << (bit - 1);
  for (std::size_t bits = 1; bits != lane * 8; bits *= 2) {
    Matrix square{};
    for (std::size_t column = 0; column < 32; ++column) square[column] = times(power, power[column]);
    power = square;
  }
  std::array<std::array<std::uint32_t, 256>, 4> shift{};
  for (std::uint32_t byte = 0; byte < 256; ++byte)
    for (std::uint32_t place = 0; place < 4; ++place) shift[place][byte] = times(power, byte << (8 * place));
  return shift;
}
constexpr auto shift = make_shift();

std::uint32_t shifted(std::uint64_t crc) {
  return shift[0][crc & 0xff] ^ shift[1][(crc >> 8) & 0xff] ^ shift[2][(crc >> 16) & 0xff] ^ shift[3][(crc >> 24) & 0xff];
}

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * lane; left -= 3 * lane, at += 3 * lane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i != lane; i += 8) {
      crc = _mm_crc32_u64(crc, load_le<std::uint64_t>(at + i));
      second = _mm_crc32_u64(second, load_le<std::uint64_t>(at + lane + i));
      third = _mm_crc32_u64(third, load_le<std::uint64_t>(at + 2 * lane + i));
    }
    crc = shifted(shifted(crc) ^ second) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) crc = _mm_crc32_u64(crc, load_le<std::uint64_t>(at));
  auto crc32 = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) crc32 = _mm_crc32_u8(crc32, std::to_integer<std::uint8_t>(*at));
  return ~crc32;
}

#else

namespace {
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}
constexpr auto table = make_table();
}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (std::byte byte : bytes) crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  return ~crc;
}

#endif

}  // namespace iotstream
