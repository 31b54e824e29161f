#include <algorithm>

#include <iotstream/base/json.hpp>
#include <iotstream/net/http.hpp>

#include "net/response_head.hpp"

namespace iotstream::net {
namespace {

template <class Pairs>
std::optional<std::string_view> first(const Pairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
  if (found == pairs.end()) return std::nullopt;
  return std::string_view(found->second);
}

unsigned status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return 400;
    case ErrorKind::unprocessable:
      return 422;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::unsupported:
      return 415;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::busy:
      return 429;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::disk_full:
      return 507;
    case ErrorKind::io:
    case ErrorKind::corrupt:
      return 500;
  }
  return 500;
}

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
  }
  return "GET";
}

std::optional<std::string_view> Request::header(std::string_view lower_case_name) const {
  return first(headers, lower_case_name);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const { return first(query, name); }

std::string_view Request::param(std::string_view name) const { return first(params, name).value_or(std::string_view()); }

Response Response::json(std::string body, unsigned status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response Response::text(std::string body, unsigned status) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Response Response::problem(unsigned status, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  json::Writer json(response.body);
  json.begin_object();
  json.key("type").value("about:blank");
  json.key("title").value(reason_phrase(status));
  json.key("status").value(status);
  json.key("detail").value(detail);
  json.end_object();
  return response;
}

Response Response::from(const Error& error) {
  Response response = problem(status_of(error.kind), error.message);
  if (response.status == 429 || response.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace iotstream::net
