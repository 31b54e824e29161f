// The one gate by which readings enter: bodies → checked, enriched rows → log. Real and simulated devices pass it alike.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/net/http.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::ingest {

/// How far a reading must be before it is answered.
enum class Acks : unsigned char { none, written, durable };

enum class BodyFormat : unsigned char { detect, json, ndjson, csv };

/// A body of readings on its way in. Views are used only during submit().
struct Submission {
  std::string_view dataset;  ///< empty: each object is the wire envelope {"DatasetType","data"}
  BodyFormat format = BodyFormat::detect;
  std::string_view body;  ///< decompressed; need not be padded
  Acks acks = Acks::durable;
  std::string_view source;  ///< who sent it, for diagnostics and dead letters
};

/// One reading that was not taken.
struct LineError {
  std::uint64_t line = 0;  ///< NDJSON and CSV: the line, from 1; an array: the element, from 1
  std::string reason;
};

struct Position {
  std::string topic;
  PartitionId partition;
  Offset offset;
};

struct Outcome {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t duplicates = 0;
  std::vector<LineError> errors;  ///< the first 100
  std::optional<Position> last;   ///< of the last accepted reading
  /// Set when the log refused some: busy (429), disk_full (507), unavailable (503). What was accepted before it is counted and
  /// stays.
  std::optional<Error> refusal;
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
  /// (invalid, with the position). A reading is refused alone, never its neighbours. Blocks only when a schema grows (one
  /// sync).
  virtual void submit(const Submission& submission, std::function<void(Result<Outcome>)> done) = 0;

  /// Makes `from` the topic of a dataset: creates it when it is new. The topic's name is the dataset's.
  virtual Result<log::Topic*> topic(std::string_view dataset) = 0;
};

/// `POST /search/results` and `POST /api/v1/datasets/{dataset}/events`. `gate` outlives the router's use.
void add_routes(net::Router& router, Gate& gate, std::uint64_t body_size_max);

}  // namespace iotstream::ingest
