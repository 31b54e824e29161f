#include "store/event_scan.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "store/filter_sql.hpp"

namespace iotstream::store {

namespace {

constexpr int kinds_column = 6;
constexpr std::size_t names_max = 4096;  ///< device names kept by one scan

template <class Number>
bool take_number(std::string_view& text, Number& number, char end) {
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(next - text.data()));
  if (end == 0) return text.empty();
  if (text.empty() || text.front() != end) return false;
  text.remove_prefix(1);
  return true;
}

std::string select_sql(const Layout& layout, const std::vector<FieldId>& fields, const ScanRange& range,
                       const FilterSql& filter) {
  std::string sql = "SELECT \"time\", \"partition\", \"offset\", \"device\", \"facts\", \"flags\", \"_kinds\", \"_more\"";
  for (const FieldId field : fields) {
    if (!Layout::in_more(field)) sql += ", " + sqlite::quote_identifier(layout.column(field).name);
  }
  sql += " FROM " + sqlite::quote_identifier(layout.table()) + filter.behind(where_sql(range));
  return sql + (range.newest_first ? " ORDER BY \"time\" DESC, \"partition\" DESC, \"offset\" DESC"
                                   : " ORDER BY \"time\", \"partition\", \"offset\"");
}

}  // namespace

std::string Place::to_cursor() const { return fmt::format("{}.{}.{}", time.us, partition, offset); }

std::optional<Place> Place::from_cursor(std::string_view cursor) {
  Place place;
  if (!take_number(cursor, place.time.us, '.') || !take_number(cursor, place.partition.value, '.') ||
      !take_number(cursor, place.offset.value, '\0')) {
    return std::nullopt;
  }
  return place;
}

std::string where_sql(const ScanRange& range) {
  std::string sql;
  const auto add = [&](std::string_view condition) { sql += fmt::format("{} {}", sql.empty() ? " WHERE" : " AND", condition); };
  if (range.from) add("\"time\" >= ?");
  if (range.to) add("\"time\" < ?");
  if (range.after)
    add(range.newest_first ? "(\"time\", \"partition\", \"offset\") < (?, ?, ?)"
                           : "(\"time\", \"partition\", \"offset\") > (?, ?, ?)");
  if (range.device) add("\"device\" = ?");
  return sql;
}

int bind_range(sqlite::Statement& statement, const ScanRange& range, int first) {
  if (range.from) statement.bind(first++, range.from->us);
  if (range.to) statement.bind(first++, range.to->us);
  if (range.after) {
    statement.bind(first++, range.after->time.us);
    statement.bind(first++, static_cast<std::int64_t>(range.after->partition.value));
    statement.bind(first++, static_cast<std::int64_t>(range.after->offset.value));
  }
  if (range.device) statement.bind(first++, *range.device);
  return first;
}

Result<bool> choose_device(ReadConnection& connection, const Layout& layout, std::string_view name, ScanRange& range) {
  if (name.empty() || name == "*") return true;
  auto id = connection.device_id(layout, name);
  if (!id) return id.error();
  range.device = *id;
  return range.device.has_value();
}

std::vector<FieldId> fields_of(const Layout& layout, const std::vector<FieldId>& fields) {
  std::vector<FieldId> result;
  const auto count = static_cast<std::uint32_t>(layout.columns().size());
  if (fields.empty()) {
    for (std::uint32_t i = 0; i < count; ++i) result.emplace_back(i);
    return result;
  }
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(result), [&](FieldId field) { return field.value < count; });
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

Result<EventScan> EventScan::open(ReadConnection& connection, const Layout& layout, std::vector<FieldId> fields,
                                  const ScanRange& range, const FilterSql& filter) {
  auto statement = connection.prepare(select_sql(layout, fields, range, filter));
  if (!statement) return statement.error();
  filter.bind(**statement, bind_range(**statement, range, 1));
  return EventScan(connection, **statement, RowReader(layout, std::move(fields), kinds_column));
}

EventScan::EventScan(EventScan&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      reader_(std::move(other.reader_)),
      names_(std::move(other.names_)),
      event_(other.event_) {}

EventScan::~EventScan() {
  if (statement_ != nullptr) statement_->reset();
}

Result<std::string_view> EventScan::device_name(std::int64_t id) {
  if (const auto known = names_.find(id); known != names_.end()) return std::string_view(known->second);
  auto name = connection_->device_name(id);
  if (!name) return name.error();
  if (names_.size() >= names_max) names_.clear();
  return std::string_view(names_.emplace(id, std::move(*name)).first->second);
}

Result<const Event*> EventScan::next() {
  auto row = statement_->step();
  if (!row) return row.error();
  if (!*row) return nullptr;
  auto device = device_name(statement_->integer(3));
  if (!device) return device.error();
  auto values = reader_.read(*statement_);
  if (!values) return values.error();
  event_.time = Timestamp{statement_->integer(0)};
  event_.partition = PartitionId(static_cast<std::uint32_t>(statement_->integer(1)));
  event_.offset = Offset(static_cast<std::uint64_t>(statement_->integer(2)));
  event_.device = *device;
  event_.facts = FactsId(static_cast<std::uint32_t>(statement_->integer(4)));
  event_.flags = static_cast<std::uint16_t>(statement_->integer(5));
  event_.values = *values;
  return &event_;
}

}  // namespace iotstream::store
