#include "bench/support/socket.hpp"

#include <cstring>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bench/support/timing.hpp"

namespace iotstream::bench {

namespace {

constexpr std::size_t buffer_size = 1u << 20;
const Error lost{ErrorKind::unavailable, "the connection to the peer was lost, or it said nothing for 30 s"};

int try_to_connect(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

Result<std::unique_ptr<Socket>> Socket::connect(std::uint16_t port) {
  for (const std::int64_t begin_ns = now_ns(); seconds_since(begin_ns) < 10; sleep_for_ms(10))
    if (const int descriptor = try_to_connect(port); descriptor >= 0) return std::unique_ptr<Socket>(new Socket(descriptor));
  return Error{ErrorKind::unavailable, "the peer takes no connection"};
}

Socket::Socket(int descriptor) : descriptor_(descriptor), buffer_(buffer_size, '\0') {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{30, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Socket::~Socket() { ::close(descriptor_); }

Status Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return lost;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status Socket::receive() {
  if (end_ == buffer_.size()) {
    // What is begun moves to the front; a line or block longer than the buffer is none of these protocols'.
    if (begin_ == 0) return Error{ErrorKind::unavailable, "the peer's answer is longer than the buffer"};
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const ssize_t got = ::recv(descriptor_, buffer_.data() + end_, buffer_.size() - end_, 0);
  if (got <= 0) return lost;
  end_ += static_cast<std::size_t>(got);
  return {};
}

Result<std::string_view> Socket::line() {
  if (begin_ == end_) begin_ = end_ = 0;
  for (std::size_t looked = 0;;) {
    const char* const from = buffer_.data() + begin_;
    const void* const found = std::memchr(from + looked, '\n', end_ - begin_ - looked);
    if (found != nullptr) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - from);
      begin_ += size + 1;
      return std::string_view(from, size > 0 && from[size - 1] == '\r' ? size - 1 : size);
    }
    looked = end_ - begin_;
    if (auto status = receive(); !status) return status.error();
  }
}

Result<std::string_view> Socket::block(std::size_t size) {
  while (end_ - begin_ < size + 2)
    if (auto status = receive(); !status) return status.error();
  const std::string_view bytes(buffer_.data() + begin_, size);
  begin_ += size + 2;
  return bytes;
}

}  // namespace iotstream::bench
