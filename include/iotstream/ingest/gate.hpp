// The one gate by which readings enter: bodies → checked, enriched rows → log. Real and simulated devices pass it alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/ingest/dead_letters.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::ingest {

/// How far a reading must be before it is answered.
enum class Acks : unsigned char { none, written, durable };

enum class BodyFormat : unsigned char { detect, json, ndjson, csv, points };

/// Who brings readings; each kind is counted by itself.
enum class SourceKind : unsigned char { http, simulation, resend, mqtt, influx, elasticsearch };
inline constexpr SourceKind source_kinds[]{SourceKind::http, SourceKind::simulation, SourceKind::resend,
                                           SourceKind::mqtt, SourceKind::influx,     SourceKind::elasticsearch};
std::string_view name_of(SourceKind kind);

/// Bytes of one reading's JSON text, or of one CSV record.
inline constexpr std::size_t reading_size_max = log::record_size_max;
inline constexpr std::size_t name_size_max = 200;  ///< bytes of a member's name (with dots), of a device, of a dataset
inline constexpr unsigned depth_max = 64;          ///< objects and arrays within each other, the reading itself included
inline constexpr std::size_t datasets_max = 1000;  ///< a new dataset beyond it is unprocessable

/// How the points of InfluxDB's line protocol become readings.
struct PointRules {
  std::int64_t unit_ns = 1;  ///< of a timestamp
  std::string prefix;        ///< the dataset is prefix + measurement + suffix
  std::string suffix;
  /// The first of these tags that a point has is its device; without one, all its tags together (`host=a,room=b`).
  std::vector<std::string> device_tags;
};

/// A body of readings on its way in. Views are used only during submit().
struct Submission {
  std::string_view dataset;  ///< empty: each object is the wire envelope {"DatasetType","data"}
  BodyFormat format = BodyFormat::detect;
  std::string_view body;  ///< decompressed; need not be padded
  Acks acks = Acks::durable;
  std::string_view source;  ///< who sent it, for diagnostics and dead letters
  SourceKind kind = SourceKind::http;
  /// Not empty: what was handled before under the same key (of the same dataset) is not handled again, and counts as
  /// duplicates. The outcome is remembered in memory: the last 10,000 keys, 10 minutes each. That the readings were taken is in
  /// the log, with them: after a restart, however it came, a repetition takes only what is missing, for as long as the key is
  /// among the last log::producers_max of each partition.
  std::string_view idempotency_key;
  /// The sender numbers its readings: the first of this body has `sequence`, the others follow. Those that were taken before
  /// count as duplicates; a body that begins behind the next number is refused whole. With a dataset, without a key.
  struct Numbered {
    std::uint64_t producer = 0;  ///< below log::producer_key_begin
    std::uint64_t sequence = 0;  ///< likewise
  };
  std::optional<Numbered> numbered;
  std::string_view device;  ///< not empty: the device of every reading, whatever its members say
  std::string_view token;   ///< not empty: model::RowBuilder::set_token, followed by the reading's number as u32
  /// Numbers of readings (see LineError::line) that were taken before: they count as duplicates.
  std::span<const std::uint32_t> known = {};
  std::shared_ptr<const PointRules> points;  ///< with BodyFormat::points
  std::uint64_t skip = 0;                    ///< the first readings, that an earlier attempt has handled and counted
};

/// One reading that was not taken.
struct LineError {
  std::uint64_t line = 0;  ///< NDJSON and CSV: the line, from 1; an array: the element, from 1; else 1
  std::string reason;
  ErrorKind kind = ErrorKind::invalid;  ///< invalid: malformed; unprocessable: well-formed, but cannot be taken; too_large
};

struct Position {
  std::string topic;
  PartitionId partition;
  Offset offset;
};

struct Outcome {
  bool single = false;  ///< the body was one object, not lines, an array or CSV
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t duplicates = 0;
  /// Not tried any more after `refusal`; accepted + rejected + duplicates + refused is all that came.
  std::uint64_t refused = 0;
  std::vector<LineError> errors;  ///< the first 100
  std::optional<Position> last;   ///< of the last accepted reading
  /// Set when the log refused some: busy (429), disk_full (507), unavailable (503). What was accepted before it is counted and
  /// stays; the rest was not tried. Also set when what was accepted could not be brought to the wanted acknowledgement (io,
  /// unavailable): it may or may not be there after a restart.
  std::optional<Error> refusal;
  std::optional<std::uint64_t> expected_sequence;  ///< of the numbered body that was refused (conflict)
};

/// Thread-safe. `log`, `schemas`, `clock` and `metrics` outlive it.
class Gate {
 public:
  virtual ~Gate() = default;

  /// Replays the topic `_schemas` into `schemas` and becomes its persist hook. Errors: those of the log.
  static Result<std::unique_ptr<Gate>> open(log::Log& log, catalog::Schemas& schemas, os::Clock& clock,
                                            metrics::Table& metrics);

  /// Parses, grows schemas as needed, appends, and calls `done` exactly once when the wanted acknowledgement holds for all that
  /// was accepted: on the calling thread or one of the log's. Error instead of an outcome: the body as a whole cannot be read
  /// (invalid, with the position), or its idempotency key belongs to another body (unprocessable). A reading is rejected alone,
  /// never its neighbours. Blocks only when a schema grows (one sync) or a topic is created.
  virtual void submit(const Submission& submission, std::function<void(Result<Outcome>)> done) = 0;

  /// A body that could not even be handed to submit() (an unknown encoding, broken compression): counted as one rejected
  /// reading, and kept as a dead letter with `reason`.
  virtual void reject(const Submission& submission, const std::string& reason) = 0;

  /// What could not be taken.
  virtual DeadLetters& dead_letters() = 0;

  /// Like submit() for many small bodies of one sender, without a wait of their own: returns what became of each, in order, up
  /// to and including the first that the log refused (see Outcome::refusal): what comes behind it was not tried, so that a
  /// sender's order stays. `acknowledged` is called exactly once when `acks` holds for all that was accepted: within this call
  /// when nothing is to be waited for, else on a thread of the log. Idempotency keys and the submissions' own acks are not
  /// looked at.
  virtual std::vector<Result<Outcome>> take(std::span<const Submission> submissions, Acks acks,
                                            std::function<void(const Status&)> acknowledged) = 0;

  /// Makes `from` the topic of a dataset: creates it when it is new. The topic's name is the dataset's.
  virtual Result<log::Topic*> topic(std::string_view dataset) = 0;
};

/// Sends letters through the gate again, as they were or as their bytes have been mended by the caller, and settles each that
/// was looked at: one that is rejected again becomes a new letter. `outcome` adds up; its errors' line is the letter's place in
/// `letters`, from 1. A truncated letter, and one that the log refuses, stays as it is. Blocks until all are durable: on a
/// worker.
Result<Outcome> resend(Gate& gate, const std::string& dataset, const std::vector<DeadLetter>& letters);

/// `POST /search/results` and `POST /api/v1/datasets/{dataset}/events`. Bodies above 64 KiB and compressed ones are handled on
/// `workers`, the rest on the socket's thread. A decompressed body may have body_size_max bytes too. `gate` and `workers`
/// outlive the router's use.
void add_routes(net::Router& router, Gate& gate, os::WorkerPool& workers, std::uint64_t body_size_max);

}  // namespace iotstream::ingest
