#include "net/blocking_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace iotstream::net {
namespace {

Error unavailable(std::string message) { return {ErrorKind::unavailable, std::move(message)}; }

int milliseconds_until(BlockingStream::Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

struct Addresses {
  addrinfo* first = nullptr;
  ~Addresses() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
};

/// The descriptor of a connected socket, or minus the error's number.
int connect_to(const addrinfo& address, BlockingStream::Deadline deadline) {
  const int descriptor = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  int error = 0;
  if (::connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) {
    error = errno;
  } else {
    pollfd entry{descriptor, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (::poll(&entry, 1, milliseconds_until(deadline)) == 0) error = ETIMEDOUT;
    if (error == 0) ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    ::close(descriptor);
    return -error;
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

std::string tls_error() {
  char text[256] = "the peer ended the connection";
  const unsigned long code = ::ERR_get_error();
  if (code != 0) ::ERR_error_string_n(code, text, sizeof text);
  return text;
}

}  // namespace

struct BlockingStream::Tls {
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context{::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&::SSL_free)> connection{nullptr, &::SSL_free};
};

BlockingStream::BlockingStream(int descriptor) : descriptor_(descriptor) {}

BlockingStream::~BlockingStream() {
  if (tls_ && tls_->connection) ::SSL_shutdown(tls_->connection.get());
  ::close(descriptor_);
}

Result<std::unique_ptr<BlockingStream>> BlockingStream::connect(const Url& url, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  Addresses addresses;
  const int found = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &addresses.first);
  if (found != 0) return unavailable(fmt::format("{} cannot be found: {}", url.host, ::gai_strerror(found)));
  int outcome = -EADDRNOTAVAIL;
  for (const addrinfo* address = addresses.first; address != nullptr && outcome < 0; address = address->ai_next)
    outcome = connect_to(*address, deadline);
  if (outcome < 0) {
    return unavailable(fmt::format("no connection to {}: {}; check that the server runs and listens there", url.authority(),
                                   std::strerror(-outcome)));
  }
  std::unique_ptr<BlockingStream> stream(new BlockingStream(outcome));
  if (url.tls) {
    if (const Status secured = stream->start_tls(url, deadline); !secured) return secured.error();
  }
  return stream;
}

Status BlockingStream::start_tls(const Url& url, Deadline deadline) {
  tls_ = std::make_unique<Tls>();
  SSL_CTX* context = tls_->context.get();
  if (context == nullptr) return unavailable("TLS cannot be set up: " + tls_error());
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_default_verify_paths(context);
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  tls_->connection.reset(::SSL_new(context));
  SSL* connection = tls_->connection.get();
  if (connection == nullptr) return unavailable("TLS cannot be set up: " + tls_error());
  ::SSL_set_fd(connection, descriptor_);
  // The certificate must name the host: as an address when it is one, else as a name, which is then also asked for (SNI).
  if (::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(connection), url.host.c_str()) != 1) {
    ::SSL_set1_host(connection, url.host.c_str());
    ::SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(url.host.c_str()));
  }
  while (true) {
    ::ERR_clear_error();
    const int outcome = ::SSL_connect(connection);
    if (outcome == 1) return {};
    const long verdict = ::SSL_get_verify_result(connection);
    if (verdict != X509_V_OK) {
      return unavailable(
          fmt::format("the certificate of {} does not verify: {}; add its authority to the system's certificates",
                      url.authority(), ::X509_verify_cert_error_string(verdict)));
    }
    if (const Status waited = wait_for_tls(outcome, deadline, "the TLS handshake failed"); !waited) return waited;
  }
}

Status BlockingStream::wait(short events, Deadline deadline) const {
  pollfd entry{descriptor_, events, 0};
  while (true) {
    const int ready = ::poll(&entry, 1, milliseconds_until(deadline));
    if (ready > 0) return {};
    if (ready == 0) return unavailable("the server did not answer in time");
    if (errno != EINTR) return unavailable(fmt::format("the connection cannot be watched: {}", std::strerror(errno)));
  }
}

Status BlockingStream::wait_for_tls(int outcome, Deadline deadline, std::string_view what) {
  switch (::SSL_get_error(tls_->connection.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT, deadline);
    default:
      return unavailable(fmt::format("{}: {}", what, tls_error()));
  }
}

Result<std::size_t> BlockingStream::read(char* bytes, std::size_t size, Deadline deadline) {
  while (true) {
    if (tls_) {
      ::ERR_clear_error();
      std::size_t count = 0;
      const int outcome = ::SSL_read_ex(tls_->connection.get(), bytes, size, &count);
      if (outcome == 1) return count;
      if (::SSL_get_error(tls_->connection.get(), outcome) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
      if (const Status waited = wait_for_tls(outcome, deadline, "the connection is lost"); !waited) return waited.error();
      continue;
    }
    const ssize_t count = ::recv(descriptor_, bytes, size, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EAGAIN && errno != EINTR) return unavailable(fmt::format("the connection is lost: {}", std::strerror(errno)));
    if (const Status waited = wait(POLLIN, deadline); !waited) return waited.error();
  }
}

Status BlockingStream::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (tls_) {
      ::ERR_clear_error();
      std::size_t count = 0;
      const int outcome = ::SSL_write_ex(tls_->connection.get(), bytes.data(), bytes.size(), &count);
      if (outcome == 1) {
        bytes.remove_prefix(count);
      } else if (const Status waited = wait_for_tls(outcome, deadline, "the connection is lost"); !waited) {
        return waited;
      }
      continue;
    }
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      return unavailable(fmt::format("the connection is lost: {}", std::strerror(errno)));
    } else if (const Status waited = wait(POLLOUT, deadline); !waited) {
      return waited;
    }
  }
  return {};
}

bool BlockingStream::stale() const {
  if (tls_ && ::SSL_pending(tls_->connection.get()) > 0) return true;
  pollfd entry{descriptor_, POLLIN, 0};
  // TLS: a session ticket may lie there, unread; whether the connection lives, the next write tells.
  return ::poll(&entry, 1, 0) != 0 && !tls_;
}

}  // namespace iotstream::net
