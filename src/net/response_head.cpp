#include "net/response_head.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

/// A header that every answer carries unless its route says otherwise.
struct Default {
  std::string_view name;
  std::string_view line;
};
// no-store: readings are private and change; assets name their own policy. DENY: no page may frame the dashboard.
constexpr std::array<Default, 6> defaults{{
    {"server", "Server: iotstream\r\n"},
    {"x-content-type-options", "X-Content-Type-Options: nosniff\r\n"},
    {"x-frame-options", "X-Frame-Options: DENY\r\n"},
    {"referrer-policy", "Referrer-Policy: no-referrer\r\n"},
    {"cross-origin-resource-policy", "Cross-Origin-Resource-Policy: same-origin\r\n"},
    {"cache-control", "Cache-Control: no-store\r\n"},
}};

constexpr std::string_view all_defaults =
    "Server: iotstream\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

bool names(const Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

void append_defaults(std::string& out, const Response& response) {
  if (response.headers.empty()) {
    out += all_defaults;
    return;
  }
  for (const Default& header : defaults) {
    if (!names(response, header.name)) out += header.line;
  }
}

bool is_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_status_line(std::string& out, unsigned status, bool http11) {
  if (status == 200 && http11) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  fmt::format_to(std::back_inserter(out), "HTTP/1.{} {} {}\r\n", http11 ? 1 : 0, status, reason_phrase(status));
}

void append_framing(std::string& out, const Response& response, const Framing& framing) {
  if (!allows_body(response.status)) return;
  if (framing.content_length) {
    const fmt::format_int length(*framing.content_length);
    out.append("Content-Length: ").append(length.data(), length.size()).append("\r\n");
  } else if (framing.http11) {
    out += "Transfer-Encoding: chunked\r\n";
  }
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

bool allows_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

std::string format_http_date(std::time_t seconds) {
  constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string_view date_header() {
  thread_local std::time_t second = 0;
  thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    line = "Date: " + format_http_date(now) + "\r\n";
    second = now;
  }
  return line;
}

void append_head(std::string& out, const Response& response, const Framing& framing) {
  append_status_line(out, response.status, framing.http11);
  out += date_header();
  append_defaults(out, response);
  if (!response.content_type.empty() && allows_body(response.status)) append_line(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_line(out, name, value);
  if (!framing.allow_origin.empty()) {
    append_line(out, "Access-Control-Allow-Origin", framing.allow_origin);
    append_line(out, "Vary", "Origin");
  }
  append_framing(out, response, framing);
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!framing.http11) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

bool unwritable(const Response& response) {
  if (response.status < 200 || response.status > 599 || breaks_header(response.content_type)) return true;
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [](const auto& header) { return !is_token(header.first) || breaks_header(header.second); });
}

}  // namespace iotstream::net
