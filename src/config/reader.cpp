#include "config/reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace iotstream::config {

namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

}  // namespace

std::string Problems::place(const toml::node& node, const std::string& key) const {
  for (const std::string& set : overridden) {
    if (key == set || key.starts_with(set + ".") || set.starts_with(key + ".")) return "--set " + set;
  }
  const toml::source_position at = node.source().begin;
  return at ? fmt::format("{}:{}:{}", file, at.line, at.column) : file;
}

void Problems::add(const toml::node& node, const std::string& key, std::string message) {
  list.push_back({place(node, key), std::move(message)});
}

const toml::node* TableReader::take(const char* key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::problem(const char* key, std::string message) {
  const toml::node* node = table_.get(key);
  problems_.add(node != nullptr ? *node : table_, dotted(key), std::move(message));
}

void TableReader::text(const char* key, std::string& target) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (const auto* text = node->as_string())
    target = text->get();
  else
    problem(key, fmt::format("{} must be a text in quotes, not {}", dotted(key), type_name(*node)));
}

void TableReader::truth(const char* key, bool& target) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (const auto* truth = node->as_boolean())
    target = truth->get();
  else
    problem(key, fmt::format("{} must be true or false, not {}", dotted(key), type_name(*node)));
}

void TableReader::whole(const char* key, std::uint64_t& target, std::uint64_t least, std::uint64_t most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* number = node->as_integer();
  if (number == nullptr) return problem(key, fmt::format("{} must be a whole number, not {}", dotted(key), type_name(*node)));
  const std::int64_t value = number->get();
  if (value < 0 || static_cast<std::uint64_t>(value) < least || static_cast<std::uint64_t>(value) > most) {
    return problem(key, fmt::format("{} must be from {} to {}, not {}", dotted(key), least, most, value));
  }
  target = static_cast<std::uint64_t>(value);
}

void TableReader::whole(const char* key, std::uint32_t& target, std::uint64_t least, std::uint64_t most) {
  std::uint64_t wide = target;
  whole(key, wide, least, most);
  target = static_cast<std::uint32_t>(wide);
}

void TableReader::number(const char* key, double& target, double least, double most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (!node->is_number()) return problem(key, fmt::format("{} must be a number, not {}", dotted(key), type_name(*node)));
  const double value = *node->value<double>();
  if (!(value >= least && value <= most))
    return problem(key, fmt::format("{} must be from {} to {}, not {}", dotted(key), least, most, value));
  target = value;
}

void TableReader::duration(const char* key, Duration& target, Duration least, Duration most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr)
    return problem(
        key, fmt::format("{} must be a duration in quotes, as \"100ms\" or \"7d\", not {}", dotted(key), type_name(*node)));
  auto value = parse_duration(text->get());
  if (!value) return problem(key, fmt::format("{}: {}", dotted(key), value.error().message));
  if (*value < least || *value > most) {
    return problem(key, fmt::format("{} must be from {} to {}, not {}", dotted(key), format_duration(least),
                                    format_duration(most), text->get()));
  }
  target = *value;
}

void TableReader::size(const char* key, std::uint64_t& target, std::uint64_t least, std::uint64_t most) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr)
    return problem(key, fmt::format("{} must be a size in quotes, as \"64MiB\", not {}", dotted(key), type_name(*node)));
  auto value = parse_size(text->get());
  if (!value) return problem(key, fmt::format("{}: {}", dotted(key), value.error().message));
  if (*value < least || *value > most) {
    return problem(
        key, fmt::format("{} must be from {} to {}, not {}", dotted(key), format_size(least), format_size(most), text->get()));
  }
  target = *value;
}

void TableReader::texts(const char* key, std::vector<std::string>& target) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  const bool good =
      array != nullptr && std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_string(); });
  if (!good) return problem(key, fmt::format("{} must be a list of texts, as [\"a\", \"b\"]", dotted(key)));
  target.clear();
  for (const toml::node& item : *array) target.push_back(item.as_string()->get());
}

void TableReader::choice(const char* key, const std::vector<std::string>& names, const std::function<void(std::size_t)>& set) {
  std::string text;
  const std::size_t before = problems_.list.size();
  this->text(key, text);
  if (!has(key) || problems_.list.size() != before) return;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    return problem(key, fmt::format("{} is '{}', but must be one of: {}", dotted(key), text, fmt::join(names, ", ")));
  set(static_cast<std::size_t>(found - names.begin()));
}

void TableReader::table(const char* key, const std::function<void(TableReader&)>& read) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* table = node->as_table();
  if (table == nullptr)
    return problem(key, fmt::format("{} must be a table, as [{}], not {}", dotted(key), dotted(key), type_name(*node)));
  TableReader reader(*table, dotted(key), problems_);
  read(reader);
  reader.unknown();
}

void TableReader::tables(const char* key, const std::function<void(TableReader&, const toml::node&)>& read) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  const bool good =
      array != nullptr && std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_table(); });
  if (!good) return problem(key, fmt::format("{} must be written as tables: [[{}]]", dotted(key), dotted(key)));
  std::size_t number = 0;
  for (const toml::node& item : *array) {
    TableReader reader(*item.as_table(), fmt::format("{}.{}", dotted(key), number++), problems_);
    read(reader, item);
    reader.unknown();
  }
}

void TableReader::unknown() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    const auto near = nearest(key.str(), known_);
    const std::string name(key.str());
    const std::string hint =
        near ? fmt::format("did you mean '{}'?", *near) : fmt::format("known here: {}", fmt::join(known_, ", "));
    // A key's own place is more useful than its value's.
    const std::string where = prefix_.empty() ? "at the top" : fmt::format("in [{}]", prefix_);
    const toml::source_position at = key.source().begin;
    std::string place = problems_.place(node, dotted(name.c_str()));
    if (at && !place.starts_with("--set")) place = fmt::format("{}:{}:{}", problems_.file, at.line, at.column);
    problems_.list.push_back({std::move(place), fmt::format("unknown key '{}' {}; {}", name, where, hint)});
  }
}

}  // namespace iotstream::config
