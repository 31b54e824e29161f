// POST /api/v1/sql: one reading statement over history.db and catalog.db.
#include <atomic>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/sqlite/guarded.hpp>

#include "http/asking.hpp"
#include "http/body.hpp"
#include "http/question_metrics.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t rows_default = 1'000;
constexpr std::uint64_t rows_max = 100'000;
constexpr std::size_t answer_bytes_max = 32u << 20;  ///< of rows as JSON: the answer ends there, truncated
constexpr Duration time_max = Duration::seconds(60);

struct SqlRequest {
  std::string sql;
  sqlite::GuardedLimits limits;
};

Result<SqlRequest> read_request(const net::Request& request) {
  auto body = JsonObject::parse(request.body);
  if (!body) return body.error();
  auto sql = body->text("sql");
  if (!sql) return sql.error();
  if (!*sql) return Error{ErrorKind::invalid, "'sql' is missing: {\"sql\":\"SELECT …\"}"};
  auto limit = body->whole("limit");
  if (!limit) return limit.error();
  auto timeout = body->text("timeout");
  if (!timeout) return timeout.error();
  SqlRequest read;
  read.sql = std::move(**sql);
  read.limits.rows = limit->value_or(rows_default);
  if (read.limits.rows > rows_max)
    return Error{ErrorKind::invalid, fmt::format("'limit' is at most {}: ask for a part, or export with …/events", rows_max)};
  if (*timeout) {
    auto time = parse_duration(**timeout);
    if (!time) return Error{ErrorKind::invalid, fmt::format("'timeout': {}", time.error().message)};
    if (time->us <= 0 || *time > time_max) return Error{ErrorKind::invalid, "'timeout' is at most 60s"};
    read.limits.time = *time;
  }
  return read;
}

/// The rows as JSON, and what each column has held.
class SqlRows {
 public:
  void columns(const std::vector<std::string>& names) {
    names_ = names;
    held_.assign(names.size(), 0);
  }
  /// false: the answer is full.
  bool row(const sqlite::Statement& row) {
    const std::size_t before = rows_.size();
    if (count_ > 0) rows_ += ',';
    rows_ += '[';
    for (int column = 0; column < row.column_count(); ++column) {
      if (column > 0) rows_ += ',';
      append(row, column);
      if (rows_.size() > answer_bytes_max) {
        rows_.resize(before);
        return false;
      }
    }
    rows_ += ']';
    ++count_;
    return true;
  }
  std::uint64_t count() const { return count_; }

  std::string json(bool truncated, Duration took) const {
    std::string out;
    out.reserve(rows_.size() + 4096);
    json::Writer writer(out);
    writer.begin_object().key("columns").begin_array();
    for (const std::string& name : names_) writer.value(name);
    writer.end_array().key("types").begin_array();
    for (const unsigned held : held_) writer.value(type_of(held));
    writer.end_array().key("rows").raw("[");
    out += rows_;
    out += "]";
    writer.key("truncated").value(truncated).key("ms").value(static_cast<double>(took.us) / 1000).end_object();
    return out;
  }

 private:
  enum Held : unsigned { integer = 1, real = 2, text = 4, blob = 8 };

  static const char* type_of(unsigned held) {
    switch (held) {
      case 0:
        return "null";
      case integer:
        return "integer";
      case real:
        return "real";
      case integer | real:
        return "number";
      case text:
        return "text";
      case blob:
        return "blob";
      default:
        return "mixed";
    }
  }

  void append(const sqlite::Statement& row, int column) {
    unsigned& held = held_[static_cast<std::size_t>(column)];
    switch (row.type(column)) {
      case sqlite::ColumnType::null:
        rows_ += "null";
        return;
      case sqlite::ColumnType::integer:
        held |= integer;
        json::append_number(rows_, row.integer(column));
        return;
      case sqlite::ColumnType::real:
        held |= real;
        append_real(row.real(column));
        return;
      case sqlite::ColumnType::text:
        held |= text;
        json::append_string(rows_, row.text(column));
        return;
      case sqlite::ColumnType::blob:
        held |= blob;
        rows_ += fmt::format("{{\"base64\":\"{}\"}}", base64_encode(as_text(row.blob(column))));
        return;
    }
  }

  /// With a point or an exponent, so that it stays a real; JSON has no infinity.
  void append_real(double number) {
    if (!std::isfinite(number)) {
      rows_ += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
      return;
    }
    model::Value value;
    value.kind = model::ValueKind::real;
    value.real = number;
    model::append_json(rows_, value);
  }

  std::vector<std::string> names_;
  std::vector<unsigned> held_;
  std::string rows_;
  std::uint64_t count_ = 0;
};

/// A problem with the place of the mistake in the statement.
net::Response problem_at(const Error& error, std::uint32_t position) {
  net::Response response = net::Response::from(error);
  response.body.pop_back();
  response.body += fmt::format(",\"position\":{}}}", position);
  return response;
}

Answer sql(Questions& questions, const QuestionMetrics& metrics, const net::Request& request) {
  Services& services = questions.services;
  auto asked = read_request(request);
  if (!asked) return asked.error();
  const GivenUp given_up(questions, request);
  const std::string& folder = services.config.data_dir;
  const sqlite::GuardedFiles files{folder + "/history.db", {{"catalog", folder + "/catalog.db"}}, folder};

  SqlRows rows;
  const std::int64_t began = services.clock.monotonic_ns();
  const auto outcome = sqlite::run_guarded(files, asked->sql, asked->limits, [&] { return bool(given_up); },
                                           {[&](const std::vector<std::string>& names) { rows.columns(names); },
                                            [&](const sqlite::Statement& row) { return rows.row(row); }});
  const Duration took{(services.clock.monotonic_ns() - began) / 1000};
  metrics.note(services, asked->sql, took, rows.count(), outcome.error ? outcome.error->message : std::string());
  if (!outcome.error) return net::Response::json(rows.json(outcome.truncated, took));
  if (outcome.position) return problem_at(*outcome.error, *outcome.position);
  return *outcome.error;
}

}  // namespace

void add_sql_route(net::Router& router, Questions& questions) {
  const auto metrics = std::make_shared<QuestionMetrics>(questions.services.metrics, "sql");
  router.add(net::Method::post, "/api/v1/sql", on_askers(questions, [&questions, metrics](const net::Request& request) {
               return sql(questions, *metrics, request);
             }));
}

}  // namespace iotstream::http
