// What several routes read from a request or write into an answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/json.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/http/api.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::http {

/// A route's answer or what went wrong.
using Answer = Result<net::Response>;

/// A handler whose work may block: it runs on the workers; 503 when their queue is full.
net::Handler on_worker(Services& services, std::function<Answer(const net::Request&)> work);
/// A handler that only reads memory: it runs on the socket thread.
net::Handler at_once(std::function<Answer(const net::Request&)> work);

/// `name` as a time; nothing when it is absent. Errors: invalid, naming the parameter.
Result<std::optional<Timestamp>> time_parameter(const net::Request& request, std::string_view name, Timestamp now);
/// `name` as a whole number in [least, most], or `fallback` when it is absent.
Result<std::uint64_t> number_parameter(const net::Request& request, std::string_view name, std::uint64_t fallback,
                                       std::uint64_t least, std::uint64_t most);
/// The schema of the route's `{dataset}`. Errors: not_found.
Result<model::SchemaPtr> dataset_of(const Services& services, const net::Request& request);
/// `fields=a,b` (a comma in a name is written `\,`), or nothing when it is absent. Errors: not_found, naming the field.
Result<std::vector<FieldId>> fields_parameter(const net::Request& request, const model::Schema& schema);
/// The parts of a comma list.
std::vector<std::string> split_list(std::string_view text);

/// An event as the API shows it: the fields as sent, `@timestamp`, `device`, `_partition`, `_offset`.
void append_event(std::string& out, const store::Event& event, const model::Schema& schema, const catalog::Schemas& schemas);

}  // namespace iotstream::http
