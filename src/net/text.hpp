// Small pure functions on the texts of HTTP: case, percent escapes, UTF-8, lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iotstream::net {

std::string lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// True when `token` is one of the comma-separated members of `list`, ignoring case.
bool list_contains(std::string_view list, std::string_view token);
std::string_view trim(std::string_view text);

/// Undoes percent escapes; nothing for a bad escape, bytes that are not UTF-8, or NUL, CR, LF in the outcome. `plus_is_blank`
/// for queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);

/// A query's `name=value` pairs, in order and decoded. Values may hold line breaks; names may not. Nothing when a part cannot
/// be decoded.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// True when a header with this value would end the line early or hide bytes: it holds CR, LF or NUL.
bool breaks_header(std::string_view text);

}  // namespace iotstream::net
