// The texts (and JSON documents) of one field: how many distinct ones, and the most frequent.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <iotstream/profile/profile.hpp>

#include "profile/frequent.hpp"
#include "profile/hyperloglog.hpp"

namespace iotstream::profile {

/// Exact while the distinct texts are few and together small; then estimates. A text longer than 256 bytes is known by its
/// beginning and its hash.
class Texts {
 public:
  Texts(std::size_t distinct_max, std::size_t bytes_max) : bytes_max_(bytes_max), counts_(distinct_max) {}

  void add(std::string_view text);
  /// Adds to distinct and top. `documents`: they are JSON already.
  void finish(FieldProfile& profile, std::size_t top, bool documents) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void make_room(std::size_t bytes);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool exact_ = true;
  HyperLogLog distinct_;
  Frequent<std::string, Hash, std::equal_to<>> counts_;
  std::string key_;
};

}  // namespace iotstream::profile
