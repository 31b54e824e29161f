#include "report/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "report/html.hpp"

namespace iotstream::report {

namespace {

constexpr double line_width = 480;
constexpr double line_height = 96;

/// One decimal, none where it is 0: coordinates are most of the page.
std::string coordinate(double number) {
  if (!std::isfinite(number)) number = 0;  // of figures beyond what a double can calculate with
  std::string text = fmt::format("{:.1f}", number);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string title(const std::string& text) { return fmt::format("<title>{}</title>", escaped(text)); }

}  // namespace

std::string line_picture(const FileReport& file, const Drawn& drawn, double low, double high) {
  const auto& time = file.profile.time;
  const double range = static_cast<double>(std::max<std::int64_t>(1, (*time.last - *time.first).us));
  // Halves: the distance of two numbers may be more than a double holds.
  const double height = high > low ? high / 2 - low / 2 : 1;
  const double rest = high > low ? 0 : 0.5;  // a value that never changes lies in the middle
  // A line is broken where nothing came for longer than a few of its columns.
  const std::int64_t gap =
      std::max<std::int64_t>(5 * time.interval.value_or(Duration{1}).us,
                             static_cast<std::int64_t>(range * 4 / static_cast<double>(file.line_columns)));
  std::string path;
  bool alone = false;
  for (std::size_t i = 0; i < drawn.times.size(); ++i) {
    const double x = static_cast<double>((drawn.times[i] - *time.first).us) / range * line_width;
    const double y = line_height - 3 - ((drawn.values[i] / 2 - low / 2) / height + rest) * (line_height - 6);
    const bool broken = i == 0 || (drawn.times[i] - drawn.times[i - 1]).us > gap;
    if (broken && alone) path += "h.1";
    path += fmt::format("{}{} {}", broken ? "M" : "L", coordinate(x), coordinate(y));
    alone = broken;
  }
  if (alone) path += "h.1";
  return fmt::format(
      "<svg class=line viewBox=\"0 0 {} {}\" preserveAspectRatio=none role=img aria-label=\"line over time\"><path d=\"{}\" "
      "vector-effect=non-scaling-stroke /></svg>",
      line_width, line_height, path);
}

std::string distribution_picture(const profile::FieldProfile& field, double low, double high, bool titled) {
  constexpr double width = 240;
  constexpr double bars = 52;
  constexpr double middle = 64;
  const double range = high > low ? high / 2 - low / 2 : 1;
  const double shift = high > low ? 0 : 0.5;
  const auto x = [&](double number) { return std::clamp((number / 2 - low / 2) / range + shift, 0.0, 1.0) * (width - 8) + 4; };
  std::string out = fmt::format("<svg class=dist viewBox=\"0 0 {} 74\" role=img aria-label=distribution>", width);
  if (field.histogram) {
    const auto& histogram = *field.histogram;
    const std::uint64_t most = *std::max_element(histogram.counts.begin(), histogram.counts.end());
    const double bin = (histogram.to - histogram.from) / static_cast<double>(histogram.counts.size());
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      if (histogram.counts[i] == 0) continue;
      const double from = histogram.from + bin * static_cast<double>(i);
      const double left = x(from);
      const double right = std::max(x(from + bin), left + 2);
      const double tall = std::max(1.0, bars * static_cast<double>(histogram.counts[i]) / static_cast<double>(most));
      out += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>", coordinate(left), coordinate(bars - tall),
          coordinate(std::max(1.0, right - left - 0.6)), coordinate(tall),
          titled ? title(fmt::format("{} – {}: {}", shown(from), shown(from + bin), shown_count(histogram.counts[i])))
                 : std::string());
    }
  }
  const auto& q = field.quantiles;
  if (q.size() == 7) {
    out += fmt::format("<g class=box><path d=\"M{0} {4}H{1}M{2} {4}H{3}\"/>", coordinate(x(q[0])), coordinate(x(q[2])),
                       coordinate(x(q[4])), coordinate(x(q[6])), middle);
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=10 rx=2 />", coordinate(x(q[2])), middle - 5,
                       coordinate(std::max(1.5, x(q[4]) - x(q[2]))));
    out += fmt::format("<path class=mid d=\"M{} {}v10\"/>", coordinate(x(q[3])), middle - 5);
    const bool low_outlier = field.outliers && field.outliers->below > 0;
    const bool high_outlier = field.outliers && field.outliers->above > 0;
    if (low_outlier) out += fmt::format("<circle cx=\"{}\" cy={} r=2.4 />", coordinate(x(field.min_number)), middle);
    if (high_outlier) out += fmt::format("<circle cx=\"{}\" cy={} r=2.4 />", coordinate(x(field.max_number)), middle);
    out += "</g>";
  }
  return out + "</svg>";
}

std::string coverage_picture(const FileReport& file, const std::vector<CoverageRow>& rows) {
  constexpr double left = 230;
  constexpr double width = 1'100;
  constexpr double row_height = 15;
  const double cell = (width - left) / static_cast<double>(coverage_columns);
  const double height = row_height * static_cast<double>(rows.size() + 1) + 18;
  std::string out =
      fmt::format("<svg class=coverage viewBox=\"0 0 {} {}\" role=img aria-label=\"values over time\">", width, height);
  const auto strip = [&](const std::string& label, std::size_t row, const auto& share) {
    const double y = row_height * static_cast<double>(row);
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=end>{}</text>", left - 8, coordinate(y + 11), escaped(label));
    // Neighbours of the same shade are one rectangle.
    for (std::size_t i = 0; i < coverage_columns;) {
      const int shade = share(i);
      std::size_t end = i + 1;
      while (end < coverage_columns && share(end) == shade) ++end;
      if (shade > 0)
        out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=12 class=s{} />",
                           coordinate(left + cell * static_cast<double>(i)), coordinate(y + 1),
                           coordinate(cell * static_cast<double>(end - i)), shade);
      i = end;
    }
  };
  // Without recorded times: since the first row.
  const auto time_of = [&](Timestamp time) {
    return file.info.time_column.empty() ? shown_length(time - *file.profile.time.first) : shown_time(time);
  };
  strip("rows", 0, [&](std::size_t i) { return file.rows[i] > 0 ? 4 : 0; });
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Drawn* drawn = rows[row].drawn;
    strip(rows[row].label, row + 1, [&](std::size_t i) {
      if (drawn == nullptr || file.rows[i] == 0 || drawn->present[i] == 0) return 0;
      const double share = static_cast<double>(drawn->present[i]) / static_cast<double>(file.rows[i]);
      return share >= 1 ? 4 : std::max(1, static_cast<int>(share * 4));
    });
  }
  out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", left, coordinate(height - 4), time_of(*file.profile.time.first));
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=end>{}</text>", width, coordinate(height - 4),
                     time_of(*file.profile.time.last));
  return out + "</svg>";
}

std::string correlation_picture(const FileReport& file, const std::vector<FieldId>& fields) {
  constexpr double cell = 24;
  constexpr double left = 180;
  constexpr double top = 8;
  const auto size = static_cast<double>(fields.size());
  const double width = left + cell * size + 150;
  const double height = top + cell * size + 8;
  std::string out =
      fmt::format("<svg class=matrix viewBox=\"0 0 {0} {1}\" style=\"max-width:{2}px\" role=img aria-label=\"correlations\">",
                  width, height, static_cast<int>(width * 1.15));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto place = static_cast<double>(i);
    const std::string label = shortened(file.schema->field(fields[i]).label);
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=end>{}</text>", left - 6, coordinate(top + cell * place + 16),
                       escaped(label));
    // On the diagonal: the same names again, to the right of their column's end.
    out += fmt::format("<text x=\"{}\" y=\"{}\" class=dim>{}</text>", coordinate(left + cell * (place + 1) + 5),
                       coordinate(top + cell * place + 16), escaped(label));
  }
  for (const profile::Correlation& one : file.profile.correlations) {
    const auto a = std::find(fields.begin(), fields.end(), one.a);
    const auto b = std::find(fields.begin(), fields.end(), one.b);
    if (a == fields.end() || b == fields.end() || !std::isfinite(one.r)) continue;
    const auto row = static_cast<double>(std::max(a - fields.begin(), b - fields.begin()));
    const auto column = static_cast<double>(std::min(a - fields.begin(), b - fields.begin()));
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=22 height=22 rx=3 class={} fill-opacity=\"{:.2f}\">{}</rect>",
                       coordinate(left + cell * column + 1), coordinate(top + cell * row + 1), one.r >= 0 ? "pos" : "neg",
                       0.06 + 0.94 * std::abs(one.r),
                       title(fmt::format("{} · {}: r = {:.3f} (n = {})", file.schema->field(one.a).label,
                                         file.schema->field(one.b).label, one.r, shown_count(one.n))));
    if (std::abs(one.r) >= 0.5)
      out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=middle class=\"r{}\">{:.2g}</text>",
                         coordinate(left + cell * column + 12), coordinate(top + cell * row + 15.5),
                         std::abs(one.r) > 0.55 ? " on" : "", std::round(one.r * 100) / 100);
  }
  return out + "</svg>";
}

std::string track_picture(const FileReport& file) {
  constexpr double width = 720;
  constexpr double height_max = 460;
  constexpr double border = 26;
  double south = 90, north = -90, west = 180, east = -180;
  for (const TrackPoint& point : file.track) {
    south = std::min(south, point.lat);
    north = std::max(north, point.lat);
    west = std::min(west, point.lon);
    east = std::max(east, point.lon);
  }
  const double squeeze = std::cos((south + north) / 2 * std::numbers::pi / 180);
  const double wide = std::max((east - west) * squeeze, 1e-6);
  const double tall = std::max(north - south, 1e-6);
  const double scale = std::min((width - 2 * border) / wide, (height_max - 2 * border) / tall);
  const double height = tall * scale + 2 * border;
  const double left = (width - wide * scale) / 2;
  const auto x = [&](const TrackPoint& point) { return left + (point.lon - west) * squeeze * scale; };
  const auto y = [&](const TrackPoint& point) { return border + (north - point.lat) * scale; };
  std::string path;
  double last_x = -10, last_y = -10;
  for (const TrackPoint& point : file.track) {
    const bool near = point.joined && std::abs(x(point) - last_x) < 0.7 && std::abs(y(point) - last_y) < 0.7;
    if (near) continue;
    path += fmt::format("{}{} {}", point.joined && !path.empty() ? "L" : "M", coordinate(x(point)), coordinate(y(point)));
    last_x = x(point);
    last_y = y(point);
  }
  // A bar of a round length, about a fifth of the width.
  const double meters_per_unit = 111'320.0 / scale;
  double bar_m = std::pow(10, std::floor(std::log10(meters_per_unit * width / 5)));
  for (const double step : {5.0, 2.0})
    if (bar_m * step <= meters_per_unit * width / 5) {
      bar_m *= step;
      break;
    }
  const double bar = bar_m / meters_per_unit;
  std::string out = fmt::format("<svg class=track viewBox=\"0 0 {} {}\" role=img aria-label=track>", width, coordinate(height));
  out += fmt::format("<path class=casing d=\"{0}\"/><path d=\"{0}\"/>", path);
  out += fmt::format("<circle class=start cx=\"{}\" cy=\"{}\" r=6>{}</circle>", coordinate(x(file.track.front())),
                     coordinate(y(file.track.front())), title("start"));
  out += fmt::format("<circle class=end cx=\"{}\" cy=\"{}\" r=6>{}</circle>", coordinate(x(file.track.back())),
                     coordinate(y(file.track.back())), title("end"));
  out += fmt::format("<path class=bar d=\"M{0} {1}v5h{2}v-5\"/><text x=\"{0}\" y=\"{3}\">{4}</text>", 12,
                     coordinate(height - 14), coordinate(bar), coordinate(height - 18),
                     bar_m >= 1000 ? fmt::format("{:g} km", bar_m / 1000) : fmt::format("{:g} m", bar_m));
  return out + "</svg>";
}

}  // namespace iotstream::report
