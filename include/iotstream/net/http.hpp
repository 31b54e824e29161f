// HTTP and WebSocket as plain values: what a route sees and says. No socket type crosses this door.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::net {

enum class Method : unsigned char { get, head, post, put, patch, delete_, options };
std::string_view name_of(Method method);

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Whether the client of a request still waits for the answer.
class Departure {
 public:
  virtual ~Departure() = default;
  /// Calls `left` on a socket thread, once, when the client ends its side or the connection breaks before the request is
  /// answered; at most the last one given is called. Never after the answer. Any thread. `left` must not block; it may answer.
  virtual void when_left(std::function<void()> left) = 0;
};

/// A whole request, body included (up to the server's limit). Owns its bytes.
struct Request {
  Method method = Method::get;
  std::string path;                                         ///< percent-decoded, without query, UTF-8
  std::vector<std::pair<std::string, std::string>> query;   ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> params;  ///< what the route's `{name}` parts matched, decoded
  Headers headers;                                          ///< names in lower case
  std::string body;                                         ///< as sent (not decompressed)
  std::string remote;                                       ///< the peer, `127.0.0.1:50412`
  std::weak_ptr<Departure> departure;                       ///< for routes that keep a request waiting; gone once answered

  /// The first value, or nothing.
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::string_view param(std::string_view name) const;  ///< empty when there is none
};

/// Gives a streamed body piece by piece. next() runs on the server's worker threads, one call at a time; it may block.
/// Destroyed when done or when the client left, but not before a next() that is running has returned.
class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;
  /// Appends the next piece (about 64 KiB) to `out`; false: that was the last. An error ends the connection in the middle, so
  /// that a cut answer is never taken for a whole one.
  virtual Result<bool> next(std::string& out) = 0;
  /// Asked after each piece that was not the last: how long to wait before the next one is asked for. No thread waits
  /// meanwhile; a client that leaves ends the wait.
  virtual Duration pause() const { return {}; }

  /// Whether the client has gone: a next() that works for long asks now and then, and returns whatever it likes. Any thread.
  bool client_gone() const { return client_gone_.load(std::memory_order_relaxed); }
  /// By the server. Any thread.
  void note_client_gone() { client_gone_.store(true, std::memory_order_relaxed); }

 private:
  std::atomic<bool> client_gone_{false};  ///< relaxed: nothing else is told by it
};

struct Response {
  unsigned status = 200;
  std::string content_type;  ///< empty: no body
  Headers headers;
  std::string body;
  std::string_view static_body;        ///< in place of body: bytes that live as long as the process
  std::unique_ptr<BodySource> source;  ///< in place of body: streamed, chunked

  static Response json(std::string body, unsigned status = 200);
  static Response text(std::string body, unsigned status = 200);
  /// RFC 9457: {"type","title","status","detail"}; application/problem+json.
  static Response problem(unsigned status, std::string_view detail);
  /// The status that belongs to the kind of error (see ErrorKind), as a problem; 429 and 503 get a Retry-After.
  static Response from(const Error& error);
};

/// Answers one request; called exactly once, from any thread. A Respond that dies uncalled answers 500.
using Respond = std::function<void(Response)>;
/// Called on a socket thread: must not block. Work that may block goes to a worker pool and answers from there.
using Handler = std::function<void(Request, Respond)>;
/// True when all that a request changes is in its place as soon as its handler has returned, though the answer comes later:
/// then the connection's next request may begin before that. Asked with the whole request; must not block.
using Overlaps = std::function<bool(const Request&)>;

/// What became of a message given to a WebSocket.
enum class SendResult : unsigned char {
  queued,          ///< on its way, in order
  back_pressured,  ///< the queue's byte limit is reached: not taken
  closed,          ///< not taken, and nothing will be
};

/// One WebSocket. All members from any thread. Kept alive by whoever holds it; the connection ends at close() or when the peer
/// leaves.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// The bytes are shared, not copied: one frame may go to many viewers.
  virtual SendResult send(std::shared_ptr<const std::string> message, bool binary) = 0;
  /// Sends what is queued, then a close frame.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  virtual std::size_t queued_bytes() const = 0;
};

/// What a WebSocket calls; all on one strand: never two at a time, none after closed().
struct WebSocketEvents {
  std::function<void(std::string_view message, bool binary)> message;
  std::function<void()> drained;  ///< the queue has become empty
  std::function<void()> closed;   ///< exactly once
};
/// Decides about an upgrade (already checked for Host, Origin and token) and gives what is called from then on. An error
/// refuses with its status.
using WebSocketHandler = std::function<Result<WebSocketEvents>(const Request&, std::shared_ptr<WebSocket>)>;

/// Routes by method and path pattern: `/api/v1/datasets/{dataset}/events`. A `{name}` matches one part, `{name...}` the rest.
/// Filled before the server starts, then only read. Unknown path: 404; known path with another method: 405 with Allow.
class Router {
 public:
  /// `overlaps` is for requests that are sent without waiting for answers (pipelined); nullptr: each waits for the one before
  /// it.
  void add(Method method, std::string pattern, Handler handler, Overlaps overlaps = nullptr);
  void add_websocket(std::string pattern, WebSocketHandler handler);

  struct Match {
    const Handler* handler = nullptr;
    const WebSocketHandler* websocket = nullptr;
    const Overlaps* overlaps = nullptr;
    std::vector<std::pair<std::string, std::string>> params;
    std::vector<Method> allowed;  ///< of the path, when the method did not match
    const std::string* pattern = nullptr;
  };
  /// `path` as in the request target, percent-escaped: an escaped slash stays inside its part. Of several patterns that fit,
  /// the more exact one wins: literal parts before `{name}`, that before `{name...}`, whatever the order of add(). HEAD falls
  /// back to GET.
  Match match(Method method, std::string_view path) const;
  /// Method and pattern of every route, for the OpenAPI check.
  std::vector<std::pair<Method, std::string>> routes() const;

 private:
  struct Route {
    Method method;
    std::string pattern;
    std::vector<std::string> parts;
    Handler handler;
    WebSocketHandler websocket;
    Overlaps overlaps;
  };
  std::vector<Route> routes_;
};

}  // namespace iotstream::net
