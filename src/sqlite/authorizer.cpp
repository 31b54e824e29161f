#include "sqlite/authorizer.hpp"

#include <algorithm>
#include <array>
#include <sqlite3.h>

#include <fmt/format.h>

namespace iotstream::sqlite {

namespace {

using namespace std::string_view_literals;

/// Functions that neither write, load, nor look outside of the database; and none that makes large values of small ones without
/// a table (randomblob, zeroblob). Sorted.
constexpr std::array functions = {"->"sv,
                                  "->>"sv,
                                  "abs"sv,
                                  "acos"sv,
                                  "acosh"sv,
                                  "asin"sv,
                                  "asinh"sv,
                                  "atan"sv,
                                  "atan2"sv,
                                  "atanh"sv,
                                  "avg"sv,
                                  "ceil"sv,
                                  "ceiling"sv,
                                  "char"sv,
                                  "coalesce"sv,
                                  "concat"sv,
                                  "concat_ws"sv,
                                  "cos"sv,
                                  "cosh"sv,
                                  "count"sv,
                                  "cume_dist"sv,
                                  "current_date"sv,
                                  "current_time"sv,
                                  "current_timestamp"sv,
                                  "date"sv,
                                  "datetime"sv,
                                  "degrees"sv,
                                  "dense_rank"sv,
                                  "exp"sv,
                                  "first_value"sv,
                                  "floor"sv,
                                  "format"sv,
                                  "glob"sv,
                                  "group_concat"sv,
                                  "hex"sv,
                                  "ifnull"sv,
                                  "iif"sv,
                                  "instr"sv,
                                  "json"sv,
                                  "json_array"sv,
                                  "json_array_length"sv,
                                  "json_extract"sv,
                                  "json_group_array"sv,
                                  "json_group_object"sv,
                                  "json_object"sv,
                                  "json_quote"sv,
                                  "json_type"sv,
                                  "json_valid"sv,
                                  "julianday"sv,
                                  "lag"sv,
                                  "last_value"sv,
                                  "lead"sv,
                                  "length"sv,
                                  "like"sv,
                                  "likelihood"sv,
                                  "likely"sv,
                                  "ln"sv,
                                  "log"sv,
                                  "log10"sv,
                                  "log2"sv,
                                  "lower"sv,
                                  "ltrim"sv,
                                  "max"sv,
                                  "min"sv,
                                  "mod"sv,
                                  "nth_value"sv,
                                  "ntile"sv,
                                  "nullif"sv,
                                  "octet_length"sv,
                                  "percent_rank"sv,
                                  "pi"sv,
                                  "pow"sv,
                                  "power"sv,
                                  "printf"sv,
                                  "quote"sv,
                                  "radians"sv,
                                  "random"sv,
                                  "rank"sv,
                                  "replace"sv,
                                  "round"sv,
                                  "row_number"sv,
                                  "rtrim"sv,
                                  "sign"sv,
                                  "sin"sv,
                                  "sinh"sv,
                                  "sqlite_version"sv,
                                  "sqrt"sv,
                                  "strftime"sv,
                                  "string_agg"sv,
                                  "substr"sv,
                                  "substring"sv,
                                  "sum"sv,
                                  "tan"sv,
                                  "tanh"sv,
                                  "time"sv,
                                  "timediff"sv,
                                  "total"sv,
                                  "trim"sv,
                                  "trunc"sv,
                                  "typeof"sv,
                                  "unhex"sv,
                                  "unicode"sv,
                                  "unixepoch"sv,
                                  "unlikely"sv,
                                  "upper"sv};

/// They describe tables and take no value. Sorted.
constexpr std::array pragmas = {"foreign_key_list"sv, "index_info"sv, "index_list"sv, "index_xinfo"sv,
                                "table_info"sv,       "table_list"sv, "table_xinfo"sv};

/// Tables that are no tables: functions that give rows. Sorted.
constexpr std::array table_functions = {"json_each"sv,         "json_tree"sv,          "pragma_index_info"sv,
                                        "pragma_index_list"sv, "pragma_index_xinfo"sv, "pragma_table_info"sv,
                                        "pragma_table_list"sv, "pragma_table_xinfo"sv};

static_assert(std::is_sorted(functions.begin(), functions.end()));
static_assert(std::is_sorted(pragmas.begin(), pragmas.end()));
static_assert(std::is_sorted(table_functions.begin(), table_functions.end()));

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <std::size_t size>
bool has(const std::array<std::string_view, size>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), std::string_view(lower(word)));
}

std::string sentence(int action, std::string_view first, std::string_view second) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return "other files cannot be opened: only history and catalog can be read";
    case SQLITE_PRAGMA:
      return fmt::format("PRAGMA {} is not allowed; those that describe tables are: table_info, table_list, index_list…",
                         first);
    case SQLITE_FUNCTION:
      return fmt::format("the function {}() is not allowed here", second);
    case SQLITE_READ:
      return fmt::format("'{}' cannot be read", first);
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return "transactions are not allowed: one SELECT sees one state of the data";
    default:
      return "only one SELECT is allowed: nothing can be changed here";
  }
}

}  // namespace

Status Authorizer::watch(Database& database, const std::vector<std::string>& schemas) {
  for (const std::string& schema : schemas) {
    auto names = database.prepare(
        fmt::format("SELECT name FROM {}.sqlite_schema WHERE type IN ('table', 'view')", quote_identifier(schema)));
    if (!names) return names.error();
    for (;;) {
      auto row = names->step();
      if (!row) return row.error();
      if (!*row) break;
      tables_.insert(fmt::format("{}.{}", schema, lower(names->text(0))));
    }
    for (const std::string_view own : {"sqlite_schema", "sqlite_master"}) tables_.insert(fmt::format("{}.{}", schema, own));
  }
  auto modules = database.prepare("PRAGMA module_list");
  if (!modules) return modules.error();
  for (;;) {
    auto row = modules->step();
    if (!row) return row.error();
    if (!*row) break;
    modules_.insert(lower(modules->text(0)));
  }
  // The first use of a table function declares its table, which would ask for leave to create one: used here, it is there.
  // (This SQLite may have been built without one of them: then nobody can use it.)
  for (const std::string_view function : table_functions) (void)database.prepare(fmt::format("SELECT * FROM {}('')", function));
  sqlite3_set_authorizer(database.handle(), ask, this);
  return {};
}

int Authorizer::ask(void* self, int action, const char* first, const char* second, const char* schema, const char*) {
  auto& authorizer = *static_cast<Authorizer*>(self);
  const auto view = [](const char* text) { return text == nullptr ? std::string_view() : std::string_view(text); };
  if (authorizer.allows(action, view(first), view(second), view(schema))) return SQLITE_OK;
  // The first refusal is the one that explains; SQLite may go on asking.
  if (authorizer.refusal_.empty()) authorizer.refusal_ = sentence(action, view(first), view(second));
  return SQLITE_DENY;
}

bool Authorizer::allows(int action, std::string_view first, std::string_view second, std::string_view schema) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return true;
    case SQLITE_READ:
      return allows_read(first, second, schema);
    case SQLITE_FUNCTION:
      return has(functions, second);
    case SQLITE_PRAGMA:
      return has(pragmas, first);
    default:
      return false;
  }
}

bool Authorizer::allows_read(std::string_view table, std::string_view column, std::string_view schema) const {
  const std::string name = lower(table);
  if (has(table_functions, name)) return true;
  // Of a table from which no value is taken SQLite tells the name as written, also that of a common table expression.
  if (column.empty() && schema.empty()) return !modules_.contains(name) && !name.starts_with("pragma_");
  return tables_.contains(fmt::format("{}.{}", lower(schema), name));
}

}  // namespace iotstream::sqlite
