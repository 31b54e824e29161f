// The rows of a CSV body as they were written: what a dead letter keeps of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace iotstream::ingest {

/// Finds rows by the line on which they begin. Lines are asked for in rising order; the cost over a whole body is linear. Views
/// of `body`.
class CsvLines {
 public:
  /// `first`: the number of the body's first line.
  explicit CsvLines(std::string_view body, std::uint64_t first = 1) : body_(body), first_(first), line_(first) {}
  /// From the begin of `line` (from 1) to the first line break that is not inside quotes; to the next line break when a quote
  /// is never closed. Empty beyond the end, and before the
  /// first line.
  std::string_view row_at(std::uint64_t line);
  /// The first row that is not blank.
  std::string_view header() const;
  /// Line breaks in the body.
  std::uint64_t breaks() const;

 private:
  std::string_view body_;
  std::uint64_t first_;
  std::uint64_t line_;
  std::size_t at_ = 0;  ///< where line_ begins
};

}  // namespace iotstream::ingest
