// The table [mqtt].
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include <iotstream/config/config.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using config::TopicLevel;

namespace {

config::Loaded load(const std::string& text) {
  static const test::TemporaryDirectory directory;
  const std::string file = directory / "mqtt.toml";
  std::filesystem::remove(file);
  std::ofstream(file) << text;
  return config::load(file, {});
}

std::string problem_of(const std::string& text) {
  const auto loaded = load(text);
  return loaded.problems.empty() ? "" : loaded.problems.front().message;
}

}  // namespace

TEST_CASE("Without [mqtt] nobody listens, and the shipped patterns stand", "[config]") {
  const auto loaded = load("");
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.mqtt.listen.empty());
  REQUIRE(loaded.config.mqtt.topics.size() == 3);
  CHECK(loaded.config.mqtt.topics[1][0].kind == TopicLevel::Kind::several);
  CHECK(loaded.config.mqtt.topics[1][2].kind == TopicLevel::Kind::dataset);
}

TEST_CASE("[mqtt] with everything in it", "[config]") {
  const auto loaded = load(R"([mqtt]
listen = ["127.0.0.1:1883", "[::1]:1883"]
topics = "v1/+/{device}/{dataset}/#"
max_packet = "2MiB"
connections_max = 5
sessions_max = 0
session_expiry = "1h"
)");
  REQUIRE(loaded.problems.empty());
  const config::Mqtt& mqtt = loaded.config.mqtt;
  CHECK(mqtt.listen.size() == 2);
  CHECK(mqtt.listen[1].text() == "[::1]:1883");
  REQUIRE(mqtt.topics.size() == 1);
  REQUIRE(mqtt.topics[0].size() == 5);
  CHECK(mqtt.topics[0][0].text == "v1");
  CHECK(mqtt.topics[0][1].kind == TopicLevel::Kind::one);
  CHECK(mqtt.topics[0][4].kind == TopicLevel::Kind::several);
  CHECK(mqtt.packet_size_max == 2u << 20);
  CHECK(mqtt.connections_max == 5);
  CHECK(mqtt.sessions_max == 0);
  CHECK(mqtt.session_expiry_max == Duration::seconds(3'600));
}

TEST_CASE("What is wrong in [mqtt] is told in one sentence", "[config]") {
  const std::string listen = "[mqtt]\nlisten = ";
  CHECK(problem_of(listen + "[\"0.0.0.0:1883\"]").find("needs server.token_file") != std::string::npos);
  CHECK(problem_of(listen + "[\"127.0.0.1:8080\"]").find("server.listen already") != std::string::npos);
  CHECK(problem_of(listen + "[\"127.0.0.1:1\", \"127.0.0.1:1\"]").find("listed twice") != std::string::npos);
  CHECK(problem_of(listen + "\"everywhere\"").find("not an address") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntls = true").find("needs server.tls_certificate") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntopics = []").find("at least one pattern") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntopics = [\"{device}\"]").find("{dataset} once") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntopics = [\"#/{dataset}/#\"]").find("# twice") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntopics = [\"x{dataset}\"]").find("neither a text") != std::string::npos);
  CHECK(problem_of("[mqtt]\nmax_packet = \"300MiB\"").find("max_packet") != std::string::npos);
  CHECK(problem_of("[mqtt]\ntopic = 1").find("topics") != std::string::npos);
}
