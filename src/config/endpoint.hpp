// Reading an address to listen on.
#pragma once

#include <string_view>

#include <iotstream/config/config.hpp>

namespace iotstream::config {

Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace iotstream::config
