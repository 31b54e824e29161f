#include "store/queries.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/filter_sql.hpp"

namespace iotstream::store {

namespace {

constexpr unsigned read_connections = 3;
constexpr std::uint64_t passed_over_max = 100'000;

/// The events that SQL lets through and a query's filter, too, with the fields that it asks for: those that only the filter
/// needs are read and left out.
class Filtered {
 public:
  /// `look`: SQL could not say all of the filter.
  Filtered(const EventQuery& query, bool look) : query_(query), fields_(query.fields), look_(look) {
    if (!look_ || fields_.empty()) return;
    const auto looked_at = query.where->fields();
    fields_.insert(fields_.end(), looked_at.begin(), looked_at.end());
  }
  const std::vector<FieldId>& fields() const { return fields_; }
  /// nullptr: it does not pass. Valid until the next call.
  const Event* operator()(const Event& event) {
    if (!look_) return &event;
    if (!query_.where->matches(Seen(event))) return nullptr;
    if (query_.fields.empty()) return &event;
    values_.clear();
    for (const auto& value : *event.values)
      if (std::find(query_.fields.begin(), query_.fields.end(), value.first) != query_.fields.end()) values_.push_back(value);
    event_ = event;
    event_.values = &values_;
    return &event_;
  }

 private:
  const EventQuery& query_;
  std::vector<FieldId> fields_;
  bool look_;
  Event event_;
  std::vector<std::pair<FieldId, model::Value>> values_;
};

/// The rows of a query and those of the open tail, in one order.
class Merged {
 public:
  Merged(const EventQuery& query, Tail tail)
      : query_(query), tail_(std::move(tail)), fields_(sorted_fields(query.fields)), left_(tail_.rows().size()) {}

  Status open(Picture& picture, ScanRange range) {
    const Layout& layout = *picture.layout();
    auto chosen = choose_device(picture.connection(), layout, query_.device, range);
    if (!chosen) return chosen.error();
    if (!*chosen) return {};
    FilterSql filter;
    if (query_.where != nullptr) {
      auto compiled = filter_sql(*query_.where, layout, picture.connection());
      if (!compiled) return compiled.error();
      filter = std::move(*compiled);
      narrow(range, *query_.where);
    }
    filtered_.emplace(query_, !filter.exact);
    auto scan = EventScan::open(picture.connection(), layout, fields_of(layout, filtered_->fields()), range, filter);
    if (!scan) return scan.error();
    scan_.emplace(std::move(*scan));
    return advance();
  }

  Result<EventPage> page(const std::function<bool(const Event&)>& visit) {
    EventPage page;
    page.behind = tail_.behind();
    Place last;
    for (;;) {
      const bool from_tail = left_ > 0 && (row_ == nullptr || before(tail_row().place, place_of(*row_)));
      if (!from_tail && row_ == nullptr) return page;
      // One more than asked for shows that there is a further page.
      if (page.count == query_.limit || passed_over_ >= passed_over_max) break;
      const Event* event = from_tail ? &tail_event_.of(tail_row(), fields_) : (*filtered_)(*row_);
      last = from_tail ? tail_row().place : place_of(*row_);
      event == nullptr ? ++passed_over_ : ++page.count;
      const bool go_on = event == nullptr || visit(*event);
      if (from_tail) --left_;
      if (!go_on) break;
      if (!from_tail) {
        if (auto advanced = advance(); !advanced) return advanced.error();
      }
    }
    page.next = last.to_cursor();
    return page;
  }

 private:
  static Place place_of(const Event& event) { return {event.time, event.partition, event.offset}; }
  bool before(const Place& a, const Place& b) const { return query_.newest_first ? a > b : a < b; }
  const Tail::Row& tail_row() const {
    return query_.newest_first ? tail_.rows()[left_ - 1] : tail_.rows()[tail_.rows().size() - left_];
  }
  Status advance() {
    auto event = scan_->next();
    if (!event) return event.error();
    row_ = *event;
    return {};
  }

  const EventQuery& query_;
  Tail tail_;
  std::vector<FieldId> fields_;
  std::size_t left_;  ///< of the tail's rows
  TailEvent tail_event_;
  std::optional<Filtered> filtered_;
  std::optional<EventScan> scan_;
  const Event* row_ = nullptr;  ///< the scan's next
  std::uint64_t passed_over_ = 0;
};

}  // namespace

Queries::Meter::Meter(metrics::Table& table, std::string_view its_kind)
    : kind(its_kind),
      queries(table.counter("iotstream_store_queries_total", "Queries of history.", metrics::Table::label("kind", kind))),
      seconds(table.histogram("iotstream_store_query_seconds", "Time that a query of history took.",
                              metrics::Table::label("kind", kind))) {}

Queries::Queries(std::unique_ptr<ReadPool> pool, log::Log& log, const catalog::Schemas& schemas, os::Clock& clock,
                 metrics::Table& metrics)
    : pool_(std::move(pool)),
      log_(log),
      schemas_(schemas),
      clock_(clock),
      events_(metrics, "events"),
      snapshots_(metrics, "snapshot"),
      series_(metrics, "series") {}

Result<std::unique_ptr<Queries>> Queries::open(const std::string& path, log::Log& log, const catalog::Schemas& schemas,
                                               os::Clock& clock, metrics::Table& metrics) {
  auto pool = ReadPool::open(path, read_connections);
  if (!pool) return pool.error();
  return std::unique_ptr<Queries>(new Queries(std::move(*pool), log, schemas, clock, metrics));
}

Status Queries::known(const std::string& dataset) const {
  if (schemas_.current(dataset) != nullptr || log_.find(dataset) != nullptr) return {};
  return Error{ErrorKind::not_found, fmt::format("there is no dataset '{}'", dataset)};
}

std::vector<FieldId> sorted_fields(std::vector<FieldId> fields) {
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

Result<Picture> Queries::look(const std::string& dataset, const Cancelled& cancelled) {
  auto connection = pool_->acquire();
  if (!connection) return connection.error();
  (*connection)->watch(cancelled);
  auto transaction = ReadTransaction::begin(**connection);
  if (!transaction) return transaction.error();
  auto layout = (*connection)->layout(dataset);
  if (!layout) return layout.error();
  if (*layout == nullptr) {
    if (auto there = known(dataset); !there) return there.error();
  }
  auto offsets = consumed(**connection, dataset, *layout);
  if (!offsets) return offsets.error();
  return Picture(std::move(*connection), std::move(*transaction), std::move(*layout), log_.find(dataset), std::move(*offsets));
}

Result<EventPage> Queries::events(const EventQuery& query, const std::function<bool(const Event&)>& visit) {
  Timed timed(events_, clock_, query.dataset);
  ScanRange range{query.from, query.to, std::nullopt, std::nullopt, query.newest_first};
  if (!query.cursor.empty()) {
    range.after = Place::from_cursor(query.cursor);
    if (!range.after) return Error{ErrorKind::invalid, fmt::format("cursor: '{}' is not from an earlier page", query.cursor)};
  }
  auto picture = look(query.dataset, query.cancelled);
  if (!picture) return timed.failed(picture.error());
  if (query.limit == 0) return EventPage{};
  Tail tail = picture->tail();
  tail.choose(range, query.device, query.where.get());
  Merged merged(query, std::move(tail));
  if (picture->layout() != nullptr) {
    if (auto opened = merged.open(*picture, range); !opened) return timed.failed(opened.error());
  }
  auto page = merged.page(visit);
  if (!page) return timed.failed(page.error());
  timed.rows = page->count;
  return page;
}

Result<std::vector<Offset>> Queries::consumed(ReadConnection& connection, const std::string& dataset, const LayoutPtr& layout) {
  const log::Topic* topic = log_.find(dataset);
  std::vector<Offset> offsets(topic == nullptr ? 0 : topic->partition_count());
  if (layout == nullptr) return offsets;
  auto statement = connection.prepare("SELECT partition, next FROM offsets WHERE dataset = ?");
  if (!statement) return statement.error();
  (*statement)->bind(1, layout->id());
  for (;;) {
    auto row = (*statement)->step();
    if (!row) return row.error();
    if (!*row) return offsets;
    const auto partition = static_cast<std::size_t>((*statement)->integer(0));
    if (partition < offsets.size()) offsets[partition] = Offset(static_cast<std::uint64_t>((*statement)->integer(1)));
  }
}

Result<std::vector<Offset>> Queries::snapshot(const EventQuery& query, const std::function<bool(const Event&)>& visit) {
  const Timed timed(snapshots_, clock_, query.dataset);
  ScanRange range{query.from, query.to, std::nullopt, std::nullopt, false};
  auto picture = look(query.dataset, query.cancelled);
  if (!picture) return picture.error();
  const std::vector<Offset>& offsets = picture->consumed();
  const LayoutPtr& layout = picture->layout();
  if (layout == nullptr) return offsets;
  auto chosen = choose_device(picture->connection(), *layout, query.device, range);
  if (!chosen) return chosen.error();
  if (!*chosen) return offsets;
  auto scan = EventScan::open(picture->connection(), *layout, fields_of(*layout, query.fields), range, {});
  if (!scan) return scan.error();
  for (;;) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr || !visit(**event)) return offsets;
  }
}

}  // namespace iotstream::store
