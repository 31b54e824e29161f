#include "store/names.hpp"

#include <fmt/format.h>

namespace iotstream::store {

namespace {

constexpr std::size_t name_size_max = 120;

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string cleaned(std::string_view name) {
  std::size_t size = std::min(name.size(), name_size_max);
  while (size > 0 && size < name.size() && continues_character(name[size])) --size;
  std::string result(name.substr(0, size));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '_';
  }
  return result.empty() ? "_" : result;
}

}  // namespace

void NameSet::reserve(std::string_view name) { taken_.try_emplace(folded(name), 1); }

std::string NameSet::take(std::string_view wanted) {
  const std::string base = cleaned(wanted);
  const auto [entry, is_new] = taken_.try_emplace(folded(base), 1);
  if (is_new) return base;
  // The number is kept with the base: a thousand names that collide cost a thousand tries, not a million.
  unsigned number = entry->second;
  for (;;) {
    const std::string name = fmt::format("{}_{}", base, ++number);
    if (!taken_.try_emplace(folded(name), 1).second) continue;
    taken_[folded(base)] = number;
    return name;
  }
}

}  // namespace iotstream::store
