// Topics, partitions, messages by offset or time, and consumer groups' committed offsets.
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "http/body.hpp"
#include "http/messages.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t messages_max = 10'000;

void write_partition(json::Writer& writer, const log::PartitionStatus& status) {
  writer.begin_object();
  writer.key("partition").value(static_cast<std::uint64_t>(status.partition.value));
  writer.key("earliest").value(status.watermarks.earliest.value);
  writer.key("written").value(status.watermarks.written.value);
  writer.key("durable").value(status.watermarks.durable.value);
  writer.key("bytes").value(status.bytes);
  writer.key("segments").value(status.segments);
  writer.key("read_only").value(status.read_only);
  writer.key("damage").begin_array();
  for (const log::Damage& damage : status.damage) {
    writer.begin_object();
    writer.key("first").value(damage.first.value);
    writer.key("next").value(damage.next.value);
    writer.key("file").value(damage.file);
    writer.key("position").value(damage.position);
    writer.key("reason").value(damage.reason);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

/// Times in µs, sizes in bytes, 0: no limit.
void write_options(json::Writer& writer, const log::TopicOptions& options) {
  writer.begin_object();
  writer.key("partitions").value(static_cast<std::uint64_t>(options.partitions));
  writer.key("segment_size").value(options.segment_size);
  writer.key("retention").begin_object();
  writer.key("size").value(options.retention_size);
  writer.key("age_us").value(options.retention_age.us);
  writer.end_object();
  writer.key("sync").value(log::name_of(options.sync));
  writer.key("sync_interval_us").value(options.sync_interval.us);
  writer.key("compact").value(options.compact);
  writer.end_object();
}

void write_topic(json::Writer& writer, log::Topic& topic) {
  writer.begin_object();
  writer.key("topic").value(topic.name());
  writer.key("options");
  write_options(writer, topic.options());
  writer.key("partitions").begin_array();
  for (std::uint32_t i = 0; i < topic.partition_count(); ++i) write_partition(writer, topic.partition(PartitionId(i)).status());
  writer.end_array().end_object();
}

Answer list_topics(Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("topics").begin_array();
  for (log::Topic* topic : services.log.topics()) write_topic(writer, *topic);
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Result<log::Topic*> topic_of(Services& services, const net::Request& request) {
  log::Topic* topic = services.log.find(request.param("topic"));
  if (topic == nullptr) {
    return Error{ErrorKind::not_found,
                 fmt::format("there is no topic '{}'; GET /api/v1/topics lists them", request.param("topic"))};
  }
  return topic;
}

Answer one_topic(Services& services, const net::Request& request) {
  auto topic = topic_of(services, request);
  if (!topic) return topic.error();
  std::string body;
  json::Writer writer(body);
  write_topic(writer, **topic);
  return net::Response::json(std::move(body));
}

Result<log::Partition*> partition_of(log::Topic& topic, std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number >= topic.partition_count()) {
    return Error{ErrorKind::not_found,
                 fmt::format("topic '{}' has partitions 0 to {}, no '{}'", topic.name(), topic.partition_count() - 1, text)};
  }
  return &topic.partition(PartitionId(number));
}

/// `offset=` (a number, earliest, latest) or `time=`; without either: earliest.
Result<Offset> start_of(Services& services, const net::Request& request, log::Partition& partition) {
  const log::Watermarks marks = partition.watermarks();
  if (const auto text = request.query_value("time")) {
    auto time = parse_query_time(*text, services.clock.now());
    if (!time) return Error{ErrorKind::invalid, fmt::format("time: {}", time.error().message)};
    return partition.seek(*time);
  }
  const std::string_view text = request.query_value("offset").value_or("earliest");
  if (text == "earliest") return marks.earliest;
  if (text == "latest") return marks.durable;
  std::uint64_t offset = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (code != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorKind::invalid, fmt::format("offset: '{}' is neither a whole number, earliest, nor latest", text)};
  }
  if (offset > marks.durable.value) {
    return Error{ErrorKind::invalid, fmt::format("offset: {} is above the next durable offset, {}", offset, marks.durable)};
  }
  return Offset(offset);
}

Answer messages(Services& services, const net::Request& request) {
  auto topic = topic_of(services, request);
  if (!topic) return topic.error();
  auto partition = partition_of(**topic, request.param("partition"));
  if (!partition) return partition.error();
  auto limit = number_parameter(request, "limit", 100, 1, messages_max);
  if (!limit) return limit.error();
  auto offset = start_of(services, request, **partition);
  if (!offset) return offset.error();
  std::string body = "{\"messages\":[";
  bool comma = false;
  std::uint64_t left = *limit;
  Offset next = *offset;
  while (left > 0 && body.size() < (8u << 20)) {
    auto batch = (*partition)->read(next, 256u << 10, log::Watermark::durable);
    if (!batch) return batch.error();
    if (batch->empty()) break;
    for (const log::Record& record : batch->records()) {
      if (record.offset < next) continue;
      if (left-- == 0) break;
      if (std::exchange(comma, true)) body += ',';
      append_message(body, services, (*topic)->name(), record);
      next = record.offset + 1;
      if (left == 0) break;
    }
  }
  body += "],\"next_offset\":";
  json::append_number(body, next.value);
  body += '}';
  return net::Response::json(std::move(body));
}

void write_offset(json::Writer& writer, Services& services, const log::GroupOffset& offset) {
  writer.begin_object();
  writer.key("topic").value(offset.topic);
  writer.key("partition").value(static_cast<std::uint64_t>(offset.partition.value));
  writer.key("committed").value(offset.committed.value);
  log::Topic* topic = services.log.find(offset.topic);
  if (topic != nullptr && offset.partition.value < topic->partition_count()) {
    const std::uint64_t durable = topic->partition(offset.partition).watermarks().durable.value;
    writer.key("lag").value(durable > offset.committed.value ? durable - offset.committed.value : 0);
  }
  writer.end_object();
}

Answer list_groups(Services& services) {
  std::map<std::string, std::vector<log::GroupOffset>> groups;
  for (log::GroupOffset& offset : services.log.group_offsets()) groups[offset.group].push_back(std::move(offset));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("groups").begin_array();
  for (const auto& [name, offsets] : groups) {
    writer.begin_object().key("group").value(name).key("offsets").begin_array();
    for (const log::GroupOffset& offset : offsets) write_offset(writer, services, offset);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Answer group_offsets(Services& services, const net::Request& request) {
  std::string body;
  json::Writer writer(body);
  bool known = false;
  writer.begin_object().key("group").value(request.param("group")).key("offsets").begin_array();
  for (const log::GroupOffset& offset : services.log.group_offsets()) {
    if (offset.group != request.param("group")) continue;
    known = true;
    write_offset(writer, services, offset);
  }
  writer.end_array().end_object();
  if (!known) return Error{ErrorKind::not_found, fmt::format("group '{}' has committed nothing", request.param("group"))};
  return net::Response::json(std::move(body));
}

/// One entry of a reset: {"topic","partition","offset"|"time"}; without partition: all of the topic.
Status add_reset(Services& services, const std::string& group, simdjson::dom::element entry,
                 std::vector<log::GroupOffset>& resets) {
  std::string_view name;
  if (entry["topic"].get(name) != simdjson::SUCCESS) return Error{ErrorKind::unprocessable, "each entry needs a 'topic'"};
  log::Topic* topic = services.log.find(name);
  if (topic == nullptr) return Error{ErrorKind::not_found, fmt::format("there is no topic '{}'", name)};
  std::uint64_t partition = 0;
  const bool all = entry["partition"].get(partition) != simdjson::SUCCESS;
  if (!all && partition >= topic->partition_count())
    return Error{ErrorKind::not_found, fmt::format("topic '{}' has no partition {}", name, partition)};
  for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
    if (!all && i != partition) continue;
    log::Partition& place = topic->partition(PartitionId(i));
    const log::Watermarks marks = place.watermarks();
    std::uint64_t offset = 0;
    std::string_view text;
    if (entry["offset"].get(offset) == simdjson::SUCCESS) {
      offset = std::min(offset, marks.durable.value);
    } else if (entry["offset"].get(text) == simdjson::SUCCESS && (text == "earliest" || text == "latest")) {
      offset = text == "earliest" ? marks.earliest.value : marks.durable.value;
    } else if (entry["time"].get(text) == simdjson::SUCCESS) {
      auto time = parse_query_time(text, services.clock.now());
      if (!time) return Error{ErrorKind::unprocessable, fmt::format("'time': {}", time.error().message)};
      auto sought = place.seek(*time);
      if (!sought) return sought.error();
      offset = sought->value;
    } else {
      return Error{ErrorKind::unprocessable,
                   "each entry needs an 'offset' (a whole number, \"earliest\", \"latest\") or a 'time'"};
    }
    resets.push_back({group, topic->name(), PartitionId(i), Offset(offset)});
  }
  return {};
}

Answer reset_group(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  simdjson::dom::array entries;
  if (json->object()["offsets"].get(entries) != simdjson::SUCCESS) {
    return Error{ErrorKind::unprocessable, "the body must be {\"offsets\":[{\"topic\",\"partition\",\"offset\"}]}"};
  }
  std::vector<log::GroupOffset> resets;
  for (const simdjson::dom::element entry : entries) {
    if (auto added = add_reset(services, std::string(request.param("group")), entry, resets); !added) return added.error();
  }
  if (auto committed = services.log.commit(resets, true); !committed) return committed.error();
  return group_offsets(services, request);
}

}  // namespace

void add_log_routes(net::Router& router, Services& services) {
  using net::Method;
  const auto add = [&](Method method, const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(method, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add(Method::get, "/api/v1/topics", [](Services& s, const net::Request&) { return list_topics(s); });
  add(Method::get, "/api/v1/topics/{topic}", one_topic);
  add(Method::get, "/api/v1/topics/{topic}/partitions/{partition}/messages", messages);
  add(Method::get, "/api/v1/groups", [](Services& s, const net::Request&) { return list_groups(s); });
  add(Method::get, "/api/v1/groups/{group}/offsets", group_offsets);
  add(Method::put, "/api/v1/groups/{group}/offsets", reset_group);
}

}  // namespace iotstream::http
