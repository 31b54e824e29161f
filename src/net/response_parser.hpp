// Bytes → one answer, by Boost.Beast's incremental parser. The client's side of request_parser.hpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include <iotstream/net/client.hpp>

namespace iotstream::net {

class ResponseParser final : private boost::beast::http::basic_parser<false> {
  using Base = boost::beast::http::basic_parser<false>;

 public:
  /// `head`: the answer to HEAD, without body. `piece`, when given, gets the body of a 2xx answer in place of
  /// response().body; false from it stops the parser.
  explicit ResponseParser(bool head, std::function<bool(std::string_view)> piece = nullptr);

  /// Takes bytes from the front of `bytes` and returns how many; those not taken are to be given again with more behind them.
  std::size_t feed(std::string_view bytes);
  /// The connection has ended: true when the answer is whole with it.
  bool finish();

  bool started() const { return Base::got_some(); }
  bool done() const { return Base::is_done(); }
  bool failed() const { return failed_; }
  bool stopped() const { return stopped_; }
  bool keep_alive() const { return Base::keep_alive(); }
  /// 100 to 199 but 101: the real answer follows, for a new parser.
  bool interim() const { return response_.status / 100 == 1 && response_.status != 101; }
  ClientResponse& response() { return response_; }

 private:
  using error_code = boost::beast::error_code;
  using text = boost::beast::string_view;

  std::size_t take_body(text bytes, error_code& error);

  void on_request_impl(boost::beast::http::verb, text, text, int, error_code&) override {}
  void on_response_impl(int code, text reason, int version, error_code& error) override;
  void on_field_impl(boost::beast::http::field name, text name_text, text value, error_code& error) override;
  void on_header_impl(error_code&) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(text bytes, error_code& error) override { return take_body(bytes, error); }
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text bytes, error_code& error) override { return take_body(bytes, error); }
  void on_finish_impl(error_code&) override {}

  std::function<bool(std::string_view)> piece_;
  ClientResponse response_;
  bool header_done_ = false;
  bool failed_ = false;
  bool stopped_ = false;
};

}  // namespace iotstream::net
