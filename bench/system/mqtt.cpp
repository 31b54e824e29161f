#include "bench/system/mqtt.hpp"

#include <fstream>
#include <future>
#include <optional>
#include <sched.h>
#include <thread>

#include <fmt/format.h>

#include "bench/support/child_process.hpp"
#include "bench/support/mqtt_client.hpp"
#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"

namespace iotstream::bench {
namespace {

constexpr std::uint64_t window = 2'000;
constexpr int quiet_ms = 3'000;

/// One reading of an agricultural machine, 512 bytes of JSON.
std::string payload() {
  std::string text = R"({"dateHour":"2022-02-23 06:34:27.403000")";
  for (unsigned field = 0; text.size() < 470; ++field)
    text += fmt::format(R"(,"signal_{:02}":{}.{:02})", field, 17 * field + 3, field);
  text += R"(,"note":")";
  text.append(512 - text.size() - 2, 'x');
  return text + "\"}";
}

/// The calling thread, and those it starts, on the last processor, so that the server has the others.
void leave_room() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(static_cast<std::size_t>(std::max(1u, std::thread::hardware_concurrency()) - 1), &processors);
  ::sched_setaffinity(0, sizeof processors, &processors);
}

/// Debian's broker with no limits on its queues, and nothing stored. nullptr when it is not installed.
Result<std::unique_ptr<ChildProcess>> start_mosquitto(const std::string& folder, std::uint16_t port) {
  const std::string program = find_program("mosquitto");
  if (program.empty()) return std::unique_ptr<ChildProcess>();
  const std::string file = folder + "/mosquitto.conf";
  std::ofstream(file) << "listener " << port << " 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n"
                      << "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n";
  return ChildProcess::execute(program, {"mosquitto", "-c", file}, -1);
}

Result<std::unique_ptr<MqttClient>> connect_soon(std::uint16_t port, const std::string& client) {
  for (int attempt = 0;; ++attempt) {
    auto connected = MqttClient::connect(port, client);
    if (connected || attempt == 100) return connected;
    sleep_for_ms(20);
  }
}

struct Outcome {
  double per_s = 0;
  std::uint64_t lost = 0;
};

/// From the first byte sent until the last message is there.
Result<Outcome> round(std::uint16_t port, unsigned qos, std::uint64_t count) {
  auto reader = connect_soon(port, "bench-reader");
  if (!reader) return reader.error();
  if (Status granted = (*reader)->subscribe("bench_mqtt/#", qos); !granted) return granted.error();
  auto writer = connect_soon(port, "bench-writer");
  if (!writer) return writer.error();
  std::vector<std::string> topics;
  for (unsigned device = 0; device < 8; ++device) topics.push_back(fmt::format("bench_mqtt/device {}", device));
  const std::int64_t began_ns = now_ns();
  std::int64_t ended_ns = 0;
  auto received = std::async(std::launch::async, [&] {
    auto got = (*reader)->receive(count, quiet_ms);
    ended_ns = now_ns();
    return got;
  });
  const Status sent = (*writer)->publish(topics, payload(), qos, count, window);
  const auto got = received.get();
  if (!sent) return sent.error();
  if (!got) return got.error();
  const bool short_of = *got < count;
  const double seconds = static_cast<double>(ended_ns - began_ns) / 1e9 - (short_of ? quiet_ms / 1e3 : 0);
  return Outcome{static_cast<double>(*got) / seconds, count - std::min(count, *got)};
}

struct Series {
  std::vector<double> ours;
  std::vector<double> theirs;
  std::uint64_t ours_lost = 0;
  std::uint64_t theirs_lost = 0;
};

Result<Series> measure(unsigned qos, std::uint64_t count, std::uint64_t rounds, std::uint16_t our_port,
                       std::optional<std::uint16_t> their_port) {
  Series series;
  for (std::uint64_t i = 0; i < rounds + 1; ++i) {
    const bool counts = i > 0;  // the first warms up
    auto ours = round(our_port, qos, count);
    if (!ours) return ours.error();
    series.ours_lost += ours->lost;
    if (counts) series.ours.push_back(ours->per_s);
    if (!their_port) continue;
    auto theirs = round(*their_port, qos, count);
    if (!theirs) return theirs.error();
    series.theirs_lost += theirs->lost;
    if (counts) series.theirs.push_back(theirs->per_s);
  }
  return series;
}

}  // namespace

Result<std::vector<Figure>> mqtt(const Options& options) {
  const TemporaryFolder folder;
  const std::uint16_t port = free_port();
  auto server =
      ServerProcess::start_without_devices(folder.path() + "/data", {fmt::format("mqtt.listen=[\"127.0.0.1:{}\"]", port)});
  if (!server) return server.error();
  const std::uint16_t other_port = free_port();
  auto other = start_mosquitto(folder.path(), other_port);
  if (!other) return other.error();
  if (!*other) note("mosquitto is not installed: nothing to compare with");
  const auto their_port = *other ? std::optional(other_port) : std::nullopt;

  const std::uint64_t rounds = options.quick ? 1 : 5;
  std::vector<Figure> figures;
  Status status;
  // In a thread of its own: the processor it keeps to is not that of what runs afterwards.
  std::thread([&] {
    leave_room();
    for (const unsigned qos : {0u, 1u}) {
      const std::uint64_t count = options.quick ? 2'000 : qos == 0 ? 300'000 : 150'000;
      auto series = measure(qos, count, rounds, port, their_port);
      if (!series) {
        status = series.error();
        return;
      }
      Figure figure{fmt::format("MQTT QoS {}{}, publisher to subscriber", qos, qos == 0 ? "" : " (durable)"),
                    median(series->ours),
                    "messages/s",
                    rounds,
                    "",
                    0,
                    0,
                    Good::at_least};
      if (their_port) {
        figure.limit_name = "mosquitto, storing nothing";
        figure.limit_value = median(series->theirs);
        figure.target_ratio = 2;
      }
      figures.push_back(figure);
      figures.push_back({fmt::format("MQTT QoS {}, messages that did not arrive", qos), static_cast<double>(series->ours_lost),
                         "messages", rounds, their_port ? "mosquitto" : "", static_cast<double>(series->theirs_lost)});
    }
  }).join();
  if (!status) return status.error();
  return figures;
}

}  // namespace iotstream::bench
