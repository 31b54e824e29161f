// Values into SQLite's columns and back, each with the kind it arrived with.
//
//   integer           INTEGER        true, false       INTEGER 1, 0
//   real              REAL           decimal           REAL, the nearest; its literal in `_kinds`
//   text, key         TEXT           json              TEXT
//   null, missing     NULL           fields beyond the last column: members of the JSON object in `_more`
//
// What a column's storage class does not tell stands in `_kinds`, which is NULL in nearly every row. By default an INTEGER is
// an integer (in a column born boolean, 0 and 1 are false and true), a TEXT is a text (in a column born json: json), NULL is
// missing. Exceptions are listed by field id, in order: `3b,7d0.10000000000000000055,12n`: field 3 is a boolean, field 7 the
// decimal of that literal, field 12 was sent as null; i: integer, t: text, j: json.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/layout.hpp"

namespace iotstream::store {

/// Binds rows to an INSERT of a layout. Reused from row to row; one thread.
class RowBinder {
 public:
  /// Binds all columns of the fields, `_kinds` and `_more`; the values must stay until the statement was run. `count` is called
  /// with every field that has a value which is not null, and the value. Fields that the layout does not know are left out:
  /// false then.
  template <class Count>
  bool bind(sqlite::Statement& insert, const Layout& layout, const model::RowView& row, std::string_view key, Count&& count) {
    begin(layout);
    bool complete = true;
    row.each(key, [&](FieldId field, const model::Value& value) {
      if (field.value >= layout.columns().size()) {
        complete = false;
        return;
      }
      if (value.present()) count(field, value);
      put(insert, layout, field, value);
    });
    finish(insert);
    return complete;
  }

 private:
  void begin(const Layout& layout);
  void put(sqlite::Statement& insert, const Layout& layout, FieldId field, const model::Value& value);
  void put_column(sqlite::Statement& insert, const Column& column, FieldId field, const model::Value& value);
  void put_more(const Column& column, const model::Value& value);
  void skip_to(sqlite::Statement& insert, std::uint32_t field);
  void exception(FieldId field, char kind, std::string_view literal = {});
  void finish(sqlite::Statement& insert);

  std::uint32_t columns_ = 0;  ///< that have to be bound
  std::uint32_t next_ = 0;     ///< the first column not bound yet
  std::string kinds_;
  std::string more_;
};

using Values = std::vector<std::pair<FieldId, model::Value>>;

/// Reads rows of a SELECT that has `_kinds`, `_more` and then the columns of some fields. One thread.
class RowReader {
 public:
  /// Reads those of `fields` (ascending) that have columns from column `first` + 2 on, in their order, and the others from
  /// `_more`; `first` is the column of `_kinds`. `layout` outlives it.
  RowReader(const Layout& layout, std::vector<FieldId> fields, int first);

  /// The values that are not missing of the statement's current row, in field order. Valid until the statement's next step or
  /// reset, or the next read(). Errors: corrupt when `_kinds` or `_more` cannot be read.
  Result<const Values*> read(const sqlite::Statement& row);

 private:
  struct Exception {
    std::uint32_t field = 0;
    char kind = 0;  ///< 0: none left
    std::string_view literal;
  };
  static Result<Exception> next_exception(std::string_view& kinds);
  Status read_more(std::string_view json);

  const Layout& layout_;
  std::vector<FieldId> fields_;
  std::vector<bool> wanted_in_more_;  ///< by field id less column_fields_max
  std::size_t with_column_ = 0;       ///< the first so many of fields_ have columns
  int first_;
  Values values_;
  std::deque<std::string> texts_;  ///< of `_more`, whose strings are unescaped
};

}  // namespace iotstream::store
