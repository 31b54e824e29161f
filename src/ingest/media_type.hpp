// What a Content-Type says about a body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <iotstream/ingest/gate.hpp>

namespace iotstream::ingest {

std::string lower(std::string_view text);  ///< ASCII

/// Nothing for types that are certainly no readings, and for a charset other than UTF-8 or ASCII. Types that clients send
/// without meaning them (none at all, `text/plain`, `application/octet-stream`, `application/x-www-form-urlencoded` as curl
/// does) leave it to the body's first bytes.
std::optional<BodyFormat> format_of(std::string_view content_type);

}  // namespace iotstream::ingest
