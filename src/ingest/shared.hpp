// What the gate's submissions share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <iotstream/ingest/batch.hpp>

#include "ingest/idempotency.hpp"
#include "ingest/producers.hpp"
#include "ingest/tally.hpp"

namespace iotstream::ingest {

/// What an answer that comes late still needs: it may come while the gate is being taken down.
struct Shared {
  Shared(log::Log& log, os::Clock& the_clock, metrics::Table& metrics)
      : clock(the_clock), tally(metrics), letters(log, the_clock, metrics) {}
  os::Clock& clock;
  Tally tally;
  DeadLetters letters;
  Idempotency idempotency;
  Producers producers;
  std::atomic<std::uint32_t> batches{0};  ///< relaxed: a count of the open ones
};

/// Tells bodies apart under one key. The upper half is of the body's first batch_fingerprint_size bytes: with it the log
/// numbers the readings, also those of a body whose end is not there yet. The lower half is of all.
std::uint64_t fingerprint_of(std::string_view body);

}  // namespace iotstream::ingest
