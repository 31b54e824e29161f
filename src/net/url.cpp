#include "net/url.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

Error bad_url(const std::string& text, std::string_view why) {
  return {ErrorKind::invalid, fmt::format("`{}` is no URL of a server: {}; write it like http://127.0.0.1:8080", text, why)};
}

bool names(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Result<Url> Url::parse(const std::string& text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) return bad_url(text, "it has no scheme");
  const std::string scheme = lower(text.substr(0, colon));
  url.tls = scheme == "https" || scheme == "wss";
  if (!url.tls && scheme != "http" && scheme != "ws") return bad_url(text, "its scheme is not http or https");
  std::string_view rest = std::string_view(text).substr(colon + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  rest = rest.substr(0, slash);

  const bool bracketed = rest.starts_with('[');
  const std::size_t host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos) return bad_url(text, "a bracket is not closed");
  url.host = bracketed ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
  rest.remove_prefix(std::min(host_end + (bracketed ? 1 : 0), rest.size()));
  if (url.host.empty() || url.host.find('@') != std::string::npos) return bad_url(text, "it has no plain host");
  url.port = url.tls ? 443 : 80;
  if (!rest.empty()) {
    const char* const end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(rest.data() + 1, end, url.port);
    if (rest.front() != ':' || error != std::errc() || stop != end || url.port == 0)
      return bad_url(text, "its port is no number from 1 to 65535");
  }
  if (breaks_header(text) || text.find(' ') != std::string::npos) return bad_url(text, "it holds blanks or line breaks");
  return url;
}

Result<std::string> request_bytes(const Url& url, Method method, const std::string& path, const Headers& headers,
                                  std::string_view body) {
  if (!path.starts_with('/') || breaks_header(path) || path.find(' ') != std::string::npos) {
    return Error{ErrorKind::invalid, fmt::format("`{}` is no path of a request", path)};
  }
  std::string out;
  out.reserve(256 + body.size());
  out.append(name_of(method)).append(" ").append(url.path).append(path).append(" HTTP/1.1\r\n");
  if (!names(headers, "host")) out.append("Host: ").append(url.authority()).append("\r\n");
  for (const auto& [name, value] : headers) {
    if (breaks_header(name) || breaks_header(value))
      return Error{ErrorKind::invalid, fmt::format("the header `{}` holds a line break", name)};
    out.append(name).append(": ").append(value).append("\r\n");
  }
  const bool sends_length = !body.empty() || method == Method::post || method == Method::put || method == Method::patch;
  if (sends_length) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", body.size());
  out.append("\r\n").append(body);
  return out;
}

}  // namespace iotstream::net
