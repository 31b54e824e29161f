#include "ingest/tally.hpp"

namespace iotstream::ingest {

std::string_view name_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::http:
      return "http";
    case SourceKind::simulation:
      return "simulation";
    case SourceKind::resend:
      return "resend";
    case SourceKind::mqtt:
      return "mqtt";
    case SourceKind::influx:
      return "influx";
    case SourceKind::elasticsearch:
      return "elasticsearch";
  }
  return "unknown";
}

Tally::Counters Tally::counters(metrics::Table& table, SourceKind kind) {
  const std::string label = metrics::Table::label("source", name_of(kind));
  return {&table.counter("iotstream_ingest_received_total", "Readings that arrived.", label),
          &table.counter("iotstream_ingest_accepted_total", "Readings that the log has taken.", label),
          &table.counter("iotstream_ingest_rejected_total", "Readings that cannot be taken.", label),
          &table.counter("iotstream_ingest_duplicates_total",
                         "Readings that were taken before, under the same idempotency key.", label),
          &table.counter("iotstream_ingest_refused_total",
                         "Readings that the log did not take just then: the sender may try again.", label),
          &table.counter("iotstream_ingest_received_bytes_total", "Bytes of bodies, decompressed.", label)};
}

Tally::Tally(metrics::Table& table)
    : latency_(
          table.histogram("iotstream_ingest_latency_seconds", "From a body's arrival at the gate to its acknowledgement.")),
      schema_records_(table.counter("iotstream_ingest_schema_records_total", "New schema versions and facts made durable.")) {
  for (const SourceKind kind : source_kinds) kinds_[static_cast<std::size_t>(kind)] = counters(table, kind);
}

void Tally::add(SourceKind kind, const Outcome& outcome, std::uint64_t bytes) {
  const Counters& to = kinds_[static_cast<std::size_t>(kind)];
  to.received->add(outcome.accepted + outcome.rejected + outcome.duplicates + outcome.refused);
  to.accepted->add(outcome.accepted);
  to.rejected->add(outcome.rejected);
  to.duplicates->add(outcome.duplicates);
  to.refused->add(outcome.refused);
  to.bytes->add(bytes);
}

}  // namespace iotstream::ingest
