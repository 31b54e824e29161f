// The dashboard's files, embedded at build time.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <iotstream/net/http.hpp>

namespace iotstream::http {

struct Asset {
  std::string_view path;  ///< `/index.html`, `/assets/index-4f2a.js`
  std::string_view content_type;
  std::string_view etag;  ///< quoted, of the plain bytes
  std::string_view plain;
  std::string_view gzip;  ///< empty when it would not be smaller
  std::string_view brotli;
};

/// Defined in the build folder, by cmake/embed.mjs. Views into the binary.
const std::vector<Asset>& embedded_assets();

/// `front` is asked first about `/`, when it is not empty: an answer stands in the page's place.
using Front = std::function<std::optional<net::Response>(const net::Request&)>;
void add_asset_routes(net::Router& router, const Front& front);

}  // namespace iotstream::http
