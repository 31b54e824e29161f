#include "ingest/pieces.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "ingest/place.hpp"
#include "ingest/point_reader.hpp"

namespace iotstream::ingest {
namespace {

// What matters outside strings: 1 opens, 2 closes, 3 begins a string.
constexpr std::array<unsigned char, 256> make_structure() {
  std::array<unsigned char, 256> table{};
  table['{'] = table['['] = 1;
  table['}'] = table[']'] = 2;
  table['"'] = 3;
  return table;
}
constexpr auto structure = make_structure();

}  // namespace

std::size_t string_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const void* found = std::memchr(text.data() + at, '"', text.size() - at);
    if (!found) break;
    const std::size_t quote = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    std::size_t slashes = 0;
    while (quote > at + slashes && text[quote - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return quote + 1;
    at = quote + 1;
  }
  return std::string_view::npos;
}

std::size_t value_end(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    const unsigned char what = structure[static_cast<unsigned char>(c)];
    if (depth == 0 && (c == ',' || what == 2)) return at;
    if (what == 3) {
      at = string_end(text, at + 1);
      if (at == std::string_view::npos) return at;
      continue;
    }
    ++at;
    if (what == 1) ++depth;
    if (what == 2 && --depth == 0) return at;
  }
  return depth == 0 ? at : std::string_view::npos;
}

std::string_view without_mark(std::string_view body) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  return body;
}

Result<Layout> layout_of(std::string_view body, BodyFormat format) {
  if (format == BodyFormat::points) return Layout::points;
  const std::string_view text = trimmed(body);
  if (text.empty()) return Error{ErrorKind::invalid, "the body is empty: send at least one reading"};
  if (format == BodyFormat::csv) return Layout::csv;
  if (format == BodyFormat::ndjson) return Layout::lines;
  if (text[0] == '[') return Layout::array;
  if (text[0] == '{') {
    const std::size_t end = value_end(text, 0);
    if (end == std::string_view::npos) {
      // Cut short, or lines of which the first is damaged: with a later line that begins an object the good ones are still to
      // be had.
      return format == BodyFormat::detect && text.find("\n{") != std::string_view::npos ? Layout::lines : Layout::object;
    }
    const std::string_view rest = text.substr(end);
    const std::size_t second = rest.find_first_not_of(" \t\r\n");
    const bool another = second != std::string_view::npos && rest[second] == '{';
    return another && rest.substr(0, second).find('\n') != std::string_view::npos ? Layout::lines : Layout::object;
  }
  if (format == BodyFormat::detect) {
    const std::string_view first_line = text.substr(0, text.find('\n'));
    if (first_line.find_first_of(",;\t") != std::string_view::npos) return Layout::csv;
    return Error{ErrorKind::invalid, "line 1, column 1: the body is neither JSON nor CSV with a header"};
  }
  return Layout::object;
}

Pieces::Pieces(std::string_view body, Layout layout, std::uint64_t before, bool whole)
    : body_(body), layout_(layout), number_(before), whole_(whole) {
  if (layout_ != Layout::array) return;
  skip_blanks();
  ++at_;  // the opening bracket
  skip_blanks();
  if (at_ < body_.size() && body_[at_] == ']') {
    ++at_;
    finished_ = true;
  }
}

bool Pieces::next(Piece& piece) {
  if (layout_ == Layout::lines) return next_line(piece);
  if (layout_ == Layout::array) return next_element(piece);
  if (layout_ == Layout::points) return next_point(piece);
  if (finished_) return false;
  finished_ = true;
  piece = {trimmed(body_), 1};
  return true;
}

bool Pieces::next_line(Piece& piece) {
  while (at_ < body_.size()) {
    const std::size_t end = std::min(body_.find('\n', at_), body_.size());
    piece = {trimmed(body_.substr(at_, end - at_)), ++number_};
    at_ = end + 1;
    if (!piece.text.empty()) return true;
  }
  return false;
}

/// Comments and blank lines are passed over; a point with line breaks in its texts has the number of its first line.
bool Pieces::next_point(Piece& piece) {
  number_ += std::exchange(more_lines_, 0);
  while (at_ < body_.size()) {
    std::size_t end = open_quotes_ < open_quotes_max ? point_end(body_, at_) : std::string_view::npos;
    if (end == std::string_view::npos && !whole_) return false;
    if (end == std::string_view::npos) {
      ++open_quotes_;
      end = std::min(body_.find('\n', at_), body_.size());
    }
    const std::string_view text = body_.substr(at_, end - at_);
    piece = {trimmed(text), ++number_};
    at_ = end + 1;
    const auto more_lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    if (!piece.text.empty() && piece.text[0] != '#') {
      more_lines_ = more_lines;
      return true;
    }
    number_ += more_lines;
  }
  return false;
}

bool Pieces::fail(std::size_t offset, std::string reason) {
  broken_ = Broken{offset, std::move(reason)};
  finished_ = true;
  return false;
}

void Pieces::skip_blanks() {
  while (at_ < body_.size() && blank(body_[at_])) ++at_;
}

bool Pieces::next_element(Piece& piece) {
  if (broken_) return false;
  skip_blanks();
  if (finished_) {
    if (at_ < body_.size()) return fail(at_, "something follows the array's closing bracket");
    return false;
  }
  const std::size_t end = at_ < body_.size() ? value_end(body_, at_) : std::string_view::npos;
  if (end == std::string_view::npos) return fail(body_.size(), "the array is not closed");
  std::size_t next = end;
  // What stands between a value's end and the comma belongs to the piece, so that the parser refuses it there.
  while (next < body_.size() && body_[next] != ',' && body_[next] != ']') {
    const std::size_t further = value_end(body_, next);
    if (further == std::string_view::npos || body_[next] == '}') return fail(next, "the array is not closed");
    next = std::max(further, next + 1);
  }
  if (next >= body_.size()) return fail(body_.size(), "the array is not closed");
  piece = {trimmed(body_.substr(at_, next - at_)), ++number_};
  finished_ = body_[next] == ']';
  at_ = next + 1;
  return true;
}

}  // namespace iotstream::ingest
