#include "net/guard.hpp"

#include <algorithm>

#include <iotstream/base/text.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

struct HostAndPort {
  std::string host;  ///< lower case, IPv6 in brackets, no trailing dot
  std::string port;  ///< empty: the scheme's own
};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' ||
         c == ']';
}

std::optional<HostAndPort> split_host(std::string_view text, bool tls) {
  const std::string small = lower(text);
  if (small.empty() || !std::all_of(small.begin(), small.end(), host_character)) return std::nullopt;
  const bool bracketed = small.front() == '[';
  const std::size_t host_end = bracketed ? small.find(']') + 1 : std::min(small.find(':'), small.size());
  if (host_end == 0) return std::nullopt;  // a bracket that is never closed
  HostAndPort parts{small.substr(0, host_end), {}};
  if (host_end < small.size()) {
    if (small[host_end] != ':') return std::nullopt;
    parts.port = small.substr(host_end + 1);
    if (parts.port.size() > 5 || !all_digits(parts.port)) return std::nullopt;
  }
  if (parts.port == (tls ? "443" : "80")) parts.port.clear();
  if (!bracketed && parts.host.ends_with('.')) parts.host.pop_back();
  if (parts.host.empty()) return std::nullopt;
  return parts;
}

std::string bracketed(std::string_view address) {
  const bool ipv6 = address.find(':') != std::string_view::npos && !address.starts_with('[');
  return ipv6 ? "[" + lower(address) + "]" : lower(address);
}

/// An origin in the form it is compared in: lower case, without the scheme's own port or a closing slash.
std::string normal_origin(std::string_view origin) {
  std::string small = lower(trim(origin));
  if (small.ends_with('/')) small.pop_back();
  if (small.starts_with("http://") && small.ends_with(":80")) small.resize(small.size() - 3);
  if (small.starts_with("https://") && small.ends_with(":443")) small.resize(small.size() - 4);
  return small;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool host_allowed(const GuardPolicy& policy, const GuardFacts& facts, const std::string& host) {
  if (contains(policy.hosts, host)) return true;
  return !facts.local_address.empty() && host == bracketed(facts.local_address);
}

/// A person follows a link or types the address: the outcome is a document that the other site cannot read.
bool navigation(const GuardFacts& facts) {
  return (facts.method == Method::get || facts.method == Method::head) && !facts.websocket &&
         facts.sec_fetch_mode == "navigate" && facts.sec_fetch_dest == "document";
}

std::string_view cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    const std::string_view pair = trim(cookies.substr(0, end));
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return {};
}

bool authorized_by_header(const std::string& token, std::string_view value) {
  const std::size_t blank = std::min(value.find(' '), value.size());
  const std::string_view scheme = value.substr(0, blank);
  const std::string_view secret = trim(value.substr(blank));
  if (equals_ignoring_case(scheme, "bearer")) return equals_in_constant_time(secret, token);
  if (!equals_ignoring_case(scheme, "basic")) return false;
  const auto pair = base64_decode(secret);
  if (!pair) return false;
  const std::size_t colon = pair->find(':');
  return colon != std::string::npos && equals_in_constant_time(std::string_view(*pair).substr(colon + 1), token);
}

bool authorized(const GuardPolicy& policy, const GuardFacts& facts) {
  if (policy.token.empty()) return true;
  if (facts.authorization && authorized_by_header(policy.token, *facts.authorization)) return true;
  return std::any_of(facts.cookies.begin(), facts.cookies.end(), [&](std::string_view cookies) {
    return equals_in_constant_time(cookie_value(cookies, "iotstream_token"), policy.token);
  });
}

Verdict refuse(unsigned status, std::string_view reason, std::string_view detail) { return {status, reason, detail, false}; }

}  // namespace

GuardPolicy GuardPolicy::from(const config::Server& server) {
  GuardPolicy policy;
  policy.tls = !server.tls_certificate.empty();
  policy.token = server.token;
  policy.hosts = {"localhost", "127.0.0.1", "[::1]"};
  for (const auto& endpoint : server.listen) policy.hosts.push_back(bracketed(endpoint.host));
  for (const auto& host : server.allowed_hosts) policy.hosts.push_back(bracketed(host));
  for (const auto& origin : server.allowed_origins) policy.origins.push_back(normal_origin(origin));
  return policy;
}

GuardFacts GuardFacts::of(const Request& request) {
  GuardFacts facts;
  facts.method = request.method;
  for (const auto& [name, value] : request.headers) {
    if (name == "host") {
      facts.host = value;
      ++facts.host_count;
    } else if (name == "origin") {
      facts.origin = value;
    } else if (name == "sec-fetch-site") {
      facts.sec_fetch_site = value;
    } else if (name == "sec-fetch-mode") {
      facts.sec_fetch_mode = value;
    } else if (name == "sec-fetch-dest") {
      facts.sec_fetch_dest = value;
    } else if (name == "authorization") {
      facts.authorization = value;
    } else if (name == "cookie") {
      facts.cookies.push_back(value);
    }
  }
  return facts;
}

Verdict judge(const GuardPolicy& policy, const GuardFacts& facts) {
  std::string own_origin;
  if (facts.host_count == 0 && facts.http11) return refuse(400, "host", "The request has no Host header.");
  if (facts.host_count > 1) return refuse(400, "host", "The request has more than one Host header.");
  if (facts.host_count == 1) {
    const auto host = split_host(facts.host, policy.tls);
    if (!host) return refuse(400, "host", "The Host header is not a host with an optional port.");
    if (!host_allowed(policy, facts, host->host)) {
      return refuse(
          421, "host",
          "This Host is not served here. To reach the server under another name, add the name to server.allowed_hosts.");
    }
    own_origin = (policy.tls ? "https://" : "http://") + host->host + (host->port.empty() ? "" : ":" + host->port);
  }

  bool own = false;
  bool foreign = false;
  if (facts.origin) {
    const std::string origin = normal_origin(*facts.origin);
    own = !own_origin.empty() && origin == own_origin;
    foreign = !own && origin != "null" && contains(policy.origins, origin);
    if (!own && !foreign) {
      return refuse(403, "origin",
                    "Pages of this Origin may not use the server. To allow them, add the origin to server.allowed_origins.");
    }
  }
  const bool other_site = facts.sec_fetch_site && *facts.sec_fetch_site != "same-origin" && *facts.sec_fetch_site != "none";
  if (other_site && !foreign && !navigation(facts)) {
    return refuse(403, "site",
                  "A page of another site may not use the server without an Origin that server.allowed_origins names.");
  }
  const bool preflight = foreign && facts.method == Method::options;
  if (!preflight && !authorized(policy, facts)) {
    return refuse(401, "token", "A token is needed: Authorization: Bearer TOKEN, or the token as the password.");
  }
  return {0, {}, {}, foreign};
}

}  // namespace iotstream::net
