// Where a client connects to.
#pragma once

#include <cstdint>
#include <string>

#include <iotstream/base/result.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::net {

struct Url {
  bool tls = false;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  std::string path;  ///< goes before every request's path; without a closing slash, so empty for `/`

  /// The value of the Host header.
  std::string authority() const;

  /// `http://host[:port][/path]`, also https, ws and wss. Errors: invalid.
  static Result<Url> parse(const std::string& text);
};

/// What a client sends, in one piece. Errors: invalid when the path or a header could end a line early.
Result<std::string> request_bytes(const Url& url, Method method, const std::string& path, const Headers& headers,
                                  std::string_view body);

}  // namespace iotstream::net
