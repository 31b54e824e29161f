// Names that SQLite takes for tables and columns, made from names that users chose.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace iotstream::store {

/// Hands out names that SQLite tells apart: it compares ASCII letters without their case (`Speed` is `speed`), other characters
/// as they are. Control characters (a NUL would end the statement) become `_`, an empty name `_`, long names are cut to 120
/// bytes at a character's edge; a name that is taken gets `_2`, `_3`, … One thread.
class NameSet {
 public:
  /// The name given out, which is `wanted` itself whenever that can be.
  std::string take(std::string_view wanted);
  /// Marks a name as taken that was given out earlier.
  void reserve(std::string_view name);

 private:
  std::unordered_map<std::string, unsigned> taken_;  ///< folded name → the last number tried behind it
};

}  // namespace iotstream::store
