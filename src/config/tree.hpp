// A TOML document as a plain tree that remembers where everything stood. The rest of the room reads this, not toml++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/config/config.hpp>

namespace iotstream::config {

struct Member;

struct Node {
  enum class Kind : unsigned char { boolean, integer, real, text, time, list, table };
  Kind kind = Kind::table;
  bool overridden = false;  ///< from the command line: there a string may be written without quotes
  std::string place;        ///< `file:line:column`, or `--set KEY`
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;  ///< text, or a time as it is written
  std::vector<Node> items;
  std::vector<Member> members;  ///< in no particular order; keys are distinct

  Member* find(std::string_view key);
  const Member* find(std::string_view key) const;
};

struct Member {
  std::string key;
  std::string place;  ///< of the key
  Node value;
};

/// The document's table, or a syntax error as a problem.
std::optional<Node> parse_toml(std::string_view text, const std::string& file, std::vector<Problem>& problems);
/// A value as it is written behind `--set KEY=`; what is no TOML and begins like a bare word counts as text.
std::optional<Node> parse_override_value(std::string_view text, const std::string& place, std::vector<Problem>& problems);
/// Puts `override` (`log.partitions=8`, `prototype.0.csv=…`) into the tree.
void apply_override(Node& root, std::string_view override_text, std::vector<Problem>& problems);

/// What a node is, for messages: `the text "abc"`, `the number 7`, `a table`.
std::string describe(const Node& node);

}  // namespace iotstream::config
