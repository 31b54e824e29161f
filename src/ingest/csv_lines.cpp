#include "ingest/csv_lines.hpp"

#include "ingest/place.hpp"

namespace iotstream::ingest {
namespace {

std::size_t line_end(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_of("\r\n", at);
  return end == std::string_view::npos ? text.size() : end;
}

/// Where the next line begins.
std::size_t past_break(std::string_view text, std::size_t end) {
  if (end >= text.size()) return text.size();
  return text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n' ? end + 2 : end + 1;
}

std::string_view row_from(std::string_view text, std::size_t begin) {
  bool quoted = false;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (!quoted && (text[at] == '\n' || text[at] == '\r')) return text.substr(begin, at - begin);
  }
  return text.substr(begin, (quoted ? line_end(text, begin) : text.size()) - begin);
}

}  // namespace

std::string_view CsvLines::row_at(std::uint64_t line) {
  if (line < line_) {
    line_ = first_;
    at_ = 0;
  }
  for (; line_ < line && at_ < body_.size(); ++line_) at_ = past_break(body_, line_end(body_, at_));
  return line_ == line ? row_from(body_, at_) : std::string_view();
}

std::uint64_t CsvLines::breaks() const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < body_.size(); ++i) {
    const bool pair = body_[i] == '\n' && i > 0 && body_[i - 1] == '\r';
    count += (body_[i] == '\n' || body_[i] == '\r') && !pair ? 1 : 0;
  }
  return count;
}

std::string_view CsvLines::header() const {
  for (std::size_t at = 0; at < body_.size(); at = past_break(body_, line_end(body_, at)))
    if (!trimmed(body_.substr(at, line_end(body_, at) - at)).empty()) return row_from(body_, at);
  return {};
}

}  // namespace iotstream::ingest
