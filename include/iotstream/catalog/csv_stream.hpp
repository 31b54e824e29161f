// CSV that comes in pieces.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/catalog/csv.hpp>

namespace iotstream::catalog {

/// As CsvTable, for a text that comes in pieces: what its first bytes tell (form, encoding, classes of columns, the time
/// column) holds for all of it, and a cell that then does not fit its column is a text. Memory is bounded by the longest row.
/// One thread.
class CsvStream {
 public:
  /// `head`: the text's first bytes, at least a few rows where there are any; they are to be fed as well. Errors: those of
  /// CsvTable::open.
  static Result<CsvStream> open(std::string_view head);
  ~CsvStream();
  CsvStream(CsvStream&&) noexcept;

  const std::vector<std::string>& columns() const;
  /// Hands out the rows that have become whole; what a row points at is valid during the call.
  void feed(std::string_view bytes, const std::function<void(const CsvTable::Row&)>& take);
  /// The end of the text: hands out the last row if no line break did.
  void finish(const std::function<void(const CsvTable::Row&)>& take);

 private:
  struct Content;
  explicit CsvStream(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace iotstream::catalog
