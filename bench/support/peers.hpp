// Other brokers, as programs of this machine: each is started for the benchmark on a free port of 127.0.0.1, with a folder of
// its own, and spoken to in its own text protocol, pipelined.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// publish() and consume() run on one thread each, at the same time.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual const char* name() const = 0;

  /// An empty stream in place of the last one.
  virtual Status begin() = 0;
  /// Publishes `count` messages of `payload`, a multiple of publish_batch, until the last is acknowledged; at most
  /// `outstanding` are not.
  virtual Status publish(std::uint64_t count, std::string_view payload, std::uint64_t outstanding) = 0;
  /// Receives the stream's messages from its first on, until `count` have come.
  virtual Status consume(std::uint64_t count) = 0;
  /// Waits until what the peer does in the background for what it stored is done, so that it takes nothing from who is measured
  /// next. Errors: unavailable when that takes longer than 30 s.
  virtual Status settle() { return {}; }
};

/// Messages that are sent with one system call.
inline constexpr std::uint64_t publish_batch = 100;

/// Redis Streams: XADD and XREAD, append-only file synced each second. nullptr when redis-server is not installed.
Result<std::unique_ptr<Peer>> start_redis(const std::string& folder);
/// NATS JetStream: file storage, a push consumer. nullptr when nats-server is not installed.
Result<std::unique_ptr<Peer>> start_nats(const std::string& folder);

}  // namespace iotstream::bench
