#include "net/response_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace http = boost::beast::http;

namespace {

// A client of ours takes what its server gives, but no header that fills the memory.
constexpr std::uint32_t header_size_max = 256u << 10;

}  // namespace

std::optional<std::string_view> ClientResponse::header(std::string_view lower_case_name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == lower_case_name; });
  if (found == headers.end()) return std::nullopt;
  return std::string_view(found->second);
}

ResponseParser::ResponseParser(bool head, std::function<bool(std::string_view)> piece) : piece_(std::move(piece)) {
  Base::header_limit(header_size_max);
  Base::body_limit(boost::none);
  Base::eager(true);
  Base::skip(head);
}

std::size_t ResponseParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !done() && !failed_) {
    error_code error;
    taken += Base::put({bytes.data() + taken, bytes.size() - taken}, error);
    if (error == http::error::need_more) break;
    if (error) failed_ = true;
  }
  return taken;
}

bool ResponseParser::finish() {
  if (done()) return true;
  if (failed_ || !Base::is_header_done() || !Base::need_eof()) return false;
  error_code error;
  Base::put_eof(error);
  return !error && done();
}

std::size_t ResponseParser::take_body(text bytes, error_code& error) {
  if (!piece_ || response_.status / 100 != 2) {
    response_.body.append(bytes.data(), bytes.size());
  } else if (!piece_({bytes.data(), bytes.size()})) {
    stopped_ = true;
    error = http::error::end_of_stream;
  }
  return bytes.size();
}

void ResponseParser::on_response_impl(int code, text, int, error_code&) { response_.status = static_cast<unsigned>(code); }

void ResponseParser::on_field_impl(http::field, text name_text, text value, error_code&) {
  if (header_done_) return;  // trailers
  response_.headers.emplace_back(lower({name_text.data(), name_text.size()}), std::string(value.data(), value.size()));
}

}  // namespace iotstream::net
