#include <array>
#include <string>

#include <catch2/catch.hpp>

#include <iotstream/base/bytes.hpp>

#include "support/random.hpp"

using namespace iotstream;

namespace {

/// CRC32C bit by bit, as its polynomial says.
std::uint32_t slow_crc32c(ByteView bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("CRC32C of the vectors of RFC 3720, appendix B.4") {
  std::array<std::byte, 32> bytes{};
  CHECK(crc32c(bytes) == 0x8a9136aau);
  bytes.fill(std::byte{0xff});
  CHECK(crc32c(bytes) == 0x62a8ab43u);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  CHECK(crc32c(bytes) == 0x46dd794eu);
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283u);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("CRC32C is the same at every length and alignment, and can be continued anywhere") {
  IOTSTREAM_SEEDED(random);
  std::string text(100, '\0');
  for (char& c : text) c = static_cast<char>(test::between(random, -128, 127));
  for (std::size_t first = 0; first < 9; ++first) {
    for (std::size_t length = 0; length + first <= text.size(); ++length) {
      const ByteView bytes = as_bytes(text).subspan(first, length);
      const std::size_t cut = test::between<std::size_t>(random, 0, length);
      const std::uint32_t expected = slow_crc32c(bytes);
      CHECK(crc32c(bytes) == expected);
      CHECK(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))) == expected);
    }
  }
}

TEST_CASE("CRC32C of long texts, which are summed in lanes, is that of the polynomial") {
  IOTSTREAM_SEEDED(random);
  std::string text(60'000, '\0');
  for (char& c : text) c = static_cast<char>(test::between(random, -128, 127));
  for (int i = 0; i < 40; ++i) {
    const std::size_t first = test::between<std::size_t>(random, 0, 100);
    const ByteView bytes = as_bytes(text).subspan(first, test::between<std::size_t>(random, 12'000, 59'000));
    const std::size_t cut = test::between<std::size_t>(random, 0, bytes.size());
    const std::uint32_t expected = slow_crc32c(bytes);
    CHECK(crc32c(bytes) == expected);
    CHECK(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))) == expected);
  }
}

TEST_CASE("numbers are loaded and stored at any alignment, little end first") {
  std::array<std::byte, 16> bytes{};
  store_le<std::uint32_t>(bytes.data() + 3, 0x01020304u);
  CHECK(std::to_integer<int>(bytes[3]) == 4);
  CHECK(std::to_integer<int>(bytes[6]) == 1);
  CHECK(load_le<std::uint32_t>(bytes.data() + 3) == 0x01020304u);
  store_le(bytes.data() + 5, -1.5);
  CHECK(load_le<double>(bytes.data() + 5) == -1.5);
  CHECK(as_text(as_bytes("abc")) == "abc");
}
