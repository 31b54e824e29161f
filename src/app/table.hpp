// Aligned text tables for terminals.
#pragma once

#include <string>
#include <vector>

namespace iotstream::app {

/// Columns as wide as their widest cell; cells that are numbers stand to the right. Control characters are escaped.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace iotstream::app
