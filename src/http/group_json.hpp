// What the routes of consumer groups read and write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/json.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/log/group.hpp>
#include <iotstream/net/http.hpp>

#include "http/body.hpp"

namespace iotstream::http {

/// The members topic and partition, inside the caller's object.
void write_place(json::Writer& writer, const log::TopicPartition& place);
/// The members generation, assignment and releasing.
void write_membership(json::Writer& writer, const log::Membership& membership);
/// The answer to a call that had no effect: 404 for a member that is none, 409 with what the member is to know.
net::Response refusal(log::Standing standing, std::string_view group, std::string_view member,
                      const log::Membership& membership);

/// The array `name` of {"topic","partition","offset"}; empty when absent. Errors: unprocessable, naming the entry.
Result<std::vector<log::Position>> positions_of(const JsonObject& json, const char* name);
/// A text as `10s`, or `fallback`. Errors: unprocessable, naming the member.
Result<Duration> duration_of(const JsonObject& json, const char* name, Duration fallback);
/// The number of the current generation, which every call names. Errors: unprocessable.
Result<std::uint64_t> generation_of(const JsonObject& json);

}  // namespace iotstream::http
