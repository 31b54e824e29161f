// What came in and what became of it, per kind of source.
#pragma once

#include <array>
#include <cstdint>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/metrics/metrics.hpp>

namespace iotstream::ingest {

/// Every reading is counted once when its submission has been read: received = accepted + rejected + duplicates + refused,
/// whenever no submission is being counted. Any thread.
class Tally {
 public:
  explicit Tally(metrics::Table& table);
  void add(SourceKind kind, const Outcome& outcome, std::uint64_t bytes);
  metrics::Histogram& latency() { return latency_; }
  metrics::Counter& schema_records() { return schema_records_; }

 private:
  struct Counters {
    metrics::Counter* received;
    metrics::Counter* accepted;
    metrics::Counter* rejected;
    metrics::Counter* duplicates;
    metrics::Counter* refused;
    metrics::Counter* bytes;
  };
  static Counters counters(metrics::Table& table, SourceKind kind);
  std::array<Counters, 2> kinds_;
  metrics::Histogram& latency_;
  metrics::Counter& schema_records_;
};

}  // namespace iotstream::ingest
