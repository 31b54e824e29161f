#include "catalog/csv_reader.hpp"

#include <algorithm>

#include "catalog/csv_marks.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::string_view unclosed_quote = "a quote is opened and never closed";
constexpr std::string_view cell_too_long = "a cell is too long";
constexpr std::string_view row_too_long = "the row is too long";
constexpr std::string_view too_many_cells = "too many cells";
constexpr std::string_view zero_byte = "it holds a zero byte";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(const char* begin, const char* end) {
  while (begin < end && is_blank(*begin)) ++begin;
  while (begin < end && is_blank(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}
std::string_view trimmed(std::string_view text) { return trimmed(text.data(), text.data() + text.size()); }

}  // namespace

void CsvReader::feed(std::string_view chunk, const Sink& sink) {
  const char* at = chunk.data();
  const char* const end = at + chunk.size();
  while (at < end) {
    if (state_ == State::cell_begin && ends_.empty() && !slow_row_) {
      at = take_rows(at, end, sink);
      slow_row_ = at < end;
      continue;
    }
    if (state_ == State::plain) {
      at = take_plain(at, end, sink);
      continue;
    }
    const char c = *at++;
    switch (state_) {
      case State::line_ended:
        state_ = State::cell_begin;
        if (c == '\n') break;
        [[fallthrough]];
      case State::cell_begin:
        if (take_delimiter(c, sink) || is_blank(c)) break;
        if (c == '"') {
          state_ = State::quoted;
          cell_quoted_ = true;
          break;
        }
        state_ = State::plain;
        append({&c, 1});
        break;
      case State::quoted:
        take_quoted(c, sink);
        break;
      case State::quote_ended:
        if (c == '"') {
          state_ = State::quoted;
          if (retry_on_) retry_ += c;
          append({&c, 1});
          break;
        }
        retry_on_ = false;
        retry_.clear();
        state_ = State::after_quote;
        [[fallthrough]];
      case State::after_quote:
        if (take_delimiter(c, sink) || is_blank(c)) break;
        state_ = State::plain;
        append({&c, 1});
        break;
      case State::plain:
        break;
    }
  }
}

/// Hands out the rows from `at` on that can be taken as they stand; where the first one begins that cannot.
const char* CsvReader::take_rows(const char* at, const char* const end, const Sink& sink) {
  CsvMarks marks(at, end, separator_);
  for (;;) {  // rows
    cells_.clear();
    const char* begin = at;  // of the cell
    const char* mark = nullptr;
    for (;;) {  // cells
      mark = marks.next();
      std::string_view text;
      bool quoted = false;
      if (mark != end && *mark == '"' && trimmed(begin, mark).empty()) {
        const char* close = marks.next();
        while (close != end && *close == separator_) close = marks.next();
        if (close == end || *close != '"') return at;
        text = {mark + 1, static_cast<std::size_t>(close - mark - 1)};
        quoted = true;
        mark = marks.next();
        if (mark == end || *mark == '"' || !trimmed(close + 1, mark).empty()) return at;
      }
      while (mark != end && *mark == '"') mark = marks.next();  // within a cell: a character
      if (mark == end || *mark == '\0' || (*mark == '\r' && mark + 1 == end)) return at;
      if (!quoted) text = trimmed(begin, mark);
      if (text.size() > limits_.cell_bytes || cells_.size() == limits_.row_cells) return at;
      cells_.push_back({text, quoted});
      begin = mark + 1;
      if (*mark != separator_) break;
    }
    if (static_cast<std::size_t>(mark - at) > limits_.row_bytes) return at;
    if (*mark == '\r' && *begin == '\n') begin = marks.next() + 1;
    const bool blank = cells_.size() == 1 && cells_[0].text.empty() && !cells_[0].quoted;
    if (!blank) sink({line_, cells_, {}, true});
    row_line_ = ++line_;
    at = begin;
  }
}

const char* CsvReader::take_plain(const char* at, const char* end, const Sink& sink) {
  const char* run = at;
  while (run < end && *run != separator_ && *run != '\n' && *run != '\r') ++run;
  append({at, static_cast<std::size_t>(run - at)});
  if (run < end) take_delimiter(*run++, sink);
  return run;
}

void CsvReader::take_quoted(char c, const Sink& sink) {
  if (retry_on_) {
    retry_ += c;
    if (retry_.size() > limits_.cell_bytes) {
      give_up_quote(sink);
      return;
    }
  }
  if (c == '"') {
    state_ = State::quote_ended;
    after_cr_ = false;
    return;
  }
  append({&c, 1});
  if (c == '\r' || (c == '\n' && !after_cr_)) ++line_;
  after_cr_ = c == '\r';
  if ((c == '\n' || c == '\r') && !retry_on_) {
    retry_on_ = true;
    retry_after_cr_ = after_cr_;
    retry_line_ = line_;
  }
}

bool CsvReader::take_delimiter(char c, const Sink& sink) {
  if (c == separator_) {
    end_cell();
    state_ = State::cell_begin;
    return true;
  }
  if (c != '\n' && c != '\r') return false;
  ++line_;
  end_row(true, sink);
  state_ = c == '\r' ? State::line_ended : State::cell_begin;
  return true;
}

/// What is over a limit is judged byte for byte, so that a cut into chunks changes nothing. Blanks over it may be the end of an
/// unquoted cell, where they do not count: they cost the row only when something follows them.
void CsvReader::append(std::string_view text) {
  if (!problem_.empty()) return;
  const std::size_t zero = text.find('\0');
  const bool more = zero != std::string_view::npos;
  if (more) text = text.substr(0, zero);
  const std::size_t cell_room = limits_.cell_bytes - (bytes_.size() - cell_begin_);
  const std::size_t row_room = limits_.row_bytes - bytes_.size();
  const std::size_t fits = std::min({text.size(), cell_room, row_room});
  const std::string_view over = text.substr(fits);
  const bool taken = over.empty() || (!cell_quoted_ && trimmed(over).empty());
  if (!over.empty() && blanks_over_.empty()) blanks_over_ = cell_room <= row_room ? cell_too_long : row_too_long;
  if (!taken || (more && !blanks_over_.empty()))
    problem_ = blanks_over_;
  else if (more)
    problem_ = zero_byte;
  else
    bytes_.append(text.substr(0, fits));
}

void CsvReader::end_cell() {
  if (!cell_quoted_)
    while (bytes_.size() > cell_begin_ && is_blank(bytes_.back())) bytes_.pop_back();
  if (ends_.size() >= limits_.row_cells)
    problem_ = too_many_cells;
  else
    ends_.push_back({bytes_.size(), cell_quoted_});
  cell_begin_ = bytes_.size();
  cell_quoted_ = false;
  blanks_over_ = {};
}

void CsvReader::end_row(bool ended, const Sink& sink) {
  end_cell();
  const bool blank = ends_.size() == 1 && ends_[0].end == 0 && !ends_[0].quoted;
  if (!blank || !problem_.empty()) {
    cells_.clear();
    std::size_t begin = 0;
    if (problem_.empty()) {
      for (const CellEnd& cell : ends_) {
        cells_.push_back({std::string_view(bytes_).substr(begin, cell.end - begin), cell.quoted});
        begin = cell.end;
      }
    }
    sink({row_line_, cells_, problem_, ended});
  }
  reset_row();
}

void CsvReader::reset_row() {
  bytes_.clear();
  ends_.clear();
  cell_begin_ = 0;
  cell_quoted_ = false;
  blanks_over_ = {};
  slow_row_ = false;
  after_cr_ = false;
  problem_ = {};
  retry_.clear();
  retry_on_ = false;
  row_line_ = line_;
  state_ = State::cell_begin;
}

void CsvReader::give_up_quote(const Sink& sink) {
  const std::string retry = std::move(retry_);
  sink({row_line_, {}, unclosed_quote, true});
  line_ = retry_line_;
  reset_row();
  if (retry_after_cr_) state_ = State::line_ended;
  feed(retry, sink);
}

void CsvReader::finish(const Sink& sink) {
  while (state_ == State::quoted) {
    if (!retry_on_) {  // on the last line
      sink({row_line_, {}, unclosed_quote, false});
      reset_row();
      return;
    }
    give_up_quote(sink);
  }
  const bool open = state_ != State::line_ended && !(state_ == State::cell_begin && ends_.empty() && bytes_.empty());
  if (open) end_row(false, sink);
  reset_row();
}

}  // namespace iotstream::catalog
