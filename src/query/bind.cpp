// Names become fields and literals become values. What a dataset does not have is a problem here, with the nearest name.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include <iotstream/base/nearest.hpp>
#include <iotstream/model/number.hpp>

#include "query/compare.hpp"

namespace iotstream::query {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Operand text_operand(std::string_view text) { return {Operand::Class::text, 0, 0, std::string(text)}; }

/// A literal that is not quoted may be a number or a truth value.
std::optional<Operand> number_operand(const Literal& literal) {
  if (literal.quoted) return std::nullopt;
  if (literal.text == "true" || literal.text == "false") return Operand{Operand::Class::integer, literal.text == "true", 0, {}};
  std::string_view text = literal.text;
  if (text.starts_with('+')) text.remove_prefix(1);
  model::Value value;
  if (!model::read_number(text, value)) return std::nullopt;
  if (value.kind == model::ValueKind::integer) return Operand{Operand::Class::integer, value.integer, 0, {}};
  return Operand{Operand::Class::real, 0, value.kind == model::ValueKind::real ? value.real : model::nearest_double(text), {}};
}

class Binder {
 public:
  explicit Binder(const Scope& scope) : scope_(scope) {}

  bool bind(const Node& node, BoundNode& out) {
    out.kind = node.kind;
    if (node.kind == Node::Kind::test) return bind_test(node, out);
    for (const Node& child : node.children)
      if (!bind(child, out.children.emplace_back())) return false;
    return true;
  }
  Problem problem;

 private:
  bool fail(Span span, std::string message, std::vector<std::string> expected = {}) {
    problem = {span, std::move(message), std::move(expected)};
    return false;
  }

  bool bind_test(const Node& node, BoundNode& out) {
    out.op = node.op;
    if (!resolve(node, out)) return false;
    if (out.source == Source::time &&
        (node.op == Operator::contains || node.op == Operator::starts_with || node.op == Operator::ends_with))
      return fail(node.field_span, fmt::format("'{}' is a time: compare it with =, <, <=, >, >=, in, or between", node.field));
    for (const Literal& literal : node.literals)
      if (!add_operands(literal, out)) return false;
    if (out.source == Source::fact) choose_facts(node.field, out);
    return true;
  }

  bool resolve(const Node& node, BoundNode& out) {
    if (const auto id = field_called(node.field)) {
      out.source = Source::field;
      out.field = *id;
      out.type = scope_.schema.field(*id).type;
      return true;
    }
    const std::string name = lower(node.field);
    if (name == "time" || name == "@timestamp")
      out.source = Source::time;
    else if (name == "device")
      out.source = Source::device;
    else if (name == "_partition")
      out.source = Source::partition;
    else if (name == "_offset")
      out.source = Source::offset;
    else if (is_fact(node.field))
      out.source = Source::fact;
    else
      return unknown(node);
    return true;
  }

  std::optional<FieldId> field_called(std::string_view name) const {
    if (const auto exact = scope_.schema.find(name)) return exact;
    std::optional<FieldId> found;
    const std::string wanted = lower(name);
    for (const model::Field& field : scope_.schema.fields()) {
      if (lower(field.name) != wanted) continue;
      if (found) return std::nullopt;
      found = field.id;
    }
    return found;
  }

  bool is_fact(std::string_view name) const {
    return std::any_of(scope_.facts.begin(), scope_.facts.end(), [name](const auto& set) {
      return std::any_of(set.second.begin(), set.second.end(), [name](const auto& fact) { return fact.first == name; });
    });
  }

  bool unknown(const Node& node) {
    std::vector<std::string> names{"time", "device", "_partition", "_offset"};
    for (const model::Field& field : scope_.schema.fields()) names.push_back(field.name);
    std::string message = fmt::format("dataset '{}' has no field '{}'", scope_.schema.dataset(), node.field);
    if (const auto near = nearest(node.field, names)) message += fmt::format("; did you mean '{}'?", *near);
    return fail(node.field_span, std::move(message), {"field"});
  }

  bool add_operands(const Literal& literal, BoundNode& out) {
    switch (out.op) {
      case Operator::contains:
      case Operator::starts_with:
      case Operator::ends_with:
        out.operands.push_back(text_operand(lower(literal.text)));
        return true;
      default:
        break;
    }
    switch (out.source) {
      case Source::time:
        return add_time(literal, out);
      case Source::device:
        out.operands.push_back(text_operand(literal.text));
        return true;
      case Source::partition:
      case Source::offset:
        return add_whole_number(literal, out);
      case Source::field:
      case Source::fact:
        add_value(literal, out);
        return true;
    }
    return true;
  }

  bool add_time(const Literal& literal, BoundNode& out) {
    const auto time = parse_query_time(literal.text, scope_.now);
    if (!time) return fail(literal.span, time.error().message);
    out.operands.push_back({Operand::Class::integer, time->us, 0, {}});
    return true;
  }

  bool add_whole_number(const Literal& literal, BoundNode& out) {
    const auto number = number_operand(literal);
    if (!number || number->type != Operand::Class::integer)
      return fail(literal.span, fmt::format("'{}' is not a whole number", literal.text));
    out.operands.push_back(*number);
    return true;
  }

  /// Where texts occur, an unquoted number also means the text that looks like it: `serial = 126` finds "126".
  static void add_value(const Literal& literal, BoundNode& out) {
    const auto number = number_operand(literal);
    const bool texts = out.source == Source::fact || out.type >= model::FieldType::text;
    const bool equality = out.op == Operator::equal || out.op == Operator::not_equal || out.op == Operator::in;
    if (number) out.operands.push_back(*number);
    if (!number || (texts && equality)) out.operands.push_back(text_operand(literal.text));
  }

  /// A test of a fact is decided now, for every set of facts there is: an event refers to one of them.
  void choose_facts(std::string_view name, BoundNode& out) const {
    for (const auto& [id, set] : scope_.facts)
      for (const auto& [fact, json] : set)
        if (fact == name && test_json(json, out.op, out.operands)) out.facts.push_back(id);
  }

  const Scope& scope_;
};

}  // namespace

BindResult bind(const Filter& filter, const Scope& scope) {
  BindResult result;
  Bound bound;
  if (filter.root) {
    Binder binder(scope);
    if (!binder.bind(*filter.root, bound.root.emplace())) {
      result.problem = std::move(binder.problem);
      return result;
    }
  }
  result.bound = std::move(bound);
  return result;
}

Result<Bound> compile(std::string_view text, const Scope& scope) {
  Parsed parsed = parse(text);
  if (!parsed.filter) return Error{ErrorKind::invalid, parsed.problem.text()};
  BindResult result = bind(*parsed.filter, scope);
  if (!result.bound) return Error{ErrorKind::invalid, result.problem.text()};
  return std::move(*result.bound);
}

}  // namespace iotstream::query
