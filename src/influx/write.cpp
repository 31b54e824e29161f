#include "influx/write.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

namespace iotstream::influx {
namespace {

constexpr std::size_t reasons_max = 5;  // in one sentence

/// The dataset's name of a measurement, as the configuration has it: what stands before and behind it.
void fill_names(ingest::PointRules& rules, const std::string& pattern, std::string_view database) {
  constexpr std::string_view measurement = "{measurement}";
  constexpr std::string_view placeholder = "{database}";
  std::string text = pattern;
  if (const std::size_t at = text.find(placeholder); at != std::string::npos) text.replace(at, placeholder.size(), database);
  const std::size_t at = text.find(measurement);
  rules.prefix = text.substr(0, at);
  rules.suffix = text.substr(at + measurement.size());
}

std::string_view code_of(unsigned status) {
  switch (status) {
    case 400:
      return "invalid";
    case 404:
      return "not found";
    case 413:
      return "request too large";
    case 415:
      return "unsupported media type";
    case 422:
      return "unprocessable entity";
    case 429:
      return "too many requests";
    case 503:
      return "unavailable";
    default:
      return "internal error";
  }
}

unsigned status_of(const Error& error) { return net::Response::from(error).status; }

std::string reasons_of(const ingest::Outcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < std::min(reasons_max, outcome.errors.size()); ++i)
    text += fmt::format("{}line {}: {}", i == 0 ? "" : "; ", outcome.errors[i].line, outcome.errors[i].reason);
  if (outcome.rejected > reasons_max) text += fmt::format("; and {} more", outcome.rejected - reasons_max);
  return text;
}

/// Points that the log did not take, or did not bring to safety: the client may send them again.
net::Response refused(const ingest::Outcome& outcome, Dialect dialect) {
  const unsigned status = status_of(*outcome.refusal);
  net::Response response = error_response(
      status,
      fmt::format("{} ({} points were taken, {} not tried)", outcome.refusal->message, outcome.accepted, outcome.refused),
      dialect);
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

std::optional<std::int64_t> unit_of(std::string_view precision, Dialect dialect) {
  constexpr std::int64_t second = 1'000'000'000;
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> common{
      {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", second}}};
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> old{
      {{"n", 1}, {"u", 1'000}, {"µ", 1'000}, {"m", 60 * second}, {"h", 3'600 * second}}};
  for (const auto& [name, unit] : common)
    if (name == precision) return unit;
  if (dialect == Dialect::v1)
    for (const auto& [name, unit] : old)
      if (name == precision) return unit;
  return std::nullopt;
}

Status read_head(const net::Request& request, const config::Influx& config, Dialect dialect, ingest::Submission& submission) {
  submission.kind = ingest::SourceKind::influx;
  submission.format = ingest::BodyFormat::points;
  const std::string_view parameter = dialect == Dialect::v1 ? "db" : "bucket";
  const std::string_view database = request.query_value(parameter).value_or(std::string_view());
  if (database.empty())
    return Error{ErrorKind::invalid, dialect == Dialect::v1 ? "database is required" : "bucket is required"};
  const std::string_view precision = request.query_value("precision").value_or("ns");
  const std::optional<std::int64_t> unit = unit_of(precision, dialect);
  if (!unit)
    return Error{ErrorKind::invalid, fmt::format("invalid precision \"{}\": use {}", precision,
                                                 dialect == Dialect::v1 ? "n, u, ms, s, m or h" : "ns, us, ms or s")};
  auto rules = std::make_shared<ingest::PointRules>();
  rules->unit_ns = *unit;
  fill_names(*rules, config.dataset, database);
  rules->device_tags = config.device_tags;
  submission.points = std::move(rules);
  return {};
}

net::Response error_response(unsigned status, std::string_view message, Dialect dialect) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.headers.emplace_back("X-Influxdb-Version", version_told);
  json::Writer json(response.body);
  json.begin_object();
  if (dialect == Dialect::v1) {
    json.key("error").value(message);
  } else {
    json.key("code").value(code_of(status));
    json.key("message").value(message);
  }
  json.end_object();
  response.body += '\n';
  return response;
}

net::Response answer_to(const Result<ingest::Outcome>& result, Dialect dialect) {
  if (!result) return error_response(status_of(result.error()), result.error().message, dialect);
  if (result->refusal) return refused(*result, dialect);
  if (result->rejected == 0) {
    net::Response response;
    response.status = 204;
    response.headers.emplace_back("X-Influxdb-Version", version_told);
    return response;
  }
  const std::string reasons = reasons_of(*result);
  if (result->accepted + result->duplicates == 0) return error_response(400, reasons, dialect);
  return error_response(400, fmt::format("partial write: {} dropped={}", reasons, result->rejected), dialect);
}

}  // namespace iotstream::influx
