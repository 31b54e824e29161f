#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <iotstream/profile/series.hpp>

#include "profile/keys.hpp"
#include "profile/sketch.hpp"

namespace iotstream::profile {

namespace {

constexpr std::array<std::string_view, 11> names = {"avg",  "min", "max", "sum", "count", "first",
                                                    "last", "p50", "p95", "p99", "m4"};
constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool is_quantile(SeriesAggregate aggregate) { return aggregate >= SeriesAggregate::p50 && aggregate <= SeriesAggregate::p99; }

double quantile(const Sketch& sketch, std::uint64_t count, double rank) {
  const auto sorted = sketch.weighted();
  const auto at = [&](std::uint64_t place) {
    std::uint64_t before = 0;
    for (const auto& [key, weight] : sorted)
      if ((before += weight) > place) return real_of_key(key);
    return real_of_key(sorted.back().first);
  };
  const double place = rank * static_cast<double>(count - 1);
  const double low = at(static_cast<std::uint64_t>(place));
  const double high = at(static_cast<std::uint64_t>(std::ceil(place)));
  return low + (high - low) * (place - std::floor(place));
}

}  // namespace

std::optional<SeriesAggregate> series_aggregate_from(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<SeriesAggregate>(found - names.begin());
}

std::string_view name_of(SeriesAggregate aggregate) { return names[static_cast<std::size_t>(aggregate)]; }

/// The bucket of a field that is being filled.
struct SeriesBuilder::Open {
  struct Point {
    Timestamp time;
    double number = 0;
  };
  std::size_t bucket = 0;
  std::uint64_t count = 0;
  double sum = 0;
  Point first, last, least, most;
  std::unique_ptr<Sketch> sketch;
};

SeriesBuilder::SeriesBuilder(SeriesOptions options) : options_(std::move(options)), open_(options_.fields) {
  for (std::size_t field = 0; field < options_.fields; ++field) {
    for (const SeriesAggregate aggregate : options_.aggregates) {
      quantiles_ = quantiles_ || is_quantile(aggregate);
      lines_.push_back({field, aggregate, {}, {}});
      if (aggregate != SeriesAggregate::m4)
        lines_.back().values.assign(options_.buckets, aggregate == SeriesAggregate::count ? 0 : none);
    }
  }
}

SeriesBuilder::~SeriesBuilder() = default;

void SeriesBuilder::add(std::size_t field, Timestamp time, double number) {
  if (time < options_.begin) return;
  const auto bucket = static_cast<std::size_t>((time - options_.begin).us / options_.interval.us);
  if (bucket >= options_.buckets) return;
  Open& open = open_[field];
  if (open.count > 0 && open.bucket != bucket) close(field);
  const Open::Point point{time, number};
  if (open.count == 0) {
    open.bucket = bucket;
    open.first = open.least = open.most = point;
    if (quantiles_) open.sketch = std::make_unique<Sketch>();
  }
  ++open.count;
  open.sum += number;
  open.last = point;
  if (number < open.least.number) open.least = point;
  if (number > open.most.number) open.most = point;
  if (open.sketch) open.sketch->add(key_of_real(number));
}

void SeriesBuilder::close(std::size_t field) {
  Open& open = open_[field];
  if (open.count == 0) return;
  for (std::size_t i = 0; i < options_.aggregates.size(); ++i) {
    SeriesLine& line = lines_[field * options_.aggregates.size() + i];
    const auto set = [&](double number) { line.values[open.bucket] = number; };
    switch (line.aggregate) {
      case SeriesAggregate::avg:
        set(open.sum / static_cast<double>(open.count));
        break;
      case SeriesAggregate::min:
        set(open.least.number);
        break;
      case SeriesAggregate::max:
        set(open.most.number);
        break;
      case SeriesAggregate::sum:
        set(open.sum);
        break;
      case SeriesAggregate::count:
        set(static_cast<double>(open.count));
        break;
      case SeriesAggregate::first:
        set(open.first.number);
        break;
      case SeriesAggregate::last:
        set(open.last.number);
        break;
      case SeriesAggregate::p50:
        set(quantile(*open.sketch, open.count, 0.5));
        break;
      case SeriesAggregate::p95:
        set(quantile(*open.sketch, open.count, 0.95));
        break;
      case SeriesAggregate::p99:
        set(quantile(*open.sketch, open.count, 0.99));
        break;
      case SeriesAggregate::m4: {
        Open::Point points[] = {open.first, open.least, open.most, open.last};
        std::stable_sort(std::begin(points) + 1, std::begin(points) + 3,
                         [](const auto& a, const auto& b) { return a.time < b.time; });
        const std::size_t before = line.times.size();
        for (const Open::Point& point : points) {
          const bool there =
              line.times.size() > before && line.times.back() == point.time && line.values.back() == point.number;
          if (there) continue;
          line.times.push_back(point.time);
          line.values.push_back(point.number);
        }
        break;
      }
    }
  }
  open = {};
}

std::vector<SeriesLine> SeriesBuilder::finish() {
  for (std::size_t field = 0; field < options_.fields; ++field) close(field);
  return std::move(lines_);
}

}  // namespace iotstream::profile
