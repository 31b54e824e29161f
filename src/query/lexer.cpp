#include "query/lexer.hpp"

#include <algorithm>

namespace iotstream::query {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
bool is_operator(char c) { return c == '=' || c == '<' || c == '>' || c == '!'; }
bool ends_word(char c) { return is_blank(c) || is_quote(c) || is_operator(c) || c == '(' || c == ')' || c == ','; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

bool is_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

void Lexer::advance(std::size_t bytes) {
  for (const std::size_t end = at_ + bytes; at_ != end; ++at_)
    if (!is_continuation(text_[at_])) ++position_;
}

Token Lexer::finish(Token token, std::uint32_t begin) const {
  token.span = {begin, position_ - begin};
  return token;
}

Token Lexer::next() {
  while (at_ < text_.size() && is_blank(text_[at_])) advance(1);
  const std::uint32_t begin = position_;
  if (at_ == text_.size()) return finish({}, begin);
  const char c = text_[at_];
  if (c == '(' || c == ')' || c == ',') {
    advance(1);
    return finish({c == '('   ? TokenKind::open
                   : c == ')' ? TokenKind::close
                              : TokenKind::comma,
                   std::string(1, c),
                   {},
                   {}},
                  begin);
  }
  if (is_quote(c)) return finish(quoted(c), begin);
  if (is_operator(c)) return finish(compare(), begin);
  return finish(word(), begin);
}

/// The quote itself is written twice, as in SQL. A backslash is a character like any other.
Token Lexer::quoted(char quote) {
  std::string text;
  std::size_t i = at_ + 1;
  for (; i < text_.size(); ++i) {
    if (text_[i] == quote) {
      if (i + 1 == text_.size() || text_[i + 1] != quote) break;
      ++i;
    }
    text.push_back(text_[i]);
  }
  if (i >= text_.size()) {
    advance(text_.size() - at_);
    return {TokenKind::broken, "this quote is never closed", {}, {}};
  }
  advance(i + 1 - at_);
  return {TokenKind::quoted, std::move(text), {}, {}};
}

Token Lexer::compare() {
  static constexpr std::pair<std::string_view, Operator> operators[] = {
      {"==", Operator::equal},         {"!=", Operator::not_equal}, {"<>", Operator::not_equal}, {"<=", Operator::less_equal},
      {">=", Operator::greater_equal}, {"=", Operator::equal},      {"<", Operator::less},       {">", Operator::greater},
  };
  for (const auto& [written, op] : operators) {
    if (!text_.substr(at_).starts_with(written)) continue;
    advance(written.size());
    return {TokenKind::compare, std::string(written), op, {}};
  }
  advance(1);
  return {TokenKind::broken, "'!' stands only in '!='; write 'not' for the contrary", {}, {}};
}

Token Lexer::word() {
  std::size_t end = at_;
  while (end < text_.size() && !ends_word(text_[end])) ++end;
  std::string text(text_.substr(at_, end - at_));
  advance(end - at_);
  return {TokenKind::word, std::move(text), {}, {}};
}

}  // namespace iotstream::query
