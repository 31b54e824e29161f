// Topics, filters, patterns and payloads.
#include "mqtt/topic.hpp"

#include <catch2/catch.hpp>

#include "mqtt/payload.hpp"
#include "mqtt/session.hpp"

using namespace iotstream;
using namespace iotstream::mqtt;

namespace {

std::vector<config::TopicPattern> patterns(const std::vector<std::string>& texts) {
  std::vector<config::TopicPattern> all;
  for (const std::string& text : texts) {
    auto pattern = config::parse_topic_pattern(text);
    REQUIRE(pattern);
    all.push_back(*pattern);
  }
  return all;
}

std::string meaning(const std::vector<config::TopicPattern>& all, std::string_view topic) {
  const auto found = addressee_of(all, topic);
  return found ? std::string(found->dataset) + "|" + std::string(found->device) : "none";
}

}  // namespace

TEST_CASE("Filters match as the standards' examples say", "[mqtt]") {
  struct Case {
    const char* filter;
    const char* topic;
    bool match;
  };
  const std::vector<Case> cases{
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/#", "sport", true},
      {"#", "anything/at/all", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"#", "$SYS/x", false},
      {"+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"$SYS/#", "$SYS/monitor", true},
      {"a/b", "a/b", true},
      {"a/b", "a/B", false},
      {"a/b", "a/b/", false},
      {"a/+/c", "a//c", true},
  };
  for (const Case& one : cases) {
    INFO(one.filter << " and " << one.topic);
    CHECK(matches(one.filter, one.topic) == one.match);
    CHECK(valid_filter(one.filter));
    // The split into dataset and device is the same question, for topics that have both.
    const std::string_view topic(one.topic);
    for (std::size_t slash = topic.find('/'); slash != std::string_view::npos; slash = topic.find('/', slash + 1)) {
      const Reach reach = reach_of(one.filter, topic.substr(0, slash));
      const bool reached = reach.kind == Reach::Kind::all ||
                           (reach.kind == Reach::Kind::some && matches_device(reach.rest, topic.substr(slash + 1)));
      CHECK(reached == one.match);
    }
  }
  for (const char* const wrong : {"", "a/#/b", "a+", "#a", "a/b#", "+a/b"}) CHECK_FALSE(valid_filter(wrong));
}

TEST_CASE("A topic's dataset and device come from the first pattern that fits", "[mqtt]") {
  const auto shipped = patterns({"{dataset}/{device}", "#/{device}/{dataset}", "{dataset}"});
  CHECK(meaning(shipped, "boiler/b 7") == "boiler|b 7");
  CHECK(meaning(shipped, "plant/b7/boiler") == "boiler|b7");
  CHECK(meaning(shipped, "plant/hall/2/b7/boiler") == "boiler|b7");
  CHECK(meaning(shipped, "/b7/boiler") == "boiler|b7");
  CHECK(meaning(shipped, "boiler") == "boiler|");
  CHECK(meaning(shipped, "/boiler") == "|boiler");
  const auto own = patterns({"v1/+/{device}/{dataset}/#", "tele/{device}/SENSOR/{dataset}"});
  CHECK(meaning(own, "v1/tenant/d1/engine/x/y") == "engine|d1");
  CHECK(meaning(own, "v1/tenant/d1/engine") == "none");
  CHECK(meaning(own, "tele/d1/SENSOR/t") == "t|d1");
  CHECK(meaning(own, "tele/d1/STATE/t") == "none");
  CHECK(meaning(patterns({"#/{dataset}"}), "a/b/c") == "c|");
  for (const char* const wrong :
       {"", "{device}", "{dataset}/{dataset}", "a/{dataset}/#/b/#", "x{dataset}", "{dataset}/{device}/{device}"})
    CHECK_FALSE(config::parse_topic_pattern(wrong));
}

TEST_CASE("Names that no topic may hold are written with escapes", "[mqtt]") {
  CHECK(topic_part("a+b#c") == "a%2Bb%23c");
  CHECK(topic_part("a/b c") == "a/b c");
}

TEST_CASE("A payload is JSON, or becomes a value", "[mqtt]") {
  struct Case {
    std::string_view payload;
    std::string_view body;
    bool envelope;
  };
  using namespace std::string_view_literals;
  const std::vector<Case> cases{
      {R"({"a":1})", R"({"a":1})", false},
      {" [ {\"a\":1} ]", " [ {\"a\":1} ]", false},
      {R"({"DatasetType":"x","data":{}})", R"({"DatasetType":"x","data":{}})", true},
      {R"([{ "DatasetType":"x","data":{}}])", R"([{ "DatasetType":"x","data":{}}])", true},
      {R"({"data":{},"DatasetType":"x"})", R"({"data":{},"DatasetType":"x"})", true},
      {R"({"data":{}})", R"({"data":{}})", false},
      {"21.5", R"({"value":21.5})", false},
      {" -3e2\n", R"({"value":-3e2})", false},
      {"007", R"({"value":"007"})", false},
      {"1.", R"({"value":"1."})", false},
      {"1e", R"({"value":"1e"})", false},
      {"-", R"({"value":"-"})", false},
      {"true", R"({"value":true})", false},
      {"null", R"({"value":null})", false},
      {"NaN", R"({"value":"NaN"})", false},
      {"on \"x\"", R"({"value":"on \"x\""})", false},
      {"\xFFx", "\xFFx", false},
      {"", "", false},
  };
  for (const Case& one : cases) {
    std::string made;
    const Body body = body_of(one.payload, made);
    CHECK(body.text == one.body);
    CHECK(body.envelope == one.envelope);
  }
}

TEST_CASE("The window hands out identifiers and knows what is unacknowledged", "[mqtt]") {
  Window window;
  const Place a{nullptr, 0};
  const Place b{nullptr, 1};
  CHECK(window.push(a, Offset(10)) == 1);
  CHECK(window.push(b, Offset(3)) == 2);
  CHECK(window.push(a, Offset(11)) == 3);
  CHECK_FALSE(window.acknowledge(0));
  CHECK_FALSE(window.acknowledge(4));
  CHECK(window.acknowledge(2));
  CHECK_FALSE(window.acknowledge(2));
  CHECK(window.find(a, Offset(11)) == 3);
  CHECK_FALSE(window.find(b, Offset(3)));
  Positions positions{{a, Offset(12)}, {b, Offset(4)}};
  window.hold_back(positions);
  CHECK(positions.at(a) == Offset(10));
  CHECK(positions.at(b) == Offset(4));
  CHECK(window.acknowledge(1));
  CHECK(window.acknowledge(3));
  CHECK(window.size() == 0);
  // Identifiers wrap from 65,535 to 1, and 0 is never one.
  std::uint16_t last = 3;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const std::uint16_t id = window.push(a, Offset(i));
    CHECK(id == last % 65'535 + 1);
    last = id;
    if (i % 3 != 0) continue;
    for (std::uint16_t back = static_cast<std::uint16_t>(window.size()); back-- > 0;)
      REQUIRE(window.acknowledge(static_cast<std::uint16_t>((id - 1 + 65'535u - back) % 65'535 + 1)));
  }
}
