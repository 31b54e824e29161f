// Texts that come from outside: UTF-8, base64, secrets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace iotstream {

/// Bytes of the well-formed UTF-8 sequence at the start of `text` (1 to 4); 0 when there is none: a stray or missing
/// continuation byte, an overlong form, a surrogate, above U+10FFFF, or the end. After table 3-7 of the Unicode standard.
inline std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;  // 0 is no continuation byte: a cut sequence fails
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;   // below: overlong
    const unsigned high = first == 0xed ? 0x9f : 0xbf;  // above: surrogates
    return second >= low && second <= high && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;   // below: overlong
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;  // above: beyond U+10FFFF
    return second >= low && second <= high && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// The offset of the first byte that is not valid UTF-8; text.size() when all is.
std::size_t first_invalid_utf8(std::string_view text) noexcept;
inline bool is_utf8(std::string_view text) noexcept { return first_invalid_utf8(text) == text.size(); }

/// Compares every byte whatever the outcome, so that the time taken says nothing about how much of a secret was right. (It does
/// tell the length.)
bool equals_in_constant_time(std::string_view a, std::string_view b);

/// RFC 4648 §4, with padding.
std::string base64_encode(std::string_view bytes);
/// Padding may be missing; nothing when the text is not base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace iotstream
