// Bytes → one request, by Boost.Beast's incremental parser: pieces of any size, no socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include <iotstream/net/http.hpp>

namespace iotstream::net {

struct ParserLimits {
  std::uint64_t header_size_max = 32u << 10;  ///< request line and headers; also a chunk's header and the trailers
  std::size_t header_count_max = 100;
  std::uint64_t body_size_max = 16u << 20;
  bool body_limited = true;  ///< false: only from limit_body() on
};

/// Parses one request; a new parser for each. feed() until done() or failed(). One thread.
class RequestParser final : private boost::beast::http::basic_parser<true> {
  using Base = boost::beast::http::basic_parser<true>;

 public:
  explicit RequestParser(const ParserLimits& limits);

  /// Takes bytes from the front of `bytes` and returns how many; those not taken are to be given again with more behind them.
  /// Stops after the header, so that the request can be judged before its body is taken; call again to go on.
  std::size_t feed(std::string_view bytes);

  bool header_done() const { return header_done_; }
  bool done() const { return Base::is_done(); }
  bool failed() const { return status_ != 0; }
  unsigned status() const { return status_; }          ///< that a failed request is to be answered with
  std::string_view detail() const { return detail_; }  ///< one sentence for the client
  std::string_view reason() const { return reason_; }  ///< a word for the metrics

  bool http11() const { return http11_; }
  bool keep_alive() const { return Base::keep_alive(); }
  bool upgrade() const { return Base::upgrade(); }
  bool expects_continue() const { return expects_continue_; }
  /// What is left of a body of known length; 0 when there is none, the largest number when its length is not known.
  std::uint64_t body_remaining() const;
  std::uint64_t body_received() const { return body_received_; }
  /// From now on body_size_max counts: fails when more has come, or is announced.
  void limit_body();
  /// The body that is still to come is counted and forgotten: the request has been refused.
  void discard_body();

  Method method() const { return method_; }
  const std::string& target() const { return target_; }
  /// Headers, then body; each may be moved out once it is complete.
  Headers& headers() { return headers_; }
  std::string& body() { return body_; }

 private:
  using error_code = boost::beast::error_code;
  using text = boost::beast::string_view;

  void fail(unsigned status, std::string_view reason, std::string_view detail);
  void fail(const error_code& error);
  std::size_t take_body(text bytes);

  void on_request_impl(boost::beast::http::verb method, text method_text, text target, int version, error_code& error) override;
  void on_response_impl(int, text, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, text name_text, text value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& content_length, error_code& error) override;
  std::size_t on_body_impl(text bytes, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, text bytes, error_code& error) override;
  void on_finish_impl(error_code&) override {}

  ParserLimits limits_;
  Method method_ = Method::get;
  std::string target_;
  Headers headers_;
  std::string body_;
  std::uint64_t body_received_ = 0;
  unsigned status_ = 0;
  std::string_view reason_;
  std::string_view detail_;
  bool http11_ = true;
  bool header_done_ = false;
  bool expects_continue_ = false;
  bool discarding_ = false;
};

}  // namespace iotstream::net
