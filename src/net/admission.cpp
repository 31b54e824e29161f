#include "net/admission.hpp"

#include <array>

#include <openssl/sha.h>

#include <iotstream/base/text.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

void refuse(Admission& admission, std::string_view reason, unsigned status, std::string_view detail) {
  admission.refusal = Response::problem(status, detail);
  admission.reason = reason;
}

/// What is left of an absolute target (`http://host/path`) once its authority was taken; nothing when it is neither that nor a
/// path.
std::optional<std::string_view> take_authority(std::string_view target, std::optional<std::string_view>& authority) {
  if (target.starts_with('/')) return target;
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    authority = target.substr(0, end);
    target.remove_prefix(end);
    return target.empty() ? std::string_view("/") : target;
  }
  return std::nullopt;
}

/// `.` and `..` parts: clients resolve them; one that arrives here tries something.
bool has_dot_part(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find_first_of("/\\"), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part == "." || part == "..") return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

/// Fills path and query; false when they are malformed.
bool read_target(Request& request, std::string_view target, std::string_view& raw_path) {
  target = target.substr(0, target.find('#'));
  const std::size_t question = std::min(target.find('?'), target.size());
  raw_path = target.substr(0, question);
  auto path = percent_decode(raw_path, false);
  auto query = parse_query(target.substr(std::min(question + 1, target.size())));
  if (!path || !query || !path->starts_with('/') || has_dot_part(*path)) return false;
  request.path = std::move(*path);
  request.query = std::move(*query);
  return true;
}

std::string allow_list(const Router::Match& match) {
  std::string list;
  for (const Method method : match.allowed) list.append(name_of(method)).append(", ");
  return list + "OPTIONS";
}

void answer_options(Admission& admission, bool whole_server) {
  Response response;
  response.status = 204;
  const std::string methods = whole_server ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : allow_list(admission.match);
  response.headers.emplace_back("Allow", methods);
  if (!admission.foreign_origin.empty() && admission.request.header("access-control-request-method")) {
    response.headers.emplace_back("Access-Control-Allow-Methods", methods);
    response.headers.emplace_back("Access-Control-Allow-Headers",
                                  "authorization, content-type, content-encoding, idempotency-key");
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  admission.refusal = std::move(response);
}

void refuse_upgrade(Admission& admission, unsigned status, std::string_view detail) {
  refuse(admission, "upgrade", status, detail);
  if (status == 426) {
    admission.refusal->headers.emplace_back("Upgrade", "websocket");
    admission.refusal->headers.emplace_back("Sec-WebSocket-Version", "13");
  }
}

/// RFC 6455 §4.2.1.
void check_upgrade(Admission& admission, const RequestParser& parser) {
  const Request& request = admission.request;
  const auto upgrade = request.header("upgrade");
  if (!parser.upgrade() || !upgrade || !list_contains(*upgrade, "websocket") || !parser.http11()) {
    return refuse_upgrade(admission, 426, "This address speaks WebSocket only.");
  }
  if (request.header("sec-websocket-version") != "13") {
    return refuse_upgrade(admission, 426, "Only version 13 of the WebSocket protocol is spoken here.");
  }
  const std::string_view key = trim(request.header("sec-websocket-key").value_or(std::string_view()));
  const auto nonce = base64_decode(key);
  if (!nonce || nonce->size() != 16) return refuse_upgrade(admission, 400, "The Sec-WebSocket-Key is not 16 bytes in base64.");
  if (parser.body_remaining() != 0) return refuse_upgrade(admission, 400, "An upgrade has no body.");
  admission.websocket_accept = websocket_accept(key);
}

/// Host, Origin, site and token; true when the request may pass.
bool guard(Admission& admission, const RequestParser& parser, const GuardPolicy& policy, const Peer& peer,
           std::optional<std::string_view> authority) {
  GuardFacts facts = GuardFacts::of(admission.request);
  facts.http11 = parser.http11();
  facts.websocket = parser.upgrade();
  facts.local_address = peer.local_address;
  if (authority) {
    facts.host = *authority;
    facts.host_count = std::max<std::size_t>(facts.host_count, 1);
  }
  const Verdict verdict = judge(policy, facts);
  if (!verdict.passes()) {
    refuse(admission, verdict.reason, verdict.status, verdict.detail);
    if (verdict.status == 401) {
      // Bearer for programs; Basic makes a browser ask for the token, which it then sends with every request and WebSocket of
      // this origin.
      admission.refusal->headers.emplace_back("WWW-Authenticate", "Bearer realm=\"iotstream\"");
      admission.refusal->headers.emplace_back(
          "WWW-Authenticate", "Basic realm=\"iotstream: any name, the token as the password\", charset=\"UTF-8\"");
    }
    return false;
  }
  if (verdict.foreign_origin) admission.foreign_origin = *facts.origin;
  return true;
}

void route(Admission& admission, const RequestParser& parser, const Router& router, std::string_view raw_path) {
  admission.match = router.match(parser.method(), raw_path);
  admission.request.params = std::move(admission.match.params);
  if (admission.match.websocket != nullptr) return check_upgrade(admission, parser);
  if (admission.match.handler != nullptr) return;
  if (admission.match.pattern == nullptr) return refuse(admission, "path", 404, "There is nothing at this address.");
  if (parser.method() == Method::options) return answer_options(admission, false);
  refuse(admission, "method", 405, "This address does not take this method.");
  admission.refusal->headers.emplace_back("Allow", allow_list(admission.match));
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Admission admit(RequestParser& parser, const GuardPolicy& policy, const Router& router, const Peer& peer) {
  Admission admission;
  Request& request = admission.request;
  request.method = parser.method();
  request.headers = std::move(parser.headers());
  request.remote = peer.remote;

  const bool whole_server = parser.method() == Method::options && parser.target() == "*";
  std::optional<std::string_view> authority;
  const auto target = take_authority(whole_server ? "/" : std::string_view(parser.target()), authority);
  if (!guard(admission, parser, policy, peer, authority)) return admission;
  std::string_view raw_path;
  if (!target || !read_target(request, *target, raw_path)) {
    refuse(admission, "target", 400,
           "The request target is malformed: a bad percent escape, text that is no UTF-8, a control character, or a dot part.");
  } else if (whole_server) {
    answer_options(admission, true);
  } else {
    route(admission, parser, router, raw_path);
  }
  return admission;
}

}  // namespace iotstream::net
