#include "bench/system/ingest.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <future>
#include <optional>
#include <sched.h>
#include <simdjson.h>
#include <thread>

#include <fmt/format.h>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/ingest/batch.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>

#include "bench/support/beast_server.hpp"
#include "bench/support/child_process.hpp"
#include "bench/support/http_load.hpp"
#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"

namespace iotstream::bench {
namespace {

constexpr std::size_t event_size = 512;
constexpr unsigned devices = 8;
constexpr std::size_t patterns = 997;  // readings that differ, again and again
constexpr std::size_t batch = 1'000;
constexpr unsigned crowd = 64;
constexpr const char* read_by_simdjson = "simdjson reading the same values";
constexpr std::int64_t first_us = 1'700'000'000'000'000;

/// One reading of an agricultural machine: 512 bytes of JSON, 23 members.
std::string reading(std::size_t number) {
  std::string text = fmt::format(R"({{"device":"machine {}","@timestamp":{})", number % devices,
                                 first_us + static_cast<std::int64_t>(number) * 1000);
  for (unsigned field = 0; field < 18; ++field) {
    const std::size_t value = (number * 31 + field * 17) % 9973;
    text += field % 3 == 0 ? fmt::format(R"(,"signal_{:02}":{})", field, value)
                           : fmt::format(R"(,"signal_{:02}":{}.{})", field, value, 1 + field % 9);
  }
  text += R"(,"mode":"field","open":true,"note":")";
  text.append(event_size - std::min(event_size, text.size() + 2), 'x');
  return text + "\"}";
}

/// The same values as a point of the line protocol.
std::string point(std::size_t number) {
  std::string text = fmt::format("bench,device=machine\\ {} ", number % devices);
  for (unsigned field = 0; field < 18; ++field) {
    const std::size_t value = (number * 31 + field * 17) % 9973;
    text += field % 3 == 0 ? fmt::format("signal_{:02}={}i,", field, value)
                           : fmt::format("signal_{:02}={}.{},", field, value, 1 + field % 9);
  }
  return text + fmt::format("mode=\"field\",open=true {}\n", (first_us + static_cast<std::int64_t>(number) * 1000) * 1000);
}

std::string ndjson(std::size_t from, std::size_t count) {
  std::string body;
  for (std::size_t i = 0; i < count; ++i) body += reading((from + i) % patterns) + "\n";
  return body;
}

/// The calling thread, and those it starts, on the last processor, so that the server has the others.
void leave_room() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(static_cast<std::size_t>(std::max(1u, std::thread::hardware_concurrency()) - 1), &processors);
  ::sched_setaffinity(0, sizeof processors, &processors);
}

/// Reads a value as what it is; false: it is none of these readings'.
bool read_value(simdjson::ondemand::value& value, std::uint64_t& sum) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == simdjson::ondemand::json_type::number) {
    simdjson::ondemand::number number;
    if (value.get_number().get(number) != simdjson::SUCCESS) return false;
    sum += number.is_int64() ? static_cast<std::uint64_t>(number.get_int64()) : number.get_double() > 0 ? 1 : 0;
    return true;
  }
  if (type == simdjson::ondemand::json_type::string) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    sum += text.size();
    return true;
  }
  bool truth = false;
  if (value.get_bool().get(truth) != simdjson::SUCCESS) return false;
  sum += truth ? 1 : 0;
  return true;
}

/// Events a second of walking over every member of every document, with their values read or passed over, and nothing more.
Result<double> walk(const simdjson::padded_string& body, std::uint64_t count, bool values) {
  simdjson::ondemand::parser parser;
  std::uint64_t seen = 0;
  std::uint64_t sum = 0;
  const std::int64_t begin_ns = now_ns();
  while (seen < count) {
    simdjson::ondemand::document_stream stream;
    if (parser.iterate_many(body).get(stream) != simdjson::SUCCESS)
      return Error{ErrorKind::invalid, "simdjson does not read it"};
    for (auto document : stream) {
      simdjson::ondemand::object object;
      if (document.get_object().get(object) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "simdjson finds no object"};
      for (auto member : object) {
        simdjson::ondemand::value value;
        if (member.value().get(value) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "simdjson finds no member"};
        if (!values)
          sum += static_cast<unsigned char>(value.raw_json_token()[0]);
        else if (!read_value(value, sum))
          return Error{ErrorKind::invalid, "simdjson does not read a value"};
      }
      ++seen;
    }
  }
  if (sum == 0) return Error{ErrorKind::invalid, "there was nothing to read"};
  return static_cast<double>(seen) / seconds_since(begin_ns);
}

/// A log on disk and the gate before it, in this process.
struct OwnGate {
  metrics::Table metrics;
  catalog::Schemas schemas;
  std::unique_ptr<log::Log> log;
  std::unique_ptr<ingest::Gate> gate;

  Status open(const std::string& directory) {
    log::LogOptions options;
    options.directory = directory;
    options.topic_defaults.sync = log::Sync::none;
    options.topic_defaults.retention_size = 1u << 30;
    auto opened = log::Log::open(options, os::real_disk(), os::system_clock(), metrics);
    if (!opened) return opened.error();
    log = std::move(*opened);
    auto gate_opened = ingest::Gate::open(*log, schemas, os::system_clock(), metrics);
    if (!gate_opened) return gate_opened.error();
    gate = std::move(*gate_opened);
    return {};
  }
  ~OwnGate() {
    if (log) static_cast<void>(log->close());
  }
};

/// Events a second through the gate into the ring: parsed, checked, encoded, claimed. The log writes on the other processor.
Result<double> through_gate(ingest::Gate& gate, const std::string& body, std::uint64_t count) {
  ingest::Submission submission;
  submission.dataset = "bench";
  submission.body = body;
  submission.format = ingest::BodyFormat::ndjson;
  submission.acks = ingest::Acks::none;
  const auto open = ingest::open_batch(gate, submission);
  if (!open) return Error{ErrorKind::invalid, "the gate does not take the body"};
  const std::int64_t begin_ns = now_ns();
  std::uint64_t given = 0;
  for (; given < count; given += batch)
    if (!open->take(body)) break;
  const double seconds = seconds_since(begin_ns);
  std::promise<std::uint64_t> accepted;
  open->finish([&](const Result<ingest::Outcome>& result) { accepted.set_value(result ? result->accepted : 0); });
  if (accepted.get_future().get() != given) return Error{ErrorKind::unavailable, "the log did not take all"};
  return static_cast<double>(given) / seconds;
}

struct Sizes {
  std::uint64_t walked = 1'000'000;
  std::uint64_t bodies = 400;
  std::uint64_t requests = 60'000;
  std::uint64_t pipelined = 300'000;
  unsigned idle = 10'000;
  std::uint64_t rounds = 5;

  static Sizes of(const Options& options) { return options.quick ? Sizes{20'000, 8, 640, 2'048, 200, 1} : Sizes{}; }
};

std::uint16_t port_of(const std::string& url) {
  std::uint16_t port = 0;
  const std::size_t colon = url.rfind(':');
  std::from_chars(url.data() + colon + 1, url.data() + url.size(), port);
  return port;
}

const std::string events_path = "/api/v1/datasets/bench/events";

std::vector<std::string> bodies_of(const std::string& acks) {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < 8; ++i)
    requests.push_back(http_post(events_path + "?acks=" + acks, "application/x-ndjson", ndjson(i * batch, batch)));
  return requests;
}

std::vector<std::string> singles() {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < patterns; ++i)
    requests.push_back(http_post(events_path + "?acks=written", "application/json", reading(i)));
  return requests;
}

std::vector<std::string> points_of() {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < 40; ++i) {
    std::string body;
    for (std::size_t k = 0; k < batch; ++k) body += point(i * batch + k);
    requests.push_back(http_post("/write?db=bench", "text/plain", body));
  }
  return requests;
}

/// Rounds of several measurements in turns, each with its own series.
struct Series {
  std::string name;
  std::function<Result<double>()> run;
  std::vector<double> values;
};

Status in_turns(std::vector<Series>& series, std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds + 1; ++round) {
    for (Series& one : series) {
      const auto value = one.run();
      if (!value) return Error{value.error().kind, one.name + ": " + value.error().message};
      if (round > 0) one.values.push_back(*value);  // the first warms up
    }
  }
  return {};
}

Result<std::vector<Figure>> in_process(const std::string& folder, const Sizes& sizes, double& limit) {
  OwnGate own;
  if (Status opened = own.open(folder + "/gate"); !opened) return opened.error();
  const std::string body = ndjson(0, batch);
  const simdjson::padded_string padded(body);
  std::vector<Series> series{
      {"simdjson", [&] { return walk(padded, sizes.walked, true); }, {}},
      {"simdjson without values", [&] { return walk(padded, sizes.walked, false); }, {}},
      {"the gate", [&] { return through_gate(*own.gate, body, sizes.walked); }, {}},
  };
  if (Status ran = in_turns(series, sizes.rounds); !ran) return ran.error();
  limit = median(series[0].values);
  const double ours = median(series[2].values);
  return std::vector<Figure>{{"NDJSON parsed, checked, encoded, claimed, in process", ours, "events/s", sizes.rounds,
                              read_by_simdjson, limit, 0.5, Good::at_least},
                             {"the same, beside less", ours, "events/s", sizes.rounds, "simdjson passing over the values",
                              median(series[1].values), 0, Good::at_least}};
}

/// The limit of single requests, in a process of its own. Forked while this process has one thread.
Result<std::unique_ptr<ChildProcess>> start_beast(std::uint16_t port) {
  return ChildProcess::fork([port] { serve_fixed_reply(port); });
}

/// Debian's InfluxDB with its defaults, on free ports. nullptr when it is not installed.
Result<std::unique_ptr<ChildProcess>> start_influxdb(const std::string& folder, std::uint16_t port) {
  const std::string program = find_program("influxd");
  if (program.empty()) return std::unique_ptr<ChildProcess>();
  const std::string file = folder + "/influxdb.conf";
  std::ofstream(file) << fmt::format(
      "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n[meta]\ndir = \"{}/influx/meta\"\n"
      "[data]\ndir = \"{}/influx/data\"\nwal-dir = \"{}/influx/wal\"\nquery-log-enabled = false\n"
      "[monitor]\nstore-enabled = false\n[http]\nbind-address = \"127.0.0.1:{}\"\nlog-enabled = false\n",
      free_port(), folder, folder, folder, port);
  return ChildProcess::execute(program, {"influxd", "-config", file}, -1);
}

/// What is measured over sockets: the servers, and the crowds before them.
struct Field {
  std::unique_ptr<ChildProcess> beast;
  std::unique_ptr<ChildProcess> influxdb;
  std::unique_ptr<ServerProcess> server;
  std::unique_ptr<HttpLoad> few;
  std::unique_ptr<HttpLoad> many;
  std::unique_ptr<HttpLoad> before_beast;
  std::unique_ptr<HttpLoad> before_influxdb;
};

Status connect(std::unique_ptr<HttpLoad>& load, std::uint16_t port, unsigned connections) {
  auto connected = HttpLoad::connect(port, connections);
  if (!connected) return connected.error();
  load = std::move(*connected);
  return {};
}

Status connect_all(Field& field, std::uint16_t beast_port, std::uint16_t influxdb_port) {
  const std::uint16_t port = port_of(field.server->url());
  if (Status status = connect(field.few, port, 4); !status) return status;
  if (Status status = connect(field.many, port, crowd); !status) return status;
  if (Status status = connect(field.before_beast, beast_port, crowd); !status) return status;
  if (!field.influxdb) return {};
  if (Status status = connect(field.before_influxdb, influxdb_port, 2); !status) return status;
  const std::vector<std::string> create{http_post("/query", "application/x-www-form-urlencoded", "q=CREATE DATABASE bench")};
  const auto created = field.before_influxdb->run(create, 1, 1, 200);
  return created ? Status() : created.error();
}

Result<std::vector<Figure>> over_http(Field& field, const Sizes& sizes, double walked) {
  const auto written = bodies_of("written");
  const auto durable = bodies_of("durable");
  const auto single = singles();
  const auto points = points_of();
  const auto rows = [](Result<double> bodies) { return bodies ? Result<double>(*bodies * batch) : bodies; };
  std::vector<Series> series{
      {"NDJSON, written", [&] { return rows(field.few->run(written, sizes.bodies, 1, 200)); }, {}},
      {"NDJSON, durable", [&] { return rows(field.few->run(durable, sizes.bodies, 1, 200)); }, {}},
      {"Beast", [&] { return field.before_beast->run(single, sizes.requests, 1, 200); }, {}},
      {"single", [&] { return field.many->run(single, sizes.requests, 1, 200); }, {}},
      {"pipelined", [&] { return field.many->run(single, sizes.pipelined, 16, 200); }, {}},
      {"points", [&] { return rows(field.few->run(points, sizes.bodies, 1, 204)); }, {}},
  };
  if (field.influxdb)
    series.push_back({"InfluxDB", [&] { return rows(field.before_influxdb->run(points, sizes.bodies / 4, 1, 204)); }, {}});
  if (Status ran = in_turns(series, sizes.rounds); !ran) return ran.error();
  const auto middle = [&](std::size_t i) { return median(series[i].values); };
  std::vector<Figure> figures{
      {"NDJSON bodies of 1,000 over HTTP, acks=written", middle(0), "events/s", sizes.rounds, read_by_simdjson, walked, 0.35,
       Good::at_least},
      {"the same, acks=durable", middle(1), "events/s", sizes.rounds, "acks=written", middle(0), 0.9, Good::at_least},
      {"one event a POST, 64 connections", middle(3), "requests/s", sizes.rounds, "Beast with a fixed reply", middle(2), 0.8,
       Good::at_least},
      {"the same, 16 pipelined", middle(4), "requests/s", sizes.rounds, "one at a time", middle(3), 3, Good::at_least},
      {"line protocol, 1,000 points a POST, durable", middle(5), "rows/s", sizes.rounds, "", 0, 0, Good::at_least}};
  if (!field.influxdb) return figures;
  figures.back().limit_name = "InfluxDB 1.6";
  figures.back().limit_value = middle(6);
  figures.back().target_ratio = 8;
  figures.push_back(
      {"NDJSON of the same rows, durable", middle(1), "rows/s", sizes.rounds, "InfluxDB 1.6", middle(6), 8, Good::at_least});
  return figures;
}

Result<Figure> idle_connections(const std::string& folder, const Sizes& sizes) {
  auto server = ServerProcess::start_without_devices(folder + "/idle");
  if (!server) return server.error();
  const double before = (*server)->rss_mib();
  const IdleConnections idle(port_of((*server)->url()), sizes.idle);
  sleep_for_ms(1'000);
  const double grown_kib = ((*server)->rss_mib() - before) * 1024;
  if (idle.size() == 0) return Error{ErrorKind::unavailable, "no connection could be opened"};
  return Figure{fmt::format("memory of an idle connection, of {}", idle.size()),
                grown_kib / static_cast<double>(idle.size()),
                "KiB",
                1,
                "allowed",
                8,
                1,
                Good::at_most};
}

Result<std::vector<Figure>> sockets(const std::string& folder, const Options& options, double walked) {
  const Sizes sizes = Sizes::of(options);
  Field field;
  const std::uint16_t beast_port = free_port();
  auto beast = start_beast(beast_port);
  if (!beast) return beast.error();
  field.beast = std::move(*beast);
  const std::uint16_t influxdb_port = free_port();
  auto influxdb = start_influxdb(folder, influxdb_port);
  if (!influxdb) return influxdb.error();
  field.influxdb = std::move(*influxdb);
  if (!field.influxdb) note("influxdb is not installed: nothing to compare with");
  auto server = ServerProcess::start_without_devices(folder + "/http", {"influx.enabled=true", "log.retention.size=\"1GiB\""});
  if (!server) return server.error();
  field.server = std::move(*server);
  Result<std::vector<Figure>> figures = std::vector<Figure>();
  // In a thread of its own: the processor it keeps to is not that of what runs afterwards.
  std::thread([&] {
    leave_room();
    const Status connected = connect_all(field, beast_port, influxdb_port);
    figures = connected ? over_http(field, sizes, walked) : Result<std::vector<Figure>>(connected.error());
  }).join();
  return figures;
}

}  // namespace

Result<std::vector<Figure>> ingest(const Options& options) {
  const TemporaryFolder folder;
  const Sizes sizes = Sizes::of(options);
  double walked = 0;
  auto figures = in_process(folder.path(), sizes, walked);
  if (!figures) return figures;
  auto more = sockets(folder.path(), options, walked);
  if (!more) return more;
  figures->insert(figures->end(), more->begin(), more->end());
  auto idle = idle_connections(folder.path(), sizes);
  if (!idle) return idle.error();
  figures->push_back(std::move(*idle));
  return figures;
}

}  // namespace iotstream::bench
