// GET …/replay: a range of time as it was recorded, streamed in its pace.
#include <atomic>
#include <charconv>

#include <fmt/format.h>

#include <iotstream/log/replay.hpp>

#include "http/message.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr int replays_max = 32;  ///< of all clients: each holds a few megabytes of records
constexpr std::size_t piece_size = 64u << 10;
constexpr std::int64_t heartbeat_ns =
    10'000'000'000;  ///< after so much silence an empty line: who reads knows that we are there
constexpr Duration follow_pause = Duration::milliseconds(100);

/// A place among the replays that may run at a time.
class Place {
 public:
  static Result<std::shared_ptr<Place>> take(std::shared_ptr<std::atomic<int>> taken) {
    // Relaxed: a count, publishes nothing.
    if (taken->fetch_add(1, std::memory_order_relaxed) < replays_max) return std::make_shared<Place>(std::move(taken));
    taken->fetch_sub(1, std::memory_order_relaxed);
    return Error{ErrorKind::busy,
                 fmt::format("{} replays are running, and more are not served at a time; try again later", replays_max)};
  }
  explicit Place(std::shared_ptr<std::atomic<int>> taken) : taken_(std::move(taken)) {}
  ~Place() { taken_->fetch_sub(1, std::memory_order_relaxed); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::shared_ptr<std::atomic<int>> taken_;
};

/// Gives what is due; while nothing is, it pauses: a worker works for it only when there is something to do.
class ReplayStream final : public net::BodySource {
 public:
  ReplayStream(Services& services, std::string topic, std::unique_ptr<log::Replay> replay, std::uint64_t limit,
               std::shared_ptr<Place> place)
      : services_(services),
        topic_(std::move(topic)),
        replay_(std::move(replay)),
        left_(limit),
        place_(std::move(place)),
        said_ns_(services.clock.monotonic_ns()) {}

  Result<bool> next(std::string& out) override {
    pause_ = {};
    while (out.size() < piece_size && left_ > 0) {
      auto step = replay_->next();
      if (!step) return step.error();
      switch (step->state) {
        case log::Replay::State::record:
          write(out, *step);
          --left_;
          break;
        case log::Replay::State::later:
          return rest(out, step->due_ns);
        case log::Replay::State::waiting:
          return rest(out, std::min(step->due_ns, services_.clock.monotonic_ns() + follow_pause.us * 1000));
        case log::Replay::State::paused:
        case log::Replay::State::ended:
          return false;
      }
    }
    said_ns_ = services_.clock.monotonic_ns();
    return left_ > 0;
  }

  Duration pause() const override { return pause_; }

 private:
  void write(std::string& out, const log::Replay::Step& step) {
    json::Writer writer(out);
    writer.begin_object();
    writer.key("partition").value(static_cast<std::uint64_t>(step.partition.value));
    write_message(writer, services_, topic_, step.record);
    writer.end_object();
    out += '\n';
  }

  /// Until `due_ns`, or until it is time for a sign of life.
  Result<bool> rest(std::string& out, std::int64_t due_ns) {
    const std::int64_t now_ns = services_.clock.monotonic_ns();
    if (out.empty() && now_ns - said_ns_ >= heartbeat_ns) out += '\n';
    if (!out.empty()) said_ns_ = now_ns;
    const std::int64_t until_ns = std::min(due_ns, said_ns_ + heartbeat_ns);
    // Rounded up, so that it is due when the pause is over.
    pause_ = {std::max<std::int64_t>(0, (until_ns - now_ns + 999) / 1000)};
    return true;
  }

  Services& services_;
  std::string topic_;
  std::unique_ptr<log::Replay> replay_;
  std::uint64_t left_;
  std::shared_ptr<Place> place_;
  std::int64_t said_ns_;  ///< when something was given last
  Duration pause_;
};

Result<double> speed_of(const net::Request& request) {
  const std::string_view text = request.query_value("speed").value_or("1");
  if (text == "max") return 0.0;
  double speed = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), speed);
  const bool number = code == std::errc() && end == text.data() + text.size();
  if (number && (speed == 0 || (speed >= log::replay_speed_min && speed <= log::replay_speed_max))) return speed;
  return Error{ErrorKind::invalid,
               fmt::format("speed: '{}' is neither a number from {} to {}, nor max (or 0) for as fast as possible", text,
                           log::replay_speed_min, log::replay_speed_max)};
}

Result<bool> truth_parameter(const net::Request& request, std::string_view name) {
  const std::string_view text = request.query_value(name).value_or("false");
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0" || text.empty()) return false;
  return Error{ErrorKind::invalid, fmt::format("{}: '{}' is neither true nor false", name, text)};
}

/// Without `to` a replay ends at what is there now; with follow it does not end.
Result<log::ReplayOptions> options_of(Services& services, const net::Request& request, const log::Topic& topic) {
  log::ReplayOptions options;
  const Timestamp now = services.clock.now();
  auto from = time_parameter(request, "from", now);
  if (!from) return from.error();
  auto to = time_parameter(request, "to", now);
  if (!to) return to.error();
  auto speed = speed_of(request);
  if (!speed) return speed.error();
  auto follow = truth_parameter(request, "follow");
  if (!follow) return follow.error();
  if (const auto text = request.query_value("gap")) {
    auto gap = parse_duration(*text);
    if (!gap) return Error{ErrorKind::invalid, fmt::format("gap: {}", gap.error().message)};
    options.gap_max = *gap;
  }
  if (request.query_value("partition")) {
    auto partition = number_parameter(request, "partition", 0, 0, topic.partition_count() - 1);
    if (!partition) return partition.error();
    options.partition = PartitionId(static_cast<std::uint32_t>(*partition));
  }
  const std::string_view device = request.query_value("device").value_or("");
  if (device != "*") options.key = device;
  options.from = *from;
  options.to = *to;
  options.speed = *speed;
  options.follow = *follow;
  return options;
}

Answer replay(Services& services, const net::Request& request, const std::shared_ptr<std::atomic<int>>& taken) {
  log::Topic* topic = services.log.find(request.param("topic"));
  if (topic == nullptr) {
    return Error{ErrorKind::not_found,
                 fmt::format("there is no topic '{}'; GET /api/v1/topics lists them", request.param("topic"))};
  }
  auto options = options_of(services, request, *topic);
  if (!options) return options.error();
  auto limit = number_parameter(request, "limit", UINT64_MAX, 0, UINT64_MAX);
  if (!limit) return limit.error();
  auto place = Place::take(taken);
  if (!place) return place.error();
  auto opened = log::Replay::open(*topic, std::move(*options), services.clock, services.metrics);
  if (!opened) return opened.error();
  net::Response response;
  response.content_type = "application/x-ndjson";
  response.source = std::make_unique<ReplayStream>(services, topic->name(), std::move(*opened), *limit, std::move(*place));
  return response;
}

}  // namespace

void add_replay_routes(net::Router& router, Services& services) {
  router.add(net::Method::get, "/api/v1/topics/{topic}/replay",
             on_worker(services, [&services, taken = std::make_shared<std::atomic<int>>(0)](const net::Request& request) {
               return replay(services, request, taken);
             }));
}

}  // namespace iotstream::http
