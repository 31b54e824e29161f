// Imported files: their list, and each as a data set of its own.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include <iotstream/profile/series.hpp>
#include <iotstream/store/slow_queries.hpp>

#include "http/asking.hpp"
#include "http/csv_writer.hpp"
#include "http/file_events.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t page_size = 1000;
constexpr std::uint64_t rows_max = 100'000'000;
constexpr std::uint64_t buckets_max = 100'000;
constexpr std::uint64_t numbers_max = 2'000'000;  ///< of one answer of series: buckets, fields and aggregates together

void write_info(json::Writer& writer, const catalog::FileInfo& file) {
  const auto time = [&](const char* key, const std::optional<Timestamp>& value) {
    writer.key(key);
    value ? writer.value(value->us) : writer.null();
  };
  writer.begin_object();
  writer.key("id").value(file.id).key("dataset").value(fmt::format("file:{}", file.id));
  writer.key("name").value(file.name).key("path").value(file.path).key("prototype").value(file.prototype);
  writer.key("stream").value(file.dataset).key("rows").value(file.rows).key("rejected").value(file.rejected);
  writer.key("columns").value(file.columns).key("bytes").value(file.bytes).key("time_column").value(file.time_column);
  time("from", file.first_time);
  time("to", file.last_time);
  writer.key("imported").value(file.imported.us);
  writer.end_object();
}

enum class Format : unsigned char { json, ndjson, csv };

Result<Format> format_parameter(const net::Request& request) {
  const std::string_view text = request.query_value("format").value_or("json");
  if (text == "json") return Format::json;
  if (text == "ndjson") return Format::ndjson;
  if (text == "csv") return Format::csv;
  return Error{ErrorKind::invalid, fmt::format("format: '{}' is none of json, ndjson, csv", text)};
}

struct Rows {
  catalog::FileQuery query;
  std::shared_ptr<const query::Bound> where;
  std::vector<FieldId> shown;  ///< all when none were named
  Format format = Format::json;
  std::uint64_t limit = 0;
};

/// Pulls page after page out of the catalog while the client takes them.
class FileStream final : public net::BodySource {
 public:
  FileStream(std::unique_ptr<catalog::FileRows> file, Rows rows)
      : file_(std::move(file)), rows_(std::move(rows)), shown_(file_->schema()->fields().size(), false), left_(rows_.limit) {
    for (const FieldId field : rows_.shown) shown_[field.value] = true;
  }

  Result<bool> next(std::string& out) override {
    if (std::exchange(first_page_, false)) begin(out);
    std::uint64_t looked_at = 0;
    std::uint64_t given = 0;
    bool more = false;
    auto walked = file_->walk(rows_.query, [&](const catalog::FileRow& row) {
      if (client_gone()) return false;
      // One more than asked for shows that there is a further page; many that do not pass end one early.
      if (given == std::min(left_, page_size) || looked_at == 100 * page_size) {
        more = true;
        return false;
      }
      ++looked_at;
      rows_.query.after = row.number;
      if (rows_.where != nullptr && !rows_.where->matches(FileEvent(row, file_->info()))) return true;
      ++given;
      append(out, row);
      return true;
    });
    if (!walked) return walked.error();
    left_ -= given;
    if (more && left_ > 0) return true;
    more = more && rows_.limit > 0;
    if (rows_.format != Format::json) return false;
    out += "],\"next\":";
    more ? out += fmt::format("\"{}\"", rows_.query.after.value_or(0)) : out += "null";
    out += '}';
    return false;
  }

 private:
  void begin(std::string& out) const {
    if (rows_.format == Format::json) out += "{\"events\":[";
    if (rows_.format != Format::csv) return;
    out += "@timestamp,_row,_line";
    for (const FieldId field : rows_.shown) {
      out += ',';
      append_csv_text(out, file_->schema()->field(field).name);
    }
    out += "\r\n";
  }

  void append(std::string& out, const catalog::FileRow& row) {
    if (rows_.format == Format::csv) return append_csv(out, row);
    if (rows_.format == Format::json && !std::exchange(first_row_, false)) out += ',';
    json::Writer writer(out);
    writer.begin_object();
    std::string text;
    for (const auto& [field, value] : *row.values) {
      const std::string& name = file_->schema()->field(field).name;
      if (!shown_[field.value] || name == "@timestamp" || name == "_row" || name == "_line") continue;
      text.clear();
      model::append_json(text, value);
      writer.key(name).raw(text);
    }
    writer.key("@timestamp").value(format_rfc3339(row.time)).key("_row").value(row.number).key("_line").value(row.line);
    writer.end_object();
    if (rows_.format == Format::ndjson) out += '\n';
  }

  void append_csv(std::string& out, const catalog::FileRow& row) const {
    out += fmt::format("{},{},{}", format_rfc3339(row.time), row.number, row.line);
    auto value = row.values->begin();
    for (const FieldId field : rows_.shown) {
      out += ',';
      while (value != row.values->end() && value->first < field) ++value;
      if (value != row.values->end() && value->first == field) append_csv_value(out, value->second);
    }
    out += "\r\n";
  }

  std::unique_ptr<catalog::FileRows> file_;
  Rows rows_;
  std::vector<bool> shown_;
  std::uint64_t left_;
  bool first_page_ = true;
  bool first_row_ = true;
};

Status read_range(Services& services, const net::Request& request, catalog::FileQuery& query) {
  const Timestamp now = services.clock.now();
  auto from = time_parameter(request, "from", now);
  if (!from) return from.error();
  auto to = time_parameter(request, "to", now);
  if (!to) return to.error();
  query.from = *from;
  query.to = *to;
  return {};
}

Result<Rows> rows_of(Services& services, const net::Request& request, const model::Schema& schema) {
  Rows rows;
  if (auto read = read_range(services, request, rows.query); !read) return read.error();
  auto format = format_parameter(request);
  if (!format) return format.error();
  auto limit = number_parameter(request, "limit", 100, 0, rows_max);
  if (!limit) return limit.error();
  auto fields = fields_parameter(request, schema);
  if (!fields) return fields.error();
  auto where = where_parameter(services, request, schema);
  if (!where) return where.error();
  const std::string_view order = request.query_value("order").value_or("asc");
  if (order != "asc" && order != "desc")
    return Error{ErrorKind::invalid, fmt::format("order: '{}' is neither asc nor desc", order)};
  rows.query.backwards = order == "desc";
  if (const auto cursor = request.query_value("cursor"); cursor && !cursor->empty()) {
    std::uint64_t after = 0;
    const auto [end, code] = std::from_chars(cursor->data(), cursor->data() + cursor->size(), after);
    if (code != std::errc() || end != cursor->data() + cursor->size())
      return Error{ErrorKind::invalid, fmt::format("cursor: '{}' is not from an earlier page", *cursor)};
    rows.query.after = after;
  }
  rows.format = *format;
  rows.limit = *limit;
  rows.where = std::move(*where);
  rows.shown = *fields;
  if (rows.shown.empty())
    for (const model::Field& field : schema.fields()) rows.shown.push_back(field.id);
  std::sort(rows.shown.begin(), rows.shown.end());
  rows.shown.erase(std::unique(rows.shown.begin(), rows.shown.end()), rows.shown.end());
  rows.query.fields = std::move(*fields);
  if (rows.where != nullptr && !rows.query.fields.empty())
    for (const FieldId field : rows.where->fields()) rows.query.fields.push_back(field);
  return rows;
}

// ---- series ----

struct FileSeries {
  catalog::FileQuery query;
  std::shared_ptr<const query::Bound> where;
  profile::SeriesOptions options;
  bool elapsed = false;
  Timestamp zero;  ///< of elapsed time
};

Result<std::vector<profile::SeriesAggregate>> aggregates_parameter(const net::Request& request) {
  std::vector<profile::SeriesAggregate> aggregates;
  for (const std::string& name : split_list(request.query_value("agg").value_or("avg"))) {
    const auto aggregate = profile::series_aggregate_from(name);
    if (!aggregate)
      return Error{ErrorKind::invalid,
                   fmt::format("agg: '{}' is none of avg, min, max, sum, count, first, last, p50, p95, p99, m4", name)};
    aggregates.push_back(*aggregate);
  }
  return aggregates;
}

/// The first and last time of the rows in the range; nothing without any.
Result<std::optional<std::pair<Timestamp, Timestamp>>> ends_of(catalog::FileRows& file, catalog::FileQuery query) {
  std::optional<std::pair<Timestamp, Timestamp>> ends;
  const FieldId none(static_cast<std::uint32_t>(file.schema()->fields().size()));
  query.fields = {none};
  auto walked = file.walk(query, [&](const catalog::FileRow& row) {
    ends.emplace(row.time, row.time);
    return false;
  });
  query.backwards = true;
  if (walked && ends) {
    walked = file.walk(query, [&](const catalog::FileRow& row) {
      ends->second = row.time;
      return false;
    });
  }
  if (!walked) return walked.error();
  return ends;
}

/// Sets begin, interval and number of the buckets for rows from `first` to `last`.
Status choose_buckets(const net::Request& request, Timestamp first, Timestamp last, FileSeries& series) {
  profile::SeriesOptions& options = series.options;
  const std::int64_t range = (last - first).us + 1;
  if (const auto text = request.query_value("interval")) {
    auto interval = parse_duration(*text);
    if (!interval) return Error{ErrorKind::invalid, fmt::format("interval: {}", interval.error().message)};
    if (interval->us <= 0) return Error{ErrorKind::invalid, "interval: must be longer than nothing"};
    options.interval = *interval;
  } else {
    auto points = number_parameter(request, "points", 500, 1, buckets_max);
    if (!points) return points.error();
    const auto wanted = static_cast<std::int64_t>(*points);
    options.interval = Duration{std::max<std::int64_t>(1, (range + wanted - 1) / wanted)};
  }
  // Buckets of an interval begin at its multiples since the epoch; those of a number of points, and of elapsed time, where the
  // rows do.
  std::int64_t begin = first.us;
  if (request.query_value("interval")) {
    const std::int64_t since = series.elapsed ? first.us - series.zero.us : first.us;
    std::int64_t rest = since % options.interval.us;
    if (rest < 0) rest += options.interval.us;
    begin = first.us - rest;
  }
  options.begin = Timestamp{begin};
  const auto buckets = static_cast<std::uint64_t>((last.us - begin) / options.interval.us) + 1;
  const std::uint64_t numbers = buckets * options.fields * options.aggregates.size();
  if (buckets > buckets_max || numbers > numbers_max)
    return Error{
        ErrorKind::invalid,
        fmt::format("{} buckets of {} fields are too many: choose a longer interval or fewer fields", buckets, options.fields)};
  options.buckets = buckets;
  return {};
}

void append_numbers(std::string& out, const std::vector<double>& numbers, bool whole) {
  out += '[';
  bool comma = false;
  for (const double number : numbers) {
    if (std::exchange(comma, true)) out += ',';
    whole ? json::append_number(out, static_cast<std::uint64_t>(number)) : json::append_number(out, number);
  }
  out += ']';
}

std::string series_json(const catalog::FileRows& file, const FileSeries& series, const std::vector<FieldId>& fields,
                        const std::vector<profile::SeriesLine>& lines, std::uint64_t rows) {
  const std::int64_t zero = series.elapsed ? series.zero.us : 0;
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("dataset").value(file.schema()->dataset());
  writer.key("interval_us").value(series.options.interval.us).key("rows_scanned").value(rows).key("tier").value("rows");
  writer.key("elapsed").value(series.elapsed);
  writer.key("time").begin_array();
  for (std::size_t i = 0; i < series.options.buckets; ++i)
    writer.value(series.options.begin.us - zero + static_cast<std::int64_t>(i) * series.options.interval.us);
  writer.end_array().key("series").begin_array();
  for (const profile::SeriesLine& line : lines) {
    writer.begin_object().key("field").value(file.schema()->field(fields[line.field]).name);
    writer.key("agg").value(profile::name_of(line.aggregate));
    if (line.aggregate == profile::SeriesAggregate::m4) {
      writer.key("time").begin_array();
      for (const Timestamp time : line.times) writer.value(time.us - zero);
      writer.end_array();
    }
    std::string values;
    append_numbers(values, line.values, line.aggregate == profile::SeriesAggregate::count);
    writer.key("values").raw(values).end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

model::Value FileEvent::value(FieldId field) const {
  const auto found = std::lower_bound(row_.values->begin(), row_.values->end(), field,
                                      [](const auto& one, FieldId id) { return one.first < id; });
  return found != row_.values->end() && found->first == field ? found->second : model::Value{};
}

bool is_file(const net::Request& request) { return catalog::file_id_of(request.param("dataset")).has_value(); }

Result<std::unique_ptr<catalog::FileRows>> open_file_of(const Services& services, const net::Request& request) {
  return catalog::open_file(services.config.data_dir, catalog::file_id_of(request.param("dataset")).value_or(-1),
                            services.schemas);
}

Answer file_dataset(Services& services, const net::Request& request) {
  auto file = open_file_of(services, request);
  if (!file) return file.error();
  std::string body;
  json::Writer writer(body);
  write_info(writer, (*file)->info());
  return net::Response::json(std::move(body));
}

Answer file_schema(Services& services, const net::Request& request) {
  auto file = open_file_of(services, request);
  if (!file) return file.error();
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("dataset").value((*file)->schema()->dataset()).key("version").value(1);
  writer.key("fields").begin_array();
  for (const model::Field& field : (*file)->schema()->fields()) {
    writer.begin_object().key("name").value(field.name).key("label").value(field.label);
    writer.key("type").value(model::name_of(field.type)).key("unit").value(field.unit);
    writer.key("kind").value(model::name_of(field.kind)).key("group").value(model::group_of(field));
    writer.key("description").value(field.description).key("hidden").value(field.hidden).end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Answer file_events(Services& services, const net::Request& request) {
  auto file = open_file_of(services, request);
  if (!file) return file.error();
  auto rows = rows_of(services, request, *(*file)->schema());
  if (!rows) return rows.error();
  net::Response response;
  response.content_type = rows->format == Format::json     ? "application/json"
                          : rows->format == Format::ndjson ? "application/x-ndjson"
                                                           : "text/csv; charset=utf-8";
  if (rows->format == Format::csv) response.headers.emplace_back("Content-Disposition", "attachment; filename=\"events.csv\"");
  response.source = std::make_unique<FileStream>(std::move(*file), std::move(*rows));
  return response;
}

Answer file_series(Services& services, const net::Request& request) {
  const std::int64_t began = services.clock.monotonic_ns();
  auto file = open_file_of(services, request);
  if (!file) return file.error();
  auto fields = fields_parameter(request, *(*file)->schema());
  if (!fields) return fields.error();
  if (fields->empty()) return Error{ErrorKind::invalid, "fields: name at least one field, separated by commas"};
  auto aggregates = aggregates_parameter(request);
  if (!aggregates) return aggregates.error();
  auto where = where_parameter(services, request, *(*file)->schema());
  if (!where) return where.error();
  FileSeries series;
  series.where = std::move(*where);
  if (auto read = read_range(services, request, series.query); !read) return read.error();
  const std::string_view time = request.query_value("time").value_or("recorded");
  if (time != "recorded" && time != "elapsed")
    return Error{ErrorKind::invalid, fmt::format("time: '{}' is neither recorded nor elapsed", time)};
  series.elapsed = time == "elapsed";
  series.options.fields = fields->size();
  series.options.aggregates = std::move(*aggregates);
  const auto whole = ends_of(**file, {});
  if (!whole) return whole.error();
  const auto ends = ends_of(**file, series.query);
  if (!ends) return ends.error();
  if (*whole) series.zero = (*whole)->first;
  if (*ends)
    if (auto chosen = choose_buckets(request, (*ends)->first, (*ends)->second, series); !chosen) return chosen.error();

  profile::SeriesBuilder builder(series.options);
  series.query.fields = *fields;
  if (series.where != nullptr)
    for (const FieldId field : series.where->fields()) series.query.fields.push_back(field);
  std::vector<std::vector<std::size_t>> places((*file)->schema()->fields().size());
  for (std::size_t i = 0; i < fields->size(); ++i) places[(*fields)[i].value].push_back(i);
  std::uint64_t rows = 0;
  const auto left = client_left(request);
  auto walked = (*file)->walk(series.query, [&](const catalog::FileRow& row) {
    ++rows;
    if (left()) return false;
    if (series.where != nullptr && !series.where->matches(FileEvent(row, (*file)->info()))) return true;
    for (const auto& [field, value] : *row.values) {
      if (places[field.value].empty()) continue;
      const double number = value.as_double();
      if (!std::isfinite(number)) continue;
      for (const std::size_t place : places[field.value]) builder.add(place, row.time, number);
    }
    return true;
  });
  if (!walked) return walked.error();
  if (left()) return Error{ErrorKind::unavailable, "nobody waits for the answer any more"};
  const auto lines = builder.finish();
  store::SlowQueries::of_process().note(services.clock.now(), "series", (*file)->schema()->dataset(),
                                        Duration{(services.clock.monotonic_ns() - began) / 1000}, rows);
  return net::Response::json(series_json(**file, series, *fields, lines, rows));
}

void add_file_routes(net::Router& router, Services& services) {
  router.add(net::Method::get, "/api/v1/files", on_worker(services, [&services](const net::Request&) -> Answer {
               auto files = catalog::list_files(services.config.data_dir);
               if (!files) return files.error();
               std::string body;
               json::Writer writer(body);
               writer.begin_object().key("files").begin_array();
               for (const catalog::FileInfo& file : *files) write_info(writer, file);
               writer.end_array().end_object();
               return net::Response::json(std::move(body));
             }));
}

}  // namespace iotstream::http
