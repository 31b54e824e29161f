// Views of bytes, little-endian loads and stores, CRC32C.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace iotstream {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian and stored without conversion");

/// Bytes owned by somebody else; who, and until when, is said where one is handed out.
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Reads a number at any alignment. The caller has checked that sizeof(Number) bytes are there.
template <class Number>
Number load_le(const std::byte* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

template <class Number>
void store_le(std::byte* at, Number number) {
  std::memcpy(at, &number, sizeof number);
}

/// CRC32C (Castagnoli, RFC 3720 appendix B.4), continued from `seed`: crc32c(ab) == crc32c(b, crc32c(a)).
/// Uses the CPU's instruction where there is one.
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

}  // namespace iotstream
