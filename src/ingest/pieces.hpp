// Cuts a body into the texts of its readings, so that each is parsed, taken or refused alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/ingest/gate.hpp>

namespace iotstream::ingest {

/// One reading's text.
struct Piece {
  std::string_view text;     ///< without surrounding whitespace; may be malformed
  std::uint64_t number = 0;  ///< NDJSON: the line, an array: the element, else 1; from 1
};

/// How the body is laid out.
enum class Layout : unsigned char { object, array, lines, csv, points };

/// What a body is: as its format says, else by its first bytes. A body of format json that is an object followed by a new line
/// and another object counts as lines: many clients send NDJSON under `application/json`. Errors: invalid (empty, or neither
/// JSON nor CSV).
Result<Layout> layout_of(std::string_view body, BodyFormat format);

/// Walks the pieces of a body in order. Brackets are counted outside strings only; what is inside a piece is the parser's
/// business. Views of `body`.
class Pieces {
 public:
  /// `before`: lines that stood before the body's first. `whole`: nothing comes behind it, so that a point whose quote stays
  /// open is its line; else such a point is left.
  Pieces(std::string_view body, Layout layout, std::uint64_t before = 0, bool whole = true);
  /// False at the end, and when the rest cannot be told apart: then broken() says why.
  bool next(Piece& piece);
  /// The offset and reason of an array that does not end as one.
  struct Broken {
    std::size_t offset = 0;
    std::string reason;
  };
  const std::optional<Broken>& broken() const { return broken_; }
  /// Of the last piece; of lines, blank ones counted.
  std::uint64_t number() const { return number_; }
  /// How far the body has been read.
  std::size_t at() const { return std::min(at_, body_.size()); }

 private:
  bool next_line(Piece& piece);
  bool next_point(Piece& piece);
  bool next_element(Piece& piece);
  bool fail(std::size_t offset, std::string reason);
  void skip_blanks();

  std::string_view body_;
  Layout layout_;
  std::size_t at_ = 0;
  std::uint64_t number_;
  std::uint64_t more_lines_ = 0;  ///< of the last point, beyond its first
  bool whole_;
  /// Points whose quote never closed: each was looked through to the body's end, so after a few a line is a point.
  static constexpr unsigned open_quotes_max = 16;
  unsigned open_quotes_ = 0;
  bool finished_ = false;
  std::optional<Broken> broken_;
};

/// The end of the JSON value that begins at `at` (not a blank): one past its closing bracket, or for a scalar the next of `,]}`
/// or the end. npos when a string or bracket stays open.
std::size_t value_end(std::string_view text, std::size_t at);

/// One past the closing quote of the JSON string whose first character (after its quote) is at `at`; npos when it stays open.
std::size_t string_end(std::string_view text, std::size_t at);

/// Without a UTF-8 byte order mark.
std::string_view without_mark(std::string_view body);

}  // namespace iotstream::ingest
