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

}  // namespace

Queries::Meter::Meter(metrics::Table& table, std::string_view kind)
    : queries(table.counter("iotstream_store_queries_total", "Queries of history.", metrics::Table::label("kind", kind))),
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

Result<EventPage> Queries::events(const EventQuery& query, const std::function<bool(const Event&)>& visit) {
  const Timed timed(events_, clock_);
  ScanRange range{query.from, query.to, std::nullopt, std::nullopt, query.newest_first};
  if (!query.cursor.empty()) {
    range.after = Place::from_cursor(query.cursor);
    if (!range.after) return Error{ErrorKind::invalid, fmt::format("cursor: '{}' is not from an earlier page", query.cursor)};
  }
  auto connection = pool_->acquire();
  if (!connection) return connection.error();
  auto transaction = ReadTransaction::begin(**connection);
  if (!transaction) return transaction.error();
  auto layout = (*connection)->layout(query.dataset);
  if (!layout) return layout.error();
  EventPage page;
  if (*layout == nullptr) {
    if (auto there = known(query.dataset); !there) return there.error();
    return page;
  }
  auto chosen = choose_device(**connection, **layout, query.device, range);
  if (!chosen) return chosen.error();
  if (!*chosen || query.limit == 0) return page;

  FilterSql filter;
  if (query.where != nullptr) {
    auto compiled = filter_sql(*query.where, **layout, **connection);
    if (!compiled) return compiled.error();
    filter = std::move(*compiled);
    narrow(range, *query.where);
  }
  Filtered filtered(query, !filter.exact);
  auto scan = EventScan::open(**connection, **layout, fields_of(**layout, filtered.fields()), range, filter);
  if (!scan) return scan.error();
  Place last;
  for (std::uint64_t passed_over = 0;;) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr) return page;
    // One more than asked for shows that there is a further page.
    if (page.count == query.limit || passed_over == passed_over_max) break;
    last = {(*event)->time, (*event)->partition, (*event)->offset};
    const Event* passes = filtered(**event);
    if (passes == nullptr) {
      ++passed_over;
      continue;
    }
    ++page.count;
    if (!visit(*passes)) break;
  }
  page.next = last.to_cursor();
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
  const Timed timed(snapshots_, clock_);
  ScanRange range{query.from, query.to, std::nullopt, std::nullopt, false};
  auto connection = pool_->acquire();
  if (!connection) return connection.error();
  auto transaction = ReadTransaction::begin(**connection);
  if (!transaction) return transaction.error();
  auto layout = (*connection)->layout(query.dataset);
  if (!layout) return layout.error();
  if (*layout == nullptr) {
    if (auto there = known(query.dataset); !there) return there.error();
  }
  auto offsets = consumed(**connection, query.dataset, *layout);
  if (!offsets || *layout == nullptr) return offsets;
  auto chosen = choose_device(**connection, **layout, query.device, range);
  if (!chosen) return chosen.error();
  if (!*chosen) return offsets;
  auto scan = EventScan::open(**connection, **layout, fields_of(**layout, query.fields), range, {});
  if (!scan) return scan.error();
  for (;;) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr || !visit(**event)) return offsets;
  }
}

}  // namespace iotstream::store
