#include "bench/support/beast_server.hpp"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace iotstream::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

asio::awaitable<void> serve(tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> reply(http::status::ok, 11);
  reply.set(http::field::content_type, "application/json");
  reply.body() = R"({"topic":"bench","partition":0,"offset":123456789})";
  reply.prepare_payload();
  boost::system::error_code error;
  while (!error) {
    http::request<http::string_body> request;
    co_await http::async_read(socket, buffer, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    reply.keep_alive(request.keep_alive());
    co_await http::async_write(socket, reply, asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<void> accept(std::uint16_t port) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(executor, {asio::ip::address_v4::loopback(), port});
  while (true) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(executor, serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

void serve_fixed_reply(std::uint16_t port) {
  asio::io_context io(1);
  asio::co_spawn(io, accept(port), asio::detached);
  io.run();
}

}  // namespace iotstream::bench
