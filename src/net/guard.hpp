// Who may speak to the server: Host, Origin, Sec-Fetch-Site and the token, decided in one pure function for every request and
// upgrade.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/config/config.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::net {

/// What is allowed, worked out once at start. All in lower case, default ports left out.
struct GuardPolicy {
  bool tls = false;
  std::vector<std::string> hosts;    ///< without port, IPv6 in brackets
  std::vector<std::string> origins;  ///< beside the server's own
  std::string token;                 ///< empty: none is asked

  static GuardPolicy from(const config::Server& server);
};

/// What a request says about itself. Views live as long as the request.
struct GuardFacts {
  Method method = Method::get;
  bool http11 = true;
  bool websocket = false;          ///< asks for an upgrade
  std::size_t host_count = 0;      ///< number of Host headers
  std::string_view host;           ///< as sent, with port; of an absolute request target in place of the header
  std::string_view local_address;  ///< the address that the client reached, numeric: `127.0.0.1`, `::1`
  std::optional<std::string_view> origin;
  std::optional<std::string_view> sec_fetch_site;
  std::optional<std::string_view> sec_fetch_mode;
  std::optional<std::string_view> sec_fetch_dest;
  std::optional<std::string_view> authorization;
  std::vector<std::string_view> cookies;  ///< values of the Cookie headers

  static GuardFacts of(const Request& request);
};

struct Verdict {
  unsigned status = 0;          ///< 0: may pass; else the status to refuse with
  std::string_view reason;      ///< a word for the metrics: host, origin, site, token
  std::string_view detail;      ///< one sentence for the client
  bool foreign_origin = false;  ///< passed because its Origin is in allowed_origins: the answer carries CORS headers

  bool passes() const { return status == 0; }
};

/// The rules, in this order:
///   400 no or several Hosts (HTTP/1.0 may have none), or one that is not host[:port];
///   421 Host is not a loopback name, a listen address, the address reached, or allowed (DNS rebinding);
///   403 Origin present, and neither scheme://Host nor allowed; `null` never is (cross-site forms, sandboxed frames, WebSocket
///   hijacking); 403 Sec-Fetch-Site cross-site or same-site without an allowed Origin, except that a person may follow a link
///   to a document; 401 a token is configured, and neither `Authorization: Bearer`, the password of `Authorization: Basic`, nor
///   the cookie `iotstream_token`
///       is it. A CORS preflight of an allowed Origin is answered without one: browsers send it none.
Verdict judge(const GuardPolicy& policy, const GuardFacts& facts);

}  // namespace iotstream::net
