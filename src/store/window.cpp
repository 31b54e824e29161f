#include "store/window.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "store/rollup_writer.hpp"

namespace iotstream::store {

namespace {

/// One device among more than these is found bucket by bucket instead of among all the others'.
constexpr std::int64_t many_devices = 8;
/// Devices that the database does not know yet come after those that it knows.
constexpr std::int64_t new_devices = std::int64_t{1} << 60;

/// What the storage class says is enough here: a boolean is stored as 0 or 1, a decimal as its nearest double.
Cell cell_of(const sqlite::Statement& row, int column) {
  switch (row.type(column)) {
    case sqlite::ColumnType::integer:
      return {true, static_cast<double>(row.integer(column))};
    case sqlite::ColumnType::real:
      return {true, row.real(column)};
    case sqlite::ColumnType::null:
      return {};
    default:
      return {true, std::numeric_limits<double>::quiet_NaN()};
  }
}

/// A statement that is left in the midst of its rows would keep the picture of the database for ever.
class Resetting {
 public:
  explicit Resetting(sqlite::Statement& statement) : statement_(statement) {}
  ~Resetting() { statement_.reset(); }
  Resetting(const Resetting&) = delete;
  Resetting& operator=(const Resetting&) = delete;

 private:
  sqlite::Statement& statement_;
};

/// `values` and `fields` are both ascending.
void set_cells(std::vector<Cell>& cells, const std::vector<FieldId>& fields,
               const std::vector<std::pair<FieldId, model::Value>>& values) {
  std::fill(cells.begin(), cells.end(), Cell{});
  std::size_t place = 0;
  for (const auto& [field, value] : values) {
    while (place < fields.size() && fields[place] < field) ++place;
    if (place == fields.size()) return;
    if (fields[place] == field && value.present()) cells[place] = {true, number_of(value)};
  }
}

}  // namespace

Result<WindowReader> WindowReader::open(ReadConnection& connection, LayoutPtr layout, log::Topic* topic,
                                        std::vector<Offset> consumed, const WindowQuestion& question) {
  WindowReader reader(connection, std::move(layout), question);
  if (reader.layout_ != nullptr) {
    if (auto loaded = reader.load_sources(); !loaded) return loaded.error();
  }
  if (topic != nullptr) {
    if (auto read = reader.read_tail(*topic, consumed); !read) return read.error();
  }
  return reader;
}

WindowReader::~WindowReader() = default;

Status WindowReader::load_sources() {
  const Layout& layout = *layout_;
  ScanRange range;
  auto chosen = choose_device(*connection_, layout, question_->device, range);
  if (!chosen) return chosen.error();
  nobody_ = !*chosen;
  device_ = range.device;
  if (question_->where != nullptr) {
    auto compiled = filter_sql(*question_->where, layout, *connection_);
    if (!compiled) return compiled.error();
    filter_ = std::move(*compiled);
  }
  by_events_ = !filter_.exact || std::any_of(question_->fields.begin(), question_->fields.end(), Layout::in_more);
  for (const FieldId field : question_->fields) {
    const bool has_column = field.value < layout.columns().size() && !Layout::in_more(field);
    columns_sql_ += has_column ? ", " + sqlite::quote_identifier(layout.column(field).name) : ", NULL";
  }
  if (question_->where != nullptr) return {};

  auto number = [&](std::string_view sql) -> Result<std::int64_t> {
    auto statement = connection_->prepare(std::string(sql));
    if (!statement) return statement.error();
    (*statement)->bind(1, layout.id());
    auto row = (*statement)->step();
    if (!row) return row.error();
    const std::int64_t result = *row ? (*statement)->integer(0) : 0;
    (*statement)->reset();
    return result;
  };
  auto complete = number("SELECT count(*) FROM rollups WHERE dataset = ? AND time IS NULL");
  if (!complete) return complete.error();
  for (const Tier tier : rollup_tiers) sources_.usable[static_cast<std::size_t>(tier)] = *complete > 0;
  auto devices = number("SELECT count(*) FROM devices WHERE dataset = ?");
  if (!devices) return devices.error();
  many_devices_ = *devices > many_devices;
  auto horizons = connection_->prepare("SELECT tier, time FROM horizons WHERE dataset = ?");
  if (!horizons) return horizons.error();
  (*horizons)->bind(1, layout.id());
  for (;;) {
    auto row = (*horizons)->step();
    if (!row) return row.error();
    if (!*row) return {};
    for (std::size_t i = 0; i < sources_.horizon.size(); ++i) {
      if ((*horizons)->text(0) == name_of(static_cast<Tier>(i))) sources_.horizon[i] = (*horizons)->integer(1);
    }
  }
}

Status WindowReader::read_tail(log::Topic& topic, const std::vector<Offset>& consumed) {
  tail_ = Tail::read(topic, consumed);
  ScanRange range;
  range.from = question_->from;
  range.to = question_->to;
  tail_.choose(range, question_->device, question_->where.get());
  TailEvent event;
  for (const Tail::Row& row : tail_.rows()) {
    auto device = device_of(row.record->key);
    if (!device) return device.error();
    set_cells(cells_, question_->fields, *event.of(row, question_->fields).values);
    tail_cells_.push_back({row.place.time.us, *device, cells_});
  }
  scanned_ += tail_cells_.size();
  return {};
}

Result<std::int64_t> WindowReader::device_of(std::string_view name) {
  if (const auto known = devices_.find(name); known != devices_.end()) return known->second;
  std::optional<std::int64_t> id;
  if (layout_ != nullptr) {
    auto found = connection_->device_id(*layout_, name);
    if (!found) return found.error();
    id = *found;
  }
  const std::int64_t device = id.value_or(new_devices + static_cast<std::int64_t>(devices_.size()));
  devices_.emplace(name, device);
  return device;
}

Status WindowReader::read(const std::vector<Segment>& segments, WindowSink& sink) {
  if (layout_ == nullptr || nobody_) return {};
  for (const Segment& segment : segments) {
    if (auto read = segment.tier == Tier::rows ? read_rows(segment.from, segment.to, device_, sink) : read_tier(segment, sink);
        !read) {
      return read;
    }
  }
  return {};
}

Status WindowReader::read_rows(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink) {
  return by_events_ ? read_events(from, to, device, sink) : read_columns(from, to, device, sink);
}

/// The quick way: time, device and the fields' own columns.
Status WindowReader::read_columns(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink) {
  ScanRange range;
  range.from = Timestamp{from};
  range.to = Timestamp{to};
  range.device = device;
  if (question_->where != nullptr) narrow(range, *question_->where);
  sqlite::Statement*& statement = device ? rows_of_device_ : rows_;
  if (statement == nullptr) {
    auto prepared = connection_->prepare("SELECT \"time\", \"device\"" + columns_sql_ + " FROM " +
                                         sqlite::quote_identifier(layout_->table()) + filter_.behind(where_sql(range)) +
                                         " ORDER BY \"time\", \"partition\", \"offset\"");
    if (!prepared) return prepared.error();
    statement = *prepared;
  }
  sqlite::Statement& row = *statement;
  const Resetting resetting(row);
  filter_.bind(row, bind_range(row, range, 1));
  for (;;) {
    auto stepped = row.step();
    if (!stepped) return stepped.error();
    if (!*stepped) return {};
    ++scanned_;
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] = cell_of(row, static_cast<int>(i) + 2);
    const std::int64_t time_us = row.integer(0);
    feed_tail_between(time_us, sink);
    sink.row(time_us, row.integer(1), cells_);
  }
}

/// For fields without a column of their own, and filters that SQL cannot say.
Status WindowReader::read_events(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink) {
  ScanRange range;
  range.from = Timestamp{from};
  range.to = Timestamp{to};
  range.device = device;
  if (question_->where != nullptr) narrow(range, *question_->where);
  std::vector<FieldId> fields = question_->fields;
  if (!filter_.exact) {
    const auto looked_at = question_->where->fields();
    fields.insert(fields.end(), looked_at.begin(), looked_at.end());
  }
  auto scan = EventScan::open(*connection_, *layout_, fields_of(*layout_, fields), range, filter_);
  if (!scan) return scan.error();
  for (;;) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr) return {};
    ++scanned_;
    if (!filter_.exact && !question_->where->matches(Seen(**event))) continue;
    set_cells(cells_, question_->fields, *(*event)->values);
    feed_tail_between((*event)->time.us, sink);
    sink.row((*event)->time.us, scan->device_id(), cells_);
  }
}

Status WindowReader::read_tier(const Segment& segment, WindowSink& sink) {
  tier_ = std::max(tier_, segment.tier);
  return device_ && many_devices_ ? seek_tier(segment, sink) : scan_tier(segment, sink);
}

Status WindowReader::scan_tier(const Segment& segment, WindowSink& sink) {
  const std::int64_t width = width_of(segment.tier);
  auto found = tier_statement(segment.tier, fmt::format("\"bucket\" >= ? AND \"bucket\" < ?{} ORDER BY \"bucket\", \"device\"",
                                                        device_ ? " AND \"device\" = ?" : ""));
  if (!found) return found.error();
  sqlite::Statement& row = **found;
  const Resetting resetting(row);
  row.bind(1, floor_divide(segment.from, width)).bind(2, floor_divide(segment.to, width));
  if (device_) row.bind(3, *device_);
  for (;;) {
    auto stepped = row.step();
    if (!stepped) return stepped.error();
    if (!*stepped) return {};
    if (auto taken = take_rollup(segment.tier, row.integer(0), row.integer(1), row.blob(2), sink); !taken) return taken;
  }
}

Status WindowReader::seek_tier(const Segment& segment, WindowSink& sink) {
  const std::int64_t width = width_of(segment.tier);
  auto found = tier_statement(segment.tier, "\"bucket\" = ? AND \"device\" = ?");
  if (!found) return found.error();
  sqlite::Statement& row = **found;
  const Resetting resetting(row);
  const std::int64_t end = floor_divide(segment.to, width);
  for (std::int64_t bucket = floor_divide(segment.from, width); bucket < end; ++bucket) {
    row.bind(1, bucket).bind(2, *device_);
    auto stepped = row.step();
    if (!stepped) return stepped.error();
    if (!*stepped) continue;
    if (auto taken = take_rollup(segment.tier, bucket, *device_, row.blob(2), sink); !taken) return taken;
    row.reset();
  }
  return {};
}

/// Prepared once a query: a picture is cut into thousands of segments.
Result<sqlite::Statement*> WindowReader::tier_statement(Tier tier, std::string_view where) {
  sqlite::Statement*& statement = tiers_[static_cast<std::size_t>(tier)];
  if (statement == nullptr) {
    auto prepared = connection_->prepare(fmt::format("SELECT \"bucket\", \"device\", \"fields\" FROM {} WHERE {}",
                                                     sqlite::quote_identifier(rollup_table(layout_->id(), tier)), where));
    if (!prepared) return prepared.error();
    statement = *prepared;
  }
  return statement;
}

Status WindowReader::take_rollup(Tier tier, std::int64_t bucket, std::int64_t device, ByteView bytes, WindowSink& sink) {
  ++scanned_;
  const std::int64_t begin = bucket * width_of(tier);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (auto read = decode_fields(text, begin, question_->fields, question_->times, rollups_); !read) return read;
  feed_tail_between(begin, sink);
  const bool rows_there = begin >= sources_.horizon[static_cast<std::size_t>(Tier::rows)];
  if (sink.rollup({begin, device, rows_there, tail_from(begin)}, rollups_)) return {};
  return read_rows(begin, begin + width_of(tier), device, sink);
}

std::int64_t WindowReader::tail_from(std::int64_t from_us) const {
  const auto next =
      std::partition_point(tail_cells_.begin(), tail_cells_.end(), [&](const TailCells& row) { return row.time_us < from_us; });
  return next == tail_cells_.end() ? INT64_MAX : next->time_us;
}

void WindowReader::feed_tail_between(std::int64_t before_us, WindowSink& sink) {
  if (!holds_tail_) feed_tail(before_us, sink);
}

void WindowReader::feed_tail(std::int64_t before_us, WindowSink& sink) {
  for (; tail_next_ < tail_cells_.size() && tail_cells_[tail_next_].time_us < before_us; ++tail_next_) {
    const TailCells& row = tail_cells_[tail_next_];
    sink.row(row.time_us, row.device, row.cells);
  }
}

}  // namespace iotstream::store
