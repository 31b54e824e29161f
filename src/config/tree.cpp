#include "config/tree.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace iotstream::config {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts `a.b."c.d"` at its dots; nothing when a part is empty or a quote is open.
std::optional<std::vector<std::string>> split_key(std::string_view key) {
  std::vector<std::string> parts;
  for (;;) {
    std::size_t end;
    if (!key.empty() && (key[0] == '"' || key[0] == '\'')) {
      const std::size_t quote = key.find(key[0], 1);
      if (quote == std::string_view::npos) return std::nullopt;
      parts.emplace_back(key.substr(1, quote - 1));
      end = quote + 1;
    } else {
      end = std::min(key.find('.'), key.size());
      parts.emplace_back(trim(key.substr(0, end)));
      if (parts.back().empty()) return std::nullopt;
    }
    if (end == key.size()) return parts;
    if (key[end] != '.') return std::nullopt;
    key.remove_prefix(end + 1);
  }
}

std::optional<std::size_t> as_index(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

/// The element `part` of a list, or one more behind its end.
Node* enter_list(Node& list, const std::string& part, const std::string& place, std::vector<Problem>& problems) {
  const auto index = as_index(part);
  if (!index || *index > list.items.size()) {
    problems.push_back({place, fmt::format("'{}' must be a number from 0 to {} here: an element of a list, or one more", part,
                                           list.items.size())});
    return nullptr;
  }
  if (*index == list.items.size()) list.items.emplace_back().place = place;
  return &list.items[*index];
}

/// What stands under `part` in `node`, made when it is not there.
Node* enter(Node& node, const std::string& part, const std::string& place, std::vector<Problem>& problems) {
  if (node.kind == Node::Kind::list) return enter_list(node, part, place, problems);
  if (node.kind != Node::Kind::table) {
    problems.push_back({place, fmt::format("there is nothing below {}: '{}' leads nowhere", describe(node), part)});
    return nullptr;
  }
  if (Member* member = node.find(part)) return &member->value;
  Member made;
  made.key = part;
  made.place = place;
  made.value.place = place;
  made.value.overridden = true;
  node.members.push_back(std::move(made));
  return &node.members.back().value;
}

}  // namespace

Member* Node::find(std::string_view key) {
  const auto at = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.key == key; });
  return at == members.end() ? nullptr : &*at;
}

const Member* Node::find(std::string_view key) const { return const_cast<Node*>(this)->find(key); }

void apply_override(Node& root, std::string_view override_text, std::vector<Problem>& problems) {
  const std::size_t equals = override_text.find('=');
  const std::string_view key = trim(override_text.substr(0, equals));
  const std::string place = fmt::format("--set {}", key);
  const auto parts = split_key(key);
  if (equals == std::string_view::npos || !parts) {
    problems.push_back({place, "write it as KEY=VALUE, for example log.partitions=8"});
    return;
  }
  auto value = parse_override_value(trim(override_text.substr(equals + 1)), place, problems);
  if (!value) return;
  Node* at = &root;
  for (std::size_t i = 0; i < parts->size() && at != nullptr; ++i) {
    // `simulation.0.prototype=X` may begin a list that is not in the file.
    const bool in_list = i == 1 && as_index((*parts)[1]) &&
                         ((*parts)[0] == "prototype" || (*parts)[0] == "simulation" || (*parts)[0] == "topic");
    if (in_list && at->kind == Node::Kind::table && at->members.empty()) at->kind = Node::Kind::list;
    at = enter(*at, (*parts)[i], place, problems);
  }
  if (at != nullptr) *at = std::move(*value);
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::integer:
      return fmt::format("the number {}", node.integer);
    case Node::Kind::real:
      return fmt::format("the number {}", node.real);
    case Node::Kind::text:
      return fmt::format("the text \"{}\"", node.text);
    case Node::Kind::time:
      return fmt::format("the time {}", node.text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::table:
      return "a table";
  }
  return {};
}

}  // namespace iotstream::config
