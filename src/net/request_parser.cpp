#include "net/request_parser.hpp"

#include <algorithm>
#include <limits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace http = boost::beast::http;
namespace {

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool known_method(http::verb verb, Method& method) {
  switch (verb) {
    case http::verb::get:
      method = Method::get;
      return true;
    case http::verb::head:
      method = Method::head;
      return true;
    case http::verb::post:
      method = Method::post;
      return true;
    case http::verb::put:
      method = Method::put;
      return true;
    case http::verb::patch:
      method = Method::patch;
      return true;
    case http::verb::delete_:
      method = Method::delete_;
      return true;
    case http::verb::options:
      method = Method::options;
      return true;
    default:
      return false;
  }
}

// Room for a body is taken as it comes, beyond this: a length in a header costs its sender nothing.
constexpr std::uint64_t body_reserved_max = 256u << 10;

}  // namespace

RequestParser::RequestParser(const ParserLimits& limits) : limits_(limits) {
  Base::header_limit(static_cast<std::uint32_t>(limits.header_size_max));
  Base::body_limit(limits.body_limited ? boost::optional<std::uint64_t>(limits.body_size_max) : boost::none);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  bool starved = false;  // it needs more bytes than it has to go on
  Base::eager(header_done_);
  // An empty line before a request is allowed for old clients' sake (RFC 9112 §2.2).
  while (!Base::got_some() && bytes.substr(taken).starts_with("\r\n")) taken += 2;
  if (!Base::got_some() && bytes.substr(taken) == "\r") return taken;
  while (taken < bytes.size() && !done() && !failed()) {
    error_code error;
    const bool had_header = header_done_;
    const std::size_t used = Base::put({bytes.data() + taken, bytes.size() - taken}, error);
    taken += used;
    starved = error == http::error::need_more;
    if (starved) break;
    if (error) fail(error);
    if (!had_header && header_done_) break;
  }
  if (starved && !failed() && !done() && bytes.size() - taken > limits_.header_size_max) {
    fail(431, "header", header_done_ ? "A chunk's header or the trailers are too long." : "The headers are too long.");
  }
  return taken;
}

std::uint64_t RequestParser::body_remaining() const {
  if (done()) return 0;
  const auto remaining = Base::content_length_remaining();
  return remaining ? *remaining : std::numeric_limits<std::uint64_t>::max();
}

void RequestParser::limit_body() {
  if (limits_.body_limited || failed()) return;
  limits_.body_limited = true;
  const auto announced = Base::content_length();
  if (std::max(announced ? *announced : 0, body_received_) > limits_.body_size_max) return fail(http::error::body_limit);
  Base::body_limit(limits_.body_size_max - body_received_);
}

void RequestParser::discard_body() {
  discarding_ = true;
  body_ = std::string();
}

void RequestParser::fail(unsigned status, std::string_view reason, std::string_view detail) {
  if (status_ != 0) return;
  status_ = status;
  reason_ = reason;
  detail_ = detail;
}

void RequestParser::fail(const error_code& error) {
  if (error == http::error::header_limit) return fail(431, "header", "The headers are too long.");
  if (error == http::error::body_limit) return fail(413, "body", "The body is larger than server.max_body allows.");
  if (error == http::error::bad_version) return fail(505, "syntax", "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length) {
    return fail(400, "framing", "The Content-Length is no number, stands there twice, or beside a Transfer-Encoding.");
  }
  if (error == http::error::bad_transfer_encoding) {
    return fail(400, "framing", "The Transfer-Encoding stands there twice, or beside a Content-Length.");
  }
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension) {
    return fail(400, "framing", "The chunked body is malformed.");
  }
  if (error == http::error::bad_target) return fail(400, "syntax", "The request target is malformed.");
  fail(400, "syntax", "This is not an HTTP request.");
}

void RequestParser::on_request_impl(http::verb method, text, text target, int version, error_code& error) {
  http11_ = version == 11;
  target_.assign(target.data(), target.size());
  if (version != 10 && version != 11) {
    error = http::error::bad_version;
  } else if (!known_method(method, method_)) {
    fail(501, "method", "This method is not known here.");
    error = http::error::bad_method;
  }
}

void RequestParser::on_field_impl(http::field name, text name_text, text value, error_code& error) {
  if (header_done_) return;  // trailers say nothing that is used here
  if (headers_.size() == limits_.header_count_max) {
    fail(431, "header", "There are too many headers.");
    error = http::error::header_limit;
    return;
  }
  if (name == http::field::transfer_encoding && !equals_ignoring_case(trim(view(value)), "chunked")) {
    // Any other coding would leave the end of the body to guesswork (RFC 9112 §6.1: request smuggling).
    fail(501, "framing", "The only Transfer-Encoding known here is chunked.");
    error = http::error::bad_transfer_encoding;
    return;
  }
  if (name == http::field::expect) {
    if (!equals_ignoring_case(trim(view(value)), "100-continue")) {
      fail(417, "expect", "The only expectation known here is 100-continue.");
      error = http::error::bad_value;
      return;
    }
    expects_continue_ = http11_;
  }
  headers_.emplace_back(lower(view(name_text)), std::string(view(value)));
}

void RequestParser::on_header_impl(error_code& error) {
  header_done_ = true;
  if (Base::chunked() && !http11_) {
    fail(400, "framing", "HTTP/1.0 knows no Transfer-Encoding.");
    error = http::error::bad_transfer_encoding;
  }
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& content_length, error_code&) {
  if (content_length && !discarding_) body_.reserve(static_cast<std::size_t>(std::min(*content_length, body_reserved_max)));
}

std::size_t RequestParser::take_body(text bytes) {
  body_received_ += bytes.size();
  // Beast looks at its limit where a chunk begins: one that had begun before limit_body() it lets pass.
  if (limits_.body_limited && body_received_ > limits_.body_size_max) fail(http::error::body_limit);
  if (!discarding_) body_.append(bytes.data(), bytes.size());
  return bytes.size();
}

std::size_t RequestParser::on_body_impl(text bytes, error_code&) { return take_body(bytes); }

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, text bytes, error_code&) { return take_body(bytes); }

}  // namespace iotstream::net
