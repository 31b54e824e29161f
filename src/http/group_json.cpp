#include "http/group_json.hpp"

#include <limits>

#include <fmt/format.h>

namespace iotstream::http {

namespace {

void write_places(json::Writer& writer, const std::vector<log::TopicPartition>& places) {
  writer.begin_array();
  for (const log::TopicPartition& place : places) {
    writer.begin_object();
    write_place(writer, place);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

void write_place(json::Writer& writer, const log::TopicPartition& place) {
  writer.key("topic").value(place.topic);
  writer.key("partition").value(static_cast<std::uint64_t>(place.partition.value));
}

void write_membership(json::Writer& writer, const log::Membership& membership) {
  writer.key("generation").value(membership.generation);
  write_places(writer.key("assignment"), membership.owned);
  write_places(writer.key("releasing"), membership.releasing);
}

net::Response refusal(log::Standing standing, std::string_view group, std::string_view member,
                      const log::Membership& membership) {
  if (standing == log::Standing::unknown) {
    return net::Response::problem(404, fmt::format("group '{}' has no member '{}': it left, was silent for longer than its "
                                                   "session timeout, or the server was started anew; join again",
                                                   group, member));
  }
  net::Response response = net::Response::problem(
      409, fmt::format("the generation of group '{}' is {}: finish and commit what 'releasing' names, then go on with it",
                       group, membership.generation));
  response.body.back() = ',';  // further members of the problem (RFC 9457)
  json::Writer writer(response.body);
  write_membership(writer, membership);
  writer.end_object();
  return response;
}

Result<std::vector<log::Position>> positions_of(const JsonObject& json, const char* name) {
  std::vector<log::Position> positions;
  simdjson::dom::element element;
  if (json.object()[name].get(element) != simdjson::SUCCESS || element.is_null()) return positions;
  simdjson::dom::array entries;
  if (element.get(entries) != simdjson::SUCCESS)
    return Error{ErrorKind::unprocessable, fmt::format("'{}' must be an array", name)};
  for (const simdjson::dom::element entry : entries) {
    std::string_view topic;
    std::uint64_t partition = 0;
    std::uint64_t offset = 0;
    if (entry["topic"].get(topic) != simdjson::SUCCESS || entry["partition"].get(partition) != simdjson::SUCCESS ||
        entry["offset"].get(offset) != simdjson::SUCCESS || partition > std::numeric_limits<std::uint32_t>::max()) {
      return Error{ErrorKind::unprocessable,
                   fmt::format("entry {} of '{}' needs a 'topic', and 'partition' and 'offset' as whole numbers",
                               positions.size(), name)};
    }
    positions.push_back({{std::string(topic), PartitionId(static_cast<std::uint32_t>(partition))}, Offset(offset)});
  }
  return positions;
}

Result<Duration> duration_of(const JsonObject& json, const char* name, Duration fallback) {
  auto text = json.text(name);
  if (!text) return text.error();
  if (!*text) return fallback;
  auto duration = parse_duration(**text);
  if (!duration) return Error{ErrorKind::unprocessable, fmt::format("'{}': {}", name, duration.error().message)};
  return *duration;
}

Result<std::uint64_t> generation_of(const JsonObject& json) {
  auto generation = json.whole("generation");
  if (!generation) return generation.error();
  if (!*generation)
    return Error{ErrorKind::unprocessable, "'generation' is needed: the one that joining or a later answer has told"};
  return **generation;
}

}  // namespace iotstream::http
