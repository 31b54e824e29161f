#include "http/assets.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace iotstream::http {

namespace {

/// Everything the page needs comes from here; nothing else is allowed, and nobody may frame it.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Whether Accept-Encoding lists `coding` without `q=0`.
bool accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view item = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    const std::size_t semicolon = item.find(';');
    std::string_view name = item.substr(0, semicolon);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (name != coding) continue;
    if (semicolon == std::string_view::npos) return true;
    const std::string_view parameter = item.substr(semicolon + 1);
    const std::size_t equals = parameter.find("q=0");
    return equals == std::string_view::npos || parameter.find_first_of("123456789", equals) != std::string_view::npos;
  }
  return false;
}

net::Response serve(const Asset& asset, const net::Request& request) {
  net::Response response;
  const bool immutable = asset.path.starts_with("/assets/");
  response.headers = {{"ETag", std::string(asset.etag)},
                      {"Cache-Control", immutable ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"Vary", "Accept-Encoding"}};
  if (asset.content_type.starts_with("text/html")) {
    response.headers.emplace_back("Content-Security-Policy", content_security_policy);
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  }
  if (request.header("if-none-match") == asset.etag) {
    response.status = 304;
    return response;
  }
  response.content_type = asset.content_type;
  const std::string_view encodings = request.header("accept-encoding").value_or("");
  if (!asset.brotli.empty() && accepts(encodings, "br")) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.static_body = asset.brotli;
  } else if (!asset.gzip.empty() && accepts(encodings, "gzip")) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.static_body = asset.gzip;
  } else {
    response.static_body = asset.plain;
  }
  return response;
}

void add_front(net::Router& router, const Front& front, net::Handler page) {
  router.add(net::Method::get, "/", [front, page = std::move(page)](net::Request request, net::Respond respond) {
    if (front)
      if (auto answer = front(request)) return respond(std::move(*answer));
    page(std::move(request), std::move(respond));
  });
}

}  // namespace

void add_asset_routes(net::Router& router, const Front& front) {
  for (const Asset& asset : embedded_assets()) {
    const auto handler = [&asset](net::Request request, net::Respond respond) { respond(serve(asset, request)); };
    router.add(net::Method::get, std::string(asset.path), handler);
    if (asset.path == "/index.html") add_front(router, front, handler);
  }
  if (!embedded_assets().empty()) return;
  add_front(router, front, [](const net::Request&, const net::Respond& respond) {
    respond(net::Response::text(
        "This build has no dashboard (IOTSTREAM_EMBED_WEB=OFF). The API is described at /api/v1/openapi.json.\n"));
  });
}

}  // namespace iotstream::http
