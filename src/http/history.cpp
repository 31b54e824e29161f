// GET …/events, streamed page by page, and GET …/series.
#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "http/asking.hpp"
#include "http/csv_writer.hpp"
#include "http/file_events.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t page_size = 1000;  ///< events fetched at a time: bounds the memory of an answer of any length
constexpr std::uint64_t events_max = 100'000'000;
constexpr std::uint64_t points_max = 100'000;
constexpr std::uint64_t m4_columns_max = 20'000;
constexpr std::int64_t day_us = 86'400'000'000;

enum class Format { json, ndjson, csv };

Result<Format> format_of(const net::Request& request) {
  const std::string_view text = request.query_value("format").value_or("json");
  if (text == "json") return Format::json;
  if (text == "ndjson") return Format::ndjson;
  if (text == "csv") return Format::csv;
  return Error{ErrorKind::invalid, fmt::format("format: '{}' is none of json, ndjson, csv", text)};
}

/// Pulls page after page out of history while the client takes them.
class EventStream final : public net::BodySource {
 public:
  EventStream(Services& services, model::SchemaPtr schema, store::EventQuery query, Format format)
      : services_(services), schema_(std::move(schema)), query_(std::move(query)), format_(format), left_(query_.limit) {
    if (format_ == Format::csv) csv_.emplace(*schema_, query_.fields);
    // What the request knew of its client ended with the answer's first byte.
    query_.cancelled = [this] { return client_gone(); };
  }

  Result<bool> next(std::string& out) override {
    if (first_page_) begin(out);
    query_.limit = std::min(left_, page_size);
    auto page = services_.history.events(query_, [&](const store::Event& event) {
      append(out, event);
      return true;
    });
    if (!page) return page.error();
    left_ -= page->count;
    count_ += page->count;
    query_.cursor = page->next;
    if (left_ > 0 && !page->next.empty()) return true;
    end(out, *page);
    return false;
  }

 private:
  void begin(std::string& out) {
    first_page_ = false;
    if (format_ == Format::json) out += "{\"events\":[";
    if (format_ == Format::csv) csv_->header(out);
  }

  void append(std::string& out, const store::Event& event) {
    if (format_ == Format::csv) return csv_->row(out, event);
    if (format_ == Format::json && !std::exchange(first_event_, false)) out += ',';
    append_event(out, event, *schema_, services_.schemas);
    if (format_ == Format::ndjson) out += '\n';
  }

  void end(std::string& out, const store::EventPage& page) {
    if (format_ != Format::json) return;
    out += "],\"count\":";
    json::append_number(out, count_);
    out += ",\"behind\":";
    json::append_number(out, page.behind);
    out += ",\"next\":";
    page.next.empty() ? static_cast<void>(out += "null") : json::append_string(out, page.next);
    out += '}';
  }

  Services& services_;
  model::SchemaPtr schema_;
  store::EventQuery query_;
  Format format_;
  std::uint64_t left_;
  std::uint64_t count_ = 0;
  std::optional<CsvWriter> csv_;
  bool first_page_ = true;
  bool first_event_ = true;
};

Result<store::EventQuery> event_query(Services& services, const net::Request& request, const model::Schema& schema) {
  store::EventQuery query;
  query.dataset = schema.dataset();
  const Timestamp now = services.clock.now();
  auto from = time_parameter(request, "from", now);
  if (!from) return from.error();
  auto to = time_parameter(request, "to", now);
  if (!to) return to.error();
  auto limit = number_parameter(request, "limit", 100, 0, events_max);
  if (!limit) return limit.error();
  auto fields = fields_parameter(request, schema);
  if (!fields) return fields.error();
  const std::string_view order = request.query_value("order").value_or("desc");
  if (order != "asc" && order != "desc")
    return Error{ErrorKind::invalid, fmt::format("order: '{}' is neither asc nor desc", order)};
  auto where = where_parameter(services, request, schema);
  if (!where) return where.error();
  query.where = std::move(*where);
  query.from = *from;
  query.to = *to;
  query.limit = *limit;
  query.fields = std::move(*fields);
  query.newest_first = order == "desc";
  query.device = request.query_value("device").value_or("");
  query.cursor = request.query_value("cursor").value_or("");
  query.cancelled = client_left(request);
  return query;
}

Answer events(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  auto format = format_of(request);
  if (!format) return format.error();
  auto query = event_query(services, request, **schema);
  if (!query) return query.error();
  // A first look for the errors that deserve a status of their own: once the body streams it is too late for one.
  store::EventQuery probe = *query;
  probe.limit = 1;
  if (auto tried = services.history.events(probe, [](const store::Event&) { return false; }); !tried) return tried.error();

  net::Response response;
  response.content_type = *format == Format::json     ? "application/json"
                          : *format == Format::ndjson ? "application/x-ndjson"
                                                      : "text/csv; charset=utf-8";
  if (*format == Format::csv) {
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"events.csv\"");
  }
  response.source = std::make_unique<EventStream>(services, *schema, std::move(*query), *format);
  return response;
}

Result<std::vector<store::Aggregate>> aggregates_of(const net::Request& request) {
  std::vector<store::Aggregate> aggregates;
  for (const std::string& name : split_list(request.query_value("agg").value_or("avg"))) {
    const auto aggregate = store::aggregate_from(name);
    if (!aggregate) {
      return Error{ErrorKind::invalid,
                   fmt::format("agg: '{}' is none of avg, min, max, sum, count, first, last, rate, p50, p95, p99, m4", name)};
    }
    aggregates.push_back(*aggregate);
  }
  return aggregates;
}

/// Round lengths that a person would choose, so that neighbouring windows share their bucket edges.
Duration bucket_width(Duration window, std::uint64_t points) {
  constexpr std::int64_t steps[] = {1'000,      2'000,      5'000,       10'000,      20'000,      50'000,      100'000,
                                    200'000,    500'000,    1'000'000,   2'000'000,   5'000'000,   10'000'000,  15'000'000,
                                    30'000'000, 60'000'000, 120'000'000, 300'000'000, 600'000'000, 900'000'000, 1'800'000'000,
                                    3600000000, 7200000000, 10800000000, 21600000000, 43200000000, day_us};
  const std::int64_t wanted = (window.us + static_cast<std::int64_t>(points) - 1) / static_cast<std::int64_t>(points);
  for (const std::int64_t step : steps) {
    if (step >= wanted) return {step};
  }
  return {(wanted + day_us - 1) / day_us * day_us};
}

/// What series and m4 are asked alike.
struct Window {
  std::vector<FieldId> fields;
  Timestamp from;
  Timestamp to;
  std::string device;
  std::shared_ptr<const query::Bound> where;
};

Result<Window> window_of(Services& services, const net::Request& request, const model::Schema& schema) {
  Window window;
  const Timestamp now = services.clock.now();
  auto from = time_parameter(request, "from", now);
  if (!from) return from.error();
  auto to = time_parameter(request, "to", now);
  if (!to) return to.error();
  auto fields = fields_parameter(request, schema);
  if (!fields) return fields.error();
  if (fields->empty()) return Error{ErrorKind::invalid, "fields: name at least one field, separated by commas"};
  window.to = to->value_or(now);
  window.from = from->value_or(window.to - Duration::seconds(900));
  if (window.from >= window.to) return Error{ErrorKind::invalid, "from: must be before to"};
  auto where = where_parameter(services, request, schema);
  if (!where) return where.error();
  window.fields = std::move(*fields);
  window.where = std::move(*where);
  window.device = request.query_value("device").value_or("");
  return window;
}

Result<Duration> interval_of(const net::Request& request, Duration window) {
  if (const auto text = request.query_value("interval")) {
    auto interval = parse_duration(*text);
    if (!interval) return Error{ErrorKind::invalid, fmt::format("interval: {}", interval.error().message)};
    if (interval->us <= 0) return Error{ErrorKind::invalid, "interval: must be longer than nothing"};
    return *interval;
  }
  auto points = number_parameter(request, "points", 500, 1, points_max);
  if (!points) return points.error();
  return bucket_width(window, *points);
}

void append_values(std::string& out, const std::vector<double>& values, bool whole) {
  out += '[';
  bool comma = false;
  for (const double value : values) {
    if (std::exchange(comma, true)) out += ',';
    if (std::isnan(value))
      out += "null";
    else if (whole)
      json::append_number(out, static_cast<std::uint64_t>(value));
    else
      json::append_number(out, value);
  }
  out += ']';
}

std::string times_json(const std::vector<Timestamp>& times) {
  std::string out = "[";
  for (const Timestamp time : times) {
    if (out.size() > 1) out += ',';
    json::append_number(out, time.us);
  }
  return out + ']';
}

std::string series_json(const store::Series& series, const model::Schema& schema) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("dataset").value(schema.dataset());
  writer.key("interval_us").value(series.interval.us);
  writer.key("tier").value(series.tier);
  writer.key("rows_scanned").value(series.rows_scanned);
  writer.key("behind").value(series.behind);
  writer.key("time").raw(times_json(series.time));
  writer.key("series").begin_array();
  for (const store::SeriesColumn& column : series.columns) {
    std::string values;
    append_values(values, column.values, column.aggregate == store::Aggregate::count);
    writer.begin_object();
    writer.key("field").value(schema.field(column.field).name);
    writer.key("agg").value(store::name_of(column.aggregate));
    writer.key("values").raw(values);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string m4_json(const store::M4& m4, const store::M4Query& query, const model::Schema& schema) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("dataset").value(schema.dataset());
  writer.key("from").value(query.from.us);
  writer.key("to").value(query.to.us);
  writer.key("columns").value(std::uint64_t{query.columns});
  writer.key("tier").value(m4.tier);
  writer.key("rows_scanned").value(m4.rows_scanned);
  writer.key("behind").value(m4.behind);
  writer.key("series").begin_array();
  for (const store::M4Line& line : m4.lines) {
    std::string values;
    append_values(values, line.values, false);
    writer.begin_object();
    writer.key("field").value(schema.field(line.field).name);
    writer.key("agg").value("m4");
    writer.key("time").raw(times_json(line.time));
    writer.key("values").raw(values);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

Answer m4(Services& services, const net::Request& request, const model::Schema& schema, Window window) {
  if (request.query_value("interval"))
    return Error{ErrorKind::invalid,
                 "interval: agg=m4 divides the window into points=… columns of a picture; leave interval out"};
  auto points = number_parameter(request, "points", 500, 1, m4_columns_max);
  if (!points) return points.error();
  store::M4Query query;
  query.dataset = schema.dataset();
  query.fields = std::move(window.fields);
  query.from = window.from;
  query.to = window.to;
  query.columns = static_cast<std::uint32_t>(*points);
  query.device = std::move(window.device);
  query.where = std::move(window.where);
  query.cancelled = client_left(request);
  auto result = services.history.m4(query);
  if (!result) return result.error();
  return net::Response::json(m4_json(*result, query, schema));
}

Answer series(Services& services, const net::Request& request) {
  auto schema = dataset_of(services, request);
  if (!schema) return schema.error();
  auto window = window_of(services, request, **schema);
  if (!window) return window.error();
  const std::vector<std::string> names = split_list(request.query_value("agg").value_or("avg"));
  if (std::find(names.begin(), names.end(), "m4") != names.end()) {
    if (names.size() > 1) return Error{ErrorKind::invalid, "agg: m4 stands alone: its points have times of their own"};
    return m4(services, request, **schema, std::move(*window));
  }
  auto aggregates = aggregates_of(request);
  if (!aggregates) return aggregates.error();
  store::SeriesQuery query;
  query.dataset = (*schema)->dataset();
  query.fields = std::move(window->fields);
  query.aggregates = std::move(*aggregates);
  query.from = window->from;
  query.to = window->to;
  query.device = std::move(window->device);
  query.where = std::move(window->where);
  query.widen = !request.query_value("interval");
  auto interval = interval_of(request, query.to - query.from);
  if (!interval) return interval.error();
  query.interval = *interval;
  query.cancelled = client_left(request);
  auto result = services.history.series(query);
  if (!result) return result.error();
  return net::Response::json(series_json(*result, **schema));
}

}  // namespace

void add_history_routes(net::Router& router, Services& services) {
  router.add(net::Method::get, "/api/v1/datasets/{dataset}/events",
             on_worker(services, [&services](const net::Request& request) {
               return is_file(request) ? file_events(services, request) : events(services, request);
             }));
  router.add(net::Method::get, "/api/v1/datasets/{dataset}/series",
             on_worker(services, [&services](const net::Request& request) {
               return is_file(request) ? file_series(services, request) : series(services, request);
             }));
}

}  // namespace iotstream::http
