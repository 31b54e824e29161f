// Reads one table of the configuration member by member, remembers what was asked for, and tells of the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/time.hpp>
#include <iotstream/config/config.hpp>

#include "config/tree.hpp"

namespace iotstream::config {

/// Each reader leaves its target as it is when the key is absent or its value is wrong; the latter is a problem. `table` may be
/// null.
class Section {
 public:
  /// `name` as it is written in front of a key: `log`, `prototype.0`, or nothing for the document itself.
  Section(const Node* table, std::string name, std::vector<Problem>& problems);

  void read(std::string_view key, std::string& target);
  void read(std::string_view key, bool& target);
  void read(std::string_view key, double& target, double least, double most);
  void read_integer(std::string_view key, std::uint32_t& target, std::uint32_t least, std::uint32_t most);
  void read_integer(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most);
  void read_size(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most, bool zero = false);
  void read_duration(std::string_view key, Duration& target, Duration least, Duration most, bool zero = false);
  /// One text, or a list of them. True when it was there and good.
  bool read_texts(std::string_view key, std::vector<std::string>& target);
  /// The index of the text among `names`, or nothing.
  std::optional<std::size_t> read_choice(std::string_view key, const std::vector<std::string>& names);
  Section read_section(std::string_view key);
  /// The tables of `[[key]]`.
  std::vector<const Node*> read_tables(std::string_view key);

  /// The value of `key`, which counts as asked for; nullptr when absent.
  const Node* ask(std::string_view key);
  /// Tells of a problem at the value of `key`, or at the table when it has none; `item`: at that element, where the value is a
  /// list.
  void problem(std::string_view key, std::string message, std::optional<std::size_t> item = std::nullopt);
  /// Tells of every member that nobody asked for, with the nearest key that was, or the table it belongs to.
  void refuse_the_rest();

  std::string place() const { return table_ == nullptr ? std::string() : table_->place; }

 private:
  std::string full(std::string_view key) const;
  void wrong(std::string_view key, const Node& node, std::string_view wanted);
  std::string advice(const std::string& key) const;
  std::optional<std::string> text_of(const Node& node) const;

  const Node* table_;
  std::string name_;
  std::vector<Problem>& problems_;
  std::vector<std::string> asked_;
};

}  // namespace iotstream::config
