// A server on a loopback port for one test, and a client that sends exactly the bytes it is told to.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <iotstream/net/client.hpp>
#include <iotstream/net/server.hpp>

#include "net/response_parser.hpp"

namespace iotstream::net {

/// Waits for something that another thread does, with an end.
class Event {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// True once `condition` holds; false after twenty seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

struct TestServer {
  TestServer() {
    options.config.listen = {{"127.0.0.1", 0}};
    options.linger_timeout = Duration::milliseconds(200);
  }
  ~TestServer() {
    if (server) server->stop(Duration::milliseconds(200));
  }

  void start() {
    auto started = Server::start(options, router, workers, table);
    REQUIRE(started);
    server = std::move(*started);
    port = server->endpoints().front().port;
    url = "http://127.0.0.1:" + std::to_string(port);
  }
  std::int64_t metric(std::string_view name, std::string_view labels = {}) {
    return static_cast<std::int64_t>(table.counter(name, "", labels).value());
  }

  metrics::Table table;
  os::WorkerPool workers{"test-work", 2, 64};
  Router router;
  ServerOptions options;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::string url;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~RawClient() { leave(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False when the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void end() { ::shutdown(descriptor_, SHUT_WR); }
  void leave() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  /// Some bytes; empty at the end of the connection, and after twenty seconds of silence.
  std::string read() {
    pollfd entry{descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) return {};
    std::string bytes(64u << 10, '\0');
    const auto count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    reset_ = count < 0;
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  /// Everything up to the end of the connection.
  std::string read_all() {
    std::string all = std::exchange(input_, {});
    for (std::string bytes = read(); !bytes.empty(); bytes = read()) all += bytes;
    return all;
  }
  /// The next answer; status 0 when the connection ends before it is whole.
  ClientResponse answer(bool head = false) {
    while (true) {
      ResponseParser parser(head);
      while (true) {
        input_.erase(0, parser.feed(input_));
        if (parser.done() || parser.failed()) break;
        const std::string bytes = read();
        if (bytes.empty()) {
          if (parser.finish()) break;
          return {};
        }
        input_ += bytes;
      }
      if (parser.failed()) return {};
      if (!parser.interim()) return std::move(parser.response());
    }
  }
  /// True when the server has closed the connection, orderly or not.
  bool closed() { return input_.empty() && read().empty(); }
  bool reset() const { return reset_; }

 private:
  int descriptor_;
  std::string input_;
  bool reset_ = false;
};

inline std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

/// Gives `pieces` one by one; fails in place of the last when it is told to; says when it dies.
class PieceSource final : public BodySource {
 public:
  PieceSource(std::size_t pieces, std::string piece, bool fails, std::shared_ptr<Event> died)
      : pieces_(pieces), piece_(std::move(piece)), fails_(fails), died_(std::move(died)) {}
  ~PieceSource() override {
    if (died_) died_->set();
  }
  Result<bool> next(std::string& out) override {
    if (pieces_ == 0 || (--pieces_ == 0 && fails_)) return Error{ErrorKind::corrupt, "the source broke"};
    out += piece_;
    return pieces_ > 0;
  }

 private:
  std::size_t pieces_;
  std::string piece_;
  bool fails_;
  std::shared_ptr<Event> died_;
};

}  // namespace iotstream::net
