// Text → tokens. A token is a word (anything up to a blank, a bracket, a comma, a quote or an operator), a quoted text, an
// operator, or punctuation. Words keep their signs and dots, so that -15m, 1e-3, 2024-03-05T06:00:00Z and engine.oil are one
// each.
#pragma once

#include <string>
#include <string_view>

#include <iotstream/query/filter.hpp>

namespace iotstream::query {

enum class TokenKind : unsigned char { word, quoted, compare, open, close, comma, end, broken };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;               ///< of a word as written, of a quoted text without its quotes; why a broken one is broken
  Operator op = Operator::equal;  ///< of compare
  Span span;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// The next token; at the end, and behind a broken one, always the same.
  Token next();

 private:
  Token quoted(char quote);
  Token compare();
  Token word();
  void advance(std::size_t bytes);
  Token finish(Token token, std::uint32_t begin) const;

  std::string_view text_;
  std::size_t at_ = 0;          ///< bytes
  std::uint32_t position_ = 0;  ///< characters
};

/// Whether `text` is `word`, in any capitals.
bool is_word(std::string_view text, std::string_view word);

}  // namespace iotstream::query
