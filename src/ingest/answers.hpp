// What the senders of readings over HTTP are answered.
#pragma once

#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::ingest {

/// To a body of readings: {"accepted","rejected","duplicates","errors"}; a refusal is a problem that also says how far it came.
net::Response counts_of(const Outcome& outcome);
/// To one reading in its envelope: {"topic","partition","offset"} of the last.
net::Response position_of(const Outcome& outcome);
/// Either, or the problem.
net::Response answer_to(const Result<Outcome>& result, bool envelope);

}  // namespace iotstream::ingest
