#include "store/codec.hpp"

#include <charconv>
#include <cmath>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/model/number.hpp>

namespace iotstream::store {

using model::FieldType;
using model::Value;
using model::ValueKind;

namespace {

constexpr int kinds_parameter = 7;
constexpr int more_parameter = 8;

Value text_value(ValueKind kind, std::string_view text) {
  Value value;
  value.kind = kind;
  value.text = text;
  return value;
}

Value boolean_value(bool truth) {
  Value value;
  value.kind = truth ? ValueKind::true_ : ValueKind::false_;
  return value;
}

/// What the column holds, by the rule without exceptions.
Value default_value(const sqlite::Statement& row, int column, FieldType born) {
  Value value;
  switch (row.type(column)) {
    case sqlite::ColumnType::integer:
      value.integer = row.integer(column);
      if (born == FieldType::boolean && (value.integer == 0 || value.integer == 1)) return boolean_value(value.integer == 1);
      value.kind = ValueKind::integer;
      break;
    case sqlite::ColumnType::real:
      value.kind = ValueKind::real;
      value.real = row.real(column);
      break;
    case sqlite::ColumnType::text:
      return text_value(born == FieldType::json ? ValueKind::json : ValueKind::text, row.text(column));
    case sqlite::ColumnType::blob:  // nothing writes one, but the file is open to other programs
      return text_value(ValueKind::text, row.text(column));
    case sqlite::ColumnType::null:
      break;
  }
  return value;
}

Value excepted_value(const sqlite::Statement& row, int column, char kind, std::string_view literal) {
  Value value;
  switch (kind) {
    case 'n':
      value.kind = ValueKind::null;
      return value;
    case 'b':
      return boolean_value(row.integer(column) != 0);
    case 'i':
      value.kind = ValueKind::integer;
      value.integer = row.integer(column);
      return value;
    case 'd':
      return text_value(ValueKind::decimal, literal);
    case 'j':
      return text_value(ValueKind::json, row.text(column));
    default:
      return text_value(ValueKind::text, row.text(column));
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

void RowBinder::begin(const Layout& layout) {
  columns_ = std::min(static_cast<std::uint32_t>(layout.columns().size()), column_fields_max);
  next_ = 0;
  kinds_.clear();
  more_.clear();
}

void RowBinder::skip_to(sqlite::Statement& insert, std::uint32_t field) {
  for (; next_ < field; ++next_) insert.bind_null(Layout::parameter(FieldId(next_)));
}

void RowBinder::exception(FieldId field, char kind, std::string_view literal) {
  if (!kinds_.empty()) kinds_ += ',';
  char digits[12];
  kinds_.append(digits, std::to_chars(digits, digits + sizeof digits, field.value).ptr);
  kinds_ += kind;
  kinds_ += literal;
}

void RowBinder::put(sqlite::Statement& insert, const Layout& layout, FieldId field, const Value& value) {
  if (Layout::in_more(field)) return put_more(layout.column(field), value);
  skip_to(insert, field.value);
  ++next_;
  put_column(insert, layout.column(field), field, value);
}

void RowBinder::put_column(sqlite::Statement& insert, const Column& column, FieldId field, const Value& value) {
  const int parameter = Layout::parameter(field);
  switch (value.kind) {
    case ValueKind::missing:
    case ValueKind::null:
      insert.bind_null(parameter);
      if (value.kind == ValueKind::null) exception(field, 'n');
      break;
    case ValueKind::false_:
    case ValueKind::true_:
      insert.bind(parameter, static_cast<std::int64_t>(value.kind == ValueKind::true_));
      if (column.born != FieldType::boolean) exception(field, 'b');
      break;
    case ValueKind::integer:
      insert.bind(parameter, value.integer);
      if (column.born == FieldType::boolean && (value.integer == 0 || value.integer == 1)) exception(field, 'i');
      break;
    case ValueKind::real:
      insert.bind(parameter, value.real);
      break;
    case ValueKind::decimal:
      insert.bind(parameter, model::nearest_double(value.text));
      exception(field, 'd', value.text);
      break;
    case ValueKind::json:
      insert.bind_view(parameter, value.text);
      if (column.born != FieldType::json) exception(field, 'j');
      break;
    case ValueKind::text:
    case ValueKind::key:
      insert.bind_view(parameter, value.text);
      if (column.born == FieldType::json) exception(field, 't');
      break;
  }
}

void RowBinder::put_more(const Column& column, const Value& value) {
  more_ += more_.empty() ? '{' : ',';
  json::append_string(more_, column.field);
  more_ += ':';
  model::append_json(more_, value);
}

void RowBinder::finish(sqlite::Statement& insert) {
  skip_to(insert, columns_);
  kinds_.empty() ? insert.bind_null(kinds_parameter) : insert.bind_view(kinds_parameter, kinds_);
  if (!more_.empty()) more_ += '}';
  more_.empty() ? insert.bind_null(more_parameter) : insert.bind_view(more_parameter, more_);
}

RowReader::RowReader(const Layout& layout, std::vector<FieldId> fields, int first)
    : layout_(layout), fields_(std::move(fields)), first_(first) {
  for (const FieldId field : fields_) {
    if (!Layout::in_more(field)) {
      ++with_column_;
    } else {
      if (wanted_in_more_.empty()) wanted_in_more_.resize(layout.columns().size() - column_fields_max, false);
      wanted_in_more_[field.value - column_fields_max] = true;
    }
  }
  values_.reserve(fields_.size());
}

Result<RowReader::Exception> RowReader::next_exception(std::string_view& kinds) {
  Exception exception;
  if (kinds.empty()) return exception;
  const char* const end = kinds.data() + kinds.size();
  const auto [kind, error] = std::from_chars(kinds.data(), end, exception.field);
  if (error != std::errc() || kind == end) return Error{ErrorKind::corrupt, fmt::format("_kinds '{}' cannot be read", kinds)};
  exception.kind = *kind;
  const std::string_view rest(kind + 1, static_cast<std::size_t>(end - kind - 1));
  exception.literal = rest.substr(0, rest.find(','));
  kinds = rest.substr(std::min(rest.size(), exception.literal.size() + 1));
  return exception;
}

Result<const Values*> RowReader::read(const sqlite::Statement& row) {
  values_.clear();
  std::string_view kinds = row.text(first_);
  auto exception = next_exception(kinds);
  for (std::size_t i = 0; i < with_column_; ++i) {
    const FieldId field = fields_[i];
    while (exception && exception->kind != 0 && exception->field < field.value) exception = next_exception(kinds);
    if (!exception) return exception.error();
    const int column = first_ + 2 + static_cast<int>(i);
    const Value value = exception->kind != 0 && exception->field == field.value
                            ? excepted_value(row, column, exception->kind, exception->literal)
                            : default_value(row, column, layout_.column(field).born);
    if (value.kind != ValueKind::missing) values_.emplace_back(field, value);
  }
  if (with_column_ < fields_.size()) {
    if (auto read = read_more(row.text(first_ + 1)); !read) return read.error();
  }
  return &values_;
}

// Written by RowBinder in field order, so that the members come in order, too.
Status RowReader::read_more(std::string_view json) {
  texts_.clear();
  if (json.empty()) return {};
  const Error broken{ErrorKind::corrupt, "_more is no JSON object"};
  static thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS || document.get_object().get(object) != simdjson::SUCCESS) {
    return broken;
  }
  for (auto member : object) {
    std::string_view name;
    simdjson::ondemand::value json_value;
    simdjson::ondemand::json_type type{};
    if (member.unescaped_key().get(name) != simdjson::SUCCESS || member.value().get(json_value) != simdjson::SUCCESS ||
        json_value.type().get(type) != simdjson::SUCCESS) {
      return broken;
    }
    const FieldId* field = layout_.find_in_more(name);
    if (field == nullptr || !wanted_in_more_[field->value - column_fields_max]) continue;
    Value value;
    std::string_view text;
    switch (type) {
      case simdjson::ondemand::json_type::null:
        value.kind = ValueKind::null;
        break;
      case simdjson::ondemand::json_type::boolean: {
        bool truth = false;
        if (json_value.get_bool().get(truth) != simdjson::SUCCESS) return broken;
        value = boolean_value(truth);
        break;
      }
      case simdjson::ondemand::json_type::number:
        texts_.emplace_back(trimmed(json_value.raw_json_token()));
        if (!model::read_number(texts_.back(), value)) return broken;
        if (value.kind != ValueKind::decimal) value.text = {};
        break;
      case simdjson::ondemand::json_type::string:
        if (json_value.get_string().get(text) != simdjson::SUCCESS) return broken;
        value = text_value(ValueKind::text, texts_.emplace_back(text));
        break;
      default:
        // A view of the text as it stands, not written anew.
        if (simdjson::to_json_string(json_value).get(text) != simdjson::SUCCESS) return broken;
        value = text_value(ValueKind::json, texts_.emplace_back(trimmed(text)));
    }
    values_.emplace_back(*field, value);
  }
  return {};
}

}  // namespace iotstream::store
