// Invariants, checked in release as well: a broken one stops the process with the values that show it.
#pragma once

#include <fmt/format.h>

namespace iotstream::base {

/// Prints `file:line: expression: text` on stderr and aborts. Never returns, never throws.
[[noreturn]] void assertion_failed(const char* file, int line, const char* expression, const std::string& text) noexcept;

}  // namespace iotstream::base

/// IOTSTREAM_ASSERT(condition, "format", values…): the format says what was expected and prints the values.
#define IOTSTREAM_ASSERT(condition, ...)                                                               \
  do {                                                                                                 \
    if (!(condition)) [[unlikely]]                                                                     \
      ::iotstream::base::assertion_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
  } while (false)
