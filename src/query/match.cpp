// Tests of one event in memory.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <simdjson.h>

#include <iotstream/model/number.hpp>

#include "query/compare.hpp"

namespace iotstream::query {
namespace {

using model::Value;
using model::ValueKind;

/// A value as one of an operand's classes. Decimals count as their nearest double, which is what history's columns hold.
struct Comparable {
  Operand::Class type = Operand::Class::integer;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
};

std::optional<Comparable> comparable(const Value& value) {
  switch (value.kind) {
    case ValueKind::missing:
    case ValueKind::null:
      return std::nullopt;
    case ValueKind::false_:
    case ValueKind::true_:
      return Comparable{Operand::Class::integer, value.kind == ValueKind::true_, 0, {}};
    case ValueKind::integer:
      return Comparable{Operand::Class::integer, value.integer, 0, {}};
    case ValueKind::real:
      return Comparable{Operand::Class::real, 0, value.real, {}};
    case ValueKind::decimal:
      return Comparable{Operand::Class::real, 0, model::nearest_double(value.text), {}};
    case ValueKind::text:
    case ValueKind::json:
    case ValueKind::key:
      return Comparable{Operand::Class::text, 0, 0, value.text};
  }
  return std::nullopt;
}

/// Exact, as SQLite compares: an integer is not rounded to a double first. `real` is not NaN.
std::strong_ordering compare(std::int64_t integer, double real) {
  constexpr double two_63 = 9'223'372'036'854'775'808.0;
  if (real >= two_63) return std::strong_ordering::less;
  if (real < -two_63) return std::strong_ordering::greater;
  const double whole = std::trunc(real);
  const auto truncated = static_cast<std::int64_t>(whole);
  if (integer != truncated) return integer <=> truncated;
  return real > whole ? std::strong_ordering::less : real < whole ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::strong_ordering flip(std::strong_ordering order) { return 0 <=> order; }

/// Nothing: the classes differ.
std::optional<std::strong_ordering> compare(const Comparable& value, const Operand& operand) {
  const bool text = operand.type == Operand::Class::text;
  if (text != (value.type == Operand::Class::text)) return std::nullopt;
  if (text) return value.text.compare(operand.text) <=> 0;
  if (value.type == Operand::Class::integer) {
    if (operand.type == Operand::Class::integer) return value.integer <=> operand.integer;
    return compare(value.integer, operand.real);
  }
  if (operand.type == Operand::Class::integer) return flip(compare(operand.integer, value.real));
  return value.real < operand.real   ? std::strong_ordering::less
         : value.real > operand.real ? std::strong_ordering::greater
                                     : std::strong_ordering::equal;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letters(std::string_view text, std::string_view wanted) {
  return std::equal(text.begin(), text.end(), wanted.begin(), wanted.end(), [](char a, char b) { return lower(a) == b; });
}

bool contains(std::string_view text, std::string_view wanted) {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), [](char a, char b) { return lower(a) == b; }) !=
         text.end();
}

bool is_among(const Comparable& value, const std::vector<Operand>& operands) {
  return std::any_of(operands.begin(), operands.end(),
                     [&value](const Operand& operand) { return compare(value, operand) == std::strong_ordering::equal; });
}

bool test_order(const Comparable& value, Operator op, const Operand& operand) {
  const auto order = compare(value, operand);
  if (!order) return false;
  switch (op) {
    case Operator::less:
      return *order < 0;
    case Operator::less_equal:
      return *order <= 0;
    case Operator::greater:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

bool test_comparable(const Comparable& value, Operator op, const std::vector<Operand>& operands) {
  switch (op) {
    case Operator::exists:
      return true;
    case Operator::equal:
    case Operator::in:
      return is_among(value, operands);
    case Operator::not_equal:
      return !is_among(value, operands);
    case Operator::contains:
    case Operator::starts_with:
    case Operator::ends_with:
      return value.type == Operand::Class::text && test_text(value.text, op, operands.front().text);
    default:
      return test_order(value, op, operands.front());
  }
}

Comparable integer_of(std::int64_t number) { return {Operand::Class::integer, number, 0, {}}; }

bool test(const BoundNode& node, const EventView& event) {
  switch (node.source) {
    case Source::field:
      return test_value(event.value(node.field), node.op, node.operands);
    case Source::time:
      return test_comparable(integer_of(event.time().us), node.op, node.operands);
    case Source::device:
      return test_comparable({Operand::Class::text, 0, 0, event.device()}, node.op, node.operands);
    case Source::partition:
      return test_comparable(integer_of(event.partition().value), node.op, node.operands);
    case Source::offset:
      return test_comparable(integer_of(static_cast<std::int64_t>(event.offset().value)), node.op, node.operands);
    case Source::fact:
      return std::find(node.facts.begin(), node.facts.end(), event.facts()) != node.facts.end();
  }
  return false;
}

bool matches(const BoundNode& node, const EventView& event) {
  const auto passes = [&event](const BoundNode& child) { return matches(child, event); };
  switch (node.kind) {
    case Node::Kind::test:
      return test(node, event);
    case Node::Kind::all:
      return std::all_of(node.children.begin(), node.children.end(), passes);
    case Node::Kind::any:
      return std::any_of(node.children.begin(), node.children.end(), passes);
    case Node::Kind::none:
      return std::none_of(node.children.begin(), node.children.end(), passes);
  }
  return false;
}

void collect(const BoundNode& node, std::vector<FieldId>& fields) {
  if (node.kind == Node::Kind::test && node.source == Source::field) fields.push_back(node.field);
  for (const BoundNode& child : node.children) collect(child, fields);
}

}  // namespace

bool test_value(const Value& value, Operator op, const std::vector<Operand>& operands) {
  const auto known = comparable(value);
  return known && test_comparable(*known, op, operands);
}

bool test_json(std::string_view json, Operator op, const std::vector<Operand>& operands) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS)
    return test_comparable({Operand::Class::text, 0, 0, json}, op, operands);
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return false;
    case simdjson::dom::element_type::BOOL:
      return test_comparable(integer_of(element.get_bool().value_unsafe()), op, operands);
    case simdjson::dom::element_type::INT64:
      return test_comparable(integer_of(element.get_int64().value_unsafe()), op, operands);
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
      return test_comparable({Operand::Class::real, 0, element.get_double().value_unsafe(), {}}, op, operands);
    case simdjson::dom::element_type::STRING:
      return test_comparable({Operand::Class::text, 0, 0, element.get_string().value_unsafe()}, op, operands);
    default:
      return test_comparable({Operand::Class::text, 0, 0, json}, op, operands);
  }
}

bool test_text(std::string_view text, Operator op, std::string_view wanted) {
  if (op == Operator::contains) return wanted.empty() || contains(text, wanted);
  if (text.size() < wanted.size()) return false;
  return same_letters(op == Operator::starts_with ? text.substr(0, wanted.size()) : text.substr(text.size() - wanted.size()),
                      wanted);
}

bool Bound::matches(const EventView& event) const { return !root || query::matches(*root, event); }

std::vector<FieldId> Bound::fields() const {
  std::vector<FieldId> fields;
  if (root) collect(*root, fields);
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

}  // namespace iotstream::query
