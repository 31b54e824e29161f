// Prototypes, and imports of CSV bodies.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <unordered_map>

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

void write_report(json::Writer& writer, const catalog::ImportReport& report) {
  const auto time = [&](const char* key, const std::optional<Timestamp>& value) {
    writer.key(key);
    value ? writer.value(format_rfc3339(*value)) : writer.null();
  };
  writer.key("file").value(report.path);
  writer.key("unchanged").value(report.unchanged);
  writer.key("rows").value(report.rows);
  writer.key("rejected").value(report.rejected);
  writer.key("columns").value(report.columns);
  writer.key("columns_empty").value(report.columns_empty);
  writer.key("separator").value(std::string_view(&report.separator, 1));
  writer.key("time_column").value(report.time_column);
  time("first_time", report.first_time);
  time("last_time", report.last_time);
  writer.key("errors").begin_array();
  for (const catalog::RowProblem& problem : report.problems) {
    writer.begin_object().key("line").value(problem.line).key("reason").value(problem.reason).end_object();
  }
  writer.end_array();
}

/// An upload being loaded, or loaded. Shared by the job and those who ask for it.
struct ImportJob {
  std::mutex mutex;  ///< guards what follows
  std::string state = "running";
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  catalog::ImportReport report;
  std::string problem;
};

/// The uploads of this process, the last hundred.
class ImportJobs {
 public:
  std::pair<std::uint64_t, std::shared_ptr<ImportJob>> create() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = ++last_;
    if (id > kept) jobs_.erase(id - kept);
    return {id, jobs_[id] = std::make_shared<ImportJob>()};
  }
  std::shared_ptr<ImportJob> find(std::string_view id) {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, job] : jobs_) {
      if (std::to_string(number) == id) return job;
    }
    return nullptr;
  }

 private:
  static constexpr std::uint64_t kept = 100;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<ImportJob>> jobs_;
};

net::Response job_json(std::uint64_t id, ImportJob& job, unsigned status) {
  const std::lock_guard lock(job.mutex);
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("id").value(id);
  writer.key("state").value(job.state);
  writer.key("bytes_done").value(job.done);
  writer.key("bytes_total").value(job.total);
  if (!job.problem.empty()) writer.key("problem").value(job.problem);
  if (job.state == "done") write_report(writer, job.report);
  writer.end_object();
  return net::Response::json(std::move(body), status);
}

/// Loads the body through a file under the data directory: the importer reads files, and a body may be larger than memory
/// should hold twice.
void run_import(Services& services, ImportJob& job, std::uint64_t id, const std::string& code, const std::string& name,
                const std::string& body) {
  const std::string folder = services.config.data_dir + "/uploads";
  // A path of its own for ever: a changed file at a known path takes the place of its former rows, and ids begin anew with each
  // start.
  const std::string path = fmt::format("{}/{}-{}-{}", folder, services.clock.now().us, id, name);
  os::Disk& disk = os::real_disk();
  Status written = disk.create_directories(folder);
  if (written) written = os::write_atomically(disk, path, as_bytes(body));
  Result<catalog::ImportReport> report = written ? services.catalog.import_csv(code, path,
                                                                               [&](std::uint64_t done, std::uint64_t total) {
                                                                                 const std::lock_guard lock(job.mutex);
                                                                                 job.done = done;
                                                                                 job.total = total;
                                                                               })
                                                 : Result<catalog::ImportReport>(written.error());
  static_cast<void>(disk.remove(path));
  const std::lock_guard lock(job.mutex);
  job.state = report ? "done" : "failed";
  if (report) {
    job.report = std::move(*report);
    job.report.path = name;
  } else {
    job.problem = report.error().message;
  }
}

/// A file name that cannot leave the uploads folder.
std::string safe_name(std::string_view name) {
  std::string safe;
  for (const char c : name.substr(0, 100))
    safe += (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-') ? c : '_';
  return safe.empty() ? "upload.csv" : safe;
}

void start_import(Services& services, const std::shared_ptr<ImportJobs>& jobs, net::Request request,
                  const net::Respond& respond) {
  const std::string code(request.query_value("prototype").value_or(""));
  if (code.empty()) return respond(net::Response::problem(422, "say which prototype the rows belong to: ?prototype=CODE"));
  if (request.body.empty()) return respond(net::Response::problem(400, "the body must be a CSV file"));
  auto [id, job] = jobs->create();
  job->total = request.body.size();
  auto shared = std::make_shared<net::Request>(std::move(request));
  const std::string name = safe_name(shared->query_value("name").value_or("upload.csv"));
  const bool wait = shared->query_value("wait") == "true";
  const bool taken = services.workers.submit([&services, shared, job, id, code, name, wait, respond] {
    if (!services.catalog.find(code)) {
      catalog::Prototype prototype;
      prototype.code = prototype.dataset = prototype.label = code;
      if (auto put = services.catalog.put(prototype); !put) {
        const std::lock_guard lock(job->mutex);
        job->state = "failed";
        job->problem = put.error().message;
      }
    }
    if (job->state == "running") run_import(services, *job, id, code, name, shared->body);
    if (wait) respond(job_json(id, *job, job->state == "failed" ? 422 : 200));
  });
  if (!taken) return respond(net::Response::problem(503, "too many imports are waiting; try again in a moment"));
  if (!wait) respond(job_json(id, *job, 202));
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

  auto jobs = std::make_shared<ImportJobs>();
  router.add(Method::post, "/api/v1/imports", [&services, jobs](net::Request request, net::Respond respond) {
    start_import(services, jobs, std::move(request), respond);
  });
  router.add(Method::get, "/api/v1/imports/{id}", at_once([jobs](const net::Request& request) -> Answer {
               auto job = jobs->find(request.param("id"));
               if (!job)
                 return Error{ErrorKind::not_found,
                              fmt::format("there is no import '{}' (the last 100 are kept)", request.param("id"))};
               return job_json(std::stoull(std::string(request.param("id"))), *job, 200);
             }));
}

}  // namespace iotstream::http
