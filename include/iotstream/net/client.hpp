// HTTP/1.1 client over keep-alive connections, for simulated devices and the command line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::net {

struct ClientResponse {
  unsigned status = 0;
  Headers headers;  ///< names in lower case
  std::string body;
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

/// One connection to one server, opened when it is needed and again after it was lost; one request at a time.
class Client {
 public:
  /// `url`: `http://127.0.0.1:8080` or `https://…`; a path in it goes before every request's path. Errors: invalid.
  static Result<std::unique_ptr<Client>> create(const std::string& url, Duration timeout = Duration::seconds(30));
  virtual ~Client() = default;
  /// Blocks. A connection that the server closed while idle is opened again once. Errors: unavailable (refused, lost, timed
  /// out).
  virtual Result<ClientResponse> request(Method method, const std::string& path, std::string body = {},
                                         Headers headers = {}) = 0;
  /// Like request, for answers of any length: `piece` gets the body of a 2xx answer as it comes; false from it ends the
  /// request. Another answer's body is in the response.
  virtual Result<ClientResponse> stream(Method method, const std::string& path,
                                        const std::function<bool(std::string_view)>& piece, Headers headers = {}) = 0;
};

/// Many keep-alive connections driven by one thread of its own: what a crowd of simulated devices uses. post() from any thread,
/// never blocks; at most `in_flight_max` requests wait or run (unavailable above: the caller backs off). `done` is called on
/// the client's thread, exactly once.
class AsyncClient {
 public:
  /// `headers` go with every request (a token). Errors: invalid, unavailable (unknown host), unsupported (https).
  static Result<std::unique_ptr<AsyncClient>> create(const std::string& url, unsigned connections,
                                                     std::size_t in_flight_max = 4096, Headers headers = {});
  virtual ~AsyncClient() = default;
  /// Requests of the same `lane` go over one connection, in order. A connection that the server closed is opened again, and the
  /// request sent once more when nothing of its answer had come: a server may then see it twice.
  virtual Status post(std::uint64_t lane, std::string path, std::string content_type, std::string body,
                      std::function<void(Result<ClientResponse>)> done) = 0;
  /// Ends what runs and waits with unavailable; no `done` is called after it. Idempotent; not from a `done`.
  virtual void stop() = 0;
};

/// A blocking WebSocket client, for the benchmark and the tests. One thread.
class WebSocketClient {
 public:
  static Result<std::unique_ptr<WebSocketClient>> connect(const std::string& url, const std::string& path,
                                                          Headers headers = {});
  virtual ~WebSocketClient() = default;
  virtual Status send(std::string_view text) = 0;
  struct Message {
    std::string bytes;
    bool binary = false;
  };
  /// The next message; unavailable when none came within `timeout` or the peer closed.
  virtual Result<Message> receive(Duration timeout) = 0;
  /// Says goodbye and waits a moment for the server's. Idempotent; the destructor does it as well.
  virtual void close() = 0;
  /// Of the server's close frame, or with which its frames broke the protocol; 0 before.
  virtual std::uint16_t close_code() const = 0;
};

}  // namespace iotstream::net
