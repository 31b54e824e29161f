// Health, metrics, status, the API's description.
#include <iotstream/os/process.hpp>
#include <iotstream/store/slow_queries.hpp>

#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

void write_mqtt(json::Writer& writer, Services& services) {
  if (!services.mqtt_clients) return;
  writer.key("mqtt").begin_array();
  for (const mqtt::ClientStatus& client : services.mqtt_clients()) {
    writer.begin_object();
    writer.key("client").value(client.client);
    writer.key("remote").value(client.remote);
    writer.key("version").value(client.version == 5 ? "5" : "3.1.1");
    writer.key("subscriptions").value(client.filters);
    writer.key("published").value(client.published);
    writer.key("delivered").value(client.delivered);
    writer.end_object();
  }
  writer.end_array();
}

void write_slow_queries(json::Writer& writer) {
  writer.key("slow_queries").begin_array();
  for (const store::SlowQuery& query : store::SlowQueries::of_process().list()) {
    writer.begin_object();
    writer.key("time").value(query.at.us);
    writer.key("kind").value(query.kind);
    writer.key("query").value(query.what);
    writer.key("ms").value(static_cast<double>(query.took.us) / 1000);
    writer.key("rows").value(query.rows);
    if (!query.outcome.empty()) writer.key("outcome").value(query.outcome);
    writer.end_object();
  }
  writer.end_array();
}

net::Response status(Services& services) {
  const os::ProcessUsage usage = os::process_usage();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("version").value(IOTSTREAM_VERSION);
  writer.key("ready").value(services.ready());
  writer.key("started").value(services.started.us);
  writer.key("uptime_s").value(static_cast<double>((services.clock.now() - services.started).us) / 1e6);
  writer.key("data_dir").value(services.config.data_dir);

  double rate = 0;
  std::uint64_t events = 0;
  writer.key("datasets").begin_array();
  for (const live::DatasetLive& dataset : services.hub.datasets()) {
    writer.begin_object();
    writer.key("dataset").value(dataset.dataset);
    writer.key("events").value(dataset.events);
    writer.key("rate").value(dataset.rate);
    writer.end_object();
    rate += dataset.rate;
    events += dataset.events;
  }
  writer.end_array();
  writer.key("rates").begin_object().key("events_per_s").value(rate).key("events").value(events).end_object();
  writer.key("latency_ms").begin_object();
  writer.key("p50").value(services.hub.latency_us(0.5) / 1000);
  writer.key("p99").value(services.hub.latency_us(0.99) / 1000);
  writer.end_object();
  writer.key("memory")
      .begin_object()
      .key("rss_bytes")
      .value(usage.rss_bytes)
      .key("rss_bytes_max")
      .value(usage.rss_bytes_max)
      .end_object();
  writer.key("cpu_seconds").value(usage.cpu_seconds);
  writer.key("threads").value(usage.threads);
  writer.key("open_files").value(usage.open_files);

  writer.key("viewers").begin_array();
  for (const live::ViewerStatus& viewer : services.hub.viewers()) {
    writer.begin_object();
    writer.key("id").value(viewer.id);
    writer.key("remote").value(viewer.remote);
    writer.key("subscriptions").value(viewer.subscriptions);
    writer.key("frames").value(viewer.frames);
    writer.key("rows").value(viewer.rows);
    writer.key("merged").value(viewer.merged);
    writer.end_object();
  }
  writer.end_array();
  write_mqtt(writer, services);
  write_slow_queries(writer);
  writer.end_object();
  return net::Response::json(std::move(body));
}

}  // namespace

void add_operation_routes(net::Router& router, Services& services) {
  using net::Method;
  router.add(Method::get, "/healthz", at_once([](const net::Request&) -> Answer { return net::Response::text("ok\n"); }));
  router.add(Method::get, "/readyz", at_once([&services](const net::Request&) -> Answer {
               if (services.ready()) return net::Response::text("ready\n");
               return Error{ErrorKind::unavailable, "not ready: starting or stopping"};
             }));
  router.add(Method::get, "/metrics", on_worker(services, [&services](const net::Request&) -> Answer {
               net::Response response = net::Response::text(services.metrics.prometheus());
               response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               return response;
             }));
  router.add(Method::get, "/api/v1/status",
             on_worker(services, [&services](const net::Request&) -> Answer { return status(services); }));
  router.add(Method::get, "/api/v1/openapi.json", at_once([](const net::Request&) -> Answer {
               net::Response response;
               response.content_type = "application/json";
               response.static_body = openapi();
               return response;
             }));
}

}  // namespace iotstream::http
