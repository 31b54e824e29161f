#include <algorithm>
#include <charconv>
#include <glob.h>
#include <set>
#include <unistd.h>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <iotstream/config/config.hpp>

#include "config/reader.hpp"

namespace iotstream::config {

namespace {

constexpr Duration hundred_years = Duration::seconds(36'500ll * 86'400);

bool readable(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

Result<Endpoint> parse_endpoint(const std::string& text) {
  const Error error{
      ErrorKind::invalid,
      fmt::format("'{}' is no address to listen on; take ADDRESS:PORT with a numeric address, as 127.0.0.1:8080 or [::1]:8080",
                  text)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return error;
  Endpoint endpoint;
  endpoint.host = text.substr(0, colon);
  const char* begin = text.data() + colon + 1;
  const auto [end, code] = std::from_chars(begin, text.data() + text.size(), endpoint.port);
  if (code != std::errc() || end != text.data() + text.size()) return error;
  unsigned char address[16];
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
    if (::inet_pton(AF_INET6, endpoint.host.c_str(), address) != 1) return error;
  } else {
    if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
    if (::inet_pton(AF_INET, endpoint.host.c_str(), address) != 1) return error;
  }
  return endpoint;
}

std::string trimmed_file(const std::string& path) {
  std::string content;
  if (FILE* file = std::fopen(path.c_str(), "rb")) {
    char buffer[4096];
    const std::size_t count = std::fread(buffer, 1, sizeof buffer, file);
    std::fclose(file);
    content.assign(buffer, count);
  }
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!content.empty() && blank(content.back())) content.pop_back();
  const auto first = std::find_if_not(content.begin(), content.end(), blank);
  content.erase(content.begin(), first);
  return content;
}

void check_file(TableReader& reader, const char* key, const std::string& path, const char* what) {
  if (!path.empty() && !readable(path))
    reader.problem(key, fmt::format("{} '{}' cannot be read; is the path right, seen from the current directory?", what, path));
}

void read_listen(TableReader& reader, Server& server) {
  std::vector<std::string> texts;
  reader.texts("listen", texts);
  if (!reader.has("listen")) return;
  server.listen.clear();
  if (texts.empty()) reader.problem("listen", "server.listen must name at least one address");
  for (const std::string& text : texts) {
    auto endpoint = parse_endpoint(text);
    endpoint ? server.listen.push_back(*endpoint) : reader.problem("listen", "server.listen: " + endpoint.error().message);
  }
}

void read_server(TableReader& reader, Server& server) {
  read_listen(reader, server);
  reader.size("max_body", server.body_size_max, 1024, 4ull << 30);
  reader.text("token_file", server.token_file);
  reader.text("tls_certificate", server.tls_certificate);
  reader.text("tls_key", server.tls_key);
  reader.texts("allowed_origins", server.allowed_origins);
  reader.texts("allowed_hosts", server.allowed_hosts);
  reader.duration("idle_timeout", server.idle_timeout, Duration::seconds(1), Duration::seconds(86'400));
  reader.whole("connections_max", server.connections_max, 1, 1'000'000);
  check_file(reader, "token_file", server.token_file, "the token's file");
  check_file(reader, "tls_certificate", server.tls_certificate, "the certificate");
  check_file(reader, "tls_key", server.tls_key, "the key");
  if (server.tls_certificate.empty() != server.tls_key.empty()) {
    reader.problem("tls_certificate", "server.tls_certificate and server.tls_key belong together: give both or none");
  }
  if (!server.token_file.empty() && readable(server.token_file)) {
    server.token = trimmed_file(server.token_file);
    if (server.token.size() < 16)
      reader.problem("token_file", fmt::format("the token in '{}' has {} characters; it needs at least 16", server.token_file,
                                               server.token.size()));
  }
  for (const Endpoint& endpoint : server.listen) {
    if (endpoint.loopback() || !server.token_file.empty()) continue;
    reader.problem(
        "listen",
        fmt::format(
            "server.listen: {} can be reached from other machines, so server.token_file must be set; or listen on 127.0.0.1",
            endpoint.text()));
  }
}

void read_log(TableReader& reader, Log& log) {
  reader.whole("partitions", log.partitions, 1, 1024);
  reader.size("segment_size", log.segment_size, 1u << 20, 4ull << 30);
  reader.table("retention", [&](TableReader& retention) {
    retention.size("size", log.retention_size, 0, 1ull << 50);
    retention.duration("age", log.retention_age, {0}, hundred_years);
  });
  reader.choice("sync", {"batch", "interval", "none"}, [&](std::size_t index) { log.sync = static_cast<Sync>(index); });
  reader.duration("sync_interval", log.sync_interval, Duration::milliseconds(1), Duration::seconds(60));
}

void read_store(TableReader& reader, Store& store) {
  reader.table("retention", [&](TableReader& retention) {
    const Duration least = Duration::seconds(60);
    retention.duration("rows", store.retention_rows, least, hundred_years);
    retention.duration("1s", store.retention_1s, least, hundred_years);
    retention.duration("1min", store.retention_1min, least, hundred_years);
    retention.duration("1h", store.retention_1h, least, hundred_years);
  });
}

void read_prototype(TableReader& reader, Config& config) {
  Prototype prototype;
  prototype.place = reader.place();
  reader.text("code", prototype.code);
  reader.text("label", prototype.label);
  reader.text("brand", prototype.brand);
  reader.text("version", prototype.version);
  reader.text("dataset", prototype.dataset);
  reader.text("model", prototype.model);
  reader.texts("csv", prototype.csv);
  if (prototype.code.empty()) reader.problem("code", "a prototype needs a code, as code = \"X46789\"");
  if (prototype.dataset.empty()) prototype.dataset = prototype.code;
  check_file(reader, "model", prototype.model, "the model");
  for (const std::string& pattern : prototype.csv) {
    auto files = expand({pattern});
    if (!files) reader.problem("csv", files.error().message);
  }
  for (const Prototype& other : config.prototypes) {
    if (other.code == prototype.code)
      reader.problem("code", fmt::format("prototype '{}' is there already, at {}", prototype.code, other.place));
  }
  config.prototypes.push_back(std::move(prototype));
}

void read_simulation(TableReader& reader, Config& config) {
  Simulation simulation;
  simulation.place = reader.place();
  reader.text("prototype", simulation.prototype);
  std::string period = "recorded";
  const std::string recorded = period;
  if (reader.has("period")) {
    reader.text("period", period);
    if (period != recorded) {
      Duration value{};
      reader.duration("period", value, {100}, Duration::seconds(86'400));
      simulation.period = value;
    }
  } else {
    reader.text("period", period);
  }
  reader.number("speed", simulation.speed, 0.001, 10'000);
  reader.whole("devices", simulation.devices, 1, 100'000);
  reader.truth("loop", simulation.loop);
  reader.choice("transport", {"http", "inproc"},
                [&](std::size_t index) { simulation.transport = static_cast<Transport>(index); });
  reader.whole("seed", simulation.seed, 0, INT64_MAX);
  const auto known = [&](const Prototype& prototype) { return prototype.code == simulation.prototype; };
  if (simulation.prototype.empty()) {
    reader.problem("prototype", "a simulation needs a prototype, as prototype = \"X46789\"");
  } else if (std::none_of(config.prototypes.begin(), config.prototypes.end(), known)) {
    std::vector<std::string> codes;
    for (const Prototype& prototype : config.prototypes) codes.push_back(prototype.code);
    const auto near = nearest(simulation.prototype, codes);
    reader.problem("prototype", fmt::format("there is no [[prototype]] with code '{}'{}", simulation.prototype,
                                            near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  config.simulations.push_back(std::move(simulation));
}

void read_root(const toml::table& root, Problems& problems, Config& config) {
  TableReader reader(root, "", problems);
  reader.text("data_dir", config.data_dir);
  if (config.data_dir.empty()) reader.problem("data_dir", "data_dir must name a folder");
  reader.table("server", [&](TableReader& table) { read_server(table, config.server); });
  reader.table("log", [&](TableReader& table) { read_log(table, config.log); });
  reader.table("store", [&](TableReader& table) { read_store(table, config.store); });
  reader.tables("prototype", [&](TableReader& table, const toml::node&) { read_prototype(table, config); });
  reader.tables("simulation", [&](TableReader& table, const toml::node&) { read_simulation(table, config); });
  reader.unknown();
}

/// The value of an override: TOML, or a bare word as a text.
toml::parse_result parse_value(const std::string& text) {
  auto parsed = toml::parse("value = " + text);
  if (parsed.succeeded()) return parsed;
  std::string quoted = "value = \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return toml::parse(quoted + "\"");
}

/// The table that `part` names inside `table`, made when it is not there; a number reaches into a list of tables.
toml::table* descend(toml::table& table, const std::string& part, const std::string& next, std::string& problem) {
  if (!table.contains(part)) table.insert(part, toml::table());
  toml::node* node = table.get(part);
  if (auto* inner = node->as_table()) return inner;
  if (auto* array = node->as_array()) {
    std::size_t index = 0;
    const auto [end, code] = std::from_chars(next.data(), next.data() + next.size(), index);
    if (code != std::errc() || end != next.data() + next.size() || index >= array->size() || !(*array)[index].is_table()) {
      problem = fmt::format("'{}' is a list of {} tables; name one by its number, from 0", part, array->size());
      return nullptr;
    }
    return (*array)[index].as_table();
  }
  problem = fmt::format("'{}' is no table", part);
  return nullptr;
}

void apply_override(toml::table& root, const std::string& text, Problems& problems) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  const auto fail = [&](std::string message) { problems.list.push_back({"--set " + key, std::move(message)}); };
  if (equals == std::string::npos || key.empty()) return fail("write KEY=VALUE, as --set log.partitions=8");
  auto value = parse_value(text.substr(equals + 1));
  if (!value.succeeded()) return fail(fmt::format("'{}' is no value", text.substr(equals + 1)));

  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t dot = std::min(key.find('.', at), key.size());
    parts.push_back(key.substr(at, dot - at));
    at = dot + 1;
  }
  toml::table* table = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const bool list = table->contains(parts[i]) && table->get(parts[i])->is_array();
    std::string problem;
    table = descend(*table, parts[i], i + 1 < parts.size() ? parts[i + 1] : "", problem);
    if (table == nullptr) return fail(problem);
    if (list) ++i;  // the next part was the number
    if (i + 1 >= parts.size()) return fail("name a key inside the table");
  }
  problems.overridden.insert(key);
  table->insert_or_assign(parts.back(), *value.table().get("value"));
}

}  // namespace

bool Endpoint::loopback() const { return host.starts_with("127.") || host == "::1"; }

std::string Endpoint::text() const {
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Loaded load(const std::string& path, const std::vector<std::string>& overrides) {
  Loaded loaded;
  loaded.config.path = path;
  if (!readable(path)) {
    loaded.problems.push_back({path, "the configuration file cannot be read; is the path right?"});
    return loaded;
  }
  auto parsed = toml::parse_file(path);
  if (!parsed.succeeded()) {
    const toml::source_position at = parsed.error().source().begin;
    loaded.problems.push_back({fmt::format("{}:{}:{}", path, at.line, at.column), std::string(parsed.error().description())});
    return loaded;
  }
  Problems problems;
  problems.file = path;
  for (const std::string& text : overrides) apply_override(parsed.table(), text, problems);
  read_root(parsed.table(), problems, loaded.config);
  loaded.problems = std::move(problems.list);
  return loaded;
}

Result<std::vector<std::string>> expand(const std::vector<std::string>& patterns) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    if (readable(pattern)) {
      files.push_back(pattern);
      continue;
    }
    glob_t matches{};
    const int code = ::glob(pattern.c_str(), 0, nullptr, &matches);
    for (std::size_t i = 0; code == 0 && i < matches.gl_pathc; ++i) files.emplace_back(matches.gl_pathv[i]);
    ::globfree(&matches);
    if (code != 0)
      return Error{
          ErrorKind::invalid,
          fmt::format("no file that can be read matches '{}'; is the path right, seen from the current directory?", pattern)};
  }
  return files;
}

std::optional<std::string> nearest(std::string_view key, const std::vector<std::string>& valid) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const std::string& candidate : valid) {
    // Optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours.
    std::vector<std::vector<std::size_t>> distance(key.size() + 1, std::vector<std::size_t>(candidate.size() + 1));
    for (std::size_t i = 0; i <= key.size(); ++i) {
      for (std::size_t j = 0; j <= candidate.size(); ++j) {
        if (i == 0 || j == 0) {
          distance[i][j] = i + j;
          continue;
        }
        const std::size_t change = key[i - 1] == candidate[j - 1] ? 0 : 1;
        distance[i][j] = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + change});
        if (i > 1 && j > 1 && key[i - 1] == candidate[j - 2] && key[i - 2] == candidate[j - 1])
          distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
      }
    }
    if (distance[key.size()][candidate.size()] < best_distance) {
      best_distance = distance[key.size()][candidate.size()];
      best = candidate;
    }
  }
  return best;
}

}  // namespace iotstream::config
