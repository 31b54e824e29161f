// Recursive descent, one function a rule:
//   any    = all { "or" all }
//   all    = not { "and" not }
//   not    = "not" not | "(" any ")" | test
//   test   = field ( compare value | ["not"] "in" "(" value { "," value } ")" | ["not"] "between" value "and" value
//                  | ["not"] ( "contains" | "starts" "with" | "ends" "with" ) value | "exists" | "missing" )
#include <fmt/format.h>

#include "query/lexer.hpp"

namespace iotstream::query {

std::string_view name_of(Operator op) {
  switch (op) {
    case Operator::equal:
      return "=";
    case Operator::not_equal:
      return "!=";
    case Operator::less:
      return "<";
    case Operator::less_equal:
      return "<=";
    case Operator::greater:
      return ">";
    case Operator::greater_equal:
      return ">=";
    case Operator::in:
      return "in";
    case Operator::contains:
      return "contains";
    case Operator::starts_with:
      return "starts with";
    case Operator::ends_with:
      return "ends with";
    case Operator::exists:
      return "exists";
  }
  return "?";
}

std::string Problem::text() const { return fmt::format("at character {}: {}", span.position + 1, message); }

namespace {

Node negate(Node node) {
  Node none;
  none.kind = Node::Kind::none;
  none.children.push_back(std::move(node));
  return none;
}

/// `of`: the token shown in a message.
std::string shown(const Token& token) {
  if (token.kind == TokenKind::end) return "the end";
  constexpr std::size_t shown_max = 40;
  const bool cut = token.text.size() > shown_max;
  std::size_t size = cut ? shown_max : token.text.size();
  while (cut && size > 0 && (static_cast<unsigned char>(token.text[size]) & 0xc0) == 0x80) --size;
  return fmt::format("'{}{}'", std::string_view(token.text).substr(0, size), cut ? "…" : "");
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { step(); }

  Parsed run() {
    Parsed parsed;
    Filter filter;
    if (token_.kind != TokenKind::end || failed_) {
      Node root;
      if (!any(root, 0)) return fail_with(parsed);
      if (token_.kind != TokenKind::end) {
        expect("and, or, or the end", {"and", "or"});
        return fail_with(parsed);
      }
      filter.root = std::move(root);
    }
    parsed.filter = std::move(filter);
    return parsed;
  }

 private:
  Parsed& fail_with(Parsed& parsed) {
    parsed.problem = std::move(problem_);
    return parsed;
  }

  void step() {
    token_ = lexer_.next();
    if (token_.kind == TokenKind::broken) fail(token_.span, token_.text, {});
  }

  /// The first problem stays.
  bool fail(Span span, std::string message, std::vector<std::string> expected) {
    if (!failed_) problem_ = {span, std::move(message), std::move(expected)};
    failed_ = true;
    return false;
  }
  bool expect(std::string_view what, std::vector<std::string> expected) {
    return fail(token_.span, fmt::format("{} is not expected here; expected: {}", shown(token_), what), std::move(expected));
  }

  bool at(std::string_view word) const { return token_.kind == TokenKind::word && is_word(token_.text, word); }
  bool take(std::string_view word) {
    if (!at(word)) return false;
    step();
    return true;
  }

  bool joined(Node& out, Node::Kind kind, std::string_view word, unsigned depth, bool (Parser::*part)(Node&, unsigned)) {
    if (!(this->*part)(out, depth)) return false;
    if (!at(word)) return true;
    Node join;
    join.kind = kind;
    join.children.push_back(std::move(out));
    while (take(word)) {
      Node next;
      if (!(this->*part)(next, depth)) return false;
      join.children.push_back(std::move(next));
    }
    out = std::move(join);
    return true;
  }
  bool any(Node& out, unsigned depth) { return joined(out, Node::Kind::any, "or", depth, &Parser::all); }
  bool all(Node& out, unsigned depth) { return joined(out, Node::Kind::all, "and", depth, &Parser::primary); }

  bool primary(Node& out, unsigned depth) {
    if (failed_) return false;
    if (depth >= filter_depth_max)
      return fail(token_.span, fmt::format("this is nested deeper than {} levels", filter_depth_max), {});
    if (take("not")) {
      Node inner;
      if (!primary(inner, depth + 1)) return false;
      out = negate(std::move(inner));
      return true;
    }
    if (token_.kind != TokenKind::open) return test(out);
    step();
    if (!any(out, depth + 1)) return false;
    if (token_.kind != TokenKind::close) return expect("and, or, or ')'", {"and", "or", ")"});
    step();
    return !failed_;
  }

  bool test(Node& out) {
    if (token_.kind != TokenKind::word && token_.kind != TokenKind::quoted)
      return expect("a field, 'not', or '('", {"field", "not", "("});
    if (token_.kind == TokenKind::word && (at("and") || at("or")))
      return expect("a field (quote a field of that name)", {"field", "not", "("});
    out.field = std::move(token_.text);
    out.field_span = token_.span;
    step();
    if (token_.kind == TokenKind::compare) {
      out.op = token_.op;
      step();
      return value(out);
    }
    return test_by_word(out);
  }

  bool test_by_word(Node& out) {
    const bool negated = take("not");
    bool good = true;
    if (take("in")) {
      out.op = Operator::in;
      good = values(out);
    } else if (take("between")) {
      good = between(out);
    } else if (take("contains")) {
      out.op = Operator::contains;
      good = value(out);
    } else if (at("starts") || at("ends")) {
      out.op = at("starts") ? Operator::starts_with : Operator::ends_with;
      step();
      if (!take("with")) return expect("'with'", {"with"});
      good = value(out);
    } else if (!negated && (at("exists") || at("missing"))) {
      const bool missing = at("missing");
      step();
      out.op = Operator::exists;
      if (missing) out = negate(std::move(out));
    } else {
      return expect(negated ? "in, between, contains, starts with, or ends with"
                            : "=, !=, <, <=, >, >=, in, between, contains, starts with, ends with, exists, or missing",
                    {"=", "!=", "<", "<=", ">", ">=", "in", "between", "contains", "starts with", "ends with", "exists",
                     "missing", "not"});
    }
    if (!good || failed_) return false;
    if (negated) out = negate(std::move(out));
    return true;
  }

  bool value(Node& out) {
    if (failed_) return false;
    if (token_.kind != TokenKind::word && token_.kind != TokenKind::quoted) return expect("a value", {"value"});
    if (++literals_ > filter_literals_max)
      return fail(token_.span, fmt::format("these are more than {} values", filter_literals_max), {});
    out.literals.push_back({std::move(token_.text), token_.kind == TokenKind::quoted, token_.span});
    step();
    return !failed_;
  }

  bool values(Node& out) {
    if (token_.kind != TokenKind::open) return expect("'('", {"("});
    do {
      step();
      if (!value(out)) return false;
    } while (token_.kind == TokenKind::comma);
    if (token_.kind != TokenKind::close) return expect("',' or ')'", {",", ")"});
    step();
    return !failed_;
  }

  /// `a between 1 and 5` is `(a >= 1 and a <= 5)`.
  bool between(Node& out) {
    Node low = out;
    Node high = std::move(out);
    low.op = Operator::greater_equal;
    high.op = Operator::less_equal;
    if (!value(low)) return false;
    if (!take("and")) return expect("'and' and the upper value", {"and"});
    if (!value(high)) return false;
    out = {};
    out.kind = Node::Kind::all;
    out.children.push_back(std::move(low));
    out.children.push_back(std::move(high));
    return true;
  }

  Lexer lexer_;
  Token token_;
  Problem problem_;
  bool failed_ = false;
  std::size_t literals_ = 0;
};

}  // namespace

Parsed parse(std::string_view text) {
  if (text.size() > filter_size_max) {
    Parsed parsed;
    parsed.problem.message = fmt::format("the filter has {} bytes; {} is the most", text.size(), filter_size_max);
    return parsed;
  }
  return Parser(text).run();
}

}  // namespace iotstream::query
