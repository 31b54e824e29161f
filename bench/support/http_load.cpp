#include "bench/support/http_load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <unistd.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bench/support/timing.hpp"

namespace iotstream::bench {
namespace {

constexpr int silence_ms = 30'000;

int open_socket(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

/// The whole size of the answer at the begin of `text`, once its head is there. What it costs is the client's.
std::optional<std::size_t> answer_size(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t length = 0;
  const std::string_view head = text.substr(0, end);
  // Chunks of texts that have no such line themselves: InfluxDB's answer to a statement.
  if (head.find("Transfer-Encoding: chunked") != std::string_view::npos) {
    constexpr std::string_view last = "\r\n0\r\n\r\n";
    const std::size_t at = text.find(last, end + 2);
    return at == std::string_view::npos ? std::nullopt : std::optional(at + last.size());
  }
  for (const std::string_view name : {std::string_view("Content-Length: "), std::string_view("content-length: ")}) {
    const std::size_t at = head.find(name);
    if (at != std::string_view::npos) std::from_chars(head.data() + at + name.size(), head.data() + end, length);
  }
  return end + 4 + length;
}

}  // namespace

std::string http_post(const std::string& path, const std::string& content_type, const std::string& body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", path,
                     content_type, body.size(), body);
}

struct HttpLoad::Connection {
  int descriptor = -1;
  std::string out;
  std::size_t written = 0;
  std::string in;
  std::size_t open = 0;  ///< requests without an answer
  ~Connection() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

HttpLoad::HttpLoad(int poll) : poll_(poll) {}

HttpLoad::~HttpLoad() {
  connections_.clear();
  ::close(poll_);
}

Result<std::unique_ptr<HttpLoad>> HttpLoad::connect(std::uint16_t port, unsigned connections) {
  std::unique_ptr<HttpLoad> load(new HttpLoad(::epoll_create1(EPOLL_CLOEXEC)));
  for (unsigned i = 0; i < connections; ++i) {
    auto connection = std::make_unique<Connection>();
    for (int attempt = 0; connection->descriptor < 0 && attempt < 100; ++attempt) {
      connection->descriptor = open_socket(port);
      if (connection->descriptor < 0) sleep_for_ms(50);
    }
    if (connection->descriptor < 0) return Error{ErrorKind::unavailable, fmt::format("nothing listens on port {}", port)};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    ::epoll_ctl(load->poll_, EPOLL_CTL_ADD, connection->descriptor, &event);
    load->connections_.push_back(std::move(connection));
  }
  return load;
}

Status HttpLoad::fill(Connection& connection, const std::vector<std::string>& requests, std::uint64_t count, unsigned depth) {
  connection.out.clear();
  connection.written = 0;
  for (; connection.open < depth && sent_ < count; ++connection.open) connection.out += requests[sent_++ % requests.size()];
  return write(connection);
}

/// Large bodies may block here for a moment: nothing is answered before they are sent.
Status HttpLoad::write(Connection& connection) {
  while (connection.written < connection.out.size()) {
    const auto sent = ::send(connection.descriptor, connection.out.data() + connection.written,
                             connection.out.size() - connection.written, MSG_NOSIGNAL);
    if (sent <= 0) return Error{ErrorKind::unavailable, "the server has closed a connection"};
    connection.written += static_cast<std::size_t>(sent);
  }
  return {};
}

/// How many answers came.
Result<std::uint64_t> HttpLoad::read(Connection& connection, unsigned status) {
  std::array<char, 64u << 10> buffer;  // NOLINT: filled by recv
  const auto received = ::recv(connection.descriptor, buffer.data(), buffer.size(), 0);
  if (received <= 0) return Error{ErrorKind::unavailable, "the server has closed a connection"};
  connection.in.append(buffer.data(), static_cast<std::size_t>(received));
  std::uint64_t answers = 0;
  std::string_view text = connection.in;
  while (const auto size = answer_size(text)) {
    if (*size > text.size()) break;
    if (text.substr(9, 3) != fmt::format_int(status).c_str())
      return Error{ErrorKind::unavailable, fmt::format("a request was answered: {}", text.substr(0, 200))};
    text.remove_prefix(*size);
    ++answers;
    --connection.open;
  }
  connection.in.erase(0, connection.in.size() - text.size());
  return answers;
}

Result<double> HttpLoad::run(const std::vector<std::string>& requests, std::uint64_t count, unsigned depth, unsigned status) {
  sent_ = 0;
  std::uint64_t answered = 0;
  const std::int64_t begin_ns = now_ns();
  for (const auto& connection : connections_)
    if (Status filled = fill(*connection, requests, count, depth); !filled) return filled.error();
  std::array<epoll_event, 64> events{};
  while (answered < count) {
    const int ready = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), silence_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error{ErrorKind::unavailable, "no answer came for 30 s"};
    for (int i = 0; i < ready; ++i) {
      Connection& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const auto answers = read(connection, status);
      if (!answers) return answers.error();
      answered += *answers;
      if (connection.open > 0) continue;
      if (Status filled = fill(connection, requests, count, depth); !filled) return filled.error();
    }
  }
  return static_cast<double>(count) / seconds_since(begin_ns);
}

IdleConnections::IdleConnections(std::uint16_t port, unsigned count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  for (unsigned i = 0; i < count; ++i) {
    const int descriptor = open_socket(port);
    if (descriptor < 0) break;
    descriptors_.push_back(descriptor);
  }
}

IdleConnections::~IdleConnections() {
  for (const int descriptor : descriptors_) ::close(descriptor);
}

}  // namespace iotstream::bench
