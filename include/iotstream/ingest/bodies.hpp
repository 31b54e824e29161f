// Ways in over HTTP, for protocols beside our own: how a request names what its body holds, and how the outcome is told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/body_sink.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::ingest {

struct BodyWay {
  /// Fills what `submission` says beside its body, as views of `request`. An error refuses the body unseen.
  std::function<Status(const net::Request& request, Submission& submission)> read;
  /// May be called on any thread.
  std::function<net::Response(const Result<Outcome>& result)> answer;
};

/// `POST path`, plain or compressed (gzip, zstd). Bodies up to 64 KiB are read on the socket's thread, others on `workers`.
/// Lines are read while they arrive, whatever their number; a body of another kind, and one that grows beyond reason when it is
/// decompressed, may have `size_max` bytes. What is refused unseen is a dead letter. `gate` and `workers` outlive the router.
void add_body_route(net::Router& router, net::BodySinks& sinks, std::string path, BodyWay way, Gate& gate,
                    os::WorkerPool& workers, std::uint64_t size_max);

/// The body of a request, decompressed. Errors: unsupported (Content-Encoding), invalid, too_large.
Result<std::string> plain_body(const net::Request& request, std::uint64_t size_max);

}  // namespace iotstream::ingest
