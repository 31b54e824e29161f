// Bodies of lines that are read while they come, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/body_sink.hpp>

namespace iotstream::ingest {

/// One body of NDJSON or CSV. One call at a time, from any thread.
class Batch {
 public:
  /// Without finish(): what was taken stays, a last line that is not whole is forgotten, nobody is told.
  virtual ~Batch() = default;
  /// The next bytes, decompressed, cut anywhere. False: no more is wanted, and finish() tells why. Blocks while the log is
  /// full, for a tenth of a second at most.
  virtual bool take(std::string_view bytes) = 0;
  /// The rest cannot be read, for this reason: finish() tells it. What came before stays and counts.
  virtual void fail(Error error) = 0;
  /// There is no more. Calls `done` exactly once as Gate::submit does, when the wanted acknowledgement holds for all that was
  /// accepted.
  virtual void finish(std::function<void(Result<Outcome>)> done) = 0;
};

inline constexpr std::size_t batches_max = 64;  ///< bodies that are read while they arrive, at once
/// Bytes at a body's begin by which an idempotency key knows it again.
inline constexpr std::size_t batch_fingerprint_size = 64u << 10;

/// For a body of which `submission.body` is the begin (batch_fingerprint_size bytes at least, or all), which is to be given to
/// take() as well. Nothing when such a body must be known as a whole: one object, an array, what is not to be told apart, CSV
/// without a dataset. A cut-off body's readings stay; its repetition under the same idempotency key, or with the same producer
/// and sequence, takes what is missing. A batch that may not begin (a numbered sender's, batches_max are open) takes nothing.
/// `gate` is one that Gate::open() made, and outlives the batch.
std::unique_ptr<Batch> open_batch(Gate& gate, const Submission& submission);

/// For the routes of add_routes(): their long bodies of lines in pieces, whatever their length. A compressed body may grow
/// beyond `body_size_max` to 200 times its own size. `gate` outlives the table's use.
void add_sinks(net::BodySinks& sinks, Gate& gate, std::uint64_t body_size_max);

}  // namespace iotstream::ingest
