// Saved dashboards. What is in a document is the page's own business; that it is an object of bounded size is checked.
#include <fmt/format.h>

#include <iotstream/http/dashboards.hpp>

#include "http/body.hpp"
#include "http/parameters.hpp"

namespace iotstream::http {

namespace {

using catalog::Dashboard;
using catalog::Dashboards;

Answer answer(const Result<Dashboard>& dashboard, int status = 200) {
  if (!dashboard) return dashboard.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("id").value(dashboard->id);
  writer.key("name").value(dashboard->name);
  writer.key("changed").value(dashboard->changed.us);
  writer.key("document").raw(dashboard->document);
  writer.end_object();
  return net::Response::json(std::move(body), status);
}

Answer list_dashboards(Dashboards& dashboards) {
  const auto lines = dashboards.list();
  if (!lines) return lines.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("dashboards").begin_array();
  for (const catalog::DashboardLine& line : *lines) {
    writer.begin_object();
    writer.key("id").value(line.id);
    writer.key("name").value(line.name);
    writer.key("changed").value(line.changed.us);
    writer.key("bytes").value(line.bytes);
    writer.end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

struct NamedDocument {
  std::string name;
  std::string document;
};

Result<NamedDocument> read_body(const net::Request& request) {
  const auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  auto name = json->text("name");
  if (!name) return std::move(name).error();
  simdjson::dom::object document;
  if (json->object()["document"].get(document) != simdjson::SUCCESS)
    return Error{ErrorKind::unprocessable, "a dashboard needs a 'document', a JSON object"};
  return NamedDocument{std::move(*name).value_or(""), simdjson::minify(document)};
}

Answer create_dashboard(Dashboards& dashboards, const net::Request& request) {
  const auto given = read_body(request);
  return given ? answer(dashboards.create(given->name, given->document), 201) : Answer(given.error());
}

Answer change_dashboard(Dashboards& dashboards, const net::Request& request) {
  const auto given = read_body(request);
  return given ? answer(dashboards.change(request.param("id"), given->name, given->document)) : Answer(given.error());
}

Answer delete_dashboard(Dashboards& dashboards, const net::Request& request) {
  if (const Status removed = dashboards.remove(request.param("id")); !removed) return removed.error();
  net::Response response;
  response.status = 204;
  return response;
}

}  // namespace

void add_dashboard_routes(net::Router& router, Services& services, Dashboards& dashboards) {
  using net::Method;
  using net::Request;
  router.add(Method::get, "/api/v1/dashboards",
             on_worker(services, [&dashboards](const Request&) { return list_dashboards(dashboards); }));
  router.add(Method::post, "/api/v1/dashboards",
             on_worker(services, [&dashboards](const Request& request) { return create_dashboard(dashboards, request); }));
  router.add(Method::get, "/api/v1/dashboards/{id}", on_worker(services, [&dashboards](const Request& request) {
               return answer(dashboards.find(request.param("id")));
             }));
  router.add(Method::put, "/api/v1/dashboards/{id}",
             on_worker(services, [&dashboards](const Request& request) { return change_dashboard(dashboards, request); }));
  router.add(Method::delete_, "/api/v1/dashboards/{id}",
             on_worker(services, [&dashboards](const Request& request) { return delete_dashboard(dashboards, request); }));
}

}  // namespace iotstream::http
