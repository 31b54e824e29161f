// Where in a text something stands, for messages; and the whitespace around it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace iotstream::ingest {

/// `line 3, column 17` of a byte offset, both from 1; columns count bytes. An offset beyond the end is the end.
std::string place_in(std::string_view text, std::size_t offset);

/// Whitespace of JSON.
constexpr bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Without blanks at both ends. By hand: find_first_not_of() calls memchr for every character, and this is done for every
/// number.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace iotstream::ingest
