#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/base/nearest.hpp>
#include <iotstream/config/config.hpp>

#include "config/endpoint.hpp"
#include "config/files.hpp"
#include "config/mqtt.hpp"
#include "config/section.hpp"
#include "config/tree.hpp"

namespace iotstream::config {

namespace {

constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t gib = 1u << 30;
constexpr Duration second = Duration::seconds(1);
constexpr Duration day = Duration::seconds(86'400);
constexpr Duration century = Duration::seconds(100ll * 365 * 86'400);
constexpr std::size_t file_size_max = 4 * mib;
constexpr std::size_t token_size_max = 64 * kib;
constexpr std::size_t name_size_max = 200;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void check_name(Section& section, std::string_view key, const std::string& name) {
  if (name.empty()) {
    section.problem(key, fmt::format("{} must not be empty", key));
  } else if (name.size() > name_size_max || std::any_of(name.begin(), name.end(), is_control)) {
    section.problem(key, fmt::format("{} must have at most {} bytes and no control characters", key, name_size_max));
  }
}

void check_endpoint(Section& section, const Endpoint& endpoint, const Server& server, std::size_t item) {
  const bool again = endpoint.port != 0 && std::any_of(server.listen.begin(), server.listen.end(),
                                                       [&](const Endpoint& other) { return other.text() == endpoint.text(); });
  if (again) section.problem("listen", fmt::format("the address {} is listed twice", endpoint.text()), item);
  if (endpoint.loopback() || section.ask("token_file") != nullptr) return;
  section.problem(
      "listen",
      fmt::format("{} can be reached from other machines: that needs server.token_file, a file that holds the token "
                  "clients must send",
                  endpoint.text()),
      item);
}

void read_listen(Section& section, Server& server) {
  std::vector<std::string> texts;
  if (!section.read_texts("listen", texts)) return;
  if (texts.empty()) section.problem("listen", "server.listen must name at least one address, for example \"127.0.0.1:8080\"");
  server.listen.clear();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto endpoint = parse_endpoint(texts[i]);
    if (!endpoint.ok()) {
      section.problem("listen", endpoint.error().message, i);
      continue;
    }
    check_endpoint(section, *endpoint, server, i);
    server.listen.push_back(std::move(*endpoint));
  }
}

void read_token(Section& section, Server& server) {
  section.read("token_file", server.token_file);
  if (server.token_file.empty()) {
    if (section.ask("token_file") != nullptr) section.problem("token_file", "server.token_file must name a file");
    return;
  }
  const auto content = read_text(server.token_file, token_size_max);
  if (!content.ok()) return section.problem("token_file", content.error().message);
  const std::size_t first = content->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) {
    return section.problem("token_file", fmt::format("'{}' is empty: it must hold the token clients send", server.token_file));
  }
  server.token = content->substr(first, content->find_last_not_of(" \t\r\n") - first + 1);
  // RFC 6750 has no blanks in a token: a client could never send it.
  const bool sendable = std::all_of(server.token.begin(), server.token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!sendable)
    section.problem("token_file", fmt::format("the token in '{}' must be visible ASCII without blanks", server.token_file));
}

void read_tls(Section& section, Server& server) {
  section.read("tls_certificate", server.tls_certificate);
  section.read("tls_key", server.tls_key);
  if (server.tls_certificate.empty() != server.tls_key.empty()) {
    section.problem(server.tls_key.empty() ? "tls_certificate" : "tls_key",
                    "server.tls_certificate and server.tls_key are needed together");
  }
  for (const auto& [key, path] : {std::pair{"tls_certificate", server.tls_certificate}, {"tls_key", server.tls_key}}) {
    if (path.empty()) continue;
    if (auto usable = check_file(path); !usable.ok()) section.problem(key, usable.error().message);
  }
}

void read_allowed(Section& section, Server& server) {
  section.read_texts("allowed_origins", server.allowed_origins);
  for (std::size_t i = 0; i < server.allowed_origins.size(); ++i) {
    const std::string& origin = server.allowed_origins[i];
    const std::size_t scheme = origin.find("://");
    const bool good = (origin.starts_with("http://") || origin.starts_with("https://")) && origin.size() > scheme + 3 &&
                      origin.find_first_of("/?# ", scheme + 3) == std::string::npos;
    if (!good)
      section.problem("allowed_origins", fmt::format("'{}' is not an origin: write it as https://example.org", origin), i);
  }
  section.read_texts("allowed_hosts", server.allowed_hosts);
  for (std::size_t i = 0; i < server.allowed_hosts.size(); ++i) {
    const std::string& host = server.allowed_hosts[i];
    if (host.empty() || host.find_first_of("/ ") != std::string::npos) {
      section.problem("allowed_hosts", fmt::format("'{}' is not the name of a host: write it as example.org", host), i);
    }
  }
}

Server read_server(Section section) {
  Server server;
  read_listen(section, server);
  read_token(section, server);
  read_tls(section, server);
  read_allowed(section, server);
  section.read_size("max_body", server.body_size_max, kib, gib);
  section.read_duration("idle_timeout", server.idle_timeout, second, day);
  section.read_integer("connections_max", server.connections_max, 1, 1'000'000);
  section.refuse_the_rest();
  return server;
}

/// What [log] and [[topic]] have in common.
template <class Options>
void read_topic_options(Section& section, Options& options) {
  section.read_integer("partitions", options.partitions, 1, 1024);
  section.read_size("segment_size", options.segment_size, mib, 2 * gib);
  if (const auto choice = section.read_choice("sync", {"batch", "interval", "none"})) options.sync = static_cast<Sync>(*choice);
  section.read_duration("sync_interval", options.sync_interval, Duration{100}, Duration::seconds(60));
  Section retention = section.read_section("retention");
  retention.read_size("size", options.retention_size, mib, 1024 * 1024 * gib, true);
  retention.read_duration("age", options.retention_age, second, century, true);
  retention.refuse_the_rest();
}

Log read_log(Section section) {
  Log log;
  read_topic_options(section, log);
  section.refuse_the_rest();
  return log;
}

Topic read_topic(Section section, const Log& defaults) {
  Topic topic;
  topic.partitions = defaults.partitions;
  topic.segment_size = defaults.segment_size;
  topic.retention_size = defaults.retention_size;
  topic.retention_age = defaults.retention_age;
  topic.sync = defaults.sync;
  topic.sync_interval = defaults.sync_interval;
  topic.place = section.place();
  section.read("name", topic.name);
  check_name(section, "name", topic.name);
  if (topic.name.starts_with('_')) section.problem("name", "topics that begin with _ are the server's own");
  read_topic_options(section, topic);
  section.read("compact", topic.compact);
  section.refuse_the_rest();
  return topic;
}

void read_topics(Section& root, Config& config, std::vector<Problem>& problems) {
  for (const Node* table : root.read_tables("topic")) {
    Topic topic = read_topic({table, fmt::format("topic.{}", config.topics.size()), problems}, config.log);
    const auto first =
        std::find_if(config.topics.begin(), config.topics.end(), [&](const Topic& other) { return other.name == topic.name; });
    if (first != config.topics.end() && !topic.name.empty())
      problems.push_back({topic.place, fmt::format("topic '{}' has its options already at {}", topic.name, first->place)});
    config.topics.push_back(std::move(topic));
  }
}

Store read_store(Section section) {
  Store store;
  Section retention = section.read_section("retention");
  retention.read_duration("rows", store.retention_rows, second, century);
  retention.read_duration("1s", store.retention_1s, second, century);
  retention.read_duration("1min", store.retention_1min, second, century);
  retention.read_duration("1h", store.retention_1h, second, century);
  retention.refuse_the_rest();
  section.refuse_the_rest();
  return store;
}

/// Notes what is said of a dataset; two that say different things are a problem.
void add_dataset(Section& section, Config& config, const std::string& name) {
  const auto choice = section.read_choice("compatibility", {"adaptive", "additive", "strict"});
  if (!choice) return;
  const Dataset said{name, static_cast<Compatibility>(*choice), section.place()};
  const auto known = std::find_if(config.datasets.begin(), config.datasets.end(),
                                  [&](const Dataset& other) { return other.name == said.name; });
  if (known == config.datasets.end()) {
    config.datasets.push_back(said);
  } else if (known->compatibility != said.compatibility) {
    section.problem("compatibility",
                    fmt::format("dataset '{}' has another compatibility already, at {}", said.name, known->place));
  }
}

/// A fact's value as JSON; nothing when it is none.
std::optional<std::string> fact_of(const Node& node) {
  std::string out;
  json::Writer writer(out);
  switch (node.kind) {
    case Node::Kind::boolean:
      writer.value(node.boolean);
      return out;
    case Node::Kind::integer:
      writer.value(node.integer);
      return out;
    case Node::Kind::real:
      if (!std::isfinite(node.real)) return std::nullopt;
      writer.value(node.real);
      return out;
    case Node::Kind::text:
    case Node::Kind::time:
      writer.value(node.text);
      return out;
    default:
      return std::nullopt;
  }
}

void read_facts(Section& section, Prototype& prototype) {
  const Node* table = section.ask("facts");
  if (table == nullptr) return;
  if (table->kind != Node::Kind::table)
    return section.problem("facts", fmt::format("facts must be a table, as {{ site = \"Lyon\" }}, not {}", describe(*table)));
  for (const Member& member : table->members) {
    auto value = fact_of(member.value);
    if (value)
      prototype.facts.emplace_back(member.key, std::move(*value));
    else
      section.problem("facts", fmt::format("the fact '{}' must be a text, a number, true or false", member.key));
  }
  std::sort(prototype.facts.begin(), prototype.facts.end());
}

Prototype read_prototype(Section section, Config& config) {
  Prototype prototype;
  prototype.place = section.place();
  section.read("code", prototype.code);
  check_name(section, "code", prototype.code);
  prototype.dataset = prototype.code;
  section.read("dataset", prototype.dataset);
  if (!prototype.code.empty() || !prototype.dataset.empty()) check_name(section, "dataset", prototype.dataset);
  if (prototype.dataset.starts_with('_')) section.problem("dataset", "datasets that begin with _ are the server's own");
  section.read("label", prototype.label);
  section.read("brand", prototype.brand);
  section.read("version", prototype.version);
  section.read("model", prototype.model);
  if (!prototype.model.empty()) {
    if (auto usable = check_file(prototype.model); !usable.ok()) section.problem("model", usable.error().message);
  }
  section.read_texts("csv", prototype.csv);
  for (std::size_t i = 0; i < prototype.csv.size(); ++i) {
    if (auto found = expand({prototype.csv[i]}); !found.ok()) section.problem("csv", found.error().message, i);
  }
  read_facts(section, prototype);
  add_dataset(section, config, prototype.dataset);
  section.refuse_the_rest();
  return prototype;
}

void read_datasets(Section& root, Config& config, std::vector<Problem>& problems) {
  std::size_t index = 0;
  for (const Node* table : root.read_tables("dataset")) {
    Section section(table, fmt::format("dataset.{}", index++), problems);
    std::string name;
    section.read("name", name);
    check_name(section, "name", name);
    if (name.starts_with('_')) section.problem("name", "datasets that begin with _ are the server's own");
    if (section.ask("compatibility") == nullptr)
      section.problem("compatibility", "compatibility must be adaptive, additive or strict");
    add_dataset(section, config, name);
    section.refuse_the_rest();
  }
}

void read_prototypes(Section& root, Config& config, std::vector<Problem>& problems) {
  for (const Node* table : root.read_tables("prototype")) {
    Prototype prototype = read_prototype({table, fmt::format("prototype.{}", config.prototypes.size()), problems}, config);
    const auto first = std::find_if(config.prototypes.begin(), config.prototypes.end(),
                                    [&](const Prototype& other) { return other.code == prototype.code; });
    if (first != config.prototypes.end() && !prototype.code.empty()) {
      problems.push_back(
          {prototype.place, fmt::format("prototype '{}' is defined already at {}", prototype.code, first->place)});
    }
    config.prototypes.push_back(std::move(prototype));
  }
}

void check_prototype_known(Section& section, const Simulation& simulation, const Config& config) {
  std::vector<std::string> codes;
  for (const Prototype& prototype : config.prototypes) codes.push_back(prototype.code);
  if (simulation.prototype.empty()) {
    section.problem("prototype", "prototype must name the prototype to simulate");
  } else if (std::find(codes.begin(), codes.end(), simulation.prototype) == codes.end()) {
    const auto near = nearest(simulation.prototype, codes);
    section.problem("prototype", fmt::format("there is no prototype '{}'{}", simulation.prototype,
                                             near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
}

Simulation read_simulation(Section section, const Config& config) {
  Simulation simulation;
  simulation.place = section.place();
  section.read("prototype", simulation.prototype);
  check_prototype_known(section, simulation, config);
  const Node* period = section.ask("period");
  const bool recorded = period != nullptr && period->kind == Node::Kind::text && period->text == "recorded";
  if (period != nullptr && !recorded) {
    Duration value = Duration::milliseconds(100);
    section.read_duration("period", value, Duration{100}, Duration::seconds(7 * 86'400));
    simulation.period = value;
  }
  section.read("speed", simulation.speed, 0.001, 10'000);
  section.read_integer("devices", simulation.devices, 1, 100'000);
  section.read("loop", simulation.loop);
  if (const auto choice = section.read_choice("transport", {"http", "inproc"})) {
    simulation.transport = static_cast<Transport>(*choice);
  }
  section.read_integer("seed", simulation.seed, 0, std::uint64_t{INT64_MAX});
  section.refuse_the_rest();
  return simulation;
}

Watch read_watch(Section section) {
  Watch watch;
  watch.place = section.place();
  section.read("folder", watch.folder);
  if (watch.folder.empty()) {
    section.problem("folder", "folder must name the folder to watch");
  } else if (auto usable = check_folder(watch.folder); !usable.ok()) {
    section.problem("folder", usable.error().message);
  }
  section.read("pattern", watch.pattern);
  if (watch.pattern.empty() || watch.pattern.find('/') != std::string::npos)
    section.problem("pattern", "pattern is one of file names, as \"*.csv\", without folders");
  section.read("prototype", watch.prototype);
  section.read("by_name", watch.by_name);
  if (watch.prototype.empty() != watch.by_name)
    section.problem(watch.by_name ? "by_name" : "prototype",
                    "a watched folder needs either prototype, the code its rows belong to, or by_name = true");
  if (!watch.prototype.empty()) check_name(section, "prototype", watch.prototype);
  section.read("dataset", watch.dataset);
  if (!watch.dataset.empty()) check_name(section, "dataset", watch.dataset);
  if (watch.dataset.starts_with('_')) section.problem("dataset", "datasets that begin with _ are the server's own");
  section.read("label", watch.label);
  section.read_duration("interval", watch.interval, Duration::milliseconds(50), day);
  section.read_duration("settle", watch.settle, Duration::milliseconds(50), day);
  section.read("stream", watch.stream);
  section.refuse_the_rest();
  return watch;
}

Imports read_imports(Section section) {
  Imports imports;
  section.read_size("max_upload", imports.upload_size_max, mib, 1024 * 1024 * gib);
  section.read_duration("keep", imports.keep, second, century);
  section.refuse_the_rest();
  return imports;
}

bool holds_once(std::string_view text, std::string_view part) {
  const std::size_t at = text.find(part);
  return at != std::string_view::npos && text.find(part, at + 1) == std::string_view::npos;
}

Influx read_influx(Section section) {
  Influx influx;
  section.read("enabled", influx.enabled);
  section.read("dataset", influx.dataset);
  const bool twice = influx.dataset.find("{database}") != std::string::npos && !holds_once(influx.dataset, "{database}");
  if (!holds_once(influx.dataset, "{measurement}") || twice)
    section.problem("dataset",
                    "influx.dataset must hold {measurement} once, and may hold {database} once: "
                    "\"{measurement}\" or \"{database}.{measurement}\"");
  section.read_texts("device", influx.device_tags);
  section.refuse_the_rest();
  return influx;
}

Elasticsearch read_elasticsearch(Section section) {
  Elasticsearch elasticsearch;
  section.read("enabled", elasticsearch.enabled);
  section.refuse_the_rest();
  return elasticsearch;
}

Config read_config(const Node& tree, std::vector<Problem>& problems) {
  Config config;
  Section root(&tree, "", problems);
  root.read("data_dir", config.data_dir);
  if (config.data_dir.empty()) root.problem("data_dir", "data_dir must not be empty");
  if (auto usable = check_folder(config.data_dir); !usable.ok()) root.problem("data_dir", usable.error().message);
  config.server = read_server(root.read_section("server"));
  config.mqtt = read_mqtt(root.read_section("mqtt"), config.server);
  config.influx = read_influx(root.read_section("influx"));
  config.elasticsearch = read_elasticsearch(root.read_section("elasticsearch"));
  config.log = read_log(root.read_section("log"));
  read_topics(root, config, problems);
  config.store = read_store(root.read_section("store"));
  read_datasets(root, config, problems);
  read_prototypes(root, config, problems);
  for (const Node* table : root.read_tables("simulation")) {
    config.simulations.push_back(
        read_simulation({table, fmt::format("simulation.{}", config.simulations.size()), problems}, config));
  }
  config.imports = read_imports(root.read_section("imports"));
  for (const Node* table : root.read_tables("watch"))
    config.watches.push_back(read_watch({table, fmt::format("watch.{}", config.watches.size()), problems}));
  root.refuse_the_rest();
  return config;
}

}  // namespace

namespace {

/// Line and column at the end of a place; 0, 0 for an override.
std::pair<unsigned, unsigned> position(const std::string& place) {
  const std::size_t column = place.rfind(':');
  const std::size_t line = column == std::string::npos || column == 0 ? column : place.rfind(':', column - 1);
  if (line == std::string::npos) return {0, 0};
  std::pair<unsigned, unsigned> at{0, 0};
  const char* end = place.data() + place.size();
  if (std::from_chars(place.data() + column + 1, end, at.second).ptr != end) return {0, 0};
  if (*std::from_chars(place.data() + line + 1, end, at.first).ptr != ':') return {0, 0};
  return at;
}

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return position(a.place) < position(b.place); });
}

}  // namespace

Loaded load(const std::string& path, const std::vector<std::string>& overrides) {
  Loaded loaded;
  loaded.config.path = path;
  const auto text = read_text(path, file_size_max);
  if (!text.ok()) {
    loaded.problems.push_back({path, text.error().message});
    return loaded;
  }
  auto tree = parse_toml(*text, path, loaded.problems);
  if (!tree) return loaded;
  for (const std::string& override_text : overrides) apply_override(*tree, override_text, loaded.problems);
  loaded.config = read_config(*tree, loaded.problems);
  loaded.config.path = path;
  sort_by_place(loaded.problems);
  return loaded;
}

}  // namespace iotstream::config
