#include "live/frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/json.hpp>

namespace iotstream::live {

using frame::Encoding;
using model::ValueKind;

namespace {

constexpr std::size_t align8(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

bool fits_i32(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
}

bool fits_f32(double value) {
  return std::abs(value) <= std::numeric_limits<float>::max() && static_cast<double>(static_cast<float>(value)) == value;
}

std::size_t size_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::f64:
      return 8;
    case Encoding::f32:
    case Encoding::i32:
      return 4;
    case Encoding::u16:
      return 2;
    default:
      return 1;
  }
}

/// A value in a column of texts: texts as they are, everything else as its JSON.
std::string_view text_of(const RowBuffer& rows, const Cell& cell, std::string& scratch) {
  if (cell.kind == ValueKind::text || cell.kind == ValueKind::json) return rows.text(cell);
  scratch.clear();
  model::append_json(scratch, rows.value(cell));
  return scratch;
}

bool is_text_field(const model::Schema& schema, std::uint16_t field) {
  if (field >= schema.fields().size()) return false;
  const model::FieldType type = schema.field(FieldId(field)).type;
  return type == model::FieldType::text || type == model::FieldType::json;
}

}  // namespace

/// What the frame holds of one field, and where it is written.
struct FrameEncoder::Column {
  std::uint16_t field = 0;
  bool booleans = true;
  bool small_integers = true;  ///< or booleans
  bool floats = true;
  bool texts = false;
  std::size_t values = 0;
  std::size_t numbers = 0;  ///< values that are a number; a decimal may be beyond all doubles
  std::size_t text_bytes = 0;

  Encoding encoding = Encoding::f64;
  std::byte* presence = nullptr;  ///< nullptr: every row has a value
  std::byte* at = nullptr;
  std::size_t next_row = 0;  ///< of texts: the first whose begin is not written
  std::uint32_t text_end = 0;

  void see(const Cell& cell, const RowBuffer& rows) {
    ++values;
    if (cell.kind == ValueKind::text || cell.kind == ValueKind::json) {
      texts = true;
      return;
    }
    const double number = rows.number(cell);
    if (std::isnan(number)) return;
    ++numbers;
    const bool truth = cell.kind == ValueKind::false_ || cell.kind == ValueKind::true_;
    booleans &= truth;
    small_integers &= truth || (cell.kind == ValueKind::integer && fits_i32(static_cast<std::int64_t>(cell.bits)));
    floats &= fits_f32(number) && (cell.kind != ValueKind::integer || std::abs(number) <= 0x1p53);
  }

  void choose(bool text_field) {
    encoding = text_field || texts ? Encoding::text
               : booleans          ? Encoding::u8
               : small_integers    ? Encoding::i32
               : floats            ? Encoding::f32
                                   : Encoding::f64;
  }

  std::size_t present() const { return encoding == Encoding::text ? values : numbers; }

  /// Bytes after the column's header.
  std::size_t size(std::size_t rows) const {
    const std::size_t bitmap = present() == rows ? 0 : align8((rows + 7) / 8);
    return bitmap + align8(encoding == Encoding::text ? 4 * (rows + 1) + text_bytes : size_of(encoding) * rows);
  }

  /// Writes the header; returns the place behind the column.
  std::byte* begin(std::byte* out, std::size_t rows) {
    const std::size_t length = size(rows);
    store_le(out, field);
    store_le(out + 2, static_cast<std::uint8_t>(encoding));
    store_le(out + 3, static_cast<std::uint8_t>(present() == rows ? 0 : 1));
    store_le(out + 4, static_cast<std::uint32_t>(length));
    at = out + frame::column_header_size;
    if (present() != rows) {
      presence = at;
      at += align8((rows + 7) / 8);
    }
    return out + frame::column_header_size + length;
  }

  void write_number(std::size_t row, double number) {
    if (std::isnan(number)) return;
    mark(row);
    switch (encoding) {
      case Encoding::u8:
        store_le(at + row, static_cast<std::uint8_t>(number));
        break;
      case Encoding::i32:
        store_le(at + 4 * row, static_cast<std::int32_t>(number));
        break;
      case Encoding::f32:
        store_le(at + 4 * row, static_cast<float>(number));
        break;
      default:
        store_le(at + 8 * row, number);
    }
  }

  void write_text(std::size_t row, std::string_view text, std::size_t rows) {
    mark(row);
    begin_texts_to(row);
    if (!text.empty()) std::memcpy(at + 4 * (rows + 1) + text_end, text.data(), text.size());
    text_end += static_cast<std::uint32_t>(text.size());
  }

  /// Begins of the texts of all rows up to `row`, those without a value being empty.
  void begin_texts_to(std::size_t row) {
    for (; next_row <= row; ++next_row) store_le(at + 4 * next_row, text_end);
  }

  void mark(std::size_t row) const {
    if (presence != nullptr) presence[row / 8] |= static_cast<std::byte>(1u << (row % 8));
  }
};

FrameEncoder::FrameEncoder() = default;
FrameEncoder::~FrameEncoder() = default;

FrameEncoder::Column& FrameEncoder::column(std::uint16_t field) {
  if (field >= place_.size()) place_.resize(field + 1u, 0);
  if (place_[field] == 0) {
    columns_.emplace_back().field = field;
    place_[field] = static_cast<std::uint32_t>(columns_.size());
  }
  return columns_[place_[field] - 1];
}

void FrameEncoder::survey(const FrameContent& content) {
  const RowBuffer& rows = *content.rows;
  for (std::size_t row = content.begin; row != content.end; ++row)
    for (const Cell* cell = rows.cells_begin(row); cell != rows.cells_end(row); ++cell) column(cell->field).see(*cell, rows);
  bool texts = false;
  for (Column& column : columns_) {
    column.choose(is_text_field(*content.schema, column.field));
    texts |= column.encoding == Encoding::text;
  }
  if (!texts) return;
  for (std::size_t row = content.begin; row != content.end; ++row)
    for (const Cell* cell = rows.cells_begin(row); cell != rows.cells_end(row); ++cell)
      if (Column& of = column(cell->field); of.encoding == Encoding::text) of.text_bytes += text_of(rows, *cell, text_).size();
}

void FrameEncoder::forget() {
  for (const Column& column : columns_) place_[column.field] = 0;
  columns_.clear();
}

std::string FrameEncoder::binary(const FrameContent& content) {
  survey(content);
  const std::size_t rows = content.end - content.begin;
  std::uint16_t count = rows == 0 ? 0 : 2;
  std::size_t size = frame::header_size;
  if (rows != 0) size += 2 * frame::column_header_size + 8 * rows + align8(2 * rows);
  for (const Column& column : columns_) {
    if (column.present() == 0) continue;
    ++count;
    size += frame::column_header_size + column.size(rows);
  }
  std::string out(size, '\0');
  std::byte* at = std::as_writable_bytes(std::span(out)).data();
  write_header(content, count, at);
  at += frame::header_size;
  if (rows != 0) {
    at = write_keys(content, at);
    for (Column& column : columns_)
      if (column.present() != 0) at = column.begin(at, rows);
    write_values(content);
  }
  forget();
  return out;
}

void FrameEncoder::write_header(const FrameContent& content, std::uint16_t columns, std::byte* out) {
  store_le(out, frame::magic);
  store_le(out + 2, frame::version);
  store_le(out + 3,
           static_cast<std::uint8_t>((content.backfill ? frame::flag_backfill : 0) | (content.last ? frame::flag_last : 0) |
                                     (content.merged != 0 ? frame::flag_merged : 0)));
  store_le(out + 4, content.id);
  store_le(out + 8, content.seq);
  store_le(out + 16, content.begin == content.end ? std::int64_t{0} : content.rows->time(content.begin).us);
  store_le(out + 24, static_cast<std::uint32_t>(content.end - content.begin));
  store_le(out + 28, columns);
  store_le(out + 32, merged_count(content));
  store_le(out + 36, content.schema->version().value);
}

/// The columns of time and device; returns the place behind them.
std::byte* FrameEncoder::write_keys(const FrameContent& content, std::byte* out) {
  const std::size_t rows = content.end - content.begin;
  const std::int64_t base = content.rows->time(content.begin).us;
  const auto header = [](std::byte* to, std::uint16_t name, Encoding encoding, std::size_t length) {
    store_le(to, name);
    store_le(to + 2, static_cast<std::uint8_t>(encoding));
    store_le(to + 4, static_cast<std::uint32_t>(length));
    return to + frame::column_header_size;
  };
  out = header(out, frame::time_column, Encoding::f64, 8 * rows);
  for (std::size_t row = 0; row != rows; ++row)
    store_le(out + 8 * row, static_cast<double>(content.rows->time(content.begin + row).us - base));
  out = header(out + 8 * rows, frame::device_column, Encoding::u16, align8(2 * rows));
  for (std::size_t row = 0; row != rows; ++row) store_le(out + 2 * row, content.rows->device(content.begin + row));
  return out + align8(2 * rows);
}

void FrameEncoder::write_values(const FrameContent& content) {
  const RowBuffer& rows = *content.rows;
  const std::size_t count = content.end - content.begin;
  for (std::size_t row = 0; row != count; ++row) {
    const std::size_t source = content.begin + row;
    for (const Cell* cell = rows.cells_begin(source); cell != rows.cells_end(source); ++cell) {
      Column& column = columns_[place_[cell->field] - 1];
      if (column.at == nullptr) continue;
      if (column.encoding == Encoding::text)
        column.write_text(row, text_of(rows, *cell, text_), count);
      else
        column.write_number(row, rows.number(*cell));
    }
  }
  for (Column& column : columns_)
    if (column.at != nullptr && column.encoding == Encoding::text) column.begin_texts_to(count);
}

std::uint32_t FrameEncoder::merged_count(const FrameContent& content) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(content.merged, std::numeric_limits<std::uint32_t>::max()));
}

std::string FrameEncoder::json(const FrameContent& content) {
  const RowBuffer& rows = *content.rows;
  survey(content);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("id").value(content.id).key("seq").value(content.seq);
  writer.key("backfill").value(content.backfill).key("last").value(content.last);
  writer.key("merged").value(merged_count(content)).key("schema_version").value(content.schema->version().value);
  writer.key("time").begin_array();
  for (std::size_t row = content.begin; row != content.end; ++row) writer.value(rows.time(row).us);
  writer.end_array().key("device").begin_array();
  for (std::size_t row = content.begin; row != content.end; ++row) writer.value((*content.devices)[rows.device(row)]);
  writer.end_array().key("fields").begin_object();
  write_json_columns(content, writer);
  writer.end_object().end_object();
  forget();
  return out;
}

/// Each column's text grows by itself while the rows are walked once.
void FrameEncoder::write_json_columns(const FrameContent& content, json::Writer& writer) {
  const RowBuffer& rows = *content.rows;
  std::vector<std::string> texts(columns_.size());
  for (std::size_t row = 0; row != content.end - content.begin; ++row) {
    const std::size_t source = content.begin + row;
    for (const Cell* cell = rows.cells_begin(source); cell != rows.cells_end(source); ++cell) {
      const std::size_t place = place_[cell->field] - 1;
      fill_with_null(texts[place], columns_[place].next_row, row);
      if (!texts[place].empty()) texts[place] += ',';
      model::append_json(texts[place], rows.value(*cell));
      columns_[place].next_row = row + 1;
    }
  }
  for (std::size_t i = 0; i != columns_.size(); ++i) {
    fill_with_null(texts[i], columns_[i].next_row, content.end - content.begin);
    const std::uint16_t field = columns_[i].field;
    writer.key(field < content.schema->fields().size() ? content.schema->field(FieldId(field)).name
                                                       : fmt::format("field_{}", field));
    writer.raw("[" + texts[i] + "]");
  }
}

void FrameEncoder::fill_with_null(std::string& text, std::size_t from, std::size_t to) {
  for (; from < to; ++from) text += text.empty() ? "null" : ",null";
}

}  // namespace iotstream::live
