#include <algorithm>

#include <iotstream/base/assert.hpp>
#include <iotstream/net/http.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, slash));
    if (slash == path.size()) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view part) { return part.size() > 2 && part.front() == '{' && part.back() == '}'; }
bool is_rest(std::string_view part) { return is_parameter(part) && part.ends_with("...}"); }

std::string_view parameter_name(std::string_view part) {
  part = part.substr(1, part.size() - 2);
  return part.ends_with("...") ? part.substr(0, part.size() - 3) : part;
}

using Params = std::vector<std::pair<std::string, std::string>>;

/// `path_parts` are decoded one by one, so that an escaped slash stays inside its part.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path_parts, Params& params) {
  params.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_rest(pattern[i])) {
      std::string rest;
      for (std::size_t k = i; k < path_parts.size(); ++k) rest.append(k == i ? "" : "/").append(path_parts[k]);
      params.emplace_back(parameter_name(pattern[i]), std::move(rest));
      return true;
    }
    if (i >= path_parts.size()) return false;
    if (is_parameter(pattern[i])) {
      if (path_parts[i].empty()) return false;
      params.emplace_back(parameter_name(pattern[i]), path_parts[i]);
    } else if (pattern[i] != path_parts[i]) {
      return false;
    }
  }
  return pattern.size() == path_parts.size();
}

/// Literal parts before `{name}`, that before `{name...}`: the more exact pattern is tried first, whatever the order of add().
bool more_exact(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto rank = [](const std::string& part) { return is_rest(part) ? 2 : is_parameter(part) ? 1 : 0; };
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (rank(a[i]) != rank(b[i])) return rank(a[i]) < rank(b[i]);
  }
  return a.size() > b.size();
}

}  // namespace

void Router::add(Method method, std::string pattern, Handler handler, Overlaps overlaps) {
  IOTSTREAM_ASSERT(pattern.starts_with('/'), "a route's pattern begins with a slash, not `{}`", pattern);
  auto parts = split(pattern);
  const auto place =
      std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) { return more_exact(parts, route.parts); });
  routes_.insert(place, Route{method, std::move(pattern), std::move(parts), std::move(handler), nullptr, std::move(overlaps)});
}

void Router::add_websocket(std::string pattern, WebSocketHandler handler) {
  add(Method::get, pattern, nullptr);
  const auto added = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
    return route.pattern == pattern && !route.handler && !route.websocket;
  });
  added->websocket = std::move(handler);
}

Router::Match Router::match(Method method, std::string_view path) const {
  Match match;
  std::vector<std::string> parts = split(path);
  for (auto& part : parts) {
    auto decoded = percent_decode(part, false);
    if (!decoded) return match;
    part = std::move(*decoded);
  }
  const Route* head = nullptr;  // a GET route answers HEAD where HEAD has no route of its own
  Params params;
  Params head_params;
  for (const Route& route : routes_) {
    // A path that an exact pattern knows is not left to a `{rest...}`: a wrong method there is 405, not the catch-all's 404.
    if (match.pattern != nullptr && is_rest(route.parts.back()) && *match.pattern != route.pattern) break;
    if (!fits(route.parts, parts, params)) continue;
    if (match.pattern == nullptr) match.pattern = &route.pattern;
    if (route.method == method) {
      match.pattern = &route.pattern;
      match.params = std::move(params);
      match.handler = route.handler ? &route.handler : nullptr;
      match.websocket = route.websocket ? &route.websocket : nullptr;
      match.overlaps = route.overlaps ? &route.overlaps : nullptr;
      match.allowed.clear();
      return match;
    }
    if (method == Method::head && route.method == Method::get && route.handler && head == nullptr) {
      head = &route;
      head_params = params;
    }
    if (std::find(match.allowed.begin(), match.allowed.end(), route.method) == match.allowed.end()) {
      match.allowed.push_back(route.method);
      if (route.method == Method::get && route.handler) match.allowed.push_back(Method::head);
    }
  }
  if (head != nullptr) {
    match.pattern = &head->pattern;
    match.params = std::move(head_params);
    match.handler = &head->handler;
    match.allowed.clear();
  }
  return match;
}

std::vector<std::pair<Method, std::string>> Router::routes() const {
  std::vector<std::pair<Method, std::string>> routes;
  for (const Route& route : routes_) routes.emplace_back(route.method, route.pattern);
  return routes;
}

}  // namespace iotstream::net
