// The configuration file: TOML → checked plain structs. Every problem is found at once, with its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::config {

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`; port 0 lets the system choose.
struct Endpoint {
  std::string host;  ///< a numeric address, without brackets
  std::uint16_t port = 0;
  bool loopback() const;
  std::string text() const;
};

struct Server {
  std::vector<Endpoint> listen{{"127.0.0.1", 8080}};
  std::uint64_t body_size_max = 16u << 20;  ///< `max_body`
  std::string token_file;                   ///< the bearer token's file; needed by a listener that is not loopback
  std::string token;                        ///< its content, trimmed; empty: no token is asked
  std::string tls_certificate;              ///< PEM file; with tls_key: https and wss
  std::string tls_key;
  std::vector<std::string> allowed_origins;  ///< further values of Origin, beside the server's own
  std::vector<std::string>
      allowed_hosts;  ///< further values of Host, without port, beside loopback names and the listen addresses
  Duration idle_timeout = Duration::seconds(60);
  std::uint32_t connections_max = 12'000;
};

/// When what a topic holds is synced, and so what an acknowledgement means.
enum class Sync : unsigned char {
  batch,     ///< fdatasync after every batch: acknowledged is on stable storage
  interval,  ///< fdatasync every sync_interval: the same, only later
  none,      ///< the system decides: acknowledged survives the process, not a loss of power
};

struct Log {
  std::uint32_t partitions = 4;
  std::uint64_t segment_size = 64u << 20;
  std::uint64_t retention_size = 2ull << 30;  ///< per topic; 0: unlimited
  Duration retention_age = Duration::seconds(7 * 86'400);
  Sync sync = Sync::batch;
  Duration sync_interval = Duration::milliseconds(5);
};

/// A topic (dataset) with options of its own, `[[topic]]`: what it does not say is as in [log].
struct Topic {
  std::string name;
  std::uint32_t partitions = 4;      ///< only when the topic is created
  std::uint64_t segment_size = 0;    ///< likewise
  std::uint64_t retention_size = 0;  ///< 0: unlimited
  Duration retention_age;            ///< 0: unlimited
  Sync sync = Sync::batch;
  Duration sync_interval;
  bool compact = false;  ///< keeps the latest record of each device, for topics of states
  std::string place;
};

struct Store {
  Duration retention_rows = Duration::seconds(7 * 86'400);
  Duration retention_1s = Duration::seconds(30 * 86'400);
  Duration retention_1min = Duration::seconds(365 * 86'400);
  Duration retention_1h = Duration::seconds(3650ll * 86'400);
};

/// Which changes of its schema a dataset takes from the data; see model/compatibility.hpp.
enum class Compatibility : unsigned char { adaptive, additive, strict };

struct Prototype {
  std::string code;   ///< `X46789`
  std::string label;  ///< `Pipo`
  std::string brand;  ///< `citronnault`
  std::string version;
  std::string dataset;           ///< DatasetType on the wire; by default the code
  std::string model;             ///< path of a `desc --xml` document; empty: inferred from the data
  std::vector<std::string> csv;  ///< paths or shell patterns, in the order given; a pattern's matches are sorted
  /// Further members of its events: name → value as JSON, by name.
  std::vector<std::pair<std::string, std::string>> facts;
  std::string place;  ///< `file:line:column` of the table, for messages
};

/// What is said of a dataset, by `[[dataset]]` or by its prototypes. Each dataset once.
struct Dataset {
  std::string name;
  Compatibility compatibility = Compatibility::adaptive;
  std::string place;
};

enum class Transport : unsigned char { http, inproc };

struct Simulation {
  std::string prototype;           ///< a prototype's code
  std::optional<Duration> period;  ///< nothing: the recorded cadence
  double speed = 1.0;              ///< > 0; 2: twice as fast
  std::uint32_t devices = 1;
  bool loop = true;
  Transport transport = Transport::http;
  std::uint64_t seed = 1;
  std::string place;
};

/// A folder whose new CSV files are imported by themselves.
struct Watch {
  std::string folder;
  std::string pattern = "*.csv";             ///< of file names, as in a shell
  std::string prototype;                     ///< code; empty: `by_name`
  bool by_name = false;                      ///< the code is the file's name up to the first `_`, else up to the last `.`
  std::string dataset;                       ///< of a prototype that is created; empty: as the code
  std::string label;                         ///< of a prototype that is created; empty: the code
  Duration interval = Duration::seconds(1);  ///< between looks
  Duration settle = Duration::seconds(2);    ///< a file is complete when it has stood still for so long
  bool stream = false;                       ///< a prototype whose first file came is replayed by a simulated device
  std::string place;
};

/// Uploads of CSV files.
struct Imports {
  std::uint64_t upload_size_max = 64ull << 30;  ///< `max_upload`
  Duration keep = Duration::seconds(86'400);    ///< an upload that nobody touched for so long is removed
};

/// One level of a pattern that MQTT topics are read by.
struct TopicLevel {
  enum class Kind : unsigned char {
    literal,  ///< that text
    dataset,  ///< `{dataset}`
    device,   ///< `{device}`
    one,      ///< `+`: any one level
    several,  ///< `#`: one or more levels; once in a pattern
  };
  Kind kind = Kind::literal;
  std::string text;
};
using TopicPattern = std::vector<TopicLevel>;

struct Mqtt {
  std::vector<Endpoint> listen;  ///< empty: no MQTT
  bool tls = false;              ///< with the certificate of `server`
  /// The first that fits a topic tells dataset and device: by default `{dataset}/{device}`, `#/{device}/{dataset}`,
  /// `{dataset}`.
  std::vector<TopicPattern> topics;
  std::uint64_t packet_size_max = 1'114'112;  ///< `max_packet`: 1 MiB of payload and room for the topic
  std::uint32_t connections_max = 10'000;
  std::uint32_t sessions_max = 10'000;                       ///< that outlive their connection
  Duration session_expiry_max = Duration::seconds(604'800);  ///< `session_expiry`: of a session without its client
};

/// InfluxDB's line protocol over HTTP.
struct Influx {
  bool enabled = false;
  std::string dataset = "{measurement}";  ///< the dataset's name; may hold `{database}` too: a request's db or bucket
  std::vector<std::string> device_tags{"device", "device_id", "host"};  ///< `device`: the first of these tags is the device
};

/// Elasticsearch's `_bulk` and what its clients ask around it.
struct Elasticsearch {
  bool enabled = false;
};

/// Reads `plant/+/{device}/{dataset}`. Errors: invalid.
Result<TopicPattern> parse_topic_pattern(std::string_view text);

struct Config {
  std::string path;  ///< the file it was read from
  std::string data_dir = "var";
  Server server;
  Mqtt mqtt;
  Influx influx;
  Elasticsearch elasticsearch;
  Log log;
  std::vector<Topic> topics;
  Store store;
  std::vector<Prototype> prototypes;
  std::vector<Dataset> datasets;  ///< those of which a compatibility is said
  std::vector<Simulation> simulations;
  Imports imports;
  std::vector<Watch> watches;
};

/// Something wrong in the file, an override, or a file it names.
struct Problem {
  std::string place;    ///< `file:line:column`, or `--set KEY`
  std::string message;  ///< one sentence, with the nearest valid key where a key is unknown
  std::string text() const { return place + ": " + message; }
};

struct Loaded {
  Config config;
  std::vector<Problem> problems;  ///< empty: the config is good to use
};

/// Reads and checks `path` with `overrides` (`log.partitions=8`, `server.listen=["127.0.0.1:0"]`; the value is TOML, a bare
/// word counts as a string; `prototype.0.csv=…` reaches into lists). Paths in the file are relative to the current directory.
/// Finds every problem: syntax, unknown keys, wrong types, impossible values, duplicate prototypes, simulations of unknown
/// prototypes, a non-loopback listener without a token, missing model, CSV, certificate and token files. Does not create
/// anything.
Loaded load(const std::string& path, const std::vector<std::string>& overrides);

/// The files that `patterns` (POSIX glob() with braces) stand for, in the order given, the matches of one pattern sorted;
/// folders are left out. A pattern that is itself the path of a file is taken as that path, whatever characters are in it.
/// not_found when one matches nothing.
Result<std::vector<std::string>> expand(const std::vector<std::string>& patterns);

}  // namespace iotstream::config
