// CSV as it is found (RFC 4180 and its relatives), as a state machine over bytes: any cut into chunks gives the same rows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iotstream::catalog {

/// A cell as written, without its quotes; blanks around unquoted text are gone.
struct CsvCell {
  std::string_view text;
  bool quoted = false;
};

/// A row; its cells are valid during the call it is handed to.
struct CsvRow {
  std::uint64_t line = 0;  ///< where it begins, from 1
  std::span<const CsvCell> cells;
  std::string_view problem;  ///< not empty: the row cannot be taken, and its cells are not to be used
  bool ended = true;         ///< false: the input stopped without a line break after it
};

struct CsvLimits {
  std::size_t cell_bytes = 64 * 1024;
  std::size_t row_bytes = 1024 * 1024;
  std::size_t row_cells = 10'000;
};

/// Taken: quotes with quoted separators, quotes and line breaks; LF, CRLF and CR; blanks around cells; a quote in the middle of
/// an unquoted cell as itself; text after a closing quote as part of the cell. Blank lines are left out.
/// Rows that lie whole in a chunk and have no line break between quotes are cut where they are, 64 bytes at a time; only the
/// others are copied. A row with a zero byte is handed out with its problem.
/// A quote that is not closed within `cell_bytes` of its first line break, or at all, costs its own line only: the row is
/// handed out with its problem, and reading goes on at the line after that break. A row over a limit is handed out with its
/// problem, too. Memory is bounded by the limits. One thread.
class CsvReader {
 public:
  using Sink = std::function<void(const CsvRow&)>;

  explicit CsvReader(char separator, CsvLimits limits = {}) : separator_(separator), limits_(limits) {}

  void feed(std::string_view chunk, const Sink& sink);
  /// The end of the input: hands out the last row if no line break did.
  void finish(const Sink& sink);

 private:
  enum class State : unsigned char {
    cell_begin,   ///< nothing but blanks so far
    plain,        ///< in an unquoted cell
    quoted,       ///< between quotes
    quote_ended,  ///< after a quote between quotes: the end, or the first half of `""`
    after_quote,  ///< after the end and a blank
    line_ended,   ///< after a CR: an LF belongs to it
  };
  struct CellEnd {
    std::size_t end = 0;
    bool quoted = false;
  };

  const char* take_rows(const char* at, const char* end, const Sink& sink);
  const char* take_plain(const char* at, const char* end, const Sink& sink);
  void take_quoted(char c, const Sink& sink);
  bool take_delimiter(char c, const Sink& sink);
  void append(std::string_view text);
  void end_cell();
  void end_row(bool ended, const Sink& sink);
  void reset_row();
  void give_up_quote(const Sink& sink);

  char separator_;
  CsvLimits limits_;
  State state_ = State::cell_begin;
  bool slow_row_ = false;  ///< this row is not for take_rows()
  bool cell_quoted_ = false;
  bool after_cr_ = false;  ///< the byte before was a CR: an LF is no line of its own

  std::uint64_t line_ = 1;      ///< of the next byte
  std::uint64_t row_line_ = 1;  ///< where the row begins
  std::string bytes_;           ///< of the row's cells, one after the other
  std::size_t cell_begin_ = 0;
  std::vector<CellEnd> ends_;
  std::vector<CsvCell> cells_;
  std::string_view problem_;
  std::string_view blanks_over_;  ///< the problem that the row has if its cell goes on: blanks went over a limit

  std::string retry_;  ///< what follows the first line break within the open quote
  std::uint64_t retry_line_ = 0;
  bool retry_on_ = false;
  bool retry_after_cr_ = false;
};

}  // namespace iotstream::catalog
