// series(): the rows of the window are read once and summed up here. SQLite's own GROUP BY of the same rows takes about twice
// as long (README.md).
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <iotstream/model/number.hpp>

#include "store/buckets.hpp"
#include "store/filter_sql.hpp"
#include "store/queries.hpp"

namespace iotstream::store {

namespace {

constexpr std::uint64_t buckets_max = 100'000;

bool wants_quantiles(const std::vector<Aggregate>& aggregates) {
  for (const Aggregate aggregate : aggregates) {
    if (aggregate >= Aggregate::p50) return true;
  }
  return false;
}

/// Sums up rows that come in order of time, bucket after bucket: only one bucket is open at a time.
class Collector {
 public:
  Collector(const SeriesQuery& query, BucketRange range)
      : query_(query), range_(range), open_(query.fields.size(), Accumulator(wants_quantiles(query.aggregates))) {
    for (std::uint64_t i = 0; i < range_.count; ++i) series_.time.push_back(range_.start_of(i));
    for (const FieldId field : query_.fields) {
      for (const Aggregate aggregate : query_.aggregates) {
        const double empty = aggregate == Aggregate::count ? 0 : std::numeric_limits<double>::quiet_NaN();
        series_.columns.push_back({field, aggregate, std::vector<double>(range_.count, empty)});
      }
    }
  }

  void begin_row(std::int64_t time_us) {
    ++series_.rows_scanned;
    const std::uint64_t index = range_.index_of(time_us);
    if (index != index_) turn_to(index);
  }
  Accumulator& field(std::size_t place) { return open_[place]; }

  Series finish() {
    turn_to(none);
    return std::move(series_);
  }

 private:
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  void turn_to(std::uint64_t index) {
    if (index_ != none) {
      auto column = series_.columns.begin();
      for (Accumulator& accumulator : open_) {
        accumulator.finish();
        for (const Aggregate aggregate : query_.aggregates) (column++)->values[index_] = accumulator.result(aggregate);
        accumulator.clear();
      }
    }
    index_ = index;
  }

  const SeriesQuery& query_;
  BucketRange range_;
  std::vector<Accumulator> open_;  ///< by place in query_.fields
  std::uint64_t index_ = none;
  Series series_;
};

void add_value(Accumulator& accumulator, const model::Value& value) {
  if (!value.present()) return;
  if (value.kind == model::ValueKind::decimal) return accumulator.add(model::nearest_double(value.text));
  const double number = value.as_double();
  std::isnan(number) ? accumulator.add_other() : accumulator.add(number);
}

/// What the storage class says is enough here: a boolean is stored as 0 or 1, a decimal as its nearest double.
void add_column(Accumulator& accumulator, const sqlite::Statement& row, int column) {
  switch (row.type(column)) {
    case sqlite::ColumnType::integer:
      return accumulator.add(static_cast<double>(row.integer(column)));
    case sqlite::ColumnType::real:
      return accumulator.add(row.real(column));
    case sqlite::ColumnType::null:
      return;
    default:
      return accumulator.add_other();
  }
}

/// The quick way: time and the fields' own columns.
Status collect_columns(ReadConnection& connection, const Layout& layout, const SeriesQuery& query, const ScanRange& range,
                       const FilterSql& filter, Collector& collector) {
  std::string sql = "SELECT \"time\"";
  for (const FieldId field : query.fields) {
    sql += field.value < layout.columns().size() ? ", " + sqlite::quote_identifier(layout.column(field).name) : ", NULL";
  }
  sql += " FROM " + sqlite::quote_identifier(layout.table()) + filter.behind(where_sql(range));
  auto prepared = connection.prepare(sql + " ORDER BY \"time\", \"partition\", \"offset\"");
  if (!prepared) return prepared.error();
  sqlite::Statement& row = **prepared;
  filter.bind(row, bind_range(row, range, 1));
  for (;;) {
    auto stepped = row.step();
    if (!stepped) return stepped.error();
    if (!*stepped) return {};
    collector.begin_row(row.integer(0));
    for (std::size_t i = 0; i < query.fields.size(); ++i) add_column(collector.field(i), row, static_cast<int>(i) + 1);
  }
}

/// For fields without a column of their own, and filters that SQL cannot say.
Status collect_events(ReadConnection& connection, const Layout& layout, const SeriesQuery& query, const ScanRange& range,
                      const FilterSql& filter, Collector& collector) {
  std::vector<FieldId> fields = query.fields;
  if (!filter.exact) {
    const auto looked_at = query.where->fields();
    fields.insert(fields.end(), looked_at.begin(), looked_at.end());
  }
  auto scan = EventScan::open(connection, layout, fields_of(layout, fields), range, filter);
  if (!scan) return scan.error();
  for (;;) {
    auto event = scan->next();
    if (!event) return event.error();
    if (*event == nullptr) return {};
    if (!filter.exact && !query.where->matches(Seen(**event))) continue;
    collector.begin_row((*event)->time.us);
    for (std::size_t i = 0; i < query.fields.size(); ++i) {
      for (const auto& [field, value] : *(*event)->values) {
        if (field == query.fields[i]) add_value(collector.field(i), value);
      }
    }
  }
}

bool any_in_more(const std::vector<FieldId>& fields) {
  for (const FieldId field : fields) {
    if (Layout::in_more(field)) return true;
  }
  return false;
}

Status check(const SeriesQuery& query, const BucketRange& range) {
  if (query.fields.empty()) return Error{ErrorKind::invalid, "a series needs at least one field"};
  if (query.aggregates.empty()) return Error{ErrorKind::invalid, "a series needs at least one aggregate"};
  if (query.interval.us <= 0) return Error{ErrorKind::invalid, "the interval must be longer than nothing"};
  if (range.count > buckets_max) {
    return Error{ErrorKind::invalid, fmt::format("{} buckets are more than {}: take a longer interval or a shorter window",
                                                 range.count, buckets_max)};
  }
  return {};
}

}  // namespace

Result<Series> Queries::series(const SeriesQuery& query) {
  const Timed timed(series_, clock_);
  const BucketRange buckets = BucketRange::over(query.from, query.to, query.interval);
  if (auto good = check(query, buckets); !good) return good.error();
  Collector collector(query, buckets);
  auto connection = pool_->acquire();
  if (!connection) return connection.error();
  auto transaction = ReadTransaction::begin(**connection);
  if (!transaction) return transaction.error();
  auto layout = (*connection)->layout(query.dataset);
  if (!layout) return layout.error();
  if (*layout == nullptr) {
    if (auto there = known(query.dataset); !there) return there.error();
    return collector.finish();
  }
  ScanRange range{query.from, query.to, std::nullopt, std::nullopt, false};
  auto chosen = choose_device(**connection, **layout, query.device, range);
  if (!chosen) return chosen.error();
  if (!*chosen || buckets.count == 0) return collector.finish();
  FilterSql filter;
  if (query.where != nullptr) {
    auto compiled = filter_sql(*query.where, **layout, **connection);
    if (!compiled) return compiled.error();
    filter = std::move(*compiled);
    narrow(range, *query.where);
  }
  const auto collect = !filter.exact || any_in_more(query.fields) ? collect_events : collect_columns;
  if (auto collected = collect(**connection, **layout, query, range, filter, collector); !collected) return collected.error();
  return collector.finish();
}

}  // namespace iotstream::store
