#include "ingest/schema_topic.hpp"

#include <future>
#include <memory>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::ingest {
namespace {

constexpr std::size_t replay_bytes = 1u << 20;

log::TopicOptions schema_options() {
  log::TopicOptions options;
  options.partitions = 1;  // one order for all versions
  options.segment_size = 4u << 20;
  options.retention_size = 0;
  options.retention_age = Duration::seconds(0);
  options.sync = log::Sync::batch;  // a row must never be more durable than the schema that explains it
  return options;
}

Status replay(log::Partition& partition, catalog::Schemas& schemas) {
  for (const log::Damage& damage : partition.status().damage)
    diagnostics::error("ingest", "topic _schemas: offsets {} to {} are damaged ({}); facts of that time are missing",
                       damage.first, damage.next, damage.reason);
  Offset next = partition.watermarks().earliest;
  for (;;) {
    Result<log::Batch> batch = partition.read(next, replay_bytes, log::Watermark::durable);
    if (!batch) return std::move(batch).error();
    if (batch->empty()) return {};
    for (const log::Record& record : batch->records()) {
      if (Status restored = schemas.restore(as_text(record.value)); !restored)
        return Error{ErrorKind::corrupt, fmt::format("topic _schemas, offset {}: {}", record.offset, restored.error().message)};
      next = record.offset + 1;
    }
  }
}

Error refusal(log::AppendStatus status) {
  const auto kind = [&] {
    switch (status) {
      case log::AppendStatus::back_pressured:
        return ErrorKind::busy;
      case log::AppendStatus::disk_full:
        return ErrorKind::disk_full;
      case log::AppendStatus::too_large:
        return ErrorKind::too_large;
      default:
        return ErrorKind::unavailable;
    }
  }();
  return {kind, fmt::format("the schema could not be stored: {}", log::describe(status))};
}

// Parks the calling thread until the record is durable: schema changes are rare, and nothing may use one before.
Status append_durably(log::Partition& partition, Timestamp now, std::string_view key, std::string_view record) {
  const log::Appended appended = partition.append(now, key, as_bytes(record));
  if (appended.status != log::AppendStatus::accepted) return refusal(appended.status);
  auto promise = std::make_shared<std::promise<Status>>();
  std::future<Status> durable = promise->get_future();
  partition.when(log::Watermark::durable, appended.offset, [promise](const Status& status) { promise->set_value(status); });
  return durable.get();
}

}  // namespace

Status open_schema_topic(log::Log& log, catalog::Schemas& schemas, os::Clock& clock, metrics::Counter& records) {
  Result<log::Topic*> topic = log.topic("_schemas", schema_options());
  if (!topic) return std::move(topic).error();
  log::Partition& partition = (*topic)->partition(PartitionId(0));
  if (Status replayed = replay(partition, schemas); !replayed) return replayed;
  schemas.set_persist([&partition, &clock, &records](std::string_view key, std::string_view record) {
    Status status = append_durably(partition, clock.now(), key, record);
    if (status) records.add();
    return status;
  });
  return {};
}

}  // namespace iotstream::ingest
