// CSV in memory, read by the rules of imported files: separator, encoding, classes of columns and the time column are found by
// themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/catalog.hpp>

namespace iotstream::catalog {

/// A text with a header, looked at once as a whole, then read row by row. One thread; `text` outlives it.
class CsvTable {
 public:
  struct Row {
    std::uint64_t line = 0;         ///< where it begins, from 1
    std::string_view problem;       ///< not empty: the row cannot be taken, and there are no cells
    std::optional<Timestamp> time;  ///< from the column of times, when there is one and its cell can be read
    std::span<const Cell> cells;    ///< those that have a value, the time column's among them
  };

  /// Errors: invalid (no header, a header of values, too many columns; UTF-16), with the line.
  static Result<CsvTable> open(std::string_view text);
  ~CsvTable();
  CsvTable(CsvTable&&) noexcept;

  const std::vector<std::string>& columns() const;
  /// Hands out the rows in order; what a row points at is valid during the call.
  void each(const std::function<void(const Row&)>& take);

 private:
  struct Content;
  explicit CsvTable(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace iotstream::catalog
