// Commands that look at a server or a stopped directory: topics, groups, datasets, prototypes, devices, rejected, send.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/base/time.hpp>

#include "app/look.hpp"
#include "app/table.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;

std::string cell(element object, const char* name) {
  element value;
  if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) return "-";
  if (value.is_string()) return std::string(value.get_string().value());
  // By its own type: is_double() says yes to whole numbers as well.
  if (value.type() == simdjson::dom::element_type::DOUBLE) return fmt::format("{:.1f}", value.get_double().value());
  return simdjson::minify(value);
}

std::string time_cell(element object, const char* name) {
  std::int64_t us = 0;
  return object[name].get(us) == simdjson::SUCCESS ? format_rfc3339({us}) : "-";
}

/// Asks `path`, then prints the JSON as it is, or the table that `fill` makes of it.
template <class Fill>
int show(const LookArguments& arguments, const std::string& path, std::vector<std::string> header, Fill&& fill) {
  const auto config = load_config(arguments.config);
  if (!config) return 2;
  auto source = open_source(arguments, *config);
  if (!source) return fail(source.error());
  auto body = (*source)->ask(net::Method::get, path);
  if (!body) return fail(body.error());
  if (arguments.json) {
    fmt::print("{}\n", *body);
    return 0;
  }
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS)
    return fail(Error{ErrorKind::io, "the answer is not JSON; is that an iotstream?"});
  TextTable table(std::move(header));
  fill(document, table);
  fmt::print("{}", table.text());
  return 0;
}

simdjson::dom::array list_of(element document, const char* name) {
  simdjson::dom::array list;
  if (document[name].get(list) != simdjson::SUCCESS) return {};
  return list;
}

}  // namespace

int list_topics(const LookArguments& arguments) {
  return show(arguments, "/api/v1/topics", {"TOPIC", "PARTITION", "EARLIEST", "WRITTEN", "DURABLE", "BYTES", "SEGMENTS"},
              [](element document, TextTable& table) {
                for (const element topic : list_of(document, "topics")) {
                  for (const element partition : list_of(topic, "partitions")) {
                    table.add({cell(topic, "topic"), cell(partition, "partition"), cell(partition, "earliest"),
                               cell(partition, "written"), cell(partition, "durable"), cell(partition, "bytes"),
                               cell(partition, "segments")});
                  }
                }
              });
}

int list_groups(const LookArguments& arguments) {
  return show(arguments, "/api/v1/groups", {"GROUP", "TOPIC", "PARTITION", "COMMITTED", "LAG"},
              [](element document, TextTable& table) {
                for (const element group : list_of(document, "groups")) {
                  for (const element offset : list_of(group, "offsets")) {
                    table.add({cell(group, "group"), cell(offset, "topic"), cell(offset, "partition"),
                               cell(offset, "committed"), cell(offset, "lag")});
                  }
                }
              });
}

int list_datasets(const LookArguments& arguments) {
  return show(arguments, "/api/v1/datasets", {"DATASET", "LABEL", "VERSION", "FIELDS", "DEVICES", "EVENTS", "RATE", "LAST"},
              [](element document, TextTable& table) {
                for (const element dataset : list_of(document, "datasets")) {
                  table.add({cell(dataset, "name"), cell(dataset, "label"), cell(dataset, "schema_version"),
                             cell(dataset, "fields"), cell(dataset, "devices"), cell(dataset, "events"), cell(dataset, "rate"),
                             time_cell(dataset, "last_time")});
                }
              });
}

int list_prototypes(const LookArguments& arguments) {
  return show(arguments, "/api/v1/prototypes", {"CODE", "LABEL", "BRAND", "VERSION", "DATASET", "MODEL"},
              [](element document, TextTable& table) {
                for (const element prototype : list_of(document, "prototypes")) {
                  table.add({cell(prototype, "code"), cell(prototype, "label"), cell(prototype, "brand"),
                             cell(prototype, "version"), cell(prototype, "dataset"), cell(prototype, "model")});
                }
              });
}

int list_devices(const LookArguments& arguments) {
  return show(arguments, "/api/v1/devices", {"DEVICE", "DATASET", "STATE", "RATE", "EXPECTED", "EVENTS", "LAST SEEN"},
              [](element document, TextTable& table) {
                for (const element device : list_of(document, "devices")) {
                  table.add({cell(device, "device"), cell(device, "dataset"), cell(device, "state"), cell(device, "rate"),
                             cell(device, "expected_rate"), cell(device, "events"), time_cell(device, "last_seen")});
                }
              });
}

namespace {

std::string rejected_path(const RejectedArguments& arguments) {
  return arguments.dataset.empty() ? "/api/v1/rejected"
                                   : fmt::format("/api/v1/datasets/{}/rejected", escape(arguments.dataset));
}

/// What a table shows of the bytes: one line of them.
std::string raw_cell(element letter) {
  constexpr std::size_t shown_max = 60;
  std::string_view raw;
  if (letter["raw"].get(raw) != simdjson::SUCCESS) return "(not text)";
  std::string line;
  for (const char c : raw.substr(0, shown_max)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!is_utf8(line)) line.pop_back();
  return line + (raw.size() > shown_max ? "…" : "");
}

/// Sends the listed letters again, or takes them off the list.
int settle_rejected(const RejectedArguments& arguments) {
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  auto source = open_source(arguments.look, *config);
  if (!source) return fail(source.error());
  const std::string path = rejected_path(arguments);
  auto body =
      arguments.resend ? (*source)->ask(net::Method::post, path + "/resend") : (*source)->ask(net::Method::delete_, path);
  if (!body) return fail(body.error());
  if (arguments.look.json) {
    fmt::print("{}\n", *body);
    return 0;
  }
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS)
    return fail(Error{ErrorKind::io, "the answer is not JSON; is that an iotstream?"});
  if (!arguments.resend) {
    fmt::print("{} taken off the list\n", cell(document, "removed"));
    return 0;
  }
  for (const element error : list_of(document, "errors"))
    fmt::print(stderr, "{}: {}\n", cell(error, "id"), cell(error, "reason"));
  fmt::print("{} accepted, {} rejected again, {} left\n", cell(document, "accepted"), cell(document, "rejected"),
             cell(document, "left"));
  return list_of(document, "errors").size() == 0 ? 0 : 1;
}

}  // namespace

int rejected(const RejectedArguments& arguments) {
  if (arguments.resend || arguments.dismiss) return settle_rejected(arguments);
  return show(arguments.look, fmt::format("{}?limit={}", rejected_path(arguments), arguments.limit),
              {"ID", "TIME", "SOURCE", "LINE", "REASON", "READING"}, [](element document, TextTable& table) {
                for (const element letter : list_of(document, "rejected"))
                  table.add({cell(letter, "id"), cell(letter, "time"), cell(letter, "source"), cell(letter, "line"),
                             cell(letter, "reason"), raw_cell(letter)});
              });
}

int send(const SendArguments& arguments) {
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  std::ifstream file;
  if (arguments.file != "-") {
    file.open(arguments.file, std::ios::binary);
    if (!file) return fail(Error{ErrorKind::invalid, fmt::format("'{}' cannot be read", arguments.file)});
  }
  std::istream& input = arguments.file == "-" ? std::cin : file;
  LookArguments look = arguments.look;
  if (look.url.empty()) look.url = fmt::format("http://{}", config->server.listen.front().text());
  auto source = open_source(look, *config);
  if (!source) return fail(source.error());

  constexpr std::size_t lines_max = 1000;
  const std::string path = "/api/v1/datasets/" + escape(arguments.dataset) + "/events";
  std::uint64_t first_line = 1;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::string body;
  std::size_t lines = 0;
  const auto flush = [&]() -> Status {
    if (lines == 0) return {};
    auto answer = (*source)->ask(net::Method::post, path, body);
    if (!answer)
      return Error{answer.error().kind,
                   fmt::format("lines {} to {}: {}", first_line, first_line + lines - 1, answer.error().message)};
    simdjson::dom::parser parser;
    element document;
    if (parser.parse(*answer).get(document) != simdjson::SUCCESS) return Error{ErrorKind::io, "the answer is not JSON"};
    std::uint64_t count = 0;
    if (document["accepted"].get(count) == simdjson::SUCCESS) accepted += count;
    if (document["rejected"].get(count) == simdjson::SUCCESS) rejected += count;
    for (const element error : list_of(document, "errors")) {
      std::uint64_t line = 0;
      if (error["line"].get(line) != simdjson::SUCCESS) line = 1;
      fmt::print(stderr, "line {}: {}\n", first_line + line - 1, cell(error, "reason"));
    }
    first_line += lines;
    lines = 0;
    body.clear();
    return {};
  };
  for (std::string line; std::getline(input, line);) {
    body += line;
    body += '\n';
    if (++lines < lines_max && body.size() < (1u << 20)) continue;
    if (auto sent = flush(); !sent) return fail(sent.error());
  }
  if (auto sent = flush(); !sent) return fail(sent.error());
  if (arguments.look.json)
    fmt::print("{{\"accepted\":{},\"rejected\":{}}}\n", accepted, rejected);
  else
    fmt::print("{} accepted, {} rejected\n", accepted, rejected);
  return rejected == 0 ? 0 : 1;
}

}  // namespace iotstream::app
