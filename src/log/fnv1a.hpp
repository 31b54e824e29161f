// FNV-1a, 64 bits (G. Fowler, L. C. Noll, K.-P. Vo): what places keys in partitions, and names long topics' folders; both are
// for ever.
#pragma once

#include <cstdint>
#include <string_view>

namespace iotstream::log {

inline std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace iotstream::log
