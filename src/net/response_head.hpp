// Status line and headers of an answer, as bytes.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/net/http.hpp>

namespace iotstream::net {

/// `Not Found` for 404; a general phrase for a status without a name of its own.
std::string_view reason_phrase(unsigned status);

/// 1xx, 204 and 304 never have a body.
bool allows_body(unsigned status);

/// How an answer is framed, decided by the connection.
struct Framing {
  bool http11 = true;
  bool keep_alive = true;
  std::optional<std::uint64_t> content_length;  ///< nothing: chunked on HTTP/1.1, until the end of the connection on 1.0
  std::string_view allow_origin;                ///< an allowed foreign Origin: CORS headers for it
};

/// Appends the head, closing blank line included: the server's own headers (Date, security, no-store), those of `response` in
/// place of them where it names the same.
void append_head(std::string& out, const Response& response, const Framing& framing);

/// True when a status or header of `response` cannot be written as it is: a value with CR, LF or NUL, a name that is no token.
bool unwritable(const Response& response);

/// `Date: …` of this second (RFC 9110 §5.6.7). Kept per thread: the text changes once a second.
std::string_view date_header();

/// The bytes of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string format_http_date(std::time_t seconds);

}  // namespace iotstream::net
