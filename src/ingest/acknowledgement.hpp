// The answer to a submission, given when all that it appended has come as far as was asked for.
#pragma once

#include <functional>
#include <vector>

#include <iotstream/ingest/gate.hpp>

namespace iotstream::ingest {

using Done = std::function<void(Result<Outcome>)>;

/// A partition to which a submission appended, and the last offset there.
struct Touched {
  log::Partition* partition = nullptr;
  Offset last;
};

/// What became of the wait: an error when a partition can no longer get there.
using Acknowledged = std::function<void(const Status& status)>;

/// Calls `done` exactly once: here when nothing is to be waited for, else on a thread of the log after the last partition's
/// watermark passed.
void acknowledge(const std::vector<Touched>& touched, Acks acks, Acknowledged done);

}  // namespace iotstream::ingest
