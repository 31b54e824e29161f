// The log's metrics, asked for once.
#pragma once

#include <iotstream/metrics/metrics.hpp>

namespace iotstream::log {

struct Counters {
  explicit Counters(metrics::Table& table)
      : records(table.counter("iotstream_log_records_appended_total", "Records written to segments.")),
        bytes(table.counter("iotstream_log_bytes_appended_total", "Bytes written to segments, with headers.")),
        batches(table.counter("iotstream_log_batches_total", "Batches sealed and written.")),
        syncs(table.counter("iotstream_log_syncs_total", "Files synced so that their records became durable.")),
        sync_duration(table.histogram("iotstream_log_sync_duration_seconds", "Time of one sync of one segment.")),
        back_pressured(
            table.counter("iotstream_log_back_pressured_total", "Appends refused because the staging ring was full.")),
        corrupt_bytes(
            table.counter("iotstream_log_corrupt_bytes_total", "Bytes of segments that failed their check and are skipped.")),
        torn_bytes(table.counter("iotstream_log_torn_bytes_total", "Bytes of torn tails that recovery put aside and cut.")),
        recovery_ms(table.gauge("iotstream_log_recovery_milliseconds", "Time that opening the log took.")),
        read_only_partitions(
            table.gauge("iotstream_log_read_only_partitions", "Partitions that refuse appends until the restart.")),
        disk_full_partitions(table.gauge("iotstream_log_disk_full_partitions", "Partitions that wait for space.")),
        cold_reads(table.counter("iotstream_log_cold_reads_total", "Reads that were not served from memory.")),
        segments_removed(table.counter("iotstream_log_segments_removed_total", "Segments removed by retention.")),
        duplicates(
            table.counter("iotstream_log_duplicates_total", "Appends that were there already, by their producer's sequence.")),
        out_of_order(table.counter("iotstream_log_out_of_order_total",
                                   "Appends refused because earlier ones of their producer are missing.")),
        compaction_passes(table.counter("iotstream_log_compaction_passes_total", "Passes of compaction over a partition.")),
        compaction_removed_records(
            table.counter("iotstream_log_compaction_removed_records_total", "Records removed by compaction.")),
        compaction_removed_bytes(
            table.counter("iotstream_log_compaction_removed_bytes_total", "Bytes that compaction gave back.")) {}

  metrics::Counter& records;
  metrics::Counter& bytes;
  metrics::Counter& batches;
  metrics::Counter& syncs;
  metrics::Histogram& sync_duration;
  metrics::Counter& back_pressured;
  metrics::Counter& corrupt_bytes;
  metrics::Counter& torn_bytes;
  metrics::Gauge& recovery_ms;
  metrics::Gauge& read_only_partitions;
  metrics::Gauge& disk_full_partitions;
  metrics::Counter& cold_reads;
  metrics::Counter& segments_removed;
  metrics::Counter& duplicates;
  metrics::Counter& out_of_order;
  metrics::Counter& compaction_passes;
  metrics::Counter& compaction_removed_records;
  metrics::Counter& compaction_removed_bytes;
};

}  // namespace iotstream::log
