#include "influx/query.hpp"

#include <algorithm>

#include <iotstream/base/json.hpp>

namespace iotstream::influx {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The statement's words in capitals, one blank between them, as far as they are no names.
std::string normal(std::string_view statement) {
  std::string out;
  for (const char c : statement) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (blank && !out.empty() && out.back() == ' ') continue;
    out += blank ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

void write_series(json::Writer& json, std::string_view name, std::string_view column, const std::vector<std::string>& values) {
  json.key("series").begin_array().begin_object();
  json.key("name").value(name);
  json.key("columns").begin_array().value(column).end_array();
  json.key("values").begin_array();
  for (const std::string& value : values) json.begin_array().value(value).end_array();
  json.end_array().end_object().end_array();
}

void write_policies(json::Writer& json) {
  json.key("series").begin_array().begin_object();
  json.key("columns").begin_array();
  for (const char* column : {"name", "duration", "shardGroupDuration", "replicaN", "default"}) json.value(column);
  json.end_array();
  json.key("values").begin_array().begin_array();
  json.value("autogen").value("0s").value("168h0m0s").value(1).value(true);
  json.end_array().end_array().end_object().end_array();
}

void run(json::Writer& json, std::string_view statement, const std::vector<std::string>& datasets) {
  const std::string words = normal(statement);
  const auto begins = [&](std::string_view with) { return words.starts_with(with); };
  if (begins("CREATE DATABASE ") || begins("DROP DATABASE ") || begins("CREATE RETENTION POLICY ") ||
      begins("ALTER RETENTION POLICY ") || begins("DROP RETENTION POLICY "))
    return;
  if (words == "SHOW DATABASES") return write_series(json, "databases", "name", {"iotstream"});
  if (begins("SHOW RETENTION POLICIES")) return write_policies(json);
  if (begins("SHOW MEASUREMENTS")) return write_series(json, "measurements", "name", datasets);
  json.key("error").value(
      "this statement is not known here: history is asked for at /api/v1/datasets/{dataset}/events and /series");
}

/// Clients send one; a form full of them would be answered with gigabytes.
constexpr std::uint64_t statements_max = 100;

}  // namespace

std::string run_statements(std::string_view statements, const std::vector<std::string>& datasets) {
  std::string out;
  json::Writer json(out);
  json.begin_object().key("results").begin_array();
  std::uint64_t id = 0;
  while (!statements.empty() && id < statements_max) {
    const std::size_t end = std::min(statements.find(';'), statements.size());
    const std::string_view statement = trimmed(statements.substr(0, end));
    statements.remove_prefix(std::min(end + 1, statements.size()));
    if (statement.empty()) continue;
    json.begin_object().key("statement_id").value(id++);
    run(json, statement, datasets);
    json.end_object();
  }
  json.end_array().end_object();
  out += '\n';
  return out;
}

}  // namespace iotstream::influx
