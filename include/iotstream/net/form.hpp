// Bodies of forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iotstream::net {

/// The `name=value` pairs of application/x-www-form-urlencoded, in order and decoded; nothing when a part cannot be decoded.
std::optional<std::vector<std::pair<std::string, std::string>>> read_form(std::string_view body);

}  // namespace iotstream::net
