// `iotstream groups`: consumer groups, one group with its members, reset and removal.
#include <fmt/format.h>

#include <iotstream/base/json.hpp>

#include "app/cells.hpp"
#include "app/look.hpp"
#include "app/table.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;

const std::vector<std::string> offsets_header{"GROUP", "TOPIC", "PARTITION", "COMMITTED", "LAG", "BEHIND S", "OWNER"};

void add_offsets(TextTable& table, element group) {
  for (const element offset : list_of(group, "offsets"))
    table.add({cell(group, "group"), cell(offset, "topic"), cell(offset, "partition"), cell(offset, "committed"),
               cell(offset, "lag"), cell(offset, "lag_seconds"), cell(offset, "owner")});
}

std::string places_of(element member, const char* name) {
  std::string text;
  for (const element place : list_of(member, name))
    text += fmt::format("{}{}/{}", text.empty() ? "" : " ", cell(place, "topic"), cell(place, "partition"));
  return text.empty() ? "-" : text;
}

void print_all(element document) {
  TextTable table(offsets_header);
  for (const element group : list_of(document, "groups")) add_offsets(table, group);
  fmt::print("{}", table.text());
}

void print_one(element group) {
  fmt::print("{}: {}, generation {}, {} members\n\n", cell(group, "group"), cell(group, "state"), cell(group, "generation"),
             cell(group, "member_count"));
  TextTable members({"MEMBER", "CLIENT", "IDLE S", "OWNS", "RELEASING"});
  for (const element member : list_of(group, "members"))
    members.add({cell(member, "member"), cell(member, "client"), cell(member, "idle_seconds"), places_of(member, "assignment"),
                 places_of(member, "releasing")});
  TextTable offsets(offsets_header);
  add_offsets(offsets, group);
  fmt::print("{}\n{}", members.text(), offsets.text());
}

/// The topics on which the group has committed.
Result<std::vector<std::string>> topics_of(Source& source, const std::string& path) {
  auto body = source.ask(net::Method::get, path);
  if (!body) return body.error();
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS) return Error{ErrorKind::io, "the answer is not JSON"};
  std::vector<std::string> topics;
  for (const element offset : list_of(document, "offsets")) {
    std::string topic = cell(offset, "topic");
    if (topics.empty() || topics.back() != topic) topics.push_back(std::move(topic));
  }
  return topics;
}

Result<std::string> reset(Source& source, const GroupsArguments& arguments, const std::string& path) {
  std::vector<std::string> topics{arguments.topic};
  if (arguments.topic.empty()) {
    auto committed = topics_of(source, path);
    if (!committed) return committed.error();
    topics = std::move(*committed);
  }
  const bool named = arguments.reset == "earliest" || arguments.reset == "latest";
  const bool number = !arguments.reset.empty() && arguments.reset.find_first_not_of("0123456789") == std::string::npos;
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("force").value(arguments.force).key("offsets").begin_array();
  for (const std::string& topic : topics) {
    writer.begin_object().key("topic").value(topic);
    if (arguments.partition) writer.key("partition").value(*arguments.partition);
    writer.key(named || number ? "offset" : "time");
    number ? writer.raw(arguments.reset) : writer.value(arguments.reset);
    writer.end_object();
  }
  writer.end_array().end_object();
  return source.ask(net::Method::put, path + "/offsets", body);
}

}  // namespace

int groups(const GroupsArguments& arguments) {
  if (arguments.group.empty() && (arguments.remove || !arguments.reset.empty()))
    return fail(Error{ErrorKind::invalid, "say which group: iotstream groups GROUP --reset earliest"});
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  auto source = open_source(arguments.look, *config);
  if (!source) return fail(source.error());
  const std::string path = arguments.group.empty() ? "/api/v1/groups" : "/api/v1/groups/" + escape(arguments.group);
  if (arguments.remove) {
    auto removed = (*source)->ask(net::Method::delete_, path);
    return removed ? 0 : fail(removed.error());
  }
  if (!arguments.reset.empty()) {
    auto done = reset(**source, arguments, path);
    if (!done) return fail(done.error());
  }
  auto body = (*source)->ask(net::Method::get, path);
  if (!body) return fail(body.error());
  if (arguments.look.json) {
    fmt::print("{}\n", *body);
    return 0;
  }
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS)
    return fail(Error{ErrorKind::io, "the answer is not JSON; is that an iotstream?"});
  arguments.group.empty() ? print_all(document) : print_one(document);
  return 0;
}

}  // namespace iotstream::app
