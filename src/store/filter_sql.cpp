#include "store/filter_sql.hpp"

#include <algorithm>
#include <limits>
#include <sqlite3.h>

#include <fmt/format.h>

namespace iotstream::store {

namespace {

using query::BoundNode;
using query::Node;
using query::Operand;
using query::Operator;
using query::Source;

constexpr std::size_t ids_max = 1000;  ///< devices or facts in one condition
/// SQLite's parser keeps a hundred things in mind, and a level of brackets is up to four of them. What is deeper is left to
/// memory.
constexpr unsigned depth_max = 16;
constexpr std::string_view text_function = "iotstream_text";

/// Only what a test of the device looks at.
class DeviceView final : public query::EventView {
 public:
  explicit DeviceView(std::string_view device) : device_(device) {}
  Timestamp time() const override { return {}; }
  std::string_view device() const override { return device_; }
  PartitionId partition() const override { return {}; }
  Offset offset() const override { return {}; }
  FactsId facts() const override { return {}; }
  model::Value value(FieldId) const override { return {}; }

 private:
  std::string_view device_;
};

/// Terms become SQL one by one. What a term cannot say becomes `true` where that lets more rows through, and `false` below a
/// `not`, where that does.
class Compiler {
 public:
  Compiler(const Layout& layout, ReadConnection& connection) : layout_(layout), connection_(connection) {}

  Result<FilterSql> compile(const BoundNode& root) {
    result_.condition = node(root, 0);
    if (!failed_) return failed_.error();
    return std::move(result_);
  }

 private:
  /// `nots`: how many are around the node. Below one, a condition is 0 or 1 and never NULL: NOT NULL would be no row.
  std::string node(const BoundNode& node, unsigned nots) {
    if (depth_ > depth_max) return unknown(nots);
    const Deeper deeper(depth_);
    switch (node.kind) {
      case Node::Kind::test: {
        std::string sql = test(node, nots);
        return nots > 0 ? fmt::format("(({}) IS TRUE)", sql) : sql;
      }
      case Node::Kind::all:
        return join(node.children, 0, node.children.size(), " AND ", nots);
      case Node::Kind::any:
        return join(node.children, 0, node.children.size(), " OR ", nots);
      case Node::Kind::none:
        return fmt::format("(NOT {})", join(node.children, 0, node.children.size(), " OR ", nots + 1));
    }
    return "1";
  }

  /// As a balanced tree: SQLite takes expressions up to a depth of 1,000, and a list of three thousand would be that deep.
  std::string join(const std::vector<BoundNode>& nodes, std::size_t begin, std::size_t end, std::string_view with,
                   unsigned nots) {
    if (begin == end) return with == " AND " ? "1" : "0";
    if (end - begin == 1) return node(nodes[begin], nots);
    const Deeper deeper(depth_);
    const std::size_t middle = begin + (end - begin) / 2;
    std::string left = join(nodes, begin, middle, with, nots);
    return fmt::format("({}{}{})", left, with, join(nodes, middle, end, with, nots));
  }

  class Deeper {
   public:
    explicit Deeper(unsigned& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    unsigned& depth_;
  };

  std::string unknown(unsigned nots) {
    result_.exact = false;
    return nots % 2 == 0 ? "1" : "0";
  }

  std::string test(const BoundNode& node, unsigned nots) {
    switch (node.source) {
      case Source::field:
        if (node.field.value >= layout_.columns().size()) return "0";  // no row of this picture has it
        if (Layout::in_more(node.field)) return unknown(nots);
        return comparison(node, sqlite::quote_identifier(layout_.column(node.field).name), has_texts(node.field));
      case Source::device:
        return devices(node, nots);
      case Source::fact:
        if (node.facts.size() > ids_max) return unknown(nots);
        return one_of("\"facts\"", node.facts, [](FactsId id) { return std::int64_t{id.value}; });
      // The + keeps SQLite from looking for these by the index, which it would do out of order; narrow() does it in order.
      case Source::time:
        return comparison(node, "+\"time\"", false);
      case Source::partition:
        return comparison(node, "+\"partition\"", false);
      case Source::offset:
        return comparison(node, "+\"offset\"", false);
    }
    return unknown(nots);
  }

  /// In SQLite's order NULL comes first, then numbers, then texts, whatever their values: `c < ''` is true for numbers alone,
  /// and `c >= ''` for texts. So each comparison is kept within its operand's class.
  std::string comparison(const BoundNode& node, const std::string& column, bool texts) {
    switch (node.op) {
      case Operator::exists:
        return column + " IS NOT NULL";
      case Operator::equal:
      case Operator::in:
        return among(column, node.operands, " = ?", " IN ");
      case Operator::not_equal:
        return among(column, node.operands, " <> ?", " NOT IN ");
      case Operator::contains:
      case Operator::starts_with:
      case Operator::ends_with: {
        add({Operand::Class::integer, static_cast<std::int64_t>(node.op), 0, {}});
        add(node.operands.front());
        return fmt::format("({0} >= '' AND {1}({0}, ?, ?))", column, text_function);
      }
      default:
        return ordered(column, node.op, node.operands.front(), texts);
    }
  }

  std::string among(const std::string& column, const std::vector<Operand>& operands, std::string_view one,
                    std::string_view several) {
    for (const Operand& operand : operands) add(operand);
    if (operands.size() == 1) return fmt::format("{}{}", column, one);
    std::string sql = fmt::format("{}{}(?", column, several);
    for (std::size_t i = 1; i < operands.size(); ++i) sql += ",?";
    return sql + ")";
  }

  std::string ordered(const std::string& column, Operator op, const Operand& operand, bool texts) {
    add(operand);
    const bool greater = op == Operator::greater || op == Operator::greater_equal;
    const bool text = operand.type == Operand::Class::text;
    if (greater == text || (!text && !texts)) return fmt::format("{} {} ?", column, query::name_of(op));
    return fmt::format("({0} {1} ? AND {0} {2} '')", column, query::name_of(op), text ? ">=" : "<");
  }

  /// Whether texts may be in the field's column: its type, as this picture of the database has it, holds every value there.
  bool has_texts(FieldId field) {
    auto statement = connection_.prepare("SELECT type FROM fields WHERE dataset = ? AND id = ?");
    if (!statement) return true;
    (*statement)->bind(1, layout_.id()).bind(2, std::int64_t{field.value});
    auto row = (*statement)->step();
    const auto type = row && *row ? model::field_type_from((*statement)->text(0)) : std::nullopt;
    (*statement)->reset();
    return !type || *type >= model::FieldType::text;
  }

  /// A test of the name is made now, for all names that the dataset has.
  std::string devices(const BoundNode& node, unsigned nots) {
    auto statement = connection_.prepare("SELECT id, name FROM devices WHERE dataset = ?");
    if (!statement) return fail(statement.error());
    (*statement)->bind(1, layout_.id());
    const query::Bound name_test{node};
    std::vector<std::int64_t> passing;
    for (;;) {
      auto row = (*statement)->step();
      if (!row) return fail(row.error());
      if (!*row) break;
      if (!name_test.matches(DeviceView((*statement)->text(1)))) continue;
      if (passing.size() == ids_max) {
        (*statement)->reset();
        return unknown(nots);
      }
      passing.push_back((*statement)->integer(0));
    }
    return one_of("\"device\"", passing, [](std::int64_t id) { return id; });
  }

  template <class Id, class Number>
  std::string one_of(std::string_view column, const std::vector<Id>& ids, Number&& number) {
    if (ids.empty()) return "0";
    std::string sql;
    for (const Id& id : ids) {
      sql += sql.empty() ? fmt::format("{} IN (?", column) : ",?";
      add({Operand::Class::integer, number(id), 0, {}});
    }
    return sql + ")";
  }

  void add(Operand operand) { result_.parameters.push_back(std::move(operand)); }

  std::string fail(const Error& error) {
    failed_ = error;
    return "0";
  }

  const Layout& layout_;
  ReadConnection& connection_;
  FilterSql result_;
  Status failed_;
  unsigned depth_ = 0;
};

void test_text(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  const auto text_of = [](sqlite3_value* value) {
    const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return std::string_view(text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
  };
  const auto op = static_cast<Operator>(sqlite3_value_int(arguments[1]));
  sqlite3_result_int(context, query::test_text(text_of(arguments[0]), op, text_of(arguments[2])) ? 1 : 0);
}

void narrow_by(ScanRange& range, const BoundNode& test) {
  if (test.source != Source::time || test.operands.size() != 1) return;
  const std::int64_t us = test.operands.front().integer;
  const auto from = [&](std::int64_t least) { range.from = std::max(range.from.value_or(Timestamp{least}), Timestamp{least}); };
  const auto to = [&](std::int64_t end) { range.to = std::min(range.to.value_or(Timestamp{end}), Timestamp{end}); };
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  const bool below = test.op == Operator::less || test.op == Operator::less_equal;
  const bool same = test.op == Operator::equal || test.op == Operator::in;
  const bool above = test.op == Operator::greater || test.op == Operator::greater_equal;
  if (above || same) from(us);
  if (below || same) {
    if (us < last) to(us + 1);
  }
}

}  // namespace

std::string FilterSql::behind(std::string where) const {
  if (condition.empty()) return where;
  return where + (where.empty() ? " WHERE (" : " AND (") + condition + ")";
}

int FilterSql::bind(sqlite::Statement& statement, int first) const {
  for (const Operand& operand : parameters) {
    switch (operand.type) {
      case Operand::Class::integer:
        statement.bind(first++, operand.integer);
        break;
      case Operand::Class::real:
        statement.bind(first++, operand.real);
        break;
      case Operand::Class::text:
        statement.bind(first++, std::string_view(operand.text));
        break;
    }
  }
  return first;
}

Result<FilterSql> filter_sql(const query::Bound& filter, const Layout& layout, ReadConnection& connection) {
  if (!filter.root) return FilterSql{};
  return Compiler(layout, connection).compile(*filter.root);
}

// By a microsecond too wide at one end: the condition itself is exact.
void narrow(ScanRange& range, const query::Bound& filter) {
  if (!filter.root) return;
  if (filter.root->kind == Node::Kind::test) return narrow_by(range, *filter.root);
  if (filter.root->kind != Node::Kind::all) return;
  for (const BoundNode& child : filter.root->children) {
    if (child.kind == Node::Kind::test) narrow_by(range, child);
  }
}

Status add_filter_function(sqlite::Database& database) {
  constexpr int what = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  const int code = sqlite3_create_function_v2(database.handle(), text_function.data(), 3, what, nullptr, test_text, nullptr,
                                              nullptr, nullptr);
  if (code != SQLITE_OK) return Error{ErrorKind::io, sqlite3_errmsg(database.handle())};
  return {};
}

}  // namespace iotstream::store
