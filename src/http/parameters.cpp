#include "http/parameters.hpp"

#include <charconv>
#include <memory>

#include <fmt/format.h>

namespace iotstream::http {

namespace {

net::Response to_response(Answer answer) {
  return answer.ok() ? std::move(answer).value() : net::Response::from(answer.error());
}

}  // namespace

net::Handler on_worker(Services& services, std::function<Answer(const net::Request&)> work) {
  return [&services, work = std::move(work)](net::Request request, net::Respond respond) {
    auto shared = std::make_shared<net::Request>(std::move(request));
    const bool taken = services.workers.submit([shared, respond, work] { respond(to_response(work(*shared))); });
    if (!taken)
      respond(net::Response::from(Error{ErrorKind::unavailable, "too many requests are waiting; try again in a moment"}));
  };
}

net::Handler at_once(std::function<Answer(const net::Request&)> work) {
  return [work = std::move(work)](net::Request request, net::Respond respond) { respond(to_response(work(request))); };
}

Result<std::optional<Timestamp>> time_parameter(const net::Request& request, std::string_view name, Timestamp now) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return std::optional<Timestamp>();
  auto time = parse_query_time(*text, now);
  if (!time) return Error{ErrorKind::invalid, fmt::format("{}: {}", name, time.error().message)};
  return std::optional(*time);
}

Result<std::uint64_t> number_parameter(const net::Request& request, std::string_view name, std::uint64_t fallback,
                                       std::uint64_t least, std::uint64_t most) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return fallback;
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (code != std::errc() || end != text->data() + text->size() || number < least || number > most) {
    return Error{ErrorKind::invalid, fmt::format("{}: '{}' is not a whole number from {} to {}", name, *text, least, most)};
  }
  return number;
}

Result<model::SchemaPtr> dataset_of(const Services& services, const net::Request& request) {
  auto schema = services.schemas.current(request.param("dataset"));
  if (!schema) {
    return Error{ErrorKind::not_found,
                 fmt::format("there is no dataset '{}'; GET /api/v1/datasets lists them", request.param("dataset"))};
  }
  return schema;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  parts.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += ',';
      ++i;
    } else if (text[i] == ',') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

Result<std::vector<FieldId>> fields_parameter(const net::Request& request, const model::Schema& schema) {
  std::vector<FieldId> fields;
  for (const std::string& name : split_list(request.query_value("fields").value_or(""))) {
    const auto id = schema.find(name);
    if (!id) return Error{ErrorKind::not_found, fmt::format("dataset '{}' has no field '{}'", schema.dataset(), name)};
    fields.push_back(*id);
  }
  return fields;
}

void append_event(std::string& out, const store::Event& event, const model::Schema& schema, const catalog::Schemas& schemas) {
  json::Writer writer(out);
  writer.begin_object();
  std::vector<bool> sent(schema.fields().size(), false);
  for (const auto& [field, value] : *event.values) {
    const std::string& name = schema.field(field).name;
    sent[field.value] = true;
    if (name == "@timestamp" || name == "device" || name == "_partition" || name == "_offset") continue;
    writer.key(name);
    std::string text;
    model::append_json(text, value);
    writer.raw(text);
  }
  if ((event.flags & model::row_has_date_hour) != 0) writer.key("dateHour").value(format_date_hour(event.time));
  for (const auto& [name, value] : *schemas.facts(event.facts)) {
    const auto id = schema.find(name);
    if (id && id->value < sent.size() && sent[id->value]) continue;
    writer.key(name).raw(value);
  }
  writer.key("@timestamp").value(format_rfc3339(event.time));
  writer.key("device").value(event.device);
  writer.key("_partition").value(static_cast<std::uint64_t>(event.partition.value));
  writer.key("_offset").value(event.offset.value);
  writer.end_object();
}

}  // namespace iotstream::http
