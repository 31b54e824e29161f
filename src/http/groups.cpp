// Consumer groups: what they have committed, how far they are behind, reset and removal.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "http/body.hpp"
#include "http/group_json.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

double seconds(Duration duration) { return static_cast<double>(duration.us) / 1e6; }

void write_partition(json::Writer& writer, const log::GroupPartitionStatus& status) {
  writer.begin_object();
  write_place(writer, status.place);
  writer.key("committed");
  status.committed ? writer.value(status.committed->value) : writer.null();
  if (status.exists) {
    writer.key("next").value(status.next.value);
    writer.key("lag").value(status.lag);
    writer.key("lag_seconds").value(status.behind ? seconds(*status.behind) : 0.0);
    if (status.lost > 0) writer.key("lost").value(status.lost);
  }
  if (status.rewound_from) writer.key("rewound_from").value(status.rewound_from->value);
  if (!status.owner.empty()) writer.key("owner").value(status.owner);
  writer.end_object();
}

void write_partitions(json::Writer& writer, const log::GroupStatus& status) {
  writer.key("offsets").begin_array();
  for (const log::GroupPartitionStatus& partition : status.partitions) write_partition(writer, partition);
  writer.end_array();
}

void write_member(json::Writer& writer, const log::GroupMemberStatus& member) {
  const auto places = [&writer](const char* name, const std::vector<log::TopicPartition>& list) {
    writer.key(name).begin_array();
    for (const log::TopicPartition& place : list) {
      writer.begin_object();
      write_place(writer, place);
      writer.end_object();
    }
    writer.end_array();
  };
  writer.begin_object();
  writer.key("member").value(member.member);
  writer.key("client").value(member.client);
  writer.key("topics").begin_array();
  for (const std::string& topic : member.topics) writer.value(topic);
  writer.end_array();
  places("assignment", member.owned);
  places("releasing", member.releasing);
  writer.key("acknowledged").value(member.acknowledged);
  writer.key("session_timeout").value(format_duration(member.session_timeout));
  writer.key("rebalance_timeout").value(format_duration(member.rebalance_timeout));
  writer.key("idle_seconds").value(seconds(member.idle));
  writer.key("fetching").value(member.fetching);
  writer.end_object();
}

void write_head(json::Writer& writer, const log::GroupStatus& status) {
  writer.key("group").value(status.group);
  writer.key("state").value(name_of(status.state));
  writer.key("generation").value(status.generation);
  writer.key("member_count").value(static_cast<std::uint64_t>(status.members.size()));
}

Answer list_groups(Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("groups").begin_array();
  for (const log::GroupStatus& status : services.groups.status()) {
    writer.begin_object();
    write_head(writer, status);
    write_partitions(writer, status);
    writer.end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Result<log::GroupStatus> status_of(Services& services, const net::Request& request) {
  auto all = services.groups.status(request.param("group"));
  if (all.empty()) {
    return Error{ErrorKind::not_found,
                 fmt::format("there is no group '{}': it has no members and has committed nothing", request.param("group"))};
  }
  return std::move(all.front());
}

Answer one_group(Services& services, const net::Request& request) {
  auto status = status_of(services, request);
  if (!status) return status.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_head(writer, *status);
  writer.key("members").begin_array();
  for (const log::GroupMemberStatus& member : status->members) write_member(writer, member);
  writer.end_array();
  write_partitions(writer, *status);
  writer.end_object();
  return net::Response::json(std::move(body));
}

struct Clamped {
  log::TopicPartition place;
  std::uint64_t asked = 0;
  Offset to;
};

Answer answer_offsets(Services& services, const net::Request& request, const std::vector<Clamped>& clamped) {
  auto status = status_of(services, request);
  if (!status) return status.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("group").value(status->group);
  write_partitions(writer, *status);
  if (!clamped.empty()) {
    writer.key("clamped").begin_array();
    for (const auto& [place, asked, to] : clamped) {
      writer.begin_object();
      write_place(writer, place);
      writer.key("asked").value(asked);
      writer.key("to").value(to.value);
      writer.end_object();
    }
    writer.end_array();
  }
  writer.end_object();
  return net::Response::json(std::move(body));
}

Answer group_offsets(Services& services, const net::Request& request) { return answer_offsets(services, request, {}); }

Answer forget_group(Services& services, const net::Request& request) {
  if (auto forgotten = services.groups.forget(request.param("group")); !forgotten) return forgotten.error();
  net::Response response;
  response.status = 204;
  return response;
}

/// Gathers the offsets of one reset.
class Reset {
 public:
  Reset(Services& services, std::string_view group) : services_(services), group_(group) {}

  /// One entry: {"topic","partition","offset"|"time"}; without partition: all of the topic.
  Status add(simdjson::dom::element entry) {
    std::string_view name;
    if (entry["topic"].get(name) != simdjson::SUCCESS) return Error{ErrorKind::unprocessable, "each entry needs a 'topic'"};
    log::Topic* const topic = services_.log.find(name);
    if (topic == nullptr) return Error{ErrorKind::not_found, fmt::format("there is no topic '{}'", name)};
    simdjson::dom::element given;
    if (entry["partition"].get(given) == simdjson::SUCCESS && !given.is_null()) {
      std::uint64_t partition = 0;
      if (given.get(partition) != simdjson::SUCCESS)
        return Error{ErrorKind::unprocessable, "'partition' must be a whole number, not negative"};
      if (partition >= topic->partition_count())
        return Error{ErrorKind::not_found, fmt::format("topic '{}' has no partition {}", name, partition)};
      return add(*topic, PartitionId(static_cast<std::uint32_t>(partition)), entry);
    }
    for (std::uint32_t i = 0; i != topic->partition_count(); ++i)
      if (auto added = add(*topic, PartitionId(i), entry); !added) return added;
    return {};
  }

  const std::vector<log::GroupOffset>& offsets() const { return offsets_; }
  /// Those that were asked to lie where no record is.
  const std::vector<Clamped>& clamped() const { return clamped_; }

 private:
  Status add(log::Topic& topic, PartitionId partition, simdjson::dom::element entry) {
    log::Partition& place = topic.partition(partition);
    const log::Watermarks marks = place.watermarks();
    std::uint64_t asked = 0;
    Offset offset;
    std::string_view text;
    if (entry["offset"].get(asked) == simdjson::SUCCESS) {
      offset = std::max(marks.earliest, std::min(Offset(asked), marks.durable));
      if (offset.value != asked) clamped_.push_back({{topic.name(), partition}, asked, offset});
    } else if (entry["offset"].get(text) == simdjson::SUCCESS && (text == "earliest" || text == "latest")) {
      offset = text == "earliest" ? marks.earliest : marks.durable;
    } else if (entry["time"].get(text) == simdjson::SUCCESS) {
      auto time = parse_query_time(text, services_.clock.now());
      if (!time) return Error{ErrorKind::unprocessable, fmt::format("'time': {}", time.error().message)};
      auto sought = place.seek(*time);
      if (!sought) return sought.error();
      offset = *sought;
    } else {
      return Error{ErrorKind::unprocessable,
                   "each entry needs an 'offset' (a whole number, \"earliest\", \"latest\") or a 'time'"};
    }
    offsets_.push_back({group_, topic.name(), partition, offset});
    return {};
  }

  Services& services_;
  std::string group_;
  std::vector<log::GroupOffset> offsets_;
  std::vector<Clamped> clamped_;
};

Answer reset_group(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  simdjson::dom::array entries;
  if (json->object()["offsets"].get(entries) != simdjson::SUCCESS) {
    return Error{ErrorKind::unprocessable, "the body must be {\"offsets\":[{\"topic\",\"partition\",\"offset\"}]}"};
  }
  auto force = json->truth("force");
  if (!force) return force.error();
  Reset reset(services, request.param("group"));
  for (const simdjson::dom::element entry : entries)
    if (auto added = reset.add(entry); !added) return added.error();
  if (auto done = services.groups.reset(reset.offsets(), force->value_or(false)); !done) return done.error();
  return answer_offsets(services, request, reset.clamped());
}

}  // namespace

void add_group_routes(net::Router& router, Services& services) {
  using net::Method;
  const auto add = [&](Method method, const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(method, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add(Method::get, "/api/v1/groups", [](Services& s, const net::Request&) { return list_groups(s); });
  add(Method::get, "/api/v1/groups/{group}", one_group);
  add(Method::delete_, "/api/v1/groups/{group}", forget_group);
  add(Method::get, "/api/v1/groups/{group}/offsets", group_offsets);
  add(Method::put, "/api/v1/groups/{group}/offsets", reset_group);
}

}  // namespace iotstream::http
