// A crowd of keep-alive HTTP connections driven by one thread: as thin as it can be, so that the server is measured.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// A POST of `body` with the headers that a device would send.
std::string http_post(const std::string& path, const std::string& content_type, const std::string& body);

/// Connections to 127.0.0.1:`port`. One thread.
class HttpLoad {
 public:
  /// Errors: unavailable.
  static Result<std::unique_ptr<HttpLoad>> connect(std::uint16_t port, unsigned connections);
  ~HttpLoad();
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;

  /// Sends each connection `depth` of the requests at once (they go round), and as many again when all are answered, until
  /// `count` have been answered in all. Requests a second. Errors: unavailable when an answer is not `status`, or none comes
  /// for 30 s.
  Result<double> run(const std::vector<std::string>& requests, std::uint64_t count, unsigned depth, unsigned status);

 private:
  struct Connection;
  explicit HttpLoad(int poll);
  Status fill(Connection& connection, const std::vector<std::string>& requests, std::uint64_t count, unsigned depth);
  Status write(Connection& connection);
  Result<std::uint64_t> read(Connection& connection, unsigned status);

  int poll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint64_t sent_ = 0;
};

/// Sockets that are opened and left alone. As many as could be.
class IdleConnections {
 public:
  IdleConnections(std::uint16_t port, unsigned count);
  ~IdleConnections();
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;
  std::size_t size() const { return descriptors_.size(); }

 private:
  std::vector<int> descriptors_;
};

}  // namespace iotstream::bench
