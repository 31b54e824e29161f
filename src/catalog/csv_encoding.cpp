#include "catalog/csv_encoding.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <iotstream/base/text.hpp>

namespace iotstream::catalog {
namespace {

// 0x80 to 0x9F as in the WHATWG Encoding Standard's windows-1252; the five that Windows leaves out stay control characters.
constexpr std::array<char16_t, 32> windows_1252 = {0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,   0x017d, 0x8f,
                                                   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    if (code < 0x10000) {
      out += static_cast<char>(0xe0 | (code >> 12));
    } else {
      out += static_cast<char>(0xf0 | (code >> 18));
      out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    }
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

/// What a first byte asks for: how many bytes follow, and the bounds of the next (Unicode 15, table 3-7).
struct Lead {
  unsigned follow = 0;  ///< 0: no first byte of a sequence
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {1, 0x80, 0xbf};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};
  if (byte == 0xed) return {2, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {2, 0x80, 0xbf};
  if (byte == 0xf0) return {3, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {3, 0x80, 0xbf};
  if (byte == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

}  // namespace

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8:
      return "utf-8";
    case Encoding::utf8_damaged:
      return "utf-8 with invalid bytes";
    case Encoding::windows_1252:
      return "windows-1252";
    case Encoding::utf16_le:
      return "utf-16le";
    case Encoding::utf16_be:
      return "utf-16be";
  }
  return {};
}

void EncodingCensus::feed(std::string_view chunk) {
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    std::uint64_t eight = 0;
    while (missing_ == 0 && i + 8 <= chunk.size()) {
      std::memcpy(&eight, chunk.data() + i, 8);
      if ((eight & 0x8080808080808080u) != 0) break;
      i += 8;
    }
    if (i >= chunk.size()) return;
    const auto byte = static_cast<unsigned char>(chunk[i]);
    if (missing_ > 0) {
      if (byte >= low_ && byte <= high_) {
        low_ = 0x80;
        high_ = 0xbf;
        if (--missing_ == 0) ++sequences_;
        continue;
      }
      ++broken_;
      missing_ = 0;
    }
    if (byte < 0x80) continue;
    const Lead lead = lead_of(byte);
    if (lead.follow == 0) ++broken_;
    missing_ = lead.follow;
    low_ = lead.low;
    high_ = lead.high;
  }
}

Encoding EncodingCensus::encoding() const {
  if (broken_ == 0 && (missing_ == 0 || sequences_ > 0)) return missing_ == 0 ? Encoding::utf8 : Encoding::utf8_damaged;
  return broken_ + (missing_ > 0 ? 1 : 0) > sequences_ ? Encoding::windows_1252 : Encoding::utf8_damaged;
}

void append_decoded(std::string& out, std::string_view bytes, Encoding encoding) {
  if (encoding != Encoding::utf8_damaged && encoding != Encoding::windows_1252) {
    out.append(bytes);  // UTF-16 has gone through its decoder
    return;
  }
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (encoding == Encoding::windows_1252) {
      append_utf8(out, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
      ++i;
      continue;
    }
    const std::size_t length = utf8_length(bytes.substr(i));
    if (length == 0)
      append_utf8(out, 0xfffd);
    else
      out.append(bytes.substr(i, length));
    i += std::max<std::size_t>(length, 1);
  }
}

std::size_t mark_bytes(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) return 3;
  return head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff") ? 2 : 0;
}

std::optional<Encoding> utf16_of(std::string_view head) {
  if (head.starts_with("\xff\xfe")) return Encoding::utf16_le;
  if (head.starts_with("\xfe\xff")) return Encoding::utf16_be;
  const std::size_t pairs = std::min<std::size_t>(head.size(), 4096) / 2;
  if (pairs < 2) return std::nullopt;
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < pairs * 2; ++i)
    if (head[i] == '\0') ++zeros[i % 2];
  // Headers and numbers are ASCII nearly throughout; a file of zeros alone is none of either.
  const auto nearly = [pairs](std::size_t many, std::size_t few) { return many * 10 >= pairs * 7 && few * 50 <= pairs; };
  if (nearly(zeros[1], zeros[0])) return Encoding::utf16_le;
  if (nearly(zeros[0], zeros[1])) return Encoding::utf16_be;
  return std::nullopt;
}

void Utf16Decoder::feed(std::string_view chunk, std::string& out) {
  for (const char c : chunk) {
    const auto byte = static_cast<unsigned char>(c);
    if (!odd_) {
      first_ = byte;
      odd_ = true;
      continue;
    }
    odd_ = false;
    take(big_endian_ ? static_cast<unsigned>(first_) << 8 | byte : static_cast<unsigned>(byte) << 8 | first_, out);
  }
}

void Utf16Decoder::take(unsigned unit, std::string& out) {
  const bool second_half = unit >= 0xdc00 && unit < 0xe000;
  if (high_ != 0) {
    const unsigned high = std::exchange(high_, 0);
    if (second_half) return append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
    append_utf8(out, 0xfffd);
  }
  if (unit >= 0xd800 && unit < 0xdc00)
    high_ = unit;
  else
    append_utf8(out, second_half ? 0xfffd : unit);
}

void Utf16Decoder::finish(std::string& out) {
  if (odd_ || high_ != 0) append_utf8(out, 0xfffd);
  odd_ = false;
  high_ = 0;
}

}  // namespace iotstream::catalog
