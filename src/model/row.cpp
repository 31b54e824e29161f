#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <iotstream/base/json.hpp>
#include <iotstream/model/row.hpp>

#include "model/row_format.hpp"

namespace iotstream::model {
namespace {

namespace format = row_format;

bool in_heap(ValueKind kind) { return kind == ValueKind::text || kind == ValueKind::json || kind == ValueKind::decimal; }

Error corrupt(std::string reason) { return Error{ErrorKind::corrupt, "row: " + std::move(reason)}; }

double decimal_as_double(std::string_view literal) {
  double value = std::numeric_limits<double>::quiet_NaN();
  const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), value);
  // Out of range leaves the value alone: nothing a chart could draw.
  return error == std::errc() && end == literal.data() + literal.size() ? value : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double Value::as_double() const {
  switch (kind) {
    case ValueKind::false_:
      return 0;
    case ValueKind::true_:
      return 1;
    case ValueKind::integer:
      return static_cast<double>(integer);
    case ValueKind::real:
      return real;
    case ValueKind::decimal:
      return decimal_as_double(text);
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

void RowBuilder::begin(SchemaVersion version, FactsId facts, std::uint16_t flags, std::size_t fields) {
  version_ = version;
  facts_ = facts;
  flags_ = flags;
  token_ = {};
  used_ = std::min<std::size_t>(fields, format::fields_max);
  if (used_ > cells_.size()) cells_.resize(used_);
  std::fill_n(cells_.begin(), used_, Cell{});
  heap_.clear();
}

void RowBuilder::grow(FieldId field) {
  IOTSTREAM_ASSERT(field.value < format::fields_max, "field {} of at most {}", field.value, format::fields_max);
  if (field.value >= cells_.size()) cells_.resize(field.value + 1);
  for (std::size_t i = used_; i <= field.value; ++i) cells_[i] = Cell{};
  used_ = field.value + 1;
}

void RowBuilder::set(FieldId field, ValueKind kind) {
  IOTSTREAM_ASSERT(!RowView::has_slot(kind) && kind <= ValueKind::key, "kind {} has a value", static_cast<int>(kind));
  cell(field).kind = kind;
}

void RowBuilder::set_real(FieldId field, double value) {
  IOTSTREAM_ASSERT(std::isfinite(value), "field {} is {}", field.value, value);
  cell(field) = {ValueKind::real, std::bit_cast<std::uint64_t>(value)};
}

void RowBuilder::set_text(FieldId field, ValueKind kind, std::string_view text) {
  IOTSTREAM_ASSERT(in_heap(kind), "kind {} has no text", static_cast<int>(kind));
  IOTSTREAM_ASSERT(text.size() <= std::numeric_limits<std::uint32_t>::max() - heap_.size(), "{} bytes of text", text.size());
  cell(field) = {kind, (static_cast<std::uint64_t>(text.size()) << 32) | heap_.size()};
  heap_.append(text);
}

ByteView RowBuilder::finish() {
  while (used_ > 0 && cells_[used_ - 1].kind == ValueKind::missing) --used_;
  std::size_t slots = 0;
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    if (RowView::has_slot(cells_[i].kind)) ++slots;
    if (in_heap(cells_[i].kind)) text_bytes += cells_[i].slot >> 32;
  }
  const std::size_t kinds_size = format::kinds_size(used_);
  const std::size_t token_bytes = token_.empty() ? 0 : token_.size() + format::token_length_size;
  IOTSTREAM_ASSERT(token_.size() <= 0xffff, "{} bytes of token", token_.size());
  out_.resize(format::header_size + kinds_size + slots * format::slot_size + text_bytes + token_bytes);
  std::byte* const row = out_.data();
  std::memset(row, 0, format::header_size + kinds_size);  // all behind that is written
  store_le(row + format::version_at, version_.value);
  store_le(row + format::facts_at, facts_.value);
  store_le(row + format::fields_at, static_cast<std::uint16_t>(used_));
  store_le(row + format::flags_at, token_.empty() ? flags_ : static_cast<std::uint16_t>(flags_ | row_has_token));
  store_le(row + format::slots_at, static_cast<std::uint32_t>(slots));

  std::byte* const kinds = row + format::header_size;
  std::byte* slot = kinds + kinds_size;
  std::byte* const heap = slot + slots * format::slot_size;
  std::uint32_t heap_used = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    const Cell& cell = cells_[i];
    kinds[i / 2] |= static_cast<std::byte>(static_cast<unsigned>(cell.kind) << (i % 2 == 0 ? 0 : 4));
    if (!RowView::has_slot(cell.kind)) continue;
    if (in_heap(cell.kind)) {
      // In cell order, whatever the order of set(): one event has one encoding, and texts that were set anew leave nothing
      // behind.
      const auto length = static_cast<std::uint32_t>(cell.slot >> 32);
      store_le(slot, heap_used);
      store_le(slot + 4, length);
      if (length > 0) std::memcpy(heap + heap_used, heap_.data() + static_cast<std::uint32_t>(cell.slot), length);
      heap_used += length;
    } else {
      store_le(slot, cell.slot);
    }
    slot += format::slot_size;
  }
  if (!token_.empty()) {
    std::memcpy(heap + heap_used, token_.data(), token_.size());
    store_le(heap + heap_used + token_.size(), static_cast<std::uint16_t>(token_.size()));
  }
  return out_;
}

Result<RowView> RowView::open(ByteView bytes) {
  if (bytes.size() < format::header_size) return corrupt(fmt::format("{} bytes are less than a header", bytes.size()));
  RowView view;
  view.version_ = SchemaVersion(load_le<std::uint32_t>(bytes.data() + format::version_at));
  view.facts_ = FactsId(load_le<std::uint32_t>(bytes.data() + format::facts_at));
  view.field_count_ = load_le<std::uint16_t>(bytes.data() + format::fields_at);
  view.flags_ = load_le<std::uint16_t>(bytes.data() + format::flags_at);
  const std::size_t slot_count = load_le<std::uint32_t>(bytes.data() + format::slots_at);
  if ((view.flags_ & ~format::flags_known) != 0) return corrupt(fmt::format("unknown flags {:#x}", view.flags_));

  const std::size_t kinds_size = format::kinds_size(view.field_count_);
  const std::size_t body = bytes.size() - format::header_size;
  if (body < kinds_size || (body - kinds_size) / format::slot_size < slot_count)
    return corrupt(fmt::format("{} cells and {} slots do not fit {} bytes", view.field_count_, slot_count, bytes.size()));
  view.kinds_ = bytes.data() + format::header_size;
  view.slots_ = view.kinds_ + kinds_size;
  const std::byte* const heap = view.slots_ + slot_count * format::slot_size;
  view.heap_ = as_text({heap, static_cast<std::size_t>(bytes.data() + bytes.size() - heap)});

  if ((view.flags_ & row_has_token) != 0) {
    const std::size_t length_at = view.heap_.size() - format::token_length_size;
    if (view.heap_.size() < format::token_length_size) return corrupt("no room for the length of its token");
    const std::size_t length = load_le<std::uint16_t>(bytes.data() + bytes.size() - format::token_length_size);
    if (length > length_at) return corrupt(fmt::format("a token of {} bytes in {}", length, length_at));
    view.token_ = view.heap_.substr(length_at - length, length);
    view.heap_ = view.heap_.substr(0, length_at - length);
  }

  std::size_t slot = 0;
  for (std::uint32_t i = 0; i < kinds_size * 2; ++i) {
    const ValueKind kind = view.kind_at(i);
    if (kind == ValueKind::missing) continue;
    if (i >= view.field_count_ || static_cast<unsigned>(kind) >= format::kinds_known)
      return corrupt(fmt::format("cell {} of {} has kind {}", i, view.field_count_, static_cast<int>(kind)));
    if (!has_slot(kind)) continue;
    if (slot == slot_count) return corrupt(fmt::format("more values than its {} slots", slot_count));
    const std::byte* const at = view.slots_ + slot * format::slot_size;
    if (kind == ValueKind::real && !std::isfinite(load_le<double>(at))) return corrupt(fmt::format("cell {} is not finite", i));
    if (in_heap(kind) && std::uint64_t{load_le<std::uint32_t>(at)} + load_le<std::uint32_t>(at + 4) > view.heap_.size())
      return corrupt(fmt::format("the text of cell {} is outside the row", i));
    ++slot;
  }
  if (slot != slot_count) return corrupt(fmt::format("{} slots for {} values", slot_count, slot));
  return view;
}

Value RowView::value(FieldId field, std::string_view key) const {
  const ValueKind wanted = kind(field);
  if (wanted == ValueKind::missing) return {};
  std::size_t slot = 0;
  for (std::uint32_t i = 0; i < field.value; ++i)
    if (has_slot(kind_at(i))) ++slot;
  return value_at(wanted, slot, key);
}

void append_json(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::missing:
    case ValueKind::null:
      out += "null";
      break;
    case ValueKind::false_:
      out += "false";
      break;
    case ValueKind::true_:
      out += "true";
      break;
    case ValueKind::integer:
      json::append_number(out, value.integer);
      break;
    case ValueKind::real: {
      const std::size_t begin = out.size();
      json::append_number(out, value.real);
      // By hand: find_first_of calls memchr for every digit, and this is what rendering spends its time on.
      const bool plain = std::none_of(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                                      [](char c) { return c == '.' || c == 'e' || c == 'n'; });
      if (plain) out += ".0";
      break;
    }
    case ValueKind::json:
    case ValueKind::decimal:
      out += value.text;
      break;
    case ValueKind::text:
    case ValueKind::key:
      json::append_string(out, value.text);
      break;
  }
}

namespace {

void append_name(std::string& out, bool& comma, std::string_view name) {
  if (comma) out += ',';
  comma = true;
  json::append_string(out, name);
  out += ':';
}

}  // namespace

void append_members(std::string& out, bool& comma, const RowView& row, const Schema& schema, std::string_view key,
                    Timestamp time, const std::vector<std::pair<std::string, std::string>>& facts) {
  row.each(key, [&](FieldId id, const Value& value) {
    if (id.value < schema.fields().size())
      append_name(out, comma, schema.field(id).name);
    else  // the record of its schema version was lost: the value is still told
      append_name(out, comma, fmt::format("field_{}", id.value));
    append_json(out, value);
  });
  if ((row.flags() & row_has_date_hour) != 0) {
    append_name(out, comma, "dateHour");
    json::append_string(out, format_date_hour(time));
  }
  for (const auto& [name, value] : facts) {
    const std::optional<FieldId> id = schema.find(name);
    if (id && row.kind(*id) != ValueKind::missing) continue;
    append_name(out, comma, name);
    out += value;
  }
}

}  // namespace iotstream::model
