// iotstream query "SELECT …": the rows as a table, JSON or CSV.
#include <cstdio>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

#include "app/cells.hpp"
#include "app/look.hpp"
#include "app/questions.hpp"
#include "app/table.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

std::string request_of(const QueryArguments& arguments) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("sql").value(arguments.sql).key("limit").value(arguments.limit);
  if (!arguments.timeout.empty()) writer.key("timeout").value(arguments.timeout);
  writer.end_object();
  return body;
}

bool is_text(element value) { return value.type() == element_type::STRING; }

/// A row of the answer; empty when it is none.
simdjson::dom::array cells_of(element row) {
  simdjson::dom::array cells;
  if (row.get(cells) != simdjson::SUCCESS) return no_list();
  return cells;
}

/// A value as a person reads it; a blob as its base64.
std::string shown(element value) {
  std::string_view text;
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return "";
    case element_type::STRING:
      return std::string(std::string_view(value));
    case element_type::INT64:
      return std::to_string(value.get_int64().value_unsafe());
    case element_type::DOUBLE: {
      std::string number;
      json::append_number(number, value.get_double().value_unsafe());
      if (number.find_first_of(".e") == std::string::npos) number += ".0";  // a real, as the API says it
      return number;
    }
    case element_type::OBJECT:
      return value["base64"].get(text) == simdjson::SUCCESS ? "base64:" + std::string(text) : "";
    default:
      return simdjson::minify(value);
  }
}

/// RFC 4180; a text that a spreadsheet would take for a formula gets a `'` before it.
std::string csv_cell(const std::string& text, bool guard) {
  const bool formula = guard && !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  if (!formula && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

void print_csv(element document) {
  std::string out;
  const auto line = [&out](simdjson::dom::array cells) {
    bool comma = false;
    for (const element value : cells) {
      if (std::exchange(comma, true)) out += ',';
      out += csv_cell(shown(value), is_text(value));
    }
    out += "\r\n";
  };
  line(list_of(document, "columns"));
  for (const element row : list_of(document, "rows")) line(cells_of(row));
  fmt::print("{}", out);
}

void print_table(element document) {
  std::vector<std::string> header;
  for (const element name : list_of(document, "columns")) header.push_back(shown(name));
  TextTable table(std::move(header));
  for (const element row : list_of(document, "rows")) {
    std::vector<std::string> cells;
    for (const element value : cells_of(row)) cells.push_back(shown(value));
    table.add(std::move(cells));
  }
  fmt::print("{}", table.text());
}

}  // namespace

int query(const QueryArguments& arguments) {
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  auto source = open_source(arguments.look, *config);
  if (!source) return fail(source.error());
  auto body = (*source)->ask(net::Method::post, "/api/v1/sql", request_of(arguments));
  if (!body) return fail(body.error());
  if (arguments.look.json) {
    fmt::print("{}\n", *body);
    return 0;
  }
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS)
    return fail(Error{ErrorKind::io, "the answer is not JSON; is that an iotstream?"});
  arguments.csv ? print_csv(document) : print_table(document);
  bool truncated = false;
  if (document["truncated"].get(truncated) == simdjson::SUCCESS && truncated)
    fmt::print(stderr, "iotstream: there are more rows than these {}; --limit says how many may come\n",
               list_of(document, "rows").size());
  return 0;
}

}  // namespace iotstream::app
