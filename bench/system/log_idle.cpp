// What the program costs while nothing happens: memory and processor time with 64 partitions that have been used.
#include <fmt/format.h>

#include <iotstream/net/client.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"

namespace iotstream::bench {

namespace {

constexpr unsigned partitions = 64;
constexpr unsigned devices = 512;  // with as many keys hardly a partition stays empty

/// A reading of each device, in one request.
Status post_readings(const std::string& url) {
  auto client = net::Client::create(url);
  if (!client) return client.error();
  std::string lines;
  for (unsigned device = 0; device != devices; ++device)
    lines += fmt::format("{{\"code\":\"device-{}\",\"value\":{}}}\n", device, device);
  auto answer = (*client)->request(net::Method::post, "/api/v1/datasets/idle/events", std::move(lines),
                                   {{"Content-Type", "application/x-ndjson"}});
  if (!answer) return answer.error();
  if (answer->status != 200)
    return Error{ErrorKind::unavailable, fmt::format("readings were answered {}: {}", answer->status, answer->body)};
  return {};
}

}  // namespace

Result<std::vector<Figure>> log_idle_figures(const Options& options) {
  const TemporaryFolder folder;
  const std::vector<std::string> overrides{fmt::format("log.partitions={}", partitions)};
  {
    auto server = ServerProcess::start_without_devices(folder.path() + "/data", overrides);
    if (!server) return server.error();
    if (auto status = post_readings((*server)->url()); !status) return status.error();
  }
  // Started again: what a program costs that has these partitions, and nobody uses them.
  auto server = ServerProcess::start_without_devices(folder.path() + "/data", overrides);
  if (!server) return server.error();
  sleep_for_ms(options.quick ? 300 : 3000);
  const std::int64_t begin_ns = now_ns();
  const double cpu_before = (*server)->cpu_seconds();
  sleep_for_ms(options.quick ? 500 : 20'000);
  const double cpu_percent = 100 * ((*server)->cpu_seconds() - cpu_before) / seconds_since(begin_ns);
  const double started_mib = (*server)->rss_mib();
  for (int i = 0; i != (options.quick ? 2 : 20); ++i)
    if (auto status = post_readings((*server)->url()); !status) return status.error();
  return std::vector<Figure>{
      beside_target("processor time of an idle process", {cpu_percent}, "% of core", 0.5, Good::at_most),
      beside_target("resident memory with 64 idle partitions", {started_mib}, "MiB", 48, Good::at_most),
      beside_target("resident memory after readings in all of them", {(*server)->rss_mib()}, "MiB", 48, Good::at_most)};
}

}  // namespace iotstream::bench
