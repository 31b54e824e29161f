// How a dataset's events lie in SQLite: which table, which column for which field.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/model/schema.hpp>

#include "store/names.hpp"

namespace iotstream::store {

/// Columns before the fields, in the table's order; parameters of an INSERT are numbered from 1 in the same order.
inline constexpr int system_columns = 8;  // time, partition, offset, device, facts, flags, _kinds, _more
/// SQLite takes 2,000 columns: fields from this id on are members of the JSON object in `_more`.
inline constexpr std::uint32_t column_fields_max = 2000 - system_columns;
/// Tables that begin with more fields than this have rowids. Without rowids a row beyond a quarter of a page spills: 180
/// filled columns took 4,681 bytes a row instead of 2,072. With few columns it is the other way round (README.md).
inline constexpr std::size_t clustered_fields_max = 80;

struct Column {
  std::string field;  ///< its name as sent
  std::string name;   ///< in SQLite; empty: in `_more`
  /// The field's type when its column was made: what an INTEGER or TEXT there is unless `_kinds` says otherwise.
  model::FieldType born = model::FieldType::integer;
};

/// Immutable once shared. Columns stand at their FieldId.
class Layout {
 public:
  Layout(std::int64_t id, std::string dataset, std::string table, std::string view, std::vector<Column> columns);

  std::int64_t id() const { return id_; }
  const std::string& dataset() const { return dataset_; }
  const std::string& table() const { return table_; }
  const std::string& view() const { return view_; }
  const std::vector<Column>& columns() const { return columns_; }
  const Column& column(FieldId field) const { return columns_[field.value]; }
  static bool in_more(FieldId field) { return field.value >= column_fields_max; }
  /// A field that is kept in `_more`, by its name.
  const FieldId* find_in_more(std::string_view name) const;

  /// The parameter of a field in insert_sql().
  static int parameter(FieldId field) { return system_columns + 1 + static_cast<int>(field.value); }

  std::string create_table_sql() const;
  std::string add_column_sql(FieldId field) const;
  /// Drops and makes the view that people read: ISO times, device names, the prototype's facts.
  std::string drop_view_sql() const;
  std::string create_view_sql() const;
  /// A row that is there already is left alone.
  std::string insert_sql() const;

 private:
  std::int64_t id_;
  std::string dataset_;
  std::string table_;
  std::string view_;
  std::vector<Column> columns_;
  std::unordered_map<std::string_view, FieldId> in_more_;  ///< keys are views of columns_
};

using LayoutPtr = std::shared_ptr<const Layout>;

/// Continues `columns` with the fields of `schema` that have none yet.
std::vector<Column> grown(std::vector<Column> columns, const model::Schema& schema);

}  // namespace iotstream::store
