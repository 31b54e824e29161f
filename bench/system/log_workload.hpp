// What the log's benchmarks do to a log: open one of their own, append, wait.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>

#include "bench/support/bench.hpp"

namespace iotstream::bench {

/// The size of an appended record, key and value together, unless a figure says another.
inline constexpr std::size_t record_size = 256;
inline constexpr std::string_view record_key = "device-0001";

/// A log of this process, with the sizes that the product has.
class OwnLog {
 public:
  /// Opens or creates. Errors: of the log.
  static Result<std::unique_ptr<OwnLog>> open(const std::string& directory,
                                              std::uint64_t cache_size = log::LogOptions().cache_size);
  log::Log& log() { return *log_; }
  /// The only partition of a topic without retention, created when it is new.
  Result<log::Partition*> partition(std::string_view topic, log::Sync sync);

 private:
  metrics::Table metrics_;  // outlives the log
  std::unique_ptr<log::Log> log_;
};

/// Appends, yielding while the ring is full. Errors: every other refusal.
Result<Offset> append(log::Partition& partition, Timestamp time, ByteView value);
/// Parks until `watermark` has reached `next`. Errors: of the log.
Status wait_for(log::Partition& partition, log::Watermark watermark, Offset next);

/// Appends `count` records with `value`, each acknowledged by a call of its own when it has reached `watermark`, at most
/// `outstanding` of them not yet; until the last is. Errors: as append(), and of acknowledgements.
Status append_acknowledged(log::Partition& partition, ByteView value, std::uint64_t count, std::uint64_t outstanding,
                           log::Watermark watermark);

}  // namespace iotstream::bench
