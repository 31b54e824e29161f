// load(): what a file says, and every way in which it can be wrong.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <iotstream/config/config.hpp>

#include "support/random.hpp"
#include "support/temporary_directory.hpp"

using namespace iotstream;
using config::Loaded;

namespace {

/// A configuration file in a folder of its own.
class Sandbox {
 public:
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::remove(directory_ / name);  // ext4 waits for the disk when a file is truncated and written anew
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }
  Loaded load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return config::load(write("c.toml", text), overrides);
  }
  std::string operator/(const std::string& name) const { return directory_ / name; }

 private:
  test::TemporaryDirectory directory_;
};

/// Problems as `line:column: message`, or `--set KEY: message`.
std::vector<std::string> told(const Loaded& loaded) {
  std::vector<std::string> texts;
  for (const auto& problem : loaded.problems) {
    const std::string file = loaded.config.path + ":";
    texts.push_back(problem.text().starts_with(file) ? problem.text().substr(file.size()) : problem.text());
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty file is the defaults") {
  const Sandbox sandbox;
  const auto loaded = sandbox.load("");
  CHECK(told(loaded).empty());
  CHECK(loaded.config.data_dir == "var");
  REQUIRE(loaded.config.server.listen.size() == 1);
  CHECK(loaded.config.server.listen[0].text() == "127.0.0.1:8080");
  CHECK(loaded.config.log.partitions == 4);
  CHECK(loaded.config.simulations.empty());
}

TEST_CASE("every key is read") {
  const Sandbox sandbox;
  const std::string token = sandbox.write("token", " secret\n");
  const std::string pem = sandbox.write("a.pem", "x");
  const std::string model = sandbox.write("m.xml", "<x/>");
  sandbox.write("1.csv", "a\n");
  sandbox.write("2.csv", "a\n");
  const auto loaded = sandbox.load("data_dir = '" + (sandbox / "var") +
                                   "'\n[server]\nlisten = ['0.0.0.0:80', '[::1]:0']\nmax_body = '1MiB'\ntoken_file = '" +
                                   token + "'\ntls_certificate = '" + pem + "'\ntls_key = '" + pem +
                                   "'\nallowed_origins = ['https://example.org:8443']\nallowed_hosts = "
                                   "'example.org'\nidle_timeout = '5s'\nconnections_max = 7\n" +
                                   R"([log]
partitions = 8
segment_size = "1MiB"
retention = { size = 0, age = "1h" }
sync = "interval"
sync_interval = "1ms"
[store]
retention = { rows = "1d", "1s" = "2d", "1min" = "3d", "1h" = "4d" }
[[prototype]]
code = "X46789"
label = "Pipo"
brand = "citronnault"
version = "1"
dataset = "1"
)" + "model = '" + model + "'\ncsv = ['" +
                                   (sandbox / "*.csv") + R"(']
[[prototype]]
code = "B"
[[simulation]]
prototype = "X46789"
period = "recorded"
speed = 2
devices = 3
loop = false
transport = "inproc"
seed = 9
[[simulation]]
prototype = "B"
period = "100ms"
)");
  CHECK(told(loaded) == Texts{});
  const auto& server = loaded.config.server;
  CHECK(server.listen.at(0).text() == "0.0.0.0:80");
  CHECK(server.listen.at(1).text() == "[::1]:0");
  CHECK(server.body_size_max == 1u << 20);
  CHECK(server.token == "secret");
  CHECK(server.tls_key == pem);
  CHECK(server.allowed_origins == Texts{"https://example.org:8443"});
  CHECK(server.allowed_hosts == Texts{"example.org"});
  CHECK(server.idle_timeout == Duration::seconds(5));
  CHECK(server.connections_max == 7);
  const auto& log = loaded.config.log;
  CHECK(log.partitions == 8);
  CHECK(log.segment_size == 1u << 20);
  CHECK(log.retention_size == 0);
  CHECK(log.retention_age == Duration::seconds(3600));
  CHECK(log.sync == config::Sync::interval);
  CHECK(log.sync_interval == Duration::milliseconds(1));
  CHECK(loaded.config.store.retention_rows == Duration::seconds(86'400));
  CHECK(loaded.config.store.retention_1s == Duration::seconds(2 * 86'400));
  CHECK(loaded.config.store.retention_1min == Duration::seconds(3 * 86'400));
  CHECK(loaded.config.store.retention_1h == Duration::seconds(4 * 86'400));
  const auto& prototype = loaded.config.prototypes.at(0);
  CHECK(prototype.code == "X46789");
  CHECK(prototype.label == "Pipo");
  CHECK(prototype.brand == "citronnault");
  CHECK(prototype.version == "1");
  CHECK(prototype.dataset == "1");
  CHECK(prototype.model == model);
  CHECK(prototype.csv == Texts{sandbox / "*.csv"});
  CHECK(prototype.place == loaded.config.path + ":20:1");
  CHECK(loaded.config.prototypes.at(1).dataset == "B");
  const auto& simulation = loaded.config.simulations.at(0);
  CHECK(simulation.prototype == "X46789");
  CHECK_FALSE(simulation.period.has_value());
  CHECK(simulation.speed == 2.0);
  CHECK(simulation.devices == 3);
  CHECK_FALSE(simulation.loop);
  CHECK(simulation.transport == config::Transport::inproc);
  CHECK(simulation.seed == 9);
  CHECK(loaded.config.simulations.at(1).period == Duration::milliseconds(100));
}

TEST_CASE("all problems are told at once, in the order of the file") {
  const Sandbox sandbox;
  const auto loaded = sandbox.load("partitons = 3\n[log]\npartitions = 'x'\nsync = 7\n[server]\nmax_bdy = 1\n[sotre]\n");
  CHECK(told(loaded) == Texts{"1:1: unknown key 'partitons'; did you mean 'partitions', under [log]?",
                              "3:14: log.partitions must be a whole number from 1 to 1024, not the text \"x\"",
                              "4:8: log.sync must be one of batch, interval, none, not the number 7",
                              "6:1: unknown key 'server.max_bdy'; did you mean 'server.max_body'?",
                              "7:2: unknown key 'sotre'; did you mean 'store'?"});
}

TEST_CASE("a key behind the wrong header is sent home") {
  const Sandbox sandbox;
  CHECK(told(sandbox.load("[server]\ndata_dir = 'x'\n")) ==
        Texts{"2:1: unknown key 'server.data_dir'; it belongs before the first [table]"});
  CHECK(told(sandbox.load("partitions = 8\n")) == Texts{"1:1: unknown key 'partitions'; it belongs under [log]"});
  CHECK(told(sandbox.load("[log]\nbanana = 8\n")) ==
        Texts{"2:1: unknown key 'log.banana'; valid here: partitions, segment_size, sync, sync_interval, retention"});
}

TEST_CASE("a syntax error has its place") {
  const Sandbox sandbox;
  const auto problems = told(sandbox.load("a = 1\nb = [1,\nc = 2\n"));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with("3:"));
  CHECK(problems[0].find("not TOML: ") != std::string::npos);
}

TEST_CASE("a table header without a name has its place") {
  const Sandbox sandbox;
  CHECK(told(sandbox.load("a = 'b'\n[=]\n")) == Texts{"2:2: not TOML: the name of a key or table is expected here"});
  CHECK(told(sandbox.load("[[[x]]]")) == Texts{"1:3: not TOML: the name of a key or table is expected here"});
  CHECK(told(sandbox.load("[[\n")).size() == 1);
}

TEST_CASE("letters beyond ASCII where a name is expected have their place, and are read within quotes") {
  const Sandbox sandbox;
  for (const std::string_view letter : {"\u00a1", "\u00e9", "\u0153", "\u03bb", "\u0499", "\u1700", "\u20ac", "\uff1d"}) {
    CAPTURE(letter);
    const auto problems = told(sandbox.load(fmt::format("data_dir = 'x'\n  {} = 1\n", letter)));
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].starts_with("2:3: not TOML: "));
    CHECK(told(sandbox.load(fmt::format("data_dir = '{}'\n", letter))).empty());
  }
}

TEST_CASE("cut and changed files are told about or read, and never bring the program down") {
  const Sandbox sandbox;
  IOTSTREAM_SEEDED(random);
  const std::string good =
      "data_dir = 'var'\n[log]\npartitions = 8\nretention = { size = '2GiB', age = '7d' }\n[[prototype]]\ncode = \"X\"\n"
      "[[simulation]]\nprototype = 'X'\nspeed = 1.5e0\n[server]\nlisten = ['127.0.0.1:1', \"[::1]:2\"]\n";
  const std::string_view signs = "[]{}=.'\"#,\n\r\t \\-+_:0x";
  for (int round = 0; round < 2000; ++round) {
    std::string text = good.substr(0, test::between<std::size_t>(random, 1, good.size()));
    for (int change = test::between(random, 0, 3); change > 0; --change) {
      const auto at = test::between<std::size_t>(random, 0, text.size() - 1);
      const char sign = test::between(random, 0, 3) == 0 ? static_cast<char>(test::between(random, -128, 127))
                                                         : signs[test::between<std::size_t>(random, 0, signs.size() - 1)];
      if (test::between(random, 0, 1) == 0) {
        text[at] = sign;
      } else {
        text.insert(at, 1, sign);
      }
    }
    CAPTURE(text);
    const auto loaded = sandbox.load(text);
    CHECK(std::none_of(loaded.problems.begin(), loaded.problems.end(),
                       [](const auto& problem) { return problem.place.empty() || problem.message.empty(); }));
  }
}

TEST_CASE("a topic has options of its own, and those of [log] where it says nothing") {
  const Sandbox sandbox;
  const auto loaded = sandbox.load(R"([log]
partitions = 8
sync = "interval"
retention = { size = "3GiB", age = "2d" }
[[topic]]
name = "1"
retention = { size = 0 }
sync = "none"
[[topic]]
name = "wind/turbine"
partitions = 1
segment_size = "1MiB"
retention = { age = "1h" }
sync_interval = "20ms"
)");
  CHECK(told(loaded) == Texts{});
  REQUIRE(loaded.config.topics.size() == 2);
  const config::Topic& one = loaded.config.topics[0];
  CHECK(one.name == "1");
  CHECK(one.partitions == 8);
  CHECK(one.segment_size == 64u << 20);
  CHECK(one.retention_size == 0);
  CHECK(one.retention_age == Duration::seconds(2 * 86'400));
  CHECK(one.sync == config::Sync::none);
  CHECK(one.sync_interval == Duration::milliseconds(5));
  const config::Topic& other = loaded.config.topics[1];
  CHECK(other.name == "wind/turbine");
  CHECK(other.partitions == 1);
  CHECK(other.segment_size == 1u << 20);
  CHECK(other.retention_size == 3ull << 30);
  CHECK(other.retention_age == Duration::seconds(3600));
  CHECK(other.sync == config::Sync::interval);
  CHECK(other.sync_interval == Duration::milliseconds(20));
}

TEST_CASE("bytes that are no text are a syntax error") {
  const Sandbox sandbox;
  CHECK(told(sandbox.load(std::string("a = \"\xff\xfe\0\"", 9))).size() == 1);
  CHECK(told(sandbox.load(std::string(100'000, '['))).size() == 1);
}

TEST_CASE("a file that is not there is told by its path") {
  const auto loaded = config::load("/nowhere/c.toml", {});
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].text() == "/nowhere/c.toml: cannot use '/nowhere/c.toml': No such file or directory");
}

TEST_CASE("wrong types and impossible values are told with what is wanted") {
  const Sandbox sandbox;
  const auto [text, message] = GENERATE(table<std::string, std::string>({
      {"data_dir = 7", "data_dir must be a text in quotes, not the number 7"},
      {"data_dir = ''", "data_dir must not be empty"},
      {"log = 7", "log must be a table, not the number 7"},
      {"log = [1]", "log must be a table, not a list"},
      {"log.partitions = 0", "from 1 to 1024, not the number 0"},
      {"log.partitions = -1", "from 1 to 1024, not the number -1"},
      {"log.partitions = 1025", "from 1 to 1024"},
      {"log.partitions = 4.0", "from 1 to 1024, not the number 4"},
      {"log.partitions = 4294967297", "from 1 to 1024"},
      {"log.partitions = 2022-01-01", "not the time 2022-01-01"},
      {"log.segment_size = '64M'", "a size from 1 MiB to 2 GiB, for example \"64MiB\", not the text \"64M\""},
      {"log.segment_size = 1000", "a size from 1 MiB to 2 GiB"},
      {"log.segment_size = '5GiB'", "a size from 1 MiB to 2 GiB"},
      {"log.retention = { size = -1 }", "or 0 for no limit"},
      {"log.retention = { age = '1 fortnight' }", "a duration from 1s to 100y, or 0 for no limit, for example \"7d\""},
      {"log.sync = 'bach'", "one of batch, interval, none, not the text \"bach\""},
      {"log.sync_interval = 5", "a duration from 100us to 1min, for example \"5ms\", not the number 5"},
      {"topic = 7", "a list of tables, each begun with [[topic]]"},
      {"[[topic]]", "name must not be empty"},
      {"[[topic]]\nname = '_schemas'", "begin with _ are the server's own"},
      {"[[topic]]\nname = 't'\nsync = 'always'", "topic.0.sync must be one of batch, interval, none"},
      {"[[topic]]\nname = 't'\npartition = 3", "unknown key 'topic.0.partition'; did you mean 'topic.0.partitions'?"},
      {"[[topic]]\nname = 't'\nretention = { sice = 1 }", "did you mean 'topic.0.retention.size'?"},
      {"[[topic]]\nname = 't'\nretention = '1d'", "topic.0.retention must be a table"},
      {"[[topic]]\nname = 't'\n[[topic]]\nname = 't'", "topic 't' has its options already at "},
      {"store.retention = { rows = 0 }", "a duration from 1s to 100y"},
      {"server.listen = []", "must name at least one address"},
      {"server.listen = [1]", "a text in quotes, or a list of them, not the number 1"},
      {"server.listen = 'localhost'", "write it as 127.0.0.1:8080"},
      {"server.listen = '127.0.0.1:99999'", "write it as 127.0.0.1:8080"},
      {"server.listen = ['127.0.0.1:1', '127.0.0.1:1']", "listed twice"},
      {"server.max_body = '2GiB'", "a size from 1 KiB to 1 GiB"},
      {"server.idle_timeout = '1ms'", "a duration from 1s to 1d"},
      {"server.connections_max = 0", "from 1 to 1000000"},
      {"server.allowed_origins = ['example.org']", "'example.org' is not an origin"},
      {"server.allowed_origins = ['https://example.org/']", "is not an origin"},
      {"server.allowed_hosts = ['https://example.org']", "is not the name of a host"},
      {"server.tls_key = '/nowhere'", "are needed together"},
      {"server.token_file = ''", "must name a file"},
      {"server.token_file = '/nowhere'", "cannot use '/nowhere': No such file"},
      {"server.token_file = '/dev/null'", "is empty"},
      {"server.token_file = '/'", "is a folder, not a file"},
      {"prototype = 7", "a list of tables, each begun with [[prototype]]"},
      {"prototype = [7]", "prototype.0 must be a table"},
      {"[[prototype]]", "code must not be empty"},
      {"[[prototype]]\ncode = \"a\\nb\"", "no control characters"},
      {"[[prototype]]\ncode = 'x'\ndataset = '_schemas'", "begin with _"},
      {"[[prototype]]\ncode = 'x'\nmodel = '/nowhere.xml'", "cannot use '/nowhere.xml'"},
      {"[[prototype]]\ncode = 'x'\ncsv = '/nowhere/*.csv'", "no file matches '/nowhere/*.csv'"},
      {"[[prototype]]\ncode = 'x'\nlabl = 'y'", "did you mean 'prototype.0.label'?"},
      {"[[simulation]]", "prototype must name the prototype to simulate"},
      {"[[simulation]]\nprototype = 'X'", "there is no prototype 'X'"},
  }));
  CAPTURE(text);
  const auto problems = told(sandbox.load(text));
  CAPTURE(problems);
  CHECK(std::any_of(problems.begin(), problems.end(),
                    [&, wanted = message](const std::string& problem) { return problem.find(wanted) != std::string::npos; }));
}

TEST_CASE("wrong values of a simulation are told") {
  const Sandbox sandbox;
  const std::string head = "[[prototype]]\ncode = 'X1'\n[[simulation]]\nprototype = 'X1'\n";
  const auto [text, message] = GENERATE(table<std::string, std::string>({
      {"period = '1us'", "a duration from 100us to 7d"},
      {"period = 'record'", "a duration from 100us to 7d"},
      {"speed = 0", "a number from 0.001 to 10000, not the number 0"},
      {"speed = nan", "a number from 0.001 to 10000, not the number nan"},
      {"speed = inf", "a number from 0.001 to 10000, not the number inf"},
      {"speed = '2'", "a number from 0.001 to 10000"},
      {"devices = 0", "from 1 to 100000"},
      {"devices = 100001", "from 1 to 100000"},
      {"loop = 1", "true or false, not the number 1"},
      {"transport = 'mqtt'", "one of http, inproc"},
      {"seed = -1", "a whole number from 0"},
  }));
  CAPTURE(text);
  const auto problems = told(sandbox.load(head + text));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].find(message) != std::string::npos);
  CHECK(problems[0].starts_with("5:"));
}

TEST_CASE("prototypes have distinct codes, simulations known ones") {
  const Sandbox sandbox;
  const auto loaded =
      sandbox.load("[[prototype]]\ncode = 'X1'\n[[prototype]]\ncode = 'X1'\n[[simulation]]\nprototype = 'X2'\n");
  CHECK(told(loaded) == Texts{"3:1: prototype 'X1' is defined already at " + loaded.config.path + ":1:1",
                              "6:13: there is no prototype 'X2'; did you mean 'X1'?"});
}

TEST_CASE("a listener that others can reach needs a token") {
  const Sandbox sandbox;
  const auto problems = told(sandbox.load("[server]\nlisten = ['127.0.0.1:1', '0.0.0.0:80']\n"));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with("2:26: 0.0.0.0:80 can be reached from other machines: that needs server.token_file"));
  const std::string token = sandbox.write("token", "abc");
  CHECK(told(sandbox.load("[server]\nlisten = '[::]:80'\ntoken_file = '" + token + "'\n")).empty());
  sandbox.write("token", "a b");
  CHECK(told(sandbox.load("[server]\ntoken_file = '" + token + "'\n")).size() == 1);
}

TEST_CASE("a data directory that is a file is refused, one that is not there is not made") {
  const Sandbox sandbox;
  const std::string file = sandbox.write("f", "");
  CHECK(told(sandbox.load("data_dir = '" + file + "'")) == Texts{"1:12: '" + file + "' is a file, not a folder"});
  CHECK(told(sandbox.load("data_dir = '" + (sandbox / "new") + "'")).empty());
  CHECK_FALSE(std::ifstream(sandbox / "new").good());
}
