// One event as stored: a compact typed row. Written once by ingest, read by every consumer; JSON is rendered at the edges only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/bytes.hpp>
#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::model {

/// What one value of one row is. Each value keeps the kind it arrived with. Four bits in the row; numbers are part of the
/// format.
enum class ValueKind : unsigned char {
  missing = 0,  ///< the member was not sent
  null = 1,     ///< sent as null
  false_ = 2,
  true_ = 3,
  integer = 4,  ///< int64
  real = 5,     ///< double, finite
  text = 6,     ///< UTF-8
  json = 7,     ///< an array or object as its JSON text
  decimal = 8,  ///< a number that neither int64 nor double holds exactly, as its literal text
  key = 9,      ///< a text equal to the record's key (the device): takes no space
};

/// A value read from a row. `text` is valid as long as the row's bytes.
struct Value {
  ValueKind kind = ValueKind::missing;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;

  bool present() const { return kind != ValueKind::missing && kind != ValueKind::null; }
  bool numeric() const { return kind == ValueKind::integer || kind == ValueKind::real || kind == ValueKind::decimal; }
  /// As a number for charts and aggregates: integers, reals, decimals, and booleans as 0 and 1; NaN otherwise.
  double as_double() const;
};

/// Of a present value; decimal counts as real, key as text.
constexpr FieldType type_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::false_:
    case ValueKind::true_:
      return FieldType::boolean;
    case ValueKind::integer:
      return FieldType::integer;
    case ValueKind::real:
    case ValueKind::decimal:
      return FieldType::real;
    case ValueKind::json:
      return FieldType::json;
    default:
      return FieldType::text;
  }
}

/// Flags of a row.
inline constexpr std::uint16_t row_has_date_hour = 1;  ///< `dateHour` was sent and equals the event time: rendered from it
inline constexpr std::uint16_t row_has_token = 2;      ///< the heap ends with a token: set by set_token()

/// Collects the values of one event, in any field order, and encodes them. Reused from event to event: no allocation once it
/// has grown. One thread.
class RowBuilder {
 public:
  /// `fields`: as many are expected; only a hint.
  void begin(SchemaVersion version, FactsId facts, std::uint16_t flags, std::size_t fields = 0);
  /// Sets a value; the last one set for a field stays. `text` is copied.
  void set(FieldId field, ValueKind kind);  ///< missing, null, false_, true_, key
  void set_integer(FieldId field, std::int64_t value) { cell(field) = {ValueKind::integer, static_cast<std::uint64_t>(value)}; }
  void set_real(FieldId field, double value);                           ///< finite
  void set_text(FieldId field, ValueKind kind, std::string_view text);  ///< text, json, decimal
  /// Bytes by which the writer finds its own row again after a crash; no value, and not rendered. At most 65,535, kept until
  /// finish().
  void set_token(std::string_view token) { token_ = token; }
  /// The encoded row, valid until the next begin(). Field ids are at most 65,534 and the texts together below 4 GiB: larger
  /// stops the process.
  ByteView finish();

 private:
  struct Cell {
    ValueKind kind = ValueKind::missing;
    std::uint64_t slot = 0;
  };
  Cell& cell(FieldId field) {
    if (field.value >= used_) grow(field);
    return cells_[field.value];
  }
  /// Makes cells up to `field` missing ones.
  void grow(FieldId field);
  SchemaVersion version_;
  FactsId facts_;
  std::uint16_t flags_ = 0;
  std::string_view token_;
  std::size_t used_ = 0;  ///< cells in use
  std::vector<Cell> cells_;
  std::string heap_;
  std::vector<std::byte> out_;
};

/// Reads an encoded row, checked once at open(): every later access is in bounds. Valid as long as its bytes.
class RowView {
 public:
  /// Errors: corrupt.
  static Result<RowView> open(ByteView bytes);
  SchemaVersion schema_version() const { return version_; }
  FactsId facts() const { return facts_; }
  std::uint16_t flags() const { return flags_; }
  std::uint32_t field_count() const { return field_count_; }  ///< cells stored; fields beyond are missing

  /// Empty without row_has_token.
  std::string_view token() const { return token_; }

  /// missing for fields that are not stored.
  ValueKind kind(FieldId field) const { return field.value < field_count_ ? kind_at(field.value) : ValueKind::missing; }
  /// One value by itself: O(cells before it). each() is the way to read a row.
  Value value(FieldId field, std::string_view key) const;

  /// Calls `visit(FieldId, const Value&)` for every value that is not missing, in field order. `key` is the record's key.
  template <class Visit>
  void each(std::string_view key, Visit&& visit) const {
    std::size_t slot = 0;
    for (std::uint32_t i = 0; i < field_count_; ++i) {
      const ValueKind kind = kind_at(i);
      if (kind == ValueKind::missing) continue;
      visit(FieldId(i), value_at(kind, slot, key));
      if (has_slot(kind)) ++slot;
    }
  }

  static constexpr bool has_slot(ValueKind kind) { return kind >= ValueKind::integer && kind <= ValueKind::decimal; }

 private:
  ValueKind kind_at(std::uint32_t field) const {
    const auto pair = std::to_integer<unsigned>(kinds_[field / 2]);
    return static_cast<ValueKind>(field % 2 == 0 ? pair & 0xf : pair >> 4);
  }
  Value value_at(ValueKind kind, std::size_t slot, std::string_view key) const;
  SchemaVersion version_;
  FactsId facts_;
  std::uint16_t flags_ = 0;
  std::uint32_t field_count_ = 0;
  const std::byte* kinds_ = nullptr;
  const std::byte* slots_ = nullptr;
  std::string_view heap_;
  std::string_view token_;
};

// Inside the loop of every reader, therefore here: a call a value costs more than the load it makes.
inline Value RowView::value_at(ValueKind kind, std::size_t slot, std::string_view key) const {
  Value value;
  value.kind = kind;
  switch (kind) {
    case ValueKind::integer:
      value.integer = load_le<std::int64_t>(slots_ + 8 * slot);
      break;
    case ValueKind::real:
      value.real = load_le<double>(slots_ + 8 * slot);
      break;
    case ValueKind::text:
    case ValueKind::json:
    case ValueKind::decimal:
      value.text = heap_.substr(load_le<std::uint32_t>(slots_ + 8 * slot), load_le<std::uint32_t>(slots_ + 8 * slot + 4));
      break;
    case ValueKind::key:
      value.text = key;
      break;
    default:
      break;
  }
  return value;
}

/// Appends the members of a row to an open JSON object (after `{` or a member; `comma` says whether one is needed first): the
/// values in field order, then `dateHour` if the flag says so, then those of `facts` (name → value as JSON text) that the row
/// does not have itself. `schema` is of the row's version or newer; a field that it does not know is named `field_<id>`. int64
/// in full, doubles shortest and always with a point or an exponent (`1.0`), so that they stay doubles when read; decimals as
/// their literal.
void append_members(std::string& out, bool& comma, const RowView& row, const Schema& schema, std::string_view key,
                    Timestamp time, const std::vector<std::pair<std::string, std::string>>& facts);

/// Appends one value as JSON.
void append_json(std::string& out, const Value& value);

}  // namespace iotstream::model
