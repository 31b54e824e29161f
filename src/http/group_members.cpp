// Members of consumer groups: join, heartbeat, fetch, commit, leave.
#include <map>

#include <fmt/format.h>

#include "http/group_json.hpp"
#include "http/message.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t fetch_bytes_max = 4u << 20;
constexpr std::uint64_t fetch_records_max = 10'000;
constexpr std::size_t answer_size_max = 8u << 20;

Result<std::vector<std::string>> topics_of(const JsonObject& json) {
  const Error wrong{ErrorKind::unprocessable, "'topics' must be an array of names"};
  simdjson::dom::array list;
  if (json.object()["topics"].get(list) != simdjson::SUCCESS) return wrong;
  std::vector<std::string> topics;
  for (const simdjson::dom::element entry : list) {
    std::string_view name;
    if (entry.get(name) != simdjson::SUCCESS) return wrong;
    topics.emplace_back(name);
  }
  return topics;
}

Result<log::JoinOptions> join_options(const JsonObject& json) {
  log::JoinOptions options;
  auto topics = topics_of(json);
  if (!topics) return topics.error();
  options.topics = std::move(*topics);
  auto start = json.text("start");
  if (!start) return start.error();
  if (*start && **start != "earliest" && **start != "latest")
    return Error{ErrorKind::unprocessable, fmt::format("'start' is \"earliest\" or \"latest\", not '{}'", **start)};
  if (*start == "latest") options.start = log::Start::latest;
  auto session = duration_of(json, "session_timeout", options.session_timeout);
  if (!session) return session.error();
  options.session_timeout = *session;
  auto rebalance = duration_of(json, "rebalance_timeout", options.rebalance_timeout);
  if (!rebalance) return rebalance.error();
  options.rebalance_timeout = *rebalance;
  auto client = json.text("client");
  if (!client) return client.error();
  options.client = client->value_or("");
  auto member = json.text("member");
  if (!member) return member.error();
  options.member = member->value_or("");
  return options;
}

Answer join(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  auto options = join_options(*json);
  if (!options) return options.error();
  const bool again = !options->member.empty();
  auto joined = services.groups.join(request.param("group"), std::move(*options));
  if (!joined) return joined.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.key("group").value(request.param("group"));
  writer.key("member").value(joined->member);
  write_membership(writer, *joined);
  writer.end_object();
  return net::Response::json(std::move(body), again ? 200 : 201);
}

Answer answer_of(const net::Request& request, const log::MemberReply& reply) {
  if (reply.standing != log::Standing::current)
    return refusal(reply.standing, request.param("group"), request.param("member"), reply.membership);
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_membership(writer, reply.membership);
  writer.end_object();
  return net::Response::json(std::move(body));
}

Answer heartbeat(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  auto generation = generation_of(*json);
  if (!generation) return generation.error();
  auto reply = services.groups.heartbeat(request.param("group"), request.param("member"), *generation);
  if (!reply) return reply.error();
  return answer_of(request, *reply);
}

Answer commit(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  auto generation = generation_of(*json);
  if (!generation) return generation.error();
  auto positions = positions_of(*json, "offsets");
  if (!positions) return positions.error();
  if (positions->empty())
    return Error{ErrorKind::unprocessable,
                 "the body must be {\"generation\",\"offsets\":[{\"topic\",\"partition\",\"offset\"}]}"};
  auto reply = services.groups.commit(request.param("group"), request.param("member"), *generation, *positions);
  if (!reply) return reply.error();
  return answer_of(request, *reply);
}

Answer leave(Services& services, const net::Request& request) {
  if (!services.groups.leave(request.param("group"), request.param("member")))
    return refusal(log::Standing::unknown, request.param("group"), request.param("member"), {});
  net::Response response;
  response.status = 204;
  return response;
}

Result<log::FetchOptions> fetch_options(const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  log::FetchOptions options;
  options.group = request.param("group");
  options.member = request.param("member");
  auto generation = generation_of(*json);
  if (!generation) return generation.error();
  options.generation = *generation;
  auto wait = duration_of(*json, "max_wait", options.wait_max);
  if (!wait) return wait.error();
  if (*wait > log::fetch_wait_max)
    return Error{ErrorKind::unprocessable, fmt::format("'max_wait' is at most {}", format_duration(log::fetch_wait_max))};
  options.wait_max = *wait;
  const auto limit = [&json](const char* name, std::size_t& value, std::uint64_t most) -> Status {
    auto given = json->whole(name);
    if (!given) return given.error();
    if (*given && (**given == 0 || **given > most))
      return Error{ErrorKind::unprocessable, fmt::format("'{}' is from 1 to {}", name, most)};
    value = given->value_or(value);
    return {};
  };
  if (auto good = limit("max_bytes", options.bytes_max, fetch_bytes_max); !good) return good.error();
  if (auto good = limit("max_records", options.records_max, fetch_records_max); !good) return good.error();
  auto positions = positions_of(*json, "positions");
  if (!positions) return positions.error();
  options.positions = std::move(*positions);
  return options;
}

void write_resets(json::Writer& writer, const std::vector<log::OffsetReset>& resets) {
  writer.key("resets").begin_array();
  for (const log::OffsetReset& reset : resets) {
    writer.begin_object();
    write_place(writer, reset.place);
    writer.key("from").value(reset.from.value);
    writer.key("to").value(reset.to.value);
    writer.key("reason").value(reset.reason == log::OffsetReset::Reason::retention ? "retention" : "lost_tail");
    writer.end_object();
  }
  writer.end_array();
}

/// An answer that grows too long ends early; `next` says where, and the rest comes with the next fetch.
net::Response write_fetched(Services& services, const log::FetchReply& reply) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_membership(writer, reply.membership);
  std::map<log::TopicPartition, Offset> next;
  writer.key("records").begin_array();
  for (const log::FetchedPart& part : reply.parts) {
    for (const log::Record& record : part.batch.records()) {
      if (body.size() > answer_size_max) break;
      writer.begin_object();
      write_place(writer, part.place);
      write_message(writer, services, part.place.topic, record);
      writer.end_object();
      next[part.place] = record.offset + 1;
    }
  }
  writer.end_array();
  writer.key("next").begin_array();
  for (const auto& [place, offset] : next) {
    writer.begin_object();
    write_place(writer, place);
    writer.key("offset").value(offset.value);
    writer.end_object();
  }
  writer.end_array();
  write_resets(writer, reply.resets);
  writer.end_object();
  return net::Response::json(std::move(body));
}

/// On a worker for the first look; a fetch that waits is answered from wherever the coordinator has the records.
void fetch(Services& services, const net::Request& request, const net::Respond& respond) {
  auto options = fetch_options(request);
  if (!options) return respond(net::Response::from(options.error()));
  const auto done = [&services, respond, group = options->group, member = options->member](Result<log::FetchReply> reply) {
    if (!reply)
      respond(net::Response::from(reply.error()));
    else if (reply->standing != log::Standing::current)
      respond(refusal(reply->standing, group, member, reply->membership));
    else
      respond(write_fetched(services, *reply));
  };
  const auto pending = services.groups.fetch(std::move(*options), done);
  if (const auto departure = request.departure.lock())
    departure->when_left([waiting = std::weak_ptr(pending)] {
      if (const auto left = waiting.lock()) left->hurry();
    });
}

}  // namespace

void add_member_routes(net::Router& router, Services& services) {
  using net::Method;
  const auto work = [&services](Answer (*route)(Services&, const net::Request&)) {
    return on_worker(services, [&services, route](const net::Request& request) { return route(services, request); });
  };
  const std::string members = "/api/v1/groups/{group}/members";
  router.add(Method::post, members, work(join));
  // Memory only, and never behind other requests: members must not be taken for dead because the workers are busy.
  router.add(Method::post, members + "/{member}/heartbeat",
             at_once([&services](const net::Request& request) { return heartbeat(services, request); }));
  router.add(Method::delete_, members + "/{member}",
             at_once([&services](const net::Request& request) { return leave(services, request); }));
  router.add(Method::post, members + "/{member}/commit", work(commit));
  router.add(Method::post, members + "/{member}/fetch", [&services](net::Request request, net::Respond respond) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    if (!services.workers.submit([&services, shared, respond] { fetch(services, *shared, respond); }))
      respond(net::Response::from(Error{ErrorKind::unavailable, "too many requests are waiting; try again in a moment"}));
  });
}

}  // namespace iotstream::http
