// Where in a text something stands, for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace iotstream::ingest {

/// `line 3, column 17` of a byte offset, both from 1; columns count bytes. An offset beyond the end is the end.
std::string place_in(std::string_view text, std::size_t offset);

/// Without the whitespace of JSON at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace iotstream::ingest
