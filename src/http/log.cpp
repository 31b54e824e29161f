// Topics, partitions, messages by offset or time.
#include <charconv>

#include <fmt/format.h>

#include "http/message.hpp"
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
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("messages").begin_array();
  std::uint64_t left = *limit;
  Offset next = *offset;
  while (left > 0 && body.size() < (8u << 20)) {
    auto batch = (*partition)->read(next, 256u << 10, log::Watermark::durable);
    if (!batch) return batch.error();
    if (batch->empty()) break;
    for (const log::Record& record : batch->records()) {
      if (record.offset < next) continue;
      if (left-- == 0) break;
      writer.begin_object();
      write_message(writer, services, (*topic)->name(), record);
      writer.end_object();
      next = record.offset + 1;
      if (left == 0) break;
    }
  }
  writer.end_array();
  writer.key("next_offset").value(next.value);
  writer.end_object();
  return net::Response::json(std::move(body));
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
}

}  // namespace iotstream::http
