// GET /api/v1/datasets and what belongs to one dataset's schema.
#include <unordered_map>

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
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  Usage usage = usage_of(services);
  const std::string& name = (*schema)->dataset();
  std::string body;
  json::Writer writer(body);
  write_dataset(writer, services, **schema, usage.datasets[name], usage.rates[name], usage.devices[name]);
  return net::Response::json(std::move(body));
}

void write_fields(json::Writer& writer, const model::Schema& schema, const store::DatasetUsage* usage) {
  std::unordered_map<std::uint32_t, std::uint64_t> counts;
  if (usage != nullptr) {
    for (const store::FieldUsage& field : usage->fields) counts[field.field.value] = field.count;
  }
  writer.key("fields").begin_array();
  for (const model::Field& field : schema.fields()) {
    writer.begin_object();
    writer.key("name").value(field.name);
    writer.key("label").value(field.label);
    writer.key("type").value(name_of(field.type));
    writer.key("unit").value(field.unit);
    writer.key("kind").value(name_of(field.kind));
    writer.key("group").value(model::group_of(field));
    writer.key("added_in").value(field.added_in.value);
    writer.key("first_seen").value(field.first_seen.us);
    if (usage != nullptr) writer.key("count").value(counts[field.id.value]);
    writer.end_object();
  }
  writer.end_array();
}

Answer current_schema(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  store::DatasetUsage usage;
  for (auto& dataset : services.history.datasets()) {
    if (dataset.dataset == (*schema)->dataset()) usage = std::move(dataset);
  }
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("dataset").value((*schema)->dataset());
  writer.key("version").value((*schema)->version().value);
  write_fields(writer, **schema, &usage);
  writer.end_object();
  return net::Response::json(std::move(body));
}

Answer schema_versions(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("dataset").value((*schema)->dataset());
  writer.key("versions").begin_array();
  for (const catalog::SchemaRecord& record : services.schemas.versions((*schema)->dataset())) {
    writer.begin_object();
    writer.key("version").value(record.schema->version().value);
    writer.key("time").value(format_rfc3339(record.time));
    writer.key("device").value(record.device);
    writer.key("fields").value(static_cast<std::uint64_t>(record.schema->fields().size()));
    writer.key("changes").begin_array();
    for (const model::SchemaChange& change : record.changes) {
      writer.begin_object();
      writer.key("field").value(change.field);
      writer.key("change").value(change.added ? "added" : "widened");
      if (!change.added) writer.key("from").value(name_of(change.from));
      writer.key("to").value(name_of(change.to));
      writer.end_object();
    }
    writer.end_array();
    writer.end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

}  // namespace

void add_dataset_routes(net::Router& router, Services& services) {
  const auto add = [&](const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(net::Method::get, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add("/api/v1/datasets", list_datasets);
  add("/api/v1/datasets/{dataset}", one_dataset);
  add("/api/v1/datasets/{dataset}/schema", current_schema);
  add("/api/v1/datasets/{dataset}/schema/versions", schema_versions);
}

}  // namespace iotstream::http
