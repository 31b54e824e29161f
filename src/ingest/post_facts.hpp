// What the head of a request says about the readings in its body.
#pragma once

#include <optional>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/http.hpp>

#include "ingest/decompress.hpp"

namespace iotstream::ingest {

/// Fills `submission` from the head of a request to our own routes, its body left out. Views of `request`. `envelope`: the
/// route without a dataset in its path. Errors: invalid, unsupported (the media type).
Status read_head(const net::Request& request, bool envelope, Submission& submission);

/// Of any route. Errors: unsupported.
Result<Coding> coding_of(const net::Request& request);

}  // namespace iotstream::ingest
