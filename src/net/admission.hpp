// From a parsed header to what happens with the request: pure, without sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <iotstream/net/http.hpp>

#include "net/guard.hpp"
#include "net/request_parser.hpp"

namespace iotstream::net {

struct Peer {
  std::string remote;         ///< `127.0.0.1:50412`
  std::string local_address;  ///< the address it reached, without port
};

/// A request whose header has been judged; its body is still to come.
struct Admission {
  Request request;
  Router::Match match;
  std::optional<Response> refusal;  ///< answered by the server itself; no route sees the request
  std::string_view reason;          ///< of a refusal, for the metrics; empty for answers that are none (OPTIONS)
  std::string foreign_origin;       ///< an allowed foreign Origin: the answer carries CORS headers for it
  std::string websocket_accept;  ///< of an upgrade to a WebSocket: the value of Sec-WebSocket-Accept; empty for plain requests
};

/// Judges `parser`'s header: target, guard, route, upgrade. Moves the headers out of the parser.
Admission admit(RequestParser& parser, const GuardPolicy& policy, const Router& router, const Peer& peer);

/// RFC 6455 §4.2.2: the proof that the server has read the client's key.
std::string websocket_accept(std::string_view key);

}  // namespace iotstream::net
