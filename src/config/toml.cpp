// The one file that knows toml++.
#include <algorithm>
#include <optional>
#include <sstream>

#include <fmt/format.h>

namespace iotstream::config {
namespace {
/// Thrown where toml++ finds itself wrong.
struct BrokenParser {};
[[noreturn]] void parser_is_broken() { throw BrokenParser{}; }
}  // namespace
}  // namespace iotstream::config

// toml++ 3.3 takes for granted that `[` is followed by a name: `[=` breaks an assertion, and is undefined behaviour where
// assertions are compiled out. So they are kept in every build, and throw: parse_toml() makes an error with a place of it.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : ::iotstream::config::parser_is_broken())
#ifdef NDEBUG
#undef NDEBUG
#include <toml++/toml.h>
#define NDEBUG
#else
#include <toml++/toml.h>
#endif

#include "config/tree.hpp"

namespace iotstream::config {

namespace {

/// Turns toml++'s tree into ours. `fixed_place` (of an override) stands for every place in it.
class Converter {
 public:
  Converter(const std::string& file, const std::string& fixed_place) : file_(file), fixed_place_(fixed_place) {}

  Node convert(const toml::node& from) const {
    Node node;
    node.place = place(from.source());
    node.overridden = !fixed_place_.empty();
    if (const auto* table = from.as_table()) {
      fill_table(*table, node);
    } else if (const auto* array = from.as_array()) {
      node.kind = Node::Kind::list;
      for (const toml::node& item : *array) node.items.push_back(convert(item));
    } else {
      fill_scalar(from, node);
    }
    return node;
  }

  std::string place(const toml::source_region& source) const {
    if (!fixed_place_.empty()) return fixed_place_;
    return fmt::format("{}:{}:{}", file_, source.begin.line, source.begin.column);
  }

 private:
  void fill_table(const toml::table& from, Node& node) const {
    node.kind = Node::Kind::table;
    for (const auto& [key, value] : from) {
      node.members.push_back({std::string(key.str()), place(key.source()), convert(value)});
    }
  }

  static void fill_scalar(const toml::node& from, Node& node) {
    if (const auto* text = from.as_string()) {
      node.kind = Node::Kind::text;
      node.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
      node.kind = Node::Kind::integer;
      node.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
      node.kind = Node::Kind::real;
      node.real = real->get();
    } else if (const auto* boolean = from.as_boolean()) {
      node.kind = Node::Kind::boolean;
      node.boolean = boolean->get();
    } else {
      node.kind = Node::Kind::time;
      std::ostringstream written;
      from.visit([&](const auto& value) { written << value; });
      node.text = std::move(written).str();
    }
  }

  const std::string& file_;
  const std::string& fixed_place_;
};

/// Nothing when the parser broke.
std::optional<toml::parse_result> parse(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const BrokenParser&) {
    return std::nullopt;
  }
}

/// `line:column` of the character that breaks the parser. It reads from front to back, so a beginning of the text breaks it
/// exactly when that character is in it: the shortest such beginning is found by halving.
std::string place_of_break(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (parse(text.substr(0, middle)) ? good : bad) = middle;
  }
  const std::string_view before = text.substr(0, good);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none
  return fmt::format("{}:{}", std::count(before.begin(), before.end(), '\n') + 1, good - line_start + 1);
}

/// Could be text without quotes: `recorded`, `64MiB`, `data/x.csv`, `127.0.0.1:80`.
bool is_bare(std::string_view text) { return !text.empty() && text.find_first_of("\"'[]{}\n\r") == std::string_view::npos; }

Node bare_text(std::string_view text, const std::string& place) {
  Node node;
  node.kind = Node::Kind::text;
  node.text = text;
  node.place = place;
  node.overridden = true;
  return node;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
  const std::string no_fixed_place;
  const Converter converter(file, no_fixed_place);
  const auto result = parse(text);
  if (!result) {
    problems.push_back(
        {fmt::format("{}:{}", file, place_of_break(text)), "not TOML: the name of a key or table is expected here"});
    return std::nullopt;
  }
  if (*result) return converter.convert(result->table());
  problems.push_back({converter.place(result->error().source()), fmt::format("not TOML: {}", result->error().description())});
  return std::nullopt;
}

std::optional<Node> parse_override_value(std::string_view text, const std::string& place, std::vector<Problem>& problems) {
  const auto result = parse(fmt::format("value = {}", text));
  // More than one key: the text held a line break and went on.
  if (result && *result && result->table().size() == 1) {
    Node node = Converter(place, place).convert(*result->table().get("value"));
    if (node.kind != Node::Kind::time) return node;
  }
  if (is_bare(text)) return bare_text(text, place);
  const bool told = result && !*result;
  problems.push_back(
      {place, fmt::format("'{}' is no TOML value{}", text, told ? fmt::format(": {}", result->error().description()) : "")});
  return std::nullopt;
}

}  // namespace iotstream::config
