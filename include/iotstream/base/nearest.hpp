// What somebody who mistyped a name may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iotstream {

/// Of `valid` the name nearest to `name` by edit distance, if any is near: at most a third of the longer one's bytes, never
/// more than three, or a beginning of at least three bytes. Nothing for names above 200 bytes.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& valid);

}  // namespace iotstream
