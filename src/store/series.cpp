// series(): a window summed up in buckets, from rows, rollups and the open tail, read once.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "store/buckets.hpp"
#include "store/queries.hpp"
#include "store/window.hpp"

namespace iotstream::store {

namespace {

constexpr std::uint64_t buckets_max = 100'000;

bool wants(const std::vector<Aggregate>& aggregates, Aggregate least, Aggregate most) {
  return std::any_of(aggregates.begin(), aggregates.end(), [&](Aggregate one) { return one >= least && one <= most; });
}
bool wants_quantiles(const std::vector<Aggregate>& aggregates) { return wants(aggregates, Aggregate::p50, Aggregate::p99); }
bool wants_rate(const std::vector<Aggregate>& aggregates) { return wants(aggregates, Aggregate::rate, Aggregate::rate); }

/// Sums up what comes in order of time, bucket after bucket: only one bucket is open at a time.
class Collector final : public WindowSink {
 public:
  Collector(const SeriesQuery& query, BucketRange range, const std::vector<FieldId>& fields)
      : query_(query),
        range_(range),
        rate_(wants_rate(query.aggregates)),
        open_(fields.size(), Accumulator(wants_quantiles(query.aggregates))),
        increases_(rate_ ? fields.size() : 0) {
    for (std::uint64_t i = 0; i < range_.count; ++i) series_.time.push_back(range_.start_of(i));
    for (const FieldId field : query_.fields) {
      places_.push_back(static_cast<std::size_t>(std::lower_bound(fields.begin(), fields.end(), field) - fields.begin()));
      for (const Aggregate aggregate : query_.aggregates) {
        const double empty = aggregate == Aggregate::count ? 0 : std::numeric_limits<double>::quiet_NaN();
        series_.columns.push_back({field, aggregate, std::vector<double>(range_.count, empty)});
      }
    }
  }

  void row(std::int64_t time_us, std::int64_t device, std::span<const Cell> cells) override {
    turn_to(range_.index_of(time_us));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].there) continue;
      open_[i].add(time_us, device, cells[i].number);
      if (rate_) increases_[i].add(device, cells[i].number);
    }
  }

  bool rollup(const RollupPlace& place, std::span<const Rollup> rollups) override {
    // An increase is told by the readings in their order: not where a reading of the tail stands among those of the bucket.
    const auto told = [&](const Rollup& rollup) { return Increase::told_by(rollup) && rollup.last_time <= place.tail_us; };
    if (rate_ && place.rows_there && !std::all_of(rollups.begin(), rollups.end(), told)) return false;
    // A bucket at the window's end may have been widened beyond it.
    turn_to(std::min(range_.index_of(std::max(place.begin_us, query_.from.us)), range_.count - 1));
    for (std::size_t i = 0; i < rollups.size(); ++i) {
      open_[i].merge(rollups[i], place.device);
      if (rate_) increases_[i].merge(place.device, rollups[i]);
    }
    return true;
  }

  Series finish() {
    turn_to(none);
    return std::move(series_);
  }

 private:
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  void turn_to(std::uint64_t index) {
    if (index == index_) return;
    if (index_ != none) close();
    index_ = index;
  }

  void close() {
    auto column = series_.columns.begin();
    for (Accumulator& accumulator : open_) accumulator.finish();
    std::vector<double> rates;
    for (Increase& increase : increases_) rates.push_back(increase.take() / seconds());
    for (const std::size_t place : places_) {
      for (const Aggregate aggregate : query_.aggregates) {
        (column++)->values[index_] = aggregate == Aggregate::rate ? rates[place] : open_[place].result(aggregate);
      }
    }
    for (Accumulator& accumulator : open_) accumulator.clear();
  }

  /// Of the open bucket, as far as it lies in the window.
  double seconds() const {
    const std::int64_t begin = std::max(range_.start_of(index_).us, query_.from.us);
    const std::int64_t end = std::min(range_.start_of(index_).us + range_.interval_us, query_.to.us);
    return static_cast<double>(end - begin) / 1e6;
  }

  const SeriesQuery& query_;
  BucketRange range_;
  bool rate_;
  std::vector<Accumulator> open_;    ///< by field
  std::vector<Increase> increases_;  ///< by field, or empty
  std::vector<std::size_t> places_;  ///< of the query's fields among them
  std::uint64_t index_ = none;
  Series series_;
};

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

/// The least tier that is complete from `from` on, when rows are not: no interval may be shorter than its buckets.
Duration least_interval(const Sources& sources, std::int64_t from) {
  for (std::size_t i = 0; i < sources.usable.size(); ++i) {
    if (sources.usable[i] && sources.horizon[i] <= from) return Duration{width_of(static_cast<Tier>(i))};
  }
  return {};
}

}  // namespace

Result<Series> Queries::series(const SeriesQuery& query) {
  Timed timed(series_, clock_, query.dataset);
  if (auto good = check(query, BucketRange::over(query.from, query.to, query.interval)); !good)
    return timed.failed(good.error());
  const WindowQuestion question{sorted_fields(query.fields),
                                query.device,
                                query.where,
                                query.from,
                                query.to,
                                wants(query.aggregates, Aggregate::first, Aggregate::rate)};
  auto picture = look(query.dataset, query.cancelled);
  if (!picture) return timed.failed(picture.error());
  auto reader = picture->read(question);
  if (!reader) return timed.failed(reader.error());

  SeriesQuery answered = query;
  Sources sources = wants_quantiles(query.aggregates) ? Sources{} : reader->sources();
  const Duration least = least_interval(sources, query.from.us);
  if (query.widen && least.us > 0 && query.interval.us % least.us != 0)
    answered.interval.us = (query.interval.us / least.us + 1) * least.us;
  const BucketRange buckets = BucketRange::over(answered.from, answered.to, answered.interval);
  sources = that_divide(sources, answered.interval.us);

  Collector collector(answered, buckets, question.fields);
  if (buckets.count > 0) {
    if (auto read = reader->read(plan(query.from.us, query.to.us, sources), collector); !read)
      return timed.failed(read.error());
    reader->finish(collector);
  }
  Series series = collector.finish();
  series.interval = answered.interval;
  series.rows_scanned = timed.rows = reader->rows_scanned();
  series.tier = name_of(reader->tier());
  series.behind = reader->behind();
  return series;
}

}  // namespace iotstream::store
