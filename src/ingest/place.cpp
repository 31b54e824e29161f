#include "ingest/place.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace iotstream::ingest {
std::string place_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("line {}, column {}", line, before.size() - line_begin + 1);
}

}  // namespace iotstream::ingest
