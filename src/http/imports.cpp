// Imports of CSV files: whole bodies, uploads in pieces with a preview, and what watched folders brought.
#include <charconv>

#include <fmt/format.h>

#include <iotstream/catalog/export.hpp>
#include <iotstream/catalog/imports.hpp>

#include "http/body.hpp"
#include "http/multipart.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

using catalog::ImportState;
using catalog::ImportStatus;

void write_time(json::Writer& writer, const char* key, const std::optional<Timestamp>& value) {
  writer.key(key);
  value ? writer.value(format_rfc3339(*value)) : writer.null();
}

void write_problems(json::Writer& writer, const std::vector<catalog::RowProblem>& problems) {
  writer.key("errors").begin_array();
  for (const catalog::RowProblem& problem : problems)
    writer.begin_object().key("line").value(problem.line).key("reason").value(problem.reason).end_object();
  writer.end_array();
}

void write_texts(json::Writer& writer, const char* key, const std::vector<std::string>& texts) {
  writer.key(key).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

void write_column(json::Writer& writer, const catalog::CsvPreview::Column& column) {
  writer.begin_object();
  writer.key("name").value(column.name);
  writer.key("unit").value(column.unit);
  writer.key("type");
  column.type.empty() ? writer.null() : writer.value(column.type);
  writer.key("values").value(column.values);
  writer.key("time").value(column.time);
  write_texts(writer, "samples", column.samples);
  writer.end_object();
}

void write_preview(json::Writer& writer, const catalog::CsvPreview& preview) {
  writer.begin_object();
  writer.key("separator").value(std::string_view(&preview.separator, 1));
  writer.key("encoding").value(preview.encoding);
  writer.key("header").value(preview.header);
  writer.key("time_column").value(preview.time_column);
  writer.key("pace_column").value(preview.pace_column);
  writer.key("date_order").value(preview.date_order);
  write_texts(writer, "time_candidates", preview.time_candidates);
  writer.key("columns").begin_array();
  for (const catalog::CsvPreview::Column& column : preview.columns) write_column(writer, column);
  writer.end_array();
  writer.key("first_rows").begin_array();
  for (const std::vector<std::string>& row : preview.first_rows) {
    writer.begin_array();
    for (const std::string& cell : row) writer.value(cell);
    writer.end_array();
  }
  writer.end_array();
  writer.key("bytes").value(preview.bytes);
  writer.key("rows").value(preview.rows);
  writer.key("rejected").value(preview.rejected);
  writer.key("left_out").value(preview.left_out);
  write_time(writer, "first_time", preview.first_time);
  write_time(writer, "last_time", preview.last_time);
  write_problems(writer, preview.problems);
  writer.end_object();
}

void write_status(json::Writer& writer, const ImportStatus& status, bool with_preview) {
  writer.begin_object();
  writer.key("id").value(status.id);
  writer.key("state").value(catalog::name_of(status.state));
  writer.key("source").value(status.source);
  writer.key("name").value(status.name);
  writer.key("prototype").value(status.prototype);
  writer.key("bytes_total").value(status.bytes_total);
  writer.key("bytes_received").value(status.bytes_received);
  writer.key("bytes_done").value(status.bytes_done);
  write_time(writer, "created", status.created);
  write_time(writer, "changed", status.changed);
  if (!status.problem.empty()) writer.key("problem").value(status.problem);
  if (status.report) catalog::write_members(writer, *status.report);
  if (with_preview && status.preview) {
    writer.key("preview");
    write_preview(writer, *status.preview);
  }
  writer.end_object();
}

net::Response answer(const ImportStatus& status, unsigned code) {
  std::string body;
  json::Writer writer(body);
  write_status(writer, status, status.state == ImportState::preview);
  net::Response response = net::Response::json(std::move(body), code);
  if (code == 201) response.headers.emplace_back("Location", fmt::format("/api/v1/imports/{}", status.id));
  return response;
}

Result<std::uint64_t> id_of(const net::Request& request) {
  const std::string_view text = request.param("id");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    return Error{ErrorKind::not_found, fmt::format("there is no import '{}'", text)};
  return id;
}

/// An optional text member; what is wrong with it as an error.
Status read_text(const JsonObject& json, const char* name, std::string& target) {
  auto text = json.text(name);
  if (!text) return text.error();
  if (*text) target = std::move(**text);
  return {};
}

Status read_columns(const JsonObject& json, catalog::CsvChoices& choices) try {
  simdjson::dom::array columns;
  const auto member = json.object()["columns"];
  if (member.error() == simdjson::NO_SUCH_FIELD) return {};
  if (member.get(columns) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "'columns' must be an array of objects"};
  for (const simdjson::dom::element element : columns) {
    catalog::ColumnChoice choice;
    for (const auto& [key, value] : element.get_object()) {
      const std::string_view text = value;
      if (key == "column")
        choice.column = text;
      else if (key == "name")
        choice.name = text;
      else if (key == "type")
        choice.type = text;
      else if (key == "unit")
        choice.unit = std::string(text);
      else
        return Error{ErrorKind::unprocessable, fmt::format("a column has column, name, type and unit, no '{}'", key)};
    }
    choices.columns.push_back(std::move(choice));
  }
  return {};
} catch (const simdjson::simdjson_error&) {
  return Error{ErrorKind::invalid, "'columns' must be an array of objects whose members are texts"};
}

/// `;`, `tab` or the character itself.
Status read_separator(std::string_view text, std::optional<char>& separator) {
  if (text.empty()) return {};
  if (text == "tab" || text == "\\t")
    separator = '\t';
  else if (text.size() == 1 && std::string_view("\"\r\n\0", 4).find(text[0]) == std::string_view::npos)
    separator = text[0];
  else
    return Error{ErrorKind::unprocessable, "'separator' is one character that is neither quote nor line break, or tab"};
  return {};
}

/// What a body of JSON says; an empty body says nothing.
Result<catalog::ImportRequest> request_of(const net::Request& request) {
  catalog::ImportRequest said;
  if (request.body.empty()) return said;
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  std::string separator;
  for (const auto& [name, target] : {std::pair{"name", &said.name},
                                     {"prototype", &said.prototype},
                                     {"dataset", &said.dataset},
                                     {"label", &said.label},
                                     {"separator", &separator},
                                     {"date_order", &said.choices.date_order}})
    if (Status read = read_text(*json, name, *target); !read) return read.error();
  auto time = json->text("time_column");
  if (!time) return time.error();
  said.choices.time_column = std::move(*time);
  if (Status read = read_separator(separator, said.choices.separator); !read) return read.error();
  if (Status read = read_columns(*json, said.choices); !read) return read.error();
  return said;
}

bool is_json(const net::Request& request) {
  return request.header("content-type").value_or("").find("json") != std::string_view::npos;
}

/// Answers now, or when the import is settled, if the request asks for that.
void answer_when(Services& services, const ImportStatus& status, bool wait, const net::Respond& respond) {
  if (!wait) return respond(answer(status, 202));
  services.imports.when_settled(status.id, [respond](const ImportStatus& settled) {
    const bool bad = settled.state == ImportState::failed || settled.state == ImportState::cancelled;
    respond(answer(settled, bad ? 422 : 200));
  });
}

Answer create(Services& services, const net::Request& request) {
  auto said = request_of(request);
  if (!said) return said.error();
  auto json = JsonObject::parse(request.body);
  auto size = json ? json->whole("size") : Result<std::optional<std::uint64_t>>(json.error());
  if (!size) return size.error();
  if (said->name.empty()) said->name = "upload.csv";
  auto status = services.imports.create(*said, size->value_or(0));
  if (!status) return status.error();
  return answer(*status, 201);
}

void load_body(Services& services, net::Request request, const net::Respond& respond) {
  catalog::ImportRequest said;
  const auto query = [&](const char* name) { return std::string(request.query_value(name).value_or("")); };
  said.name = query("name");
  said.prototype = query("prototype");
  said.dataset = query("dataset");
  said.label = query("label");
  if (said.prototype.empty())
    return respond(net::Response::problem(422, "say which prototype the rows belong to: ?prototype=CODE"));
  std::string_view body = request.body;
  if (const auto type = request.header("content-type"); type && is_multipart(*type)) {
    auto part = file_in_multipart(*type, body);
    if (!part) return respond(net::Response::from(part.error()));
    body = part->content;
    if (said.name.empty()) said.name = part->name;
  }
  if (said.name.empty()) said.name = "upload.csv";
  if (body.empty()) return respond(net::Response::problem(400, "the body must be a CSV file"));
  auto status = services.imports.load(said, body);
  if (!status) return respond(net::Response::from(status.error()));
  answer_when(services, *status, request.query_value("wait") == "true", respond);
}

/// `offset=` or `Content-Range: bytes 100-199/1000`.
Result<std::uint64_t> offset_of(const net::Request& request) {
  std::string_view text = request.query_value("offset").value_or("");
  if (const auto range = request.header("content-range"); range && text.empty()) {
    if (!range->starts_with("bytes ")) return Error{ErrorKind::invalid, "Content-Range must be bytes FIRST-LAST/TOTAL"};
    text = range->substr(6, range->find('-') == std::string_view::npos ? 0 : range->find('-') - 6);
  }
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return Error{ErrorKind::invalid, "say where the piece begins: ?offset=BYTES or Content-Range: bytes FIRST-LAST/TOTAL"};
  return offset;
}

Answer append(Services& services, const net::Request& request) {
  const auto id = id_of(request);
  if (!id) return id.error();
  const auto offset = offset_of(request);
  if (!offset) return offset.error();
  auto status = services.imports.append(*id, *offset, as_bytes(request.body));
  if (!status) return status.error();
  return answer(*status, 200);
}

Answer show(Services& services, const net::Request& request) {
  const auto id = id_of(request);
  if (!id) return id.error();
  const auto status = services.imports.find(*id);
  if (!status) return Error{ErrorKind::not_found, fmt::format("there is no import {} (the last hundred are kept)", *id)};
  return answer(*status, 200);
}

Answer show_preview(Services& services, const net::Request& request) {
  const auto id = id_of(request);
  if (!id) return id.error();
  const auto status = services.imports.find(*id);
  if (!status) return Error{ErrorKind::not_found, fmt::format("there is no import {} (the last hundred are kept)", *id)};
  if (!status->preview)
    return Error{ErrorKind::conflict,
                 fmt::format("import {} is {}: there is no preview yet", *id, catalog::name_of(status->state))};
  std::string body;
  json::Writer writer(body);
  write_preview(writer, *status->preview);
  return net::Response::json(std::move(body));
}

Answer list(Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("imports").begin_array();
  for (const ImportStatus& status : services.imports.list()) write_status(writer, status, false);
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Answer remove(Services& services, const net::Request& request) {
  const auto id = id_of(request);
  if (!id) return id.error();
  if (auto removed = services.imports.remove(*id); !removed) return removed.error();
  net::Response response;
  response.status = 204;
  return response;
}

/// One of the two steps that an upload is sent on to: looking again, or loading.
void go_on(Services& services, const net::Request& request, const net::Respond& respond, bool accept) {
  const auto id = id_of(request);
  if (!id) return respond(net::Response::from(id.error()));
  auto said = request_of(request);
  if (!said) return respond(net::Response::from(said.error()));
  auto status = accept ? services.imports.accept(*id, *said) : services.imports.look(*id, said->choices);
  if (!status) return respond(net::Response::from(status.error()));
  answer_when(services, *status, request.query_value("wait") == "true", respond);
}

/// Work that may block and answers by itself.
net::Handler later(Services& services, std::function<void(net::Request, const net::Respond&)> work) {
  return [&services, work = std::move(work)](net::Request request, net::Respond respond) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    const bool taken = services.workers.submit([shared, work, respond] { work(std::move(*shared), respond); });
    if (!taken) respond(net::Response::problem(503, "too much is waiting; try again in a moment"));
  };
}

}  // namespace

void add_import_routes(net::Router& router, Services& services) {
  using net::Method;
  const std::string one = "/api/v1/imports/{id}";
  router.add(Method::post, "/api/v1/imports", later(services, [&services](net::Request request, const net::Respond& respond) {
               if (!is_json(request)) return load_body(services, std::move(request), respond);
               auto created = create(services, request);
               respond(created ? std::move(*created) : net::Response::from(created.error()));
             }));
  router.add(Method::get, "/api/v1/imports", at_once([&services](const net::Request&) { return list(services); }));
  router.add(Method::get, one, at_once([&services](const net::Request& request) { return show(services, request); }));
  router.add(Method::put, one,
             on_worker(services, [&services](const net::Request& request) { return append(services, request); }));
  router.add(Method::delete_, one,
             on_worker(services, [&services](const net::Request& request) { return remove(services, request); }));
  router.add(Method::get, one + "/preview",
             at_once([&services](const net::Request& request) { return show_preview(services, request); }));
  router.add(Method::post, one + "/preview", later(services, [&services](net::Request request, const net::Respond& respond) {
               go_on(services, request, respond, false);
             }));
  router.add(Method::post, one + "/accept", later(services, [&services](net::Request request, const net::Respond& respond) {
               go_on(services, request, respond, true);
             }));
}

}  // namespace iotstream::http
