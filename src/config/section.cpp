#include "config/section.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <iotstream/base/nearest.hpp>

namespace iotstream::config {

namespace {

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

struct Home {
  std::string_view place;
  std::vector<std::string> keys;
};

/// Every key that belongs into one table only.
const std::vector<Home>& homes() {
  static const std::vector<Home> all{
      {"before the first [table]", {"data_dir"}},
      {"under [server]",
       {"listen", "max_body", "token_file", "tls_certificate", "tls_key", "allowed_origins", "allowed_hosts", "idle_timeout",
        "connections_max"}},
      {"under [log]", {"partitions", "segment_size", "sync", "sync_interval"}},
      {"under [[topic]]", {"name", "partitions", "segment_size", "sync", "sync_interval", "retention", "compact"}},
      {"under [[prototype]]", {"code", "label", "brand", "version", "dataset", "model", "csv"}},
      {"under [[simulation]]", {"prototype", "period", "speed", "devices", "loop", "transport", "seed"}}};
  return all;
}

/// For a key that is valid, or nearly, in another table.
std::optional<std::string> advice_elsewhere(const std::string& key) {
  for (const bool exact : {true, false}) {
    for (const Home& home : homes()) {
      const auto near = nearest(key, home.keys);
      if (!near || (exact && *near != key)) continue;
      return exact ? fmt::format("it belongs {}", home.place) : fmt::format("did you mean '{}', {}?", *near, home.place);
    }
  }
  return std::nullopt;
}

}  // namespace

Section::Section(const Node* table, std::string name, std::vector<Problem>& problems)
    : table_(table), name_(std::move(name)), problems_(problems) {
  if (table_ == nullptr || table_->kind == Node::Kind::table) return;
  problems_.push_back({table_->place, fmt::format("{} must be a table, not {}", name_, describe(*table_))});
  table_ = nullptr;
}

std::string Section::full(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

const Node* Section::ask(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  const Member* member = table_ == nullptr ? nullptr : table_->find(key);
  return member == nullptr ? nullptr : &member->value;
}

void Section::problem(std::string_view key, std::string message, std::optional<std::size_t> item) {
  const Member* member = table_ == nullptr ? nullptr : table_->find(key);
  const Node* at = member == nullptr ? table_ : &member->value;
  if (at != nullptr && item && at->kind == Node::Kind::list && *item < at->items.size()) at = &at->items[*item];
  problems_.push_back({at == nullptr ? std::string() : at->place, std::move(message)});
}

void Section::wrong(std::string_view key, const Node& node, std::string_view wanted) {
  problems_.push_back({node.place, fmt::format("{} must be {}, not {}", full(key), wanted, describe(node))});
}

std::optional<std::string> Section::text_of(const Node& node) const {
  if (node.kind == Node::Kind::text) return node.text;
  // `--set prototype.0.version=2` means the text.
  if (node.overridden && node.kind == Node::Kind::integer) return fmt::format("{}", node.integer);
  return std::nullopt;
}

void Section::read(std::string_view key, std::string& target) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  if (auto text = text_of(*node)) {
    target = std::move(*text);
  } else {
    wrong(key, *node, "a text in quotes");
  }
}

void Section::read(std::string_view key, bool& target) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  if (node->kind == Node::Kind::boolean) {
    target = node->boolean;
  } else {
    wrong(key, *node, "true or false");
  }
}

void Section::read(std::string_view key, double& target, double least, double most) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  const bool number = node->kind == Node::Kind::integer || node->kind == Node::Kind::real;
  const double value = node->kind == Node::Kind::integer ? static_cast<double>(node->integer) : node->real;
  if (number && value >= least && value <= most) {  // false for NaN
    target = value;
  } else {
    wrong(key, *node, fmt::format("a number from {} to {}", least, most));
  }
}

void Section::read_integer(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  const auto value = static_cast<std::uint64_t>(node->integer);
  if (node->kind == Node::Kind::integer && node->integer >= 0 && value >= least && value <= most) {
    target = value;
  } else {
    wrong(key, *node, fmt::format("a whole number from {} to {}", least, most));
  }
}

void Section::read_integer(std::string_view key, std::uint32_t& target, std::uint32_t least, std::uint32_t most) {
  std::uint64_t value = target;
  read_integer(key, value, std::uint64_t{least}, std::uint64_t{most});
  target = static_cast<std::uint32_t>(value);
}

void Section::read_size(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most, bool zero) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  const auto fits = [&](std::uint64_t bytes) { return (zero && bytes == 0) || (bytes >= least && bytes <= most); };
  if (node->kind == Node::Kind::integer && node->integer >= 0 && fits(static_cast<std::uint64_t>(node->integer))) {
    target = static_cast<std::uint64_t>(node->integer);
    return;
  }
  if (node->kind == Node::Kind::text) {
    const auto size = parse_size(node->text);
    if (size.ok() && fits(*size)) {
      target = *size;
      return;
    }
  }
  wrong(key, *node,
        fmt::format("a size from {} to {}{}, for example \"64MiB\"", format_size(least), format_size(most),
                    zero ? ", or 0 for no limit" : ""));
}

void Section::read_duration(std::string_view key, Duration& target, Duration least, Duration most, bool zero) {
  const Node* node = ask(key);
  if (node == nullptr) return;
  std::optional<Duration> value;
  if (node->kind == Node::Kind::integer && node->integer == 0) value = Duration{};
  if (node->kind == Node::Kind::text) {
    const auto parsed = parse_duration(node->text);
    if (parsed.ok()) value = *parsed;
  }
  if (value && ((zero && value->us == 0) || (*value >= least && *value <= most))) {
    target = *value;
    return;
  }
  wrong(key, *node,
        fmt::format("a duration from {} to {}{}, for example \"{}\"", format_duration(least), format_duration(most),
                    zero ? ", or 0 for no limit" : "", format_duration(target)));
}

bool Section::read_texts(std::string_view key, std::vector<std::string>& target) {
  const Node* node = ask(key);
  if (node == nullptr) return false;
  std::vector<std::string> texts;
  bool good = true;
  const auto take = [&](const Node& item) {
    if (auto text = text_of(item)) {
      texts.push_back(std::move(*text));
    } else {
      good = false;
      wrong(key, item, "a text in quotes, or a list of them");
    }
  };
  if (node->kind == Node::Kind::list) {
    for (const Node& item : node->items) take(item);
  } else {
    take(*node);
  }
  if (good) target = std::move(texts);
  return good;
}

std::optional<std::size_t> Section::read_choice(std::string_view key, const std::vector<std::string>& names) {
  const Node* node = ask(key);
  if (node == nullptr) return std::nullopt;
  const auto at = std::find(names.begin(), names.end(), node->kind == Node::Kind::text ? node->text : std::string());
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  wrong(key, *node, fmt::format("one of {}", join(names)));
  return std::nullopt;
}

Section Section::read_section(std::string_view key) { return {ask(key), full(key), problems_}; }

std::vector<const Node*> Section::read_tables(std::string_view key) {
  const Node* node = ask(key);
  std::vector<const Node*> tables;
  if (node == nullptr) return tables;
  if (node->kind != Node::Kind::list) {
    wrong(key, *node, fmt::format("a list of tables, each begun with [[{}]]", key));
    return tables;
  }
  for (const Node& item : node->items) tables.push_back(&item);
  return tables;
}

void Section::refuse_the_rest() {
  if (table_ == nullptr) return;
  for (const Member& member : table_->members) {
    if (std::find(asked_.begin(), asked_.end(), member.key) != asked_.end()) continue;
    problems_.push_back({member.place, fmt::format("unknown key '{}'; {}", full(member.key), advice(member.key))});
  }
}

std::string Section::advice(const std::string& key) const {
  if (const auto near = nearest(key, asked_)) return fmt::format("did you mean '{}'?", full(*near));
  // A key behind the wrong header is the commonest slip of TOML.
  if (auto elsewhere = advice_elsewhere(key)) return *elsewhere;
  return fmt::format("valid here: {}", join(asked_));
}

}  // namespace iotstream::config
