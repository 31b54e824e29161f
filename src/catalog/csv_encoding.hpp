// The encoding of a CSV file's bytes, and the way to UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iotstream::catalog {

enum class Encoding : unsigned char {
  utf8,
  utf8_damaged,  ///< UTF-8 with bytes that are none: those become U+FFFD
  windows_1252,  ///< Latin-1 and its relatives: 0x80 to 0x9F as Windows has them
  utf16_le,      ///< read through Utf16Decoder: cells are UTF-8 then
  utf16_be,
};
std::string_view name_of(Encoding encoding);

/// Counts over a whole file, in any chunking, what its bytes are if they are UTF-8.
class EncodingCensus {
 public:
  void feed(std::string_view chunk);
  /// UTF-8 when all sequences are whole (one cut by the end of the file is no fault); otherwise whichever explains more bytes.
  Encoding encoding() const;

 private:
  std::uint64_t sequences_ = 0;  ///< whole ones of two bytes and more
  std::uint64_t broken_ = 0;
  unsigned missing_ = 0;      ///< bytes that the open sequence still needs
  unsigned char low_ = 0x80;  ///< bounds of its next byte
  unsigned char high_ = 0xbf;
};

/// `bytes` as UTF-8.
void append_decoded(std::string& out, std::string_view bytes, Encoding encoding);

/// UTF-16 with a byte order mark, or without one when the first bytes look like it: in nearly every pair one byte, always the
/// same one, is zero.
std::optional<Encoding> utf16_of(std::string_view head);
/// Bytes of the byte order mark that `head` begins with: UTF-8's 3, UTF-16's 2, or 0.
std::size_t mark_bytes(std::string_view head);

/// UTF-16 to UTF-8, in any cut into chunks; halves of surrogate pairs that stand alone become U+FFFD. The byte order mark is
/// the caller's to skip.
class Utf16Decoder {
 public:
  explicit Utf16Decoder(Encoding encoding) : big_endian_(encoding == Encoding::utf16_be) {}
  void feed(std::string_view chunk, std::string& out);
  void finish(std::string& out);

 private:
  void take(unsigned unit, std::string& out);

  bool big_endian_;
  bool odd_ = false;  ///< a first byte waits for its second
  unsigned char first_ = 0;
  unsigned high_ = 0;  ///< a first half of a pair waits for its second
};

}  // namespace iotstream::catalog
