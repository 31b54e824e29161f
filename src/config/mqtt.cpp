#include "config/mqtt.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/endpoint.hpp"

namespace iotstream::config {
namespace {

constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;

TopicLevel level_of(std::string_view text) {
  using Kind = TopicLevel::Kind;
  if (text == "{dataset}") return {Kind::dataset, {}};
  if (text == "{device}") return {Kind::device, {}};
  if (text == "+") return {Kind::one, {}};
  if (text == "#") return {Kind::several, {}};
  return {Kind::literal, std::string(text)};
}

void check_listen(Section& section, const Endpoint& endpoint, const Server& server, std::size_t item) {
  const auto same = [&](const Endpoint& other) { return endpoint.port != 0 && other.text() == endpoint.text(); };
  if (std::any_of(server.listen.begin(), server.listen.end(), same))
    section.problem("listen",
                    fmt::format("{} is an address of server.listen already: MQTT needs one of its own", endpoint.text()), item);
  if (endpoint.loopback() || !server.token_file.empty()) return;
  section.problem("listen",
                  fmt::format("{} can be reached from other machines: that needs server.token_file, a file that holds the "
                              "token clients must send as their password",
                              endpoint.text()),
                  item);
}

void read_listen(Section& section, const Server& server, Mqtt& mqtt) {
  std::vector<std::string> texts;
  if (!section.read_texts("listen", texts)) return;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto endpoint = parse_endpoint(texts[i]);
    if (!endpoint.ok()) {
      section.problem("listen", endpoint.error().message, i);
      continue;
    }
    check_listen(section, *endpoint, server, i);
    const bool again = endpoint->port != 0 && std::any_of(mqtt.listen.begin(), mqtt.listen.end(), [&](const Endpoint& other) {
                         return other.text() == endpoint->text();
                       });
    if (again) section.problem("listen", fmt::format("the address {} is listed twice", endpoint->text()), i);
    mqtt.listen.push_back(std::move(*endpoint));
  }
}

void read_topics(Section& section, Mqtt& mqtt) {
  std::vector<std::string> texts{"{dataset}/{device}", "#/{device}/{dataset}", "{dataset}"};
  section.read_texts("topics", texts);
  if (texts.empty())
    section.problem("topics", "mqtt.topics must have at least one pattern, for example \"{dataset}/{device}\"");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto pattern = parse_topic_pattern(texts[i]);
    if (pattern)
      mqtt.topics.push_back(std::move(*pattern));
    else
      section.problem("topics", pattern.error().message, i);
  }
}

}  // namespace

Result<TopicPattern> parse_topic_pattern(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return Error{
        ErrorKind::invalid,
        fmt::format("'{}' {}: write a pattern as {{dataset}}/{{device}} or plant/+/{{device}}/{{dataset}}", text, why)};
  };
  TopicPattern pattern;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    pattern.push_back(level_of(text.substr(begin, end - begin)));
    const TopicLevel& level = pattern.back();
    if (level.kind == TopicLevel::Kind::literal && level.text.find_first_of("{}+#") != std::string::npos)
      return wrong(fmt::format("has a level '{}' that is neither a text, {{dataset}}, {{device}}, + nor #", level.text));
    begin = end + 1;
  }
  const auto count = [&](TopicLevel::Kind kind) {
    return std::count_if(pattern.begin(), pattern.end(), [kind](const TopicLevel& level) { return level.kind == kind; });
  };
  if (count(TopicLevel::Kind::dataset) != 1) return wrong("must have {dataset} once");
  if (count(TopicLevel::Kind::device) > 1) return wrong("has {device} twice");
  if (count(TopicLevel::Kind::several) > 1) return wrong("has # twice");
  return pattern;
}

Mqtt read_mqtt(Section section, const Server& server) {
  Mqtt mqtt;
  read_listen(section, server, mqtt);
  section.read("tls", mqtt.tls);
  if (mqtt.tls && server.tls_certificate.empty())
    section.problem("tls", "mqtt.tls needs server.tls_certificate and server.tls_key");
  read_topics(section, mqtt);
  section.read_size("max_packet", mqtt.packet_size_max, kib, 256 * mib - 1);
  section.read_integer("connections_max", mqtt.connections_max, 1, 1'000'000);
  section.read_integer("sessions_max", mqtt.sessions_max, 0, 100'000);
  section.read_duration("session_expiry", mqtt.session_expiry_max, Duration::seconds(1),
                        Duration::seconds(100ll * 365 * 86'400));
  section.refuse_the_rest();
  return mqtt;
}

}  // namespace iotstream::config
