// The internal topic `_schemas`: every schema version and set of facts, so that a data directory explains itself.
#pragma once

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::ingest {

/// Opens or creates `_schemas`, replays it into `schemas`, and makes it what new records go to: each is durable before it is
/// used. All references outlive `schemas`' use. Errors: those of the log; corrupt for a record that cannot be read, with its
/// offset.
Status open_schema_topic(log::Log& log, catalog::Schemas& schemas, os::Clock& clock, metrics::Counter& records);

}  // namespace iotstream::ingest
