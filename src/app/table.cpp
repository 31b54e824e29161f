#include "app/table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace iotstream::app {

namespace {

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    byte < 0x20 || byte == 0x7f ? static_cast<void>(out += fmt::format("\\x{:02x}", byte)) : out.push_back(c);
  }
  return out;
}

/// Code points, near enough to columns of a terminal.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+e") == std::string_view::npos;
}

}  // namespace

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : rows_) {
    auto& shown = rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      shown.push_back(printable(row[i]));
      widths[i] = std::max(widths[i], width_of(shown.back()));
    }
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const std::string padding(widths[i] - width_of(rows[r][i]), ' ');
      const bool right = r > 0 && is_number(rows[r][i]);
      line += right ? padding + rows[r][i] : rows[r][i] + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

}  // namespace iotstream::app
