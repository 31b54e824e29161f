#include "catalog/csv_text.hpp"

#include <algorithm>
#include <array>

namespace iotstream::catalog {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_missing_word(std::string_view cell) {
  static constexpr std::array<std::string_view, 22> words = {
      "-",      "--",     "nan", "null", "na",   "n/a",  "#n/a",     "#div/0!",   "#ref!", "#value!", "#num!",
      "#name?", "#null!", "\\n", "inf",  "-inf", "+inf", "infinity", "-infinity", "∞",     "-∞",      "+∞"};
  constexpr std::size_t longest = 9;
  constexpr std::string_view firsts = "-+nN#\\iI\xe2";  // of all the words
  if (cell.empty()) return true;
  if (cell.size() > longest || (cell[0] >= '0' && cell[0] <= '9')) return false;
  if (firsts.find(cell[0]) == std::string_view::npos) return false;
  if (cell[0] == '-' && cell.size() > 1 && cell[1] >= '0' && cell[1] <= '9') return false;
  std::array<char, longest> lowered{};
  std::transform(cell.begin(), cell.end(), lowered.begin(), lower);
  return std::find(words.begin(), words.end(), std::string_view(lowered.data(), cell.size())) != words.end();
}

std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace iotstream::catalog
