// `iotstream run`: everything in one process.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/net/server.hpp>
#include <iotstream/os/process.hpp>

#include "app/commands.hpp"
#include "app/rooms.hpp"

namespace iotstream::app {

namespace {

void report_imports(const std::vector<catalog::ImportReport>& reports) {
  for (const catalog::ImportReport& report : reports) {
    if (report.rejected == 0) continue;
    diagnostics::warning("catalog", "{}: {} rows taken, {} could not be; the first, line {}: {}", report.path, report.rows,
                         report.rejected, report.problems.empty() ? 0 : report.problems.front().line,
                         report.problems.empty() ? "" : report.problems.front().reason);
  }
}

/// Where this process's own devices post: the first loopback address, or the first of all.
std::string own_url(const std::vector<config::Endpoint>& endpoints, bool tls) {
  const config::Endpoint* chosen = &endpoints.front();
  for (const config::Endpoint& endpoint : endpoints) {
    if (!endpoint.loopback()) continue;
    chosen = &endpoint;
    break;
  }
  config::Endpoint reachable = *chosen;
  if (reachable.host == "0.0.0.0") reachable.host = "127.0.0.1";
  if (reachable.host == "::") reachable.host = "::1";
  return fmt::format("{}://{}", tls ? "https" : "http", reachable.text());
}

}  // namespace

int run_server(const ConfigChoice& choice) {
  const std::int64_t began_ns = os::system_clock().monotonic_ns();
  os::block_stop_signals();
  const auto config = load_config(choice);
  if (!config) return 2;
  auto rooms = Rooms::open(*config);
  if (!rooms) return fail(rooms.error());
  {
    ProgressBar bar;
    auto imported = (*rooms)->import_configured(
        [&](const std::string& path, std::uint64_t done, std::uint64_t total) { bar.show(path, done, total); });
    if (!imported) return fail(imported.error());
    report_imports(*imported);
  }

  if (auto started = (*rooms)->start_mqtt(); !started) return fail(started.error());
  net::ServerOptions options;
  options.sinks = &(*rooms)->sinks();
  options.config = config->server;
  auto server = net::Server::start(options, (*rooms)->router(), *(*rooms)->workers, (*rooms)->metrics);
  if (!server) return fail(server.error());
  const bool tls = !config->server.tls_certificate.empty();
  const std::string url = own_url((*server)->endpoints(), tls);
  // This process's own devices speak no TLS: with it they can only be simulated in-process.
  if (auto started = (*rooms)->simulator->start(tls ? std::string() : url, config->server.token, config->simulations); !started)
    return fail(started.error());
  (*rooms)->imports->watch();
  (*rooms)->set_ready(true);
  const std::int64_t ms = (os::system_clock().monotonic_ns() - began_ns) / 1'000'000;
  fmt::print("ready {} in {} ms\n", url, ms);
  std::fflush(stdout);

  const int signal = os::wait_for_stop_signal();
  diagnostics::info("app", "signal {}: stopping", signal);
  (*rooms)->set_ready(false);
  (*rooms)->imports->stop();
  (*rooms)->simulator->stop();
  (*rooms)->groups->close();  // answers the fetches that wait: the server need not wait for them
  (*rooms)->stop_asking();
  (*server)->stop(Duration::seconds(2));
  (*rooms)->stop_mqtt(Duration::seconds(2));
  (*rooms)->close();
  diagnostics::info("app", "stopped");
  return 0;
}

}  // namespace iotstream::app
