// A blocking TCP client of 127.0.0.1 for the text protocols of the peers: as thin as it can be, so that the peer is measured.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// One thread. Views stay valid until the next call.
class Socket {
 public:
  /// Tries for 10 s: the server may be starting. Errors: unavailable.
  static Result<std::unique_ptr<Socket>> connect(std::uint16_t port);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Errors of all: unavailable when the connection is lost or nothing comes for 30 s.
  Status send(std::string_view bytes);
  /// Up to CR LF, without it.
  Result<std::string_view> line();
  /// Exactly `size` bytes and the CR LF behind them, without it.
  Result<std::string_view> block(std::size_t size);

 private:
  explicit Socket(int descriptor);
  Status receive();

  int descriptor_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< what was handed out already
  std::size_t end_ = 0;    ///< what was received
};

}  // namespace iotstream::bench
