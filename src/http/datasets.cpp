// The datasets, and how each takes a drift of its data.
#include <unordered_map>

#include <fmt/format.h>

#include "http/body.hpp"
#include "http/file_events.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

/// The name that people gave the things of a dataset: its prototypes' labels.
std::string label_of(Services& services, const std::string& dataset) {
  std::string label;
  for (const catalog::Prototype& prototype : services.catalog.prototypes()) {
    if (prototype.dataset != dataset) continue;
    if (!label.empty()) label += ", ";
    label += prototype.label.empty() ? prototype.code : prototype.label;
  }
  return label;
}

void write_dataset(json::Writer& writer, Services& services, const model::Schema& schema, const store::DatasetUsage& usage,
                   double rate, std::uint64_t devices) {
  writer.begin_object();
  writer.key("name").value(schema.dataset());
  writer.key("topic").value(schema.dataset());
  writer.key("label").value(label_of(services, schema.dataset()));
  writer.key("schema_version").value(schema.version().value);
  writer.key("compatibility").value(name_of(services.schemas.compatibility(schema.dataset())));
  writer.key("conflicts").value(services.schemas.conflicts(schema.dataset()).total());
  writer.key("fields").value(static_cast<std::uint64_t>(schema.fields().size()));
  writer.key("devices").value(devices);
  writer.key("events").value(usage.events);
  writer.key("rate").value(rate);
  writer.key("first_time");
  usage.first ? writer.value(usage.first->us) : writer.null();
  writer.key("last_time");
  usage.last ? writer.value(usage.last->us) : writer.null();
  writer.end_object();
}

struct Usage {
  std::unordered_map<std::string, store::DatasetUsage> datasets;
  std::unordered_map<std::string, std::uint64_t> devices;
  std::unordered_map<std::string, double> rates;
};

Usage usage_of(const Services& services) {
  Usage usage;
  for (auto& dataset : services.history.datasets()) usage.datasets.emplace(dataset.dataset, std::move(dataset));
  for (const auto& device : services.history.devices()) ++usage.devices[device.dataset];
  for (const auto& live : services.hub.datasets()) usage.rates[live.dataset] = live.rate;
  return usage;
}

Answer list_datasets(Services& services, const net::Request&) {
  Usage usage = usage_of(services);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("datasets").begin_array();
  for (const model::SchemaPtr& schema : services.schemas.all()) {
    const std::string& name = schema->dataset();
    write_dataset(writer, services, *schema, usage.datasets[name], usage.rates[name], usage.devices[name]);
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Answer one_dataset(Services& services, const net::Request& request) {
  if (is_file(request)) return file_dataset(services, request);
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  Usage usage = usage_of(services);
  const std::string& name = (*schema)->dataset();
  std::string body;
  json::Writer writer(body);
  write_dataset(writer, services, **schema, usage.datasets[name], usage.rates[name], usage.devices[name]);
  return net::Response::json(std::move(body));
}

Answer change_dataset(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  auto body = JsonObject::parse(request.body);
  if (!body) return body.error();
  for (const auto& [name, value] : body->object())
    if (name != "compatibility")
      return Error{ErrorKind::unprocessable, fmt::format("a dataset has no '{}' to change; it has compatibility", name)};
  auto text = body->text("compatibility");
  if (!text) return text.error();
  const auto compatibility = *text ? model::compatibility_from(**text) : std::nullopt;
  if (!compatibility)
    return Error{ErrorKind::unprocessable, "say which: {\"compatibility\":\"adaptive\"}, \"additive\" or \"strict\""};
  const std::string& dataset = (*schema)->dataset();
  if (Status set = services.schemas.set_compatibility(dataset, *compatibility, services.clock.now()); !set) return set.error();
  return one_dataset(services, request);
}

}  // namespace

void add_dataset_routes(net::Router& router, Services& services) {
  const auto add = [&](const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(net::Method::get, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add("/api/v1/datasets", list_datasets);
  add("/api/v1/datasets/{dataset}", one_dataset);
  router.add(net::Method::patch, "/api/v1/datasets/{dataset}",
             on_worker(services, [&services](const net::Request& request) { return change_dataset(services, request); }));
}

}  // namespace iotstream::http
