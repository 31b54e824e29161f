// The rows of a CSV body as they were written: what a dead letter keeps of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace iotstream::ingest {

/// Finds rows by the line on which they begin. Lines are asked for in rising order; the cost over a whole body is linear. Views
/// of `body`.
class CsvLines {
 public:
  explicit CsvLines(std::string_view body) : body_(body) {}
  /// From the begin of `line` (from 1) to the first line break that is not inside quotes; to the next line break when a quote
  /// is never closed. Empty beyond the end.
  std::string_view row_at(std::uint64_t line);
  /// The first row that is not blank.
  std::string_view header() const;

 private:
  std::string_view body_;
  std::uint64_t line_ = 1;
  std::size_t at_ = 0;  ///< where line_ begins
};

}  // namespace iotstream::ingest
