#include "bench/system/path.hpp"

#include <atomic>
#include <simdjson.h>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>

#include <iotstream/net/client.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"

namespace iotstream::bench {

namespace {

constexpr const char* dataset = "bench_path";

Status post(net::Client& client, std::uint64_t number) {
  const std::string body = fmt::format(R"({{"DatasetType":"{}","data":{{"code":"bench","number":{}}}}})", dataset, number);
  auto answer = client.request(net::Method::post, "/search/results", body, {{"Content-Type", "application/json"}});
  if (!answer) return answer.error();
  if (answer->status != 200)
    return Error{ErrorKind::unavailable, fmt::format("a POST was answered {}: {}", answer->status, answer->body)};
  return {};
}

/// Reads frames and notes when each number came, acknowledging at once as a quick viewer would.
void watch(net::WebSocketClient& socket, std::vector<std::atomic<std::int64_t>>& seen_ns, std::atomic<bool>& stopping) {
  simdjson::dom::parser parser;
  while (!stopping) {
    auto message = socket.receive(Duration::milliseconds(200));
    if (!message) continue;
    const std::int64_t at = now_ns();
    simdjson::dom::element frame;
    simdjson::dom::array numbers;
    if (parser.parse(message->bytes).get(frame) != simdjson::SUCCESS ||
        frame["fields"]["number"].get(numbers) != simdjson::SUCCESS)
      continue;
    for (const simdjson::dom::element number : numbers) {
      std::uint64_t n = 0;
      if (number.get(n) == simdjson::SUCCESS && n < seen_ns.size() && seen_ns[n] == 0) seen_ns[n] = at;
    }
    std::uint64_t seq = 0;
    if (frame["seq"].get(seq) == simdjson::SUCCESS)
      static_cast<void>(socket.send(fmt::format(R"({{"op":"ack","id":1,"seq":{}}})", seq)));
  }
}

struct Latency {
  std::vector<double> ms;
  std::uint64_t lost = 0;
};

/// `count` posts, 83 ms apart (the demonstration's 12 readings a second), each timed from before the POST to the frame.
Result<Latency> glass_to_glass(const std::string& url, std::uint64_t count) {
  auto client = net::Client::create(url);
  if (!client) return client.error();
  if (auto first = post(**client, 0); !first) return first.error();
  auto socket = net::WebSocketClient::connect(url, "/api/v1/live?wire=json");
  if (!socket) return socket.error();
  const std::string subscribe = fmt::format(
      R"({{"op":"subscribe","id":1,"dataset":"{}","device":"*","fields":["number"],"window":"-15s","rate":60}})", dataset);
  if (auto sent = (*socket)->send(subscribe); !sent) return sent.error();

  std::vector<std::atomic<std::int64_t>> seen_ns(count + 1);
  std::vector<std::int64_t> sent_ns(count + 1);
  std::atomic<bool> stopping{false};
  std::thread watcher([&] { watch(**socket, seen_ns, stopping); });
  // The first frame is the back-fill's: live from then on.
  for (int i = 0; i < 200 && seen_ns[0] == 0; ++i) sleep_until_ns(now_ns() + 10'000'000);
  Status status;
  std::int64_t at = now_ns();
  for (std::uint64_t n = 1; n <= count && status; ++n) {
    sleep_until_ns(at += 83'000'000);
    sent_ns[n] = now_ns();
    status = post(**client, n);
  }
  for (int i = 0; i < 100 && seen_ns[count] == 0; ++i) sleep_until_ns(now_ns() + 10'000'000);
  stopping = true;
  watcher.join();
  if (!status) return status.error();
  Latency latency;
  for (std::uint64_t n = 1; n <= count; ++n) {
    seen_ns[n] == 0 ? static_cast<void>(++latency.lost)
                    : latency.ms.push_back(static_cast<double>(seen_ns[n] - sent_ns[n]) / 1e6);
  }
  return latency;
}

Result<std::vector<Figure>> starts(const std::string& folder, std::uint64_t runs) {
  std::vector<double> first;
  std::vector<double> later;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::string data_dir = fmt::format("{}/start-{}", folder, run);
    for (std::vector<double>* times : {&first, &later}) {
      auto server = ServerProcess::start(data_dir);
      if (!server) return server.error();
      times->push_back((*server)->start_ms());
      if ((*server)->stop() != 0) return Error{ErrorKind::unavailable, "the server did not stop by itself within 10 s"};
    }
  }
  return std::vector<Figure>{
      {"start to ready, first, with all imports", median(first), "ms", runs, "target", 1500, 1, Good::at_most},
      {"start to ready, later", median(later), "ms", runs, "target", 100, 1, Good::at_most}};
}

}  // namespace

Result<std::vector<Figure>> path(const Options& options) {
  const TemporaryFolder folder;
  auto figures = starts(folder.path(), options.quick ? 1 : 5);
  if (!figures) return figures.error();

  auto server = ServerProcess::start(folder.path() + "/demonstration");
  if (!server) return server.error();
  const double settle_s = options.quick ? 0.5 : 5;
  const double watch_s = options.quick ? 1 : 30;
  sleep_until_ns(now_ns() + static_cast<std::int64_t>(settle_s * 1e9));
  const double cpu_before = (*server)->cpu_seconds();
  sleep_until_ns(now_ns() + static_cast<std::int64_t>(watch_s * 1e9));
  const double cpu_percent = 100 * ((*server)->cpu_seconds() - cpu_before) / watch_s;
  figures->push_back({"resident memory, no viewer", (*server)->rss_mib(), "MiB", 1, "target", 64, 1, Good::at_most});
  figures->push_back({"processor time, no viewer", cpu_percent, "% of core", 1, "target", 5, 1, Good::at_most});

  TimerLateness timer;
  const std::uint64_t posts = options.quick ? 10 : 360;
  auto latency = glass_to_glass((*server)->url(), posts);
  const std::vector<double> lateness_ms = timer.stop_ms();
  if (!latency) return latency.error();
  if (latency->lost > 0)
    return Error{ErrorKind::unavailable, fmt::format("{} of {} readings never came back as a frame", latency->lost, posts)};
  figures->push_back({"device POST to frame, p50", quantile(latency->ms, 0.5), "ms", posts, "target", 5, 1, Good::at_most});
  figures->push_back({"device POST to frame, p99", quantile(latency->ms, 0.99), "ms", posts,
                      "a bare 1 ms timer's lateness, p99", quantile(lateness_ms, 0.99)});
  figures->push_back({"a bare 1 ms timer's lateness, p50", quantile(lateness_ms, 0.5), "ms", lateness_ms.size(), "", 0});

  struct stat binary {};
  if (::stat("/proc/self/exe", &binary) == 0) {
    figures->push_back(
        {"the binary, dashboard embedded", static_cast<double>(binary.st_size) / 1e6, "MB", 1, "target", 10, 1, Good::at_most});
  }
  return figures;
}

}  // namespace iotstream::bench
