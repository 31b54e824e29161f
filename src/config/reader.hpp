// Reads members of TOML tables into fields, collecting every problem with its place.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/config/config.hpp>

#include "config/toml.hpp"

namespace iotstream::config {

/// Where problems gather. `overridden` keys (dotted) are placed as `--set KEY` in place of a line.
struct Problems {
  std::string file;
  std::set<std::string> overridden;
  std::vector<Problem> list;

  std::string place(const toml::node& node, const std::string& key) const;
  void add(const toml::node& node, const std::string& key, std::string message);
};

/// One table being read: members are taken by name; at the end unknown() reports every member that nobody took.
class TableReader {
 public:
  /// `prefix` is the table's dotted key, empty for the root.
  TableReader(const toml::table& table, std::string prefix, Problems& problems)
      : table_(table), prefix_(std::move(prefix)), problems_(problems) {}

  /// Each sets `target` when the member is there and good; a wrong type or an impossible value becomes a problem.
  void text(const char* key, std::string& target);
  void truth(const char* key, bool& target);
  void whole(const char* key, std::uint64_t& target, std::uint64_t least, std::uint64_t most);
  void whole(const char* key, std::uint32_t& target, std::uint64_t least, std::uint64_t most);
  void number(const char* key, double& target, double least, double most);
  void duration(const char* key, Duration& target, Duration least, Duration most);
  void size(const char* key, std::uint64_t& target, std::uint64_t least, std::uint64_t most);
  void texts(const char* key, std::vector<std::string>& target);
  /// One of `names`; `set` gets its index.
  void choice(const char* key, const std::vector<std::string>& names, const std::function<void(std::size_t)>& set);
  /// Hands the member, a table, to `read`.
  void table(const char* key, const std::function<void(TableReader&)>& read);
  /// Hands each table of the member, an array of tables, to `read`.
  void tables(const char* key, const std::function<void(TableReader&, const toml::node&)>& read);

  /// A problem at the member, or at the table when it is not there.
  void problem(const char* key, std::string message);
  bool has(const char* key) const { return table_.contains(key); }
  std::string place() const { return problems_.place(table_, prefix_); }

  void unknown();

 private:
  const toml::node* take(const char* key);
  std::string dotted(const char* key) const { return prefix_.empty() ? key : prefix_ + "." + key; }

  const toml::table& table_;
  std::string prefix_;
  Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace iotstream::config
