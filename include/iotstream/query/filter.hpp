// The language of filters: `oil_temperature > 95 and gear = 126 and device in ('a', 'b')`. One parser for the API, the command
// line, the dashboard and rules; README.md of the room is its manual. Pure: no I/O, no clock, no lock.
//
//   parse()  text → Filter: the tree, with the place of every part for messages
//   bind()   Filter + schema → Bound: names are fields, literals are values
//   Bound::matches()  one event in memory; store compiles the same tree to SQL with bound parameters
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::query {

/// A part of the text, in characters (Unicode code points) from 0.
struct Span {
  std::uint32_t position = 0;
  std::uint32_t length = 0;
  bool operator==(const Span&) const = default;
};

enum class Operator : unsigned char {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  contains,
  starts_with,
  ends_with,
  exists,
};
/// As it is written: `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `contains`, `starts with`, `ends with`, `exists`.
std::string_view name_of(Operator op);

/// A value as written.
struct Literal {
  std::string text;     ///< without its quotes
  bool quoted = false;  ///< then it is a text, never a number
  Span span;
};

/// One node of the tree: a test of one field, or what joins its children.
struct Node {
  enum class Kind : unsigned char { test, all, any, none };  ///< none: `not`, with one child
  Kind kind = Kind::test;
  std::vector<Node> children;

  std::string field;  ///< as written, without its quotes
  Span field_span;
  Operator op = Operator::exists;
  std::vector<Literal> literals;  ///< one for comparisons and matches, one or more for `in`, none for `exists`
};

/// What is wrong with a filter, and where.
struct Problem {
  Span span;
  std::string message;                ///< one sentence, without the place
  std::vector<std::string> expected;  ///< what could stand there, for completion: words of the language, `field`, `value`
  /// `at character 17: there is no field 'gaer'; did you mean 'Gear'?` Characters are counted from 1 for people.
  std::string text() const;
};

/// A well-formed filter. Without a root it lets everything pass (an empty text).
struct Filter {
  std::optional<Node> root;
};

struct Parsed {
  std::optional<Filter> filter;
  Problem problem;  ///< when there is no filter
};

inline constexpr std::size_t filter_size_max = 16u << 10;  ///< bytes
inline constexpr unsigned filter_depth_max = 64;
inline constexpr std::size_t filter_literals_max = 1'000;

/// Reads a filter. Never throws, never recurses deeper than filter_depth_max; the cost is linear in the text.
Parsed parse(std::string_view text);

/// The filter in its plainest writing; parse() of it gives the same tree. Empty for an empty filter.
std::string to_text(const Filter& filter);

// ---- bound to a dataset ----

/// What a test looks at.
enum class Source : unsigned char { field, time, device, partition, offset, fact };

/// A value to compare with. Booleans are the numbers 1 and 0, as in charts.
struct Operand {
  enum class Class : unsigned char { integer, real, text };
  Class type = Class::integer;
  std::int64_t integer = 0;  ///< also a time in µs
  double real = 0;           ///< not NaN
  std::string text;          ///< of contains, starts_with and ends_with: in lower case (ASCII letters)
};

/// A node whose names and literals are resolved.
struct BoundNode {
  Node::Kind kind = Node::Kind::test;
  std::vector<BoundNode> children;

  Source source = Source::field;
  FieldId field;                                      ///< of Source::field
  model::FieldType type = model::FieldType::integer;  ///< of that field, as the schema stood
  Operator op = Operator::exists;                     ///< equal is `in` with one or two operands, not_equal likewise
  std::vector<Operand> operands;
  std::vector<FactsId> facts;  ///< of Source::fact: the sets of facts that pass; nothing else is compared
};

/// One event as a filter sees it.
class EventView {
 public:
  virtual ~EventView() = default;
  virtual Timestamp time() const = 0;
  virtual std::string_view device() const = 0;
  virtual PartitionId partition() const = 0;
  virtual Offset offset() const = 0;
  virtual FactsId facts() const = 0;
  /// missing when the event has no such member.
  virtual model::Value value(FieldId field) const = 0;
};

struct Bound {
  std::optional<BoundNode> root;
  bool matches(const EventView& event) const;
  /// The fields that are looked at, each once, ascending.
  std::vector<FieldId> fields() const;
};

/// A text against the one of contains, starts_with or ends_with, which is in lower case: ASCII letters in either case. What
/// matches() does, for those who test texts elsewhere.
bool test_text(std::string_view text, Operator op, std::string_view wanted);

/// What bind() needs to know of a dataset.
struct Scope {
  const model::Schema& schema;
  /// All sets of facts that events of the dataset may refer to: id, and name → value as JSON text.
  std::vector<std::pair<FactsId, std::vector<std::pair<std::string, std::string>>>> facts;
  Timestamp now;  ///< what `-15m` is relative to
};

struct BindResult {
  std::optional<Bound> bound;
  Problem problem;  ///< an unknown field (with the nearest one), a time that cannot be read
};

/// Resolves names: a field as written; else one that differs in capitals only, when it is the only one; else `time` or
/// `@timestamp` (event time), `device`, `_partition`, `_offset`; else a fact of a prototype.
BindResult bind(const Filter& filter, const Scope& scope);

/// parse() and bind(), as a Result for callers that need no place: invalid, with Problem::text().
Result<Bound> compile(std::string_view text, const Scope& scope);

}  // namespace iotstream::query
