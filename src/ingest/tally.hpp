// What came in and what became of it, per kind of source.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>

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
    metrics::Counter* received = nullptr;
    metrics::Counter* accepted = nullptr;
    metrics::Counter* rejected = nullptr;
    metrics::Counter* duplicates = nullptr;
    metrics::Counter* refused = nullptr;
    metrics::Counter* bytes = nullptr;
  };
  static Counters counters(metrics::Table& table, SourceKind kind);
  std::array<Counters, std::size(source_kinds)> kinds_;
  metrics::Histogram& latency_;
  metrics::Counter& schema_records_;
};

}  // namespace iotstream::ingest
