#include "mqtt/topic.hpp"

#include <algorithm>
#include <array>

namespace iotstream::mqtt {
namespace {

constexpr std::size_t text_size_max = 65'535;

/// Takes the levels of a topic or filter one by one. An empty text has one empty level.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) {}
  bool done() const { return done_; }
  std::string_view rest() const { return rest_; }
  std::string_view next() {
    const std::size_t end = rest_.find('/');
    const std::string_view level = rest_.substr(0, end);
    done_ = end == std::string_view::npos;
    rest_ = done_ ? std::string_view() : rest_.substr(end + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

bool matches_levels(std::string_view filter, std::string_view topic) {
  Levels wanted(filter);
  Levels given(topic);
  while (!wanted.done()) {
    const std::string_view level = wanted.next();
    if (level == "#") return true;
    if (given.done()) return false;
    const std::string_view name = given.next();
    if (level != "+" && level != name) return false;
    if (given.done()) return wanted.done() || wanted.rest() == "#";
  }
  return false;
}

/// Topics that begin with `$` are not for those who ask for everything.
bool hidden(std::string_view filter, std::string_view topic) {
  return topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'));
}

bool fits(const config::TopicLevel& wanted, std::string_view level, Addressee& addressee) {
  using Kind = config::TopicLevel::Kind;
  if (wanted.kind == Kind::literal) return wanted.text == level;
  if (wanted.kind == Kind::dataset) addressee.dataset = level;
  if (wanted.kind == Kind::device) addressee.device = level;
  return true;
}

std::optional<Addressee> read_by(const config::TopicPattern& pattern, const std::vector<std::string_view>& levels) {
  const auto several = std::find_if(pattern.begin(), pattern.end(), [](const config::TopicLevel& level) {
    return level.kind == config::TopicLevel::Kind::several;
  });
  if (several == pattern.end() ? levels.size() != pattern.size() : levels.size() < pattern.size()) return std::nullopt;
  Addressee addressee;
  const auto front = static_cast<std::size_t>(several - pattern.begin());
  for (std::size_t i = 0; i < front; ++i)
    if (!fits(pattern[i], levels[i], addressee)) return std::nullopt;
  for (std::size_t i = pattern.size(), level = levels.size(); i > front + 1; --i, --level)
    if (!fits(pattern[i - 1], levels[level - 1], addressee)) return std::nullopt;
  return addressee;
}

}  // namespace

bool has_wildcard(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '+' || c == '#'; });
}

bool valid_topic_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= text_size_max && !has_wildcard(topic);
}

bool valid_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > text_size_max) return false;
  Levels levels(filter);
  while (!levels.done()) {
    const std::string_view level = levels.next();
    if (level == "+" || (level == "#" && levels.done())) continue;
    if (level.find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

bool matches(std::string_view filter, std::string_view topic) {
  return !hidden(filter, topic) && matches_levels(filter, topic);
}

std::optional<Addressee> addressee_of(const std::vector<config::TopicPattern>& patterns, std::string_view topic) {
  std::vector<std::string_view> levels;
  levels.reserve(8);
  Levels parts(topic);
  while (!parts.done()) levels.push_back(parts.next());
  for (const config::TopicPattern& pattern : patterns)
    if (const auto addressee = read_by(pattern, levels)) return addressee;
  return std::nullopt;
}

std::string topic_part(std::string_view name) {
  std::string part;
  part.reserve(name.size());
  for (const char c : name) {
    if (c == '+')
      part += "%2B";
    else if (c == '#')
      part += "%23";
    else
      part += c;
  }
  return part;
}

Reach reach_of(std::string_view filter, std::string_view dataset) {
  if (hidden(filter, dataset)) return {};
  Levels wanted(filter);
  Levels given(dataset);
  while (!given.done()) {
    if (wanted.done()) return {};
    const std::string_view level = wanted.next();
    if (level == "#") return {Reach::Kind::all, {}};
    const std::string_view name = given.next();
    if (level != "+" && level != name) return {};
  }
  if (wanted.done()) return {};
  if (wanted.rest() == "#") return {Reach::Kind::all, {}};
  return {Reach::Kind::some, wanted.rest()};
}

bool matches_device(std::string_view rest, std::string_view device) { return matches_levels(rest, device); }

}  // namespace iotstream::mqtt
