// `iotstream datasets`: all of them, one with its fields and their conflicts, its schema for others, and its compatibility.
#include <fmt/format.h>

#include <iotstream/base/json.hpp>

#include "app/cells.hpp"
#include "app/look.hpp"
#include "app/table.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;

void print_all(element document) {
  TextTable table({"DATASET", "LABEL", "VERSION", "FIELDS", "COMPATIBILITY", "CONFLICTS", "DEVICES", "EVENTS", "RATE", "LAST"});
  for (const element dataset : list_of(document, "datasets"))
    table.add({cell(dataset, "name"), cell(dataset, "label"), cell(dataset, "schema_version"), cell(dataset, "fields"),
               cell(dataset, "compatibility"), cell(dataset, "conflicts"), cell(dataset, "devices"), cell(dataset, "events"),
               cell(dataset, "rate"), time_cell(dataset, "last_time")});
  fmt::print("{}", table.text());
}

void add_conflict(TextTable& table, const std::string& field, element conflict) {
  table.add({field, cell(conflict, "from"), cell(conflict, "to"), cell(conflict, "count"), cell(conflict, "refused"),
             time_cell(conflict, "last_time"), cell(conflict, "device"), cell(conflict, "source"), cell(conflict, "sample")});
}

void print_one(element schema) {
  fmt::print("{}: version {}, {}, {} conflicts\n\n", cell(schema, "dataset"), cell(schema, "version"),
             cell(schema, "compatibility"), cell(schema, "conflicts"));
  TextTable fields({"FIELD", "TYPE", "BEGAN AS", "UNIT", "KIND", "GROUP", "LABEL", "VALUES"});
  TextTable conflicts({"FIELD", "FROM", "TO", "COUNT", "REFUSED", "LAST", "DEVICE", "SOURCE", "SAMPLE"});
  bool any = false;
  for (const element field : list_of(schema, "fields")) {
    fields.add({cell(field, "name"), cell(field, "type"), cell(field, "base_type"), cell(field, "unit"), cell(field, "kind"),
                cell(field, "group"), cell(field, "label"), cell(field, "count")});
    for (const element conflict : list_of(field, "conflicts")) {
      add_conflict(conflicts, cell(field, "name"), conflict);
      any = true;
    }
  }
  for (const element conflict : list_of(schema, "unknown_fields")) {
    add_conflict(conflicts, cell(conflict, "field"), conflict);
    any = true;
  }
  fmt::print("{}", fields.text());
  if (any) fmt::print("\n{}", conflicts.text());
}

Status print(const std::string& body, const DatasetsArguments& arguments) {
  if (arguments.look.json || !arguments.format.empty()) {
    fmt::print("{}{}", body, body.ends_with('\n') ? "" : "\n");
    return {};
  }
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(body).get(document) != simdjson::SUCCESS)
    return Error{ErrorKind::io, "the answer is not JSON; is that an iotstream?"};
  if (arguments.dataset.empty())
    print_all(document);
  else if (arguments.compatibility.empty())
    print_one(document);
  else
    fmt::print("{} is {}\n", cell(document, "name"), cell(document, "compatibility"));
  return {};
}

Result<std::string> ask(Source& source, const DatasetsArguments& arguments) {
  std::string path = "/api/v1/datasets";
  if (arguments.dataset.empty()) return source.ask(net::Method::get, path);
  path += "/" + escape(arguments.dataset);
  if (!arguments.compatibility.empty()) {
    std::string body;
    json::Writer(body).begin_object().key("compatibility").value(arguments.compatibility).end_object();
    return source.ask(net::Method::patch, path, body);
  }
  return source.ask(net::Method::get,
                    path + "/schema" + (arguments.format.empty() ? std::string() : "?format=" + arguments.format));
}

}  // namespace

int datasets(const DatasetsArguments& arguments) {
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  auto source = open_source(arguments.look, *config);
  if (!source) return fail(source.error());
  auto body = ask(**source, arguments);
  if (!body) return fail(body.error());
  const Status printed = print(*body, arguments);
  return printed ? 0 : fail(printed.error());
}

}  // namespace iotstream::app
