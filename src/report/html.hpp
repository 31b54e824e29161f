// Texts, numbers and times as a page shows them.
#pragma once

#include <string>
#include <string_view>

#include <iotstream/base/time.hpp>

namespace iotstream::report {

/// `text` so that no character of it is markup, inside elements and in quoted attributes; control characters and bytes that are
/// not UTF-8 become U+FFFD.
std::string escaped(std::string_view text);
/// About four digits: `1 234`, `0.0123`, `1.2e9`.
std::string shown(double number);
std::string shown_count(std::uint64_t count);
/// `2018-01-19 05:37:00`.
std::string shown_time(Timestamp time);
/// `3 h 12 min`, `840 ms`.
std::string shown_length(Duration length);

}  // namespace iotstream::report
