// Other brokers beside the log, with the same events and the same two sides at the same time: one publishes, each event
// acknowledged, one consumes. The peers are reached over loopback as they are meant to be; the log is in this process, as it is
// meant to be.
#include <functional>
#include <iterator>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include <iotstream/net/client.hpp>

#include "bench/support/peers.hpp"
#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"
#include "bench/system/log_workload.hpp"

namespace iotstream::bench {

namespace {

constexpr std::uint64_t outstanding = 10'000;

/// A reading of 400 bytes.
std::string event() {
  std::string text = R"({"code":"device-0001","dateHour":"2022-02-23 06:34:27.403000")";
  for (int field = 1; text.size() + 24 < 400; ++field)
    text += fmt::format(R"(,"field{:02}":{}.{:03})", field, 20 + field, 125 * field % 1000);
  text += ",\"note\":\"";
  text.append(400 - text.size() - 2, 'x');
  return text + "\"}";
}

/// Thousands of events a second, from the first publication until the last is acknowledged and consumed.
Result<double> rate(std::uint64_t count, const std::function<Status()>& publish, const std::function<Status()>& consume) {
  Status consumed;
  const std::int64_t begin_ns = now_ns();
  std::thread consumer([&] { consumed = consume(); });
  const Status published = publish();
  consumer.join();
  const double seconds = seconds_since(begin_ns);
  if (!published) return published.error();
  if (!consumed) return consumed.error();
  return static_cast<double>(count) / seconds / 1e3;
}

Result<double> peer_rate(Peer& peer, std::uint64_t count, const std::string& text) {
  if (auto status = peer.begin(); !status) return status.error();
  return rate(
      count, [&] { return peer.publish(count, text, outstanding); }, [&] { return peer.consume(count); });
}

/// Reads from `from` on until `count` records with `size` bytes have come.
Status consume(log::Log& log, log::Partition& partition, Offset from, std::uint64_t count, std::size_t size,
               log::Watermark watermark) {
  log::Signal signal;
  log.subscribe(signal, watermark);
  Status status;
  for (const Offset end = from + count; from < end && status;) {
    auto batch = partition.read(from, 256u << 10, watermark);
    if (!batch) {
      status = batch.error();
    } else if (batch->empty()) {
      if (!signal.wait(Duration::seconds(30))) status = Error{ErrorKind::unavailable, "no record came within 30 s"};
    } else {
      for (const log::Record& record : batch->records())
        if (record.value.size() != size) status = Error{ErrorKind::corrupt, "a record is not as long as it was"};
      from = batch->records().back().offset + 1;
    }
  }
  log.unsubscribe(signal);
  return status;
}

struct Mode {
  const char* name;
  log::Sync sync;
  log::Watermark watermark;
  double target_ratio;
};
/// The peers answer when the event is written, and sync later: the log in the mode that promises as much stands beside them,
/// and, without a target, the one that promises more.
constexpr Mode modes[] = {{"acknowledged when written", log::Sync::interval, log::Watermark::written, 10},
                          {"acknowledged when durable", log::Sync::batch, log::Watermark::durable, 0}};

Result<double> own_rate(OwnLog& log, const Mode& mode, std::uint64_t count, const std::string& text) {
  auto found = log.partition(mode.sync == log::Sync::batch ? "durable" : "written", mode.sync);
  if (!found) return found.error();
  log::Partition& partition = **found;
  const Offset from =
      mode.watermark == log::Watermark::written ? partition.watermarks().written : partition.watermarks().durable;
  return rate(
      count, [&] { return append_acknowledged(partition, as_bytes(text), count, outstanding, mode.watermark); },
      [&] { return consume(log.log(), partition, from, count, text.size(), mode.watermark); });
}

Result<std::vector<Figure>> beside(Peer& peer, OwnLog& log, bool quick) {
  const std::uint64_t count = quick ? 2'000 : 200'000;
  const std::string text = event();
  std::vector<double> theirs;
  std::vector<double> ours[std::size(modes)];
  for (int round = 0; round != (quick ? 1 : 5); ++round) {
    auto peers = peer_rate(peer, count, text);
    if (!peers) return Error{peers.error().kind, fmt::format("{}: {}", peer.name(), peers.error().message)};
    theirs.push_back(*peers);
    if (auto status = peer.settle(); !status) return status.error();
    for (std::size_t mode = 0; mode != std::size(modes); ++mode) {
      auto own = own_rate(log, modes[mode], count, text);
      if (!own) return own.error();
      ours[mode].push_back(*own);
    }
  }
  std::vector<Figure> figures;
  for (std::size_t mode = 0; mode != std::size(modes); ++mode)
    figures.push_back({fmt::format("400 B JSON stored and consumed, {}", modes[mode].name), median(ours[mode]), "k/s",
                       theirs.size(), peer.name(), median(theirs), modes[mode].target_ratio, Good::at_least});
  return figures;
}

/// Thousands of events a second into the whole program, by one client with one connection: 1000 lines a request, answered when
/// they are durable.
Result<Figure> over_http(bool quick) {
  const TemporaryFolder folder;
  auto server = ServerProcess::start_without_devices(folder.path() + "/data");
  if (!server) return server.error();
  auto client = net::Client::create((*server)->url());
  if (!client) return client.error();
  constexpr int lines = 1000;
  const std::string line = event() + "\n";
  std::string body;
  for (int i = 0; i != lines; ++i) body += line;
  std::vector<double> rates;
  for (int round = 0; round != (quick ? 2 : 9); ++round) {
    const int requests = quick ? 2 : 20;
    const std::int64_t begin_ns = now_ns();
    for (int request = 0; request != requests; ++request) {
      auto answer = (*client)->request(net::Method::post, "/api/v1/datasets/load/events", body,
                                       {{"Content-Type", "application/x-ndjson"}});
      if (!answer) return answer.error();
      if (answer->status != 200)
        return Error{ErrorKind::unavailable, fmt::format("readings were answered {}: {}", answer->status, answer->body)};
    }
    rates.push_back(requests * lines / seconds_since(begin_ns) / 1e3);
  }
  return Figure{"400 B JSON over HTTP into the whole program, durable", median(rates), "k/s", rates.size(), "", 0};
}

}  // namespace

Result<std::vector<Figure>> log_peer_figures(const Options& options) {
  std::vector<Figure> figures;
  struct {
    const char* package;
    Result<std::unique_ptr<Peer>> (*start)(const std::string& folder);
  } const peers[] = {{"nats-server", start_nats}, {"redis-server", start_redis}};
  for (const auto& [package, start] : peers) {
    const TemporaryFolder data;
    auto peer = start(data.path());
    if (!peer) return Error{peer.error().kind, fmt::format("{}: {}", package, peer.error().message)};
    if (*peer == nullptr) {
      note(fmt::format("{} is not installed: no figures beside it; apt-get install {}", package, package));
      continue;
    }
    // One of its own beside each peer: a log that holds what was stored beside the first is not where the other's begins.
    auto log = OwnLog::open(data.path() + "/log");
    if (!log) return log.error();
    auto measured = beside(**peer, **log, options.quick);
    if (!measured) return measured.error();
    figures.insert(figures.end(), measured->begin(), measured->end());
  }
  auto http = over_http(options.quick);
  if (!http) return http.error();
  figures.push_back(std::move(*http));
  return figures;
}

}  // namespace iotstream::bench
