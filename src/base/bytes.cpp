#include <array>

#include <iotstream/base/bytes.hpp>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace iotstream {

#ifdef __SSE4_2__

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
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
