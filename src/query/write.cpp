// A filter as text again.
#include "query/lexer.hpp"

namespace iotstream::query {
namespace {

constexpr std::string_view words[] = {"and",    "or",   "not",  "in",     "between", "contains",
                                      "starts", "ends", "with", "exists", "missing"};

/// Whether the text, unquoted, would be read as one word that stands for itself.
bool is_plain(std::string_view text) {
  for (const std::string_view word : words)
    if (is_word(text, word)) return false;
  Lexer lexer(text);
  const Token token = lexer.next();
  return token.kind == TokenKind::word && token.text == text;
}

std::string quote(std::string_view text, char mark) {
  std::string quoted(1, mark);
  for (const char c : text) {
    if (c == mark) quoted.push_back(c);
    quoted.push_back(c);
  }
  quoted.push_back(mark);
  return quoted;
}

void write_test(std::string& out, const Node& node) {
  out += is_plain(node.field) ? node.field : quote(node.field, '"');
  out += ' ';
  out += name_of(node.op);
  if (node.op == Operator::exists) return;
  out += node.op == Operator::in ? " (" : " ";
  for (std::size_t i = 0; i != node.literals.size(); ++i) {
    if (i != 0) out += ", ";
    out += node.literals[i].quoted ? quote(node.literals[i].text, '\'') : node.literals[i].text;
  }
  if (node.op == Operator::in) out += ')';
}

void write(std::string& out, const Node& node) {
  if (node.kind == Node::Kind::test) return write_test(out, node);
  if (node.kind == Node::Kind::none) {
    const bool bare = node.children.front().kind == Node::Kind::test;
    out += bare ? "not " : "not (";
    write(out, node.children.front());
    if (!bare) out += ')';
    return;
  }
  for (std::size_t i = 0; i != node.children.size(); ++i) {
    if (i != 0) out += node.kind == Node::Kind::all ? " and " : " or ";
    // Brackets around every joined part, needed or not: the same tree comes back.
    const bool bare = node.children[i].kind == Node::Kind::test || node.children[i].kind == Node::Kind::none;
    if (!bare) out += '(';
    write(out, node.children[i]);
    if (!bare) out += ')';
  }
}

}  // namespace

std::string to_text(const Filter& filter) {
  std::string out;
  if (filter.root) write(out, *filter.root);
  return out;
}

}  // namespace iotstream::query
