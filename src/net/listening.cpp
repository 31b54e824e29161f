#include "net/listening.hpp"

#include <algorithm>

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {
namespace {

using asio::ip::tcp;

// Beside the connections: files, databases, the event loops themselves.
constexpr rlim_t other_descriptors = 512;
// Half-open connections, where the peer has vanished without a word, are given up by the kernel after this long without an
// acknowledgement.
constexpr int unacknowledged_ms_max = 45'000;

}  // namespace

std::size_t make_descriptor_room(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = wanted + other_descriptors;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed) {
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : std::min<rlim_t>(needed, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return wanted;
  const std::size_t room = limit.rlim_cur > 2 * other_descriptors ? limit.rlim_cur - other_descriptors : limit.rlim_cur / 2;
  diagnostics::warning("net", "the limit of open files ({}) leaves room for {} connections, not {}: raise it with ulimit -n",
                       limit.rlim_cur, room, wanted);
  return room;
}

namespace {

Error listen_error(const config::Endpoint& endpoint, const error_code& error, std::string_view key) {
  std::string advice = fmt::format("check the address in {}", key);
  if (error == asio::error::address_in_use) {
    advice =
        fmt::format("another program uses it; stop that one, or choose another port in {} (0 lets the system choose)", key);
  } else if (error == asio::error::access_denied) {
    advice = fmt::format("ports below 1024 need a privilege; choose a higher one in {}", key);
  } else if (error == boost::system::errc::address_not_available) {
    advice = fmt::format("this machine has no such address; correct {}", key);
  }
  return {ErrorKind::io, fmt::format("cannot listen on {}: {}; {}", endpoint.text(), error.message(), advice)};
}

}  // namespace

Result<std::unique_ptr<Acceptor>> open_acceptor(Loop& loop, const config::Endpoint& endpoint, std::string_view key) {
  error_code error;
  const auto address = asio::ip::make_address(endpoint.host, error);
  if (error)
    return Error{ErrorKind::io, fmt::format("cannot listen on {}: not a numeric address; correct {}", endpoint.text(), key)};
  const tcp::endpoint place(address, endpoint.port);
  auto acceptor = std::make_unique<Acceptor>(loop.io().get_executor());
  acceptor->open(place.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(place, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(endpoint, error, key);
  return acceptor;
}

bool out_of_descriptors(const error_code& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_memory || error == asio::error::no_buffer_space;
}

void set_socket_options(Socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);  // answers are written whole: nothing is gained by waiting for more
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>(unacknowledged_ms_max), ignored);
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

}  // namespace iotstream::net
