// Prototypes.
#include <fmt/format.h>

#include "http/body.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

void write_prototype(json::Writer& writer, const catalog::Prototype& prototype) {
  writer.begin_object();
  writer.key("code").value(prototype.code);
  writer.key("label").value(prototype.label);
  writer.key("brand").value(prototype.brand);
  writer.key("version").value(prototype.version);
  writer.key("dataset").value(prototype.dataset);
  writer.key("model").value(!prototype.model_xml.empty());
  writer.key("facts").raw(catalog::facts_to_json(prototype.facts));
  writer.end_object();
}

Answer list_prototypes(Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("prototypes").begin_array();
  for (const catalog::Prototype& prototype : services.catalog.prototypes()) write_prototype(writer, prototype);
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Result<catalog::Prototype> prototype_of(Services& services, std::string_view code) {
  auto prototype = services.catalog.find(code);
  if (!prototype) return Error{ErrorKind::not_found, fmt::format("there is no prototype '{}'", code)};
  return std::move(*prototype);
}

Answer one_prototype(Services& services, const net::Request& request) {
  auto prototype = prototype_of(services, request.param("code"));
  if (!prototype) return prototype.error();
  if (request.query_value("format") == "xml") {
    if (prototype->model_xml.empty())
      return Error{ErrorKind::not_found, fmt::format("prototype '{}' has no XML model", prototype->code)};
    net::Response response = net::Response::text(prototype->model_xml);
    response.content_type = "application/xml";
    return response;
  }
  std::string body;
  json::Writer writer(body);
  write_prototype(writer, *prototype);
  return net::Response::json(std::move(body));
}

/// Puts the members that the body has in place of those of `prototype`.
Status apply(const JsonObject& json, catalog::Prototype& prototype) {
  const std::pair<const char*, std::string*> members[] = {{"label", &prototype.label},
                                                          {"brand", &prototype.brand},
                                                          {"version", &prototype.version},
                                                          {"dataset", &prototype.dataset},
                                                          {"model_xml", &prototype.model_xml}};
  for (const auto& [name, target] : members) {
    auto text = json.text(name);
    if (!text) return text.error();
    if (*text) *target = std::move(**text);
  }
  simdjson::dom::element facts;
  if (json.object()["facts"].get(facts) != simdjson::SUCCESS) return {};
  auto read = catalog::facts_from_json(simdjson::minify(facts));
  if (!read) return Error{ErrorKind::unprocessable, read.error().message};
  prototype.facts = std::move(*read);
  return {};
}

bool is_xml(const net::Request& request) {
  return request.header("content-type").value_or("").find("xml") != std::string_view::npos;
}

Answer put_prototype(Services& services, const net::Request& request, bool create) {
  catalog::Prototype prototype;
  std::string code(request.param("code"));
  std::optional<JsonObject> json;
  if (!is_xml(request)) {
    auto parsed = JsonObject::parse(request.body);
    if (!parsed) return parsed.error();
    json = std::move(*parsed);
    auto named = json->text("code");
    if (!named) return named.error();
    if (code.empty() && *named) code = **named;
  } else if (code.empty()) {
    code = request.query_value("code").value_or("");
  }
  if (code.empty()) return Error{ErrorKind::unprocessable, "a prototype needs a 'code'"};
  const auto existing = services.catalog.find(code);
  if (existing && create) return Error{ErrorKind::conflict, fmt::format("prototype '{}' exists; PUT changes it", code)};
  if (existing) prototype = *existing;
  prototype.code = code;
  if (json) {
    if (auto applied = apply(*json, prototype); !applied) return applied.error();
  } else {
    prototype.model_xml = request.body;
  }
  if (prototype.dataset.empty()) prototype.dataset = code;
  if (auto put = services.catalog.put(prototype); !put) return put.error();
  std::string body;
  json::Writer writer(body);
  write_prototype(writer, prototype);
  return net::Response::json(std::move(body), existing ? 200 : 201);
}

Answer delete_prototype(Services& services, const net::Request& request) {
  if (auto removed = services.catalog.remove(request.param("code")); !removed) return removed.error();
  net::Response response;
  response.status = 204;
  return response;
}

}  // namespace

void add_catalog_routes(net::Router& router, Services& services) {
  using net::Method;
  router.add(Method::get, "/api/v1/prototypes",
             on_worker(services, [&services](const net::Request&) { return list_prototypes(services); }));
  router.add(Method::get, "/api/v1/prototypes/{code}",
             on_worker(services, [&services](const net::Request& request) { return one_prototype(services, request); }));
  router.add(Method::post, "/api/v1/prototypes",
             on_worker(services, [&services](const net::Request& request) { return put_prototype(services, request, true); }));
  router.add(Method::put, "/api/v1/prototypes/{code}",
             on_worker(services, [&services](const net::Request& request) { return put_prototype(services, request, false); }));
  router.add(Method::delete_, "/api/v1/prototypes/{code}",
             on_worker(services, [&services](const net::Request& request) { return delete_prototype(services, request); }));
}

}  // namespace iotstream::http
