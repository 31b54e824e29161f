#include "report/collect.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace iotstream::report {

namespace {

constexpr std::size_t track_points_max = 6'000;
constexpr double earth_radius_m = 6'371'000;

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

double distance(const TrackPoint& a, const TrackPoint& b) {
  const double x = radians(b.lon - a.lon) * std::cos(radians((a.lat + b.lat) / 2));
  const double y = radians(b.lat - a.lat);
  return std::sqrt(x * x + y * y) * earth_radius_m;
}

/// The fields that are compared: numbers, by kind measures before others, in the file's order.
std::vector<FieldId> correlated(const model::Schema& schema) {
  std::vector<FieldId> fields;
  for (const model::Field& field : schema.fields()) {
    const bool number = field.type == model::FieldType::integer || field.type == model::FieldType::real;
    if (number && field.kind != model::FieldKind::identifier && fields.size() < profile::correlated_max)
      fields.push_back(field.id);
  }
  return fields;
}

struct Position {
  std::optional<FieldId> lat, lon;
};

Position position_of(const model::Schema& schema) {
  Position position;
  for (const model::Field& field : schema.fields()) {
    if (field.kind == model::FieldKind::latitude && !position.lat) position.lat = field.id;
    if (field.kind == model::FieldKind::longitude && !position.lon) position.lon = field.id;
  }
  return position;
}

/// Keeps points that lie apart on the picture; when there are too many, only those twice as far apart.
class Track {
 public:
  explicit Track(FileReport& report) : report_(report) {}
  void add(double lat, double lon, Timestamp time, Duration gap) {
    if (std::abs(lat) > 90 || std::abs(lon) > 180 || (lat == 0 && lon == 0)) return;  // receivers without a fix say 0, 0
    TrackPoint point{lat, lon, last_time_ && time - *last_time_ <= gap};
    if (point.joined) report_.distance_m += distance(last_, point);
    const bool near = !report_.track.empty() && point.joined && distance(report_.track.back(), point) < step_m_;
    last_ = point;
    last_time_ = time;
    if (near) return;
    report_.track.push_back(point);
    if (report_.track.size() > track_points_max) thin();
  }

 private:
  void thin() {
    step_m_ = std::max(2 * step_m_, 1.0);
    std::vector<TrackPoint> kept;
    for (const TrackPoint& point : report_.track)
      if (kept.empty() || !point.joined || distance(kept.back(), point) >= step_m_) kept.push_back(point);
    // A track that jumps all the time has no near points.
    if (kept.size() > track_points_max / 2)
      for (std::size_t i = 0; i * 2 < kept.size(); ++i) kept[i] = kept[i * 2];
    if (kept.size() > track_points_max / 2) kept.resize((kept.size() + 1) / 2);
    report_.track = std::move(kept);
  }

  FileReport& report_;
  TrackPoint last_;
  std::optional<Timestamp> last_time_;
  double step_m_ = 0.5;
};

Error stopped() { return {ErrorKind::unavailable, "stopped"}; }

Status read_profile(catalog::FileRows& file, FileReport& report, const std::function<bool()>& go_on) {
  profile::Options options;
  options.fields = report.schema->fields().size();
  options.correlated = correlated(*report.schema);
  profile::Profiler profiler(std::move(options));
  bool stop = false;
  auto walked = file.walk({}, [&](const catalog::FileRow& row) {
    profiler.row(row.time, *row.values);
    stop = row.number % 10'000 == 0 && !go_on();
    return !stop;
  });
  report.profile = profiler.finish();
  return stop ? Status(stopped()) : walked;
}

Status read_pictures(catalog::FileRows& file, FileReport& report, const std::function<bool()>& go_on) {
  const auto& time = report.profile.time;
  if (!time.first) return {};
  const std::int64_t range = (*time.last - *time.first).us + 1;
  report.begin = *time.first;
  report.column =
      Duration{std::max<std::int64_t>(1, (range + coverage_columns - 1) / static_cast<std::int64_t>(coverage_columns))};
  report.rows.assign(coverage_columns, 0);
  std::vector<std::size_t> places(report.schema->fields().size(), SIZE_MAX);
  for (const model::Field& field : report.schema->fields()) {
    if (report.profile.fields[field.id.value].count == 0) continue;
    places[field.id.value] = report.drawn.size();
    report.drawn.push_back({field.id, {}, {}, std::vector<std::uint32_t>(coverage_columns, 0)});
  }
  const auto columns = static_cast<std::int64_t>(report.line_columns);
  const Duration line{std::max<std::int64_t>(1, (range + columns - 1) / columns)};
  profile::SeriesBuilder lines({report.begin, line, report.line_columns, report.drawn.size(), {profile::SeriesAggregate::m4}});
  const Position position = position_of(*report.schema);
  const Duration gap{20 * std::max<std::int64_t>(time.interval.value_or(Duration{1}).us, 1'000'000)};
  Track track(report);
  bool stop = false;
  auto walked = file.walk({}, [&](const catalog::FileRow& row) {
    const auto column =
        std::min(coverage_columns - 1, static_cast<std::size_t>((row.time - report.begin).us / report.column.us));
    ++report.rows[column];
    double lat = std::nan("");
    double lon = std::nan("");
    for (const auto& [field, value] : *row.values) {
      const std::size_t place = places[field.value];
      if (place == SIZE_MAX || !value.present()) continue;
      ++report.drawn[place].present[column];
      const double number = value.as_double();
      if (!std::isfinite(number)) continue;
      lines.add(place, row.time, number);
      if (position.lat == field) lat = number;
      if (position.lon == field) lon = number;
    }
    if (std::isfinite(lat) && std::isfinite(lon)) track.add(lat, lon, row.time, gap);
    stop = row.number % 10'000 == 0 && !go_on();
    return !stop;
  });
  for (profile::SeriesLine& one : lines.finish()) {
    report.drawn[one.field].times = std::move(one.times);
    report.drawn[one.field].values = std::move(one.values);
  }
  return stop ? Status(stopped()) : walked;
}

}  // namespace

const Drawn* FileReport::find(FieldId field) const {
  const auto found =
      std::lower_bound(drawn.begin(), drawn.end(), field, [](const Drawn& one, FieldId id) { return one.field < id; });
  return found != drawn.end() && found->field == field ? &*found : nullptr;
}

Result<FileReport> collect(catalog::FileRows& file, std::size_t line_columns, const std::function<bool()>& go_on) {
  FileReport report;
  report.info = file.info();
  report.schema = file.schema();
  report.line_columns = line_columns;
  if (auto read = read_profile(file, report, go_on); !read) return read.error();
  if (auto read = read_pictures(file, report, go_on); !read) return read.error();
  return report;
}

}  // namespace iotstream::report
