#include "ingest/encoder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <iotstream/ingest/gate.hpp>

namespace iotstream::ingest {
namespace {

using model::ValueKind;

bool is_text(const model::Value& value) { return value.kind == ValueKind::text; }

// `2022-02-23 06:34:27.403000`: the one layout that the time itself is rendered in, so that it need not be stored.
bool rendered_layout(std::string_view text) {
  constexpr std::string_view layout = "0000-00-00 00:00:00.000000";
  if (text.size() != layout.size()) return false;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (layout[i] == '0' ? !digit : text[i] != layout[i]) return false;
  }
  return true;
}

// Seconds with a fraction, as many scripting languages give them. Between 2001 and 5138, so that a measured number is not taken
// for a time.
std::optional<Timestamp> from_seconds(double seconds) {
  if (!(seconds >= 1e9 && seconds < 1e11)) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

// The value as JSON, for people to look at.
std::string sample_of(const model::Value& value) {
  model::Value shown = value;
  shown.text = shown.text.substr(0, catalog::conflict_sample_max);
  // A character may be cut in two here; what writes it down later mends that.
  std::string sample;
  model::append_json(sample, shown);
  return sample;
}

model::FieldDraft draft_of(const Member& member, const model::Value& value) {
  model::FieldDraft draft{member.path, model::FieldType::boolean, {}, {}};
  // null tells nothing about a type: the narrowest one stands for it.
  draft.null = value.kind == ValueKind::null;
  if (!draft.null) draft.type = model::type_of(value.kind);
  draft.envelope = member.role != Role::none;
  if (!draft.null) draft.sample = sample_of(value);
  return draft;
}

}  // namespace

Encoder::Encoder(std::string dataset, log::Topic& topic, catalog::Schemas& schemas, model::RowBuilder& row)
    : dataset_(std::move(dataset)), topic_(topic), schemas_(schemas), row_(row) {
  generation_ = schemas_.generation();
  adopt(schemas_.current(dataset_));
}

void Encoder::adopt(model::SchemaPtr schema) {
  if (schema == schema_) return;
  schema_ = std::move(schema);
  members_.bind(schema_.get());
}

void Encoder::begin() {
  used_ = 0;
  role_cells_.fill(0);
  given_time_.reset();
  given_device_ = {};
  token_ = {};
  members_.trim();
  const std::uint64_t generation = schemas_.generation();
  if (generation == generation_) return;
  generation_ = generation;
  facts_known_ = false;
  adopt(schemas_.current(dataset_));
}

/// The next cell is of that role.
void Encoder::place_role(Role role) {
  std::uint32_t& index = role_cells_[static_cast<std::size_t>(role)];
  if (index != 0) cells_[index - 1].left_out = true;
  index = static_cast<std::uint32_t>(used_ + 1);
}

const Encoder::Cell* Encoder::cell_of(Role role) const {
  const std::uint32_t index = role_cells_[static_cast<std::size_t>(role)];
  return index == 0 ? nullptr : &cells_[index - 1];
}

// A text or an integer as text; empty for everything else.
std::string_view Encoder::text_of(const model::Value& value, std::array<char, 24>& buffer) const {
  if (is_text(value)) return value.text;
  if (value.kind != ValueKind::integer) return {};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value.integer).ptr;
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

Status Encoder::find_device() {
  device_ = given_device_.empty() ? std::string_view(dataset_) : given_device_;
  if (device_.size() > name_size_max)
    return Error{ErrorKind::unprocessable, fmt::format("the device's name is longer than {} bytes", name_size_max)};
  if (!given_device_.empty()) return {};
  for (std::size_t role = 0; role < device_roles; ++role) {
    const Cell* cell = cell_of(static_cast<Role>(role));
    const std::string_view text = cell ? text_of(cell->value, device_digits_) : std::string_view();
    if (text.empty()) continue;
    if (text.size() > name_size_max)
      return Error{ErrorKind::unprocessable, fmt::format("the device's name is longer than {} bytes", name_size_max)};
    device_ = text;
    return {};
  }
  return {};
}

Timestamp Encoder::find_time(Timestamp arrival) {
  flags_ = 0;
  const auto read = [&](Role role) -> std::optional<Timestamp> {
    const Cell* cell = cell_of(role);
    if (!cell) return std::nullopt;
    if (cell->value.kind == ValueKind::real) return from_seconds(cell->value.real);
    if (cell->value.kind == ValueKind::integer) return timestamp_from_epoch(cell->value.integer);
    return is_text(cell->value) && !cell->value.text.empty() ? parse_timestamp(cell->value.text) : std::nullopt;
  };
  const auto leave_out = [&](Role role) { cells_[role_cells_[static_cast<std::size_t>(role)] - 1].left_out = true; };

  const std::optional<Timestamp> stamp = read(Role::timestamp);
  const std::optional<Timestamp> date_hour = read(Role::date_hour);
  if (stamp) leave_out(Role::timestamp);
  const Timestamp time = stamp ? *stamp : date_hour ? *date_hour : given_time_.value_or(arrival);
  if (date_hour == time && is_text(cell_of(Role::date_hour)->value) && rendered_layout(cell_of(Role::date_hour)->value.text)) {
    flags_ |= model::row_has_date_hour;
    leave_out(Role::date_hour);
  }
  return time;
}

FactsId Encoder::find_facts() {
  std::array<char, 24> digits{};
  const Cell* cell = cell_of(Role::code);
  const std::string_view code = cell ? text_of(cell->value, digits) : std::string_view();
  if (!facts_known_ || code != facts_code_) {
    facts_ = schemas_.facts_for(dataset_, code);
    facts_code_ = code;
    facts_known_ = true;
  }
  return facts_;
}

// Counts the values that their fields hold by now, but which are wider than these began. A member's cell is looked for once.
// Those of a new draft are counted where the schema grows.
void Encoder::note_conflicts(Timestamp arrival, std::string_view source) {
  for (const Cell& cell : cells()) {
    if (cell.left_out || cell.value.kind == ValueKind::null) continue;
    Member& member = *cell.member;
    const model::FieldType type = model::type_of(cell.value.kind);
    const bool grown =
        std::any_of(drafts_.begin(), drafts_.end(), [&](const model::FieldDraft& draft) { return draft.name == member.path; });
    if (type <= member.base || grown) continue;
    catalog::ConflictCell*& counter = member.conflicts[static_cast<std::size_t>(type)];
    if (counter == nullptr) counter = &schemas_.conflicts(dataset_).cell(member.path, member.base, type);
    if (counter->count(arrival, false)) counter->describe({arrival, device_, source, sample_of(cell.value), false});
  }
}

/// True when every value is of a type that its field began with: the ordinary event, of which nothing is to be noted.
bool Encoder::fits_schema() {
  const auto fits = [](const Cell& cell) {
    const model::FieldType type =
        cell.value.kind == ValueKind::null ? model::FieldType::boolean : model::type_of(cell.value.kind);
    return cell.left_out || static_cast<unsigned>(type) < cell.member->fitting;
  };
  return schema_ != nullptr && std::all_of(cells().begin(), cells().end(), fits);
}

Status Encoder::fit_schema(Timestamp arrival, std::string_view source) {
  drafts_.clear();
  bool conflicts = false;
  for (const Cell& cell : cells()) {
    if (cell.left_out) continue;
    const Member& member = *cell.member;
    const bool null = cell.value.kind == ValueKind::null;
    if (member.field && null) continue;
    const model::FieldType type = null ? model::FieldType::boolean : model::type_of(cell.value.kind);
    if (member.field && !member.null_only && type <= member.type) {
      conflicts = conflicts || type > member.base;
      continue;
    }
    drafts_.push_back(draft_of(member, cell.value));
  }
  if (!drafts_.empty() || !schema_) {
    Result<model::SchemaPtr> grown = schemas_.evolve(dataset_, drafts_, device_, arrival, source);
    if (!grown) return std::move(grown).error();
    adopt(*grown);
  }
  if (conflicts) note_conflicts(arrival, source);
  return {};
}

ByteView Encoder::build() {
  // A schema may have thousands of fields of which an event has few: then the row grows with what comes.
  const std::size_t fields = schema_ && schema_->fields().size() <= 2 * used_ ? schema_->fields().size() : 0;
  row_.begin(schema_ ? schema_->version() : SchemaVersion(0), find_facts(), flags_, fields);
  row_.set_token(token_);
  for (const Cell& cell : cells()) {
    if (cell.left_out) continue;
    const FieldId field = *cell.member->field;
    const model::Value& value = cell.value;
    switch (value.kind) {
      case ValueKind::integer:
        row_.set_integer(field, value.integer);
        break;
      case ValueKind::real:
        row_.set_real(field, value.real);
        break;
      case ValueKind::text:
        if (value.text == device_)
          row_.set(field, ValueKind::key);
        else
          row_.set_text(field, value.kind, value.text);
        break;
      case ValueKind::json:
      case ValueKind::decimal:
        row_.set_text(field, value.kind, value.text);
        break;
      default:
        row_.set(field, value.kind);
        break;
    }
  }
  return row_.finish();
}

Result<Encoded> Encoder::finish(Timestamp arrival, std::string_view source) {
  if (Status status = find_device(); !status) return status.error();
  const Timestamp time = find_time(arrival);
  if (!fits_schema())
    if (Status status = fit_schema(arrival, source); !status) return status.error();
  return Encoded{topic_.partition_of(device_), time, device_, build()};
}

}  // namespace iotstream::ingest
