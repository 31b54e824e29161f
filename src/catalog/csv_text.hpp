// What surrounds CSV: the encoding of the bytes, the separator, and words that mean "no value".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/csv_reader.hpp"

namespace iotstream::catalog {

enum class Encoding : unsigned char {
  utf8,
  utf8_damaged,  ///< UTF-8 with bytes that are none: those become U+FFFD
  windows_1252,  ///< Latin-1 and its relatives: 0x80 to 0x9F as Windows has them
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

/// The separator among `;` `,` tab and `|` that cuts the header and the first rows most evenly; `,` for a single column.
char find_separator(std::string_view head, bool whole_file);

/// Empty, `-`, `--`, `NaN`, `null`, `NA`, `N/A`, `#N/A`, `\N`, and infinities: nothing that a sensor measured.
bool is_missing(std::string_view cell);

std::string_view trim_blanks(std::string_view text);

}  // namespace iotstream::catalog
