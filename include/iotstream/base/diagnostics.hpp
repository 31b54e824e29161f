// Messages for the operator, on stderr. (The word "log" is kept for the durable log.)
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace iotstream::diagnostics {

enum class Level : unsigned char { debug, info, warning, error, off };

/// Sets the lowest level that is printed; info at the start. Any thread.
void set_level(Level level);
/// The level named `debug`, `info`, `warning`, `error` or `off`; false when there is no such name.
bool set_level(std::string_view name);

/// Prints one line with time, level and room. Control characters of `message` are escaped, so that a device's name cannot forge
/// a line or drive a terminal. Any thread; may take a lock and a system call: never between claim and commit.
void write(Level level, std::string_view room, std::string_view message);
bool enabled(Level level) noexcept;

template <class... Values>
void debug(std::string_view room, fmt::format_string<Values...> format, Values&&... values) {
  if (enabled(Level::debug)) write(Level::debug, room, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void info(std::string_view room, fmt::format_string<Values...> format, Values&&... values) {
  if (enabled(Level::info)) write(Level::info, room, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void warning(std::string_view room, fmt::format_string<Values...> format, Values&&... values) {
  if (enabled(Level::warning)) write(Level::warning, room, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void error(std::string_view room, fmt::format_string<Values...> format, Values&&... values) {
  if (enabled(Level::error)) write(Level::error, room, fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace iotstream::diagnostics
