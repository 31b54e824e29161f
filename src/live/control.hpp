// Control messages, both ways, as docs/live.md has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/live/hub.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::live {

struct Subscribe {
  std::string dataset;
  std::string device;               ///< empty: all
  std::vector<std::string> fields;  ///< empty: all, also those that appear later
  Duration window = Duration::seconds(300);
  std::uint32_t pixels = 800;
  double rate = 20;
};
struct Ack {
  std::uint64_t seq = 0;
};
struct Park {};
struct Resume {};
struct Unsubscribe {};

struct ClientMessage {
  std::uint32_t id = 0;
  std::variant<Subscribe, Ack, Park, Resume, Unsubscribe> what;
};

/// A message that could not be taken: one sentence, and the id when it could be read.
struct Refusal {
  std::optional<std::uint32_t> id;
  std::string detail;
};

std::variant<ClientMessage, Refusal> read_message(std::string_view text);

std::string write_hello(Timestamp now, Timestamp started);
std::string write_fields(std::uint32_t id, const model::Schema& schema, const std::vector<FieldId>& fields,
                         const std::vector<std::string>& devices);
std::string write_changed();
struct LatencyMs {
  double p50 = 0;
  double p99 = 0;
};
/// `latency`: nothing without frames.
std::string write_stats(Timestamp now, const std::vector<DatasetLive>& datasets, std::optional<LatencyMs> latency);
std::string write_error(const Refusal& refusal);

}  // namespace iotstream::live
