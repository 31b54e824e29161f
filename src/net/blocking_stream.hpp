// A blocking connection with deadlines, plain or TLS: what Client and WebSocketClient stand on. Plain system calls: one thread
// waits for one socket.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>

#include "net/url.hpp"

namespace iotstream::net {

class BlockingStream {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Errors: unavailable (unknown host, refused, timed out, a certificate that does not verify against the system's store).
  static Result<std::unique_ptr<BlockingStream>> connect(const Url& url, Deadline deadline);
  ~BlockingStream();
  BlockingStream(const BlockingStream&) = delete;
  BlockingStream& operator=(const BlockingStream&) = delete;

  /// Waits for bytes; 0: the peer has ended its side. Errors: unavailable.
  Result<std::size_t> read(char* bytes, std::size_t size, Deadline deadline);
  /// Writes everything. Errors: unavailable.
  Status write(std::string_view bytes, Deadline deadline);
  /// True when the peer has closed, or said something unasked, while nothing was under way.
  bool stale() const;

 private:
  struct Tls;
  explicit BlockingStream(int descriptor);
  Status start_tls(const Url& url, Deadline deadline);
  Status wait(short events, Deadline deadline) const;
  Status wait_for_tls(int outcome, Deadline deadline, std::string_view what);

  int descriptor_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace iotstream::net
