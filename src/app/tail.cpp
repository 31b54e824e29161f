// `iotstream tail`: what comes in, or a range of time once more.
#include <chrono>
#include <cstdio>
#include <simdjson.h>
#include <thread>

#include <fmt/format.h>

#include "app/look.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;

bool is_offset(const std::string& from) { return !from.empty() && from.find_first_not_of("0123456789") == std::string::npos; }

/// The query that starts reading where --from says.
std::string start_query(const std::string& from) {
  const bool offset = from == "earliest" || from == "latest" || is_offset(from);
  return (offset ? "offset=" : "time=") + escape(from);
}

struct TailPartition {
  std::uint32_t number;
  std::string query;
};

/// Prints the messages of one answer; the next offset, and how many there were.
Result<std::pair<std::uint64_t, std::uint64_t>> print_messages(const std::string& body, std::uint64_t left) {
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(body).get(document) != simdjson::SUCCESS) return Error{ErrorKind::io, "the answer is not JSON"};
  std::uint64_t printed = 0;
  std::uint64_t next = 0;
  simdjson::dom::array messages;
  if (document["next_offset"].get(next) != simdjson::SUCCESS || document["messages"].get(messages) != simdjson::SUCCESS)
    return Error{ErrorKind::io, "the answer is no list of messages"};
  for (const element message : messages) {
    if (printed == left) break;
    fmt::print("{}\n", simdjson::minify(message));
    ++printed;
  }
  return std::pair(next, printed);
}

Result<std::vector<TailPartition>> partitions_to_tail(Source& source, const TailArguments& arguments) {
  auto body = source.ask(net::Method::get, "/api/v1/topics/" + escape(arguments.topic));
  if (!body) return body.error();
  simdjson::dom::parser parser;
  element document;
  simdjson::dom::array known;
  if (parser.parse(*body).get(document) != simdjson::SUCCESS || document["partitions"].get(known) != simdjson::SUCCESS)
    return Error{ErrorKind::io, "the answer is not JSON"};
  const auto count = static_cast<std::uint32_t>(known.size());
  if (arguments.partition && *arguments.partition >= count) {
    return Error{ErrorKind::not_found, fmt::format("topic '{}' has partitions 0 to {}", arguments.topic, count - 1)};
  }
  std::vector<TailPartition> partitions;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (arguments.partition && *arguments.partition != i) continue;
    std::string query = start_query(arguments.from);
    std::uint64_t durable = 0;
    // An offset that one partition has reached and another has not.
    const bool beyond = !arguments.partition && is_offset(arguments.from) &&
                        known.at(i)["durable"].get(durable) == simdjson::SUCCESS &&
                        (arguments.from.size() > 19 || std::stoull(arguments.from) > durable);
    partitions.push_back({i, beyond ? "offset=latest" : std::move(query)});
  }
  return partitions;
}

int follow(Source& source, const TailArguments& arguments) {
  auto partitions = partitions_to_tail(source, arguments);
  if (!partitions) return fail(partitions.error());
  std::uint64_t left = arguments.limit.value_or(UINT64_MAX);
  while (left > 0) {
    std::uint64_t got = 0;
    for (TailPartition& partition : *partitions) {
      const std::string path = fmt::format("/api/v1/topics/{}/partitions/{}/messages?limit=1000&{}", escape(arguments.topic),
                                           partition.number, partition.query);
      auto body = source.ask(net::Method::get, path);
      if (!body) return fail(body.error());
      auto printed = print_messages(*body, left);
      if (!printed) return fail(printed.error());
      partition.query = fmt::format("offset={}", printed->first);
      left -= printed->second;
      got += printed->second;
    }
    std::fflush(stdout);
    if (got > 0) continue;
    if (!source.live()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return 0;
}

/// Without --to it goes on with what comes, where more can come.
Result<std::string> replay_path(const Source& source, const TailArguments& arguments) {
  if (is_offset(arguments.from))
    return Error{ErrorKind::invalid, "--from: a replay begins at a time, earliest or latest, not at an offset"};
  std::string path = fmt::format("/api/v1/topics/{}/replay?speed={}", escape(arguments.topic),
                                 arguments.speed.empty() ? "max" : escape(arguments.speed));
  if (arguments.from != "earliest") path += "&from=" + escape(arguments.from == "latest" ? "now" : arguments.from);
  if (!arguments.to.empty()) path += "&to=" + escape(arguments.to);
  if (arguments.to.empty() && source.live()) path += "&follow=true";
  if (!arguments.device.empty()) path += "&device=" + escape(arguments.device);
  if (!arguments.gap.empty()) path += "&gap=" + escape(arguments.gap);
  if (arguments.partition) path += fmt::format("&partition={}", *arguments.partition);
  if (arguments.limit) path += fmt::format("&limit={}", *arguments.limit);
  return path;
}

int replay(Source& source, const TailArguments& arguments) {
  auto path = replay_path(source, arguments);
  if (!path) return fail(path.error());
  bool line_begins = true;
  auto streamed = source.stream(*path, [&](std::string_view piece) {
    // Empty lines are signs of life, for programs that wait.
    for (const char c : piece) {
      if (c == '\n' && line_begins) continue;
      std::putchar(c);
      line_begins = c == '\n';
    }
    return std::fflush(stdout) == 0;
  });
  return streamed ? 0 : fail(streamed.error());
}

}  // namespace

int tail(const TailArguments& arguments) {
  const auto config = load_config(arguments.look.config);
  if (!config) return 2;
  auto source = open_source(arguments.look, *config);
  if (!source) return fail(source.error());
  return arguments.replays() ? replay(**source, arguments) : follow(**source, arguments);
}

}  // namespace iotstream::app
