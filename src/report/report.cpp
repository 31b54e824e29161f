#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <iotstream/report/report.hpp>

#include "report/collect.hpp"
#include "report/html.hpp"
#include "report/pictures.hpp"
#include "report/style.hpp"

namespace iotstream::report {

namespace {

constexpr std::size_t cells_max = 900;  ///< of fields and files: some kilobytes each
constexpr std::size_t metrics_max = 120;
constexpr std::size_t line_columns_max = 240;
constexpr std::size_t line_columns_min = 60;
constexpr std::size_t matrix_fields_max = 24;
constexpr std::size_t coverage_rows_max = 40;
constexpr std::size_t colors = 8;

std::string color(std::size_t file) { return fmt::format("--c:var(--f{})", file % colors); }

std::string heading(const FileReport& file) { return file.info.name.empty() ? file.info.prototype : file.info.name; }

const profile::FieldProfile* profile_of(const FileReport& file, const std::string& name) {
  const auto id = file.schema->find(name);
  return id ? &file.profile.fields[id->value] : nullptr;
}

bool moves(const profile::FieldProfile& field) { return !field.quantiles.empty() && field.min_number < field.max_number; }

/// A field by its name over all files.
struct Metric {
  std::string name;
  model::Field field;  ///< of the first file that has it
  std::string group;
  double low = 0;
  double high = 0;
};

class Page {
 public:
  Page(std::vector<FileReport> files, const Options& options) : files_(std::move(files)), options_(options) { find_metrics(); }

  std::string text() {
    begin();
    write_files();
    write_metrics();
    write_tracks();
    write_missing();
    write_correlations();
    write_table();
    end();
    return std::move(out_);
  }

 private:
  template <class... Values>
  void put(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }

  /// Numbers that move in any file, in the order of the first file that has them; positions are on the map.
  void find_metrics() {
    std::map<std::string, std::size_t> places;
    for (const FileReport& file : files_) {
      for (const model::Field& field : file.schema->fields()) {
        const profile::FieldProfile& of = file.profile.fields[field.id.value];
        const bool position = field.kind == model::FieldKind::latitude || field.kind == model::FieldKind::longitude;
        if (of.quantiles.empty() || (position && !file.track.empty())) continue;
        const auto [place, fresh] = places.emplace(field.name, metrics_.size());
        if (fresh) metrics_.push_back({field.name, field, model::group_of(field), of.min_number, of.max_number});
        Metric& metric = metrics_[place->second];
        metric.low = std::min(metric.low, of.min_number);
        metric.high = std::max(metric.high, of.max_number);
      }
    }
    const auto flat = std::remove_if(metrics_.begin(), metrics_.end(), [&](const Metric& metric) {
      return std::none_of(files_.begin(), files_.end(), [&](const FileReport& file) {
        const auto* of = profile_of(file, metric.name);
        return of != nullptr && moves(*of);
      });
    });
    constant_ = static_cast<std::size_t>(metrics_.end() - flat);
    metrics_.erase(flat, metrics_.end());
    const std::size_t shown_max = std::clamp<std::size_t>(cells_max / std::max<std::size_t>(files_.size(), 1), 1, metrics_max);
    left_out_ = metrics_.size() > shown_max ? metrics_.size() - shown_max : 0;
    if (left_out_ > 0) metrics_.resize(shown_max);
  }

  void begin() {
    put("<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
        "content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<title>{}</title><style>{}</style></head><body><main class=\"{}\">\n<h1>{}</h1>\n",
        escaped(options_.title), style,
        files_.size() == 1  ? "one"
        : files_.size() > 4 ? "crowd"
                            : "few",
        escaped(options_.title));
    std::uint64_t rows = 0;
    for (const FileReport& file : files_) rows += file.profile.rows;
    put("<p class=soft>{} file{}, {} rows, {} fields that move{}.</p>\n", files_.size(), files_.size() == 1 ? "" : "s",
        shown_count(rows), metrics_.size() + left_out_,
        constant_ > 0 ? fmt::format(", {} that never do", constant_) : std::string());
    put("<nav aria-label=Sections><a href=#files>Files</a><a href=#metrics>Fields over time</a>{}<a href=#missing>Missing "
        "values</a><a href=#correlations>Correlations</a><a href=#figures>All figures</a></nav>\n",
        has_track() ? "<a href=#tracks>Tracks</a>" : "");
  }

  bool has_track() const {
    return std::any_of(files_.begin(), files_.end(), [](const FileReport& file) { return file.track.size() > 1; });
  }

  void write_files() {
    put("<h2 id=files>Files</h2><div class=files>\n");
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const FileReport& file = files_[i];
      const auto& time = file.profile.time;
      put("<section class=\"card file\" style=\"{}\"><h3>{}</h3><dl>", color(i), escaped(heading(file)));
      const auto entry = [&](const char* name, const std::string& value) { put("<dt>{}</dt><dd>{}</dd>", name, value); };
      entry("rows", shown_count(file.profile.rows));
      if (file.info.rejected > 0)
        put("<dt>rows that could not be read</dt><dd class=warn>{}</dd>", shown_count(file.info.rejected));
      std::size_t empty = 0;
      for (const auto& field : file.profile.fields) empty += field.count == 0 ? 1 : 0;
      entry("fields", shown_count(file.profile.fields.size() - empty));
      if (time.first) {
        entry("from", file.info.time_column.empty() ? "no times recorded" : shown_time(*time.first));
        if (!file.info.time_column.empty()) entry("to", shown_time(*time.last));
        entry("length", shown_length(*time.last - *time.first));
      }
      if (time.interval) entry("a row every", shown_length(*time.interval));
      if (!time.gaps.empty()) {
        const auto longest = std::max_element(time.gaps.begin(), time.gaps.end(),
                                              [](const auto& a, const auto& b) { return a.to - a.from < b.to - b.from; });
        put("<dt>longest silence</dt><dd class=warn>{}</dd>", shown_length(longest->to - longest->from));
      }
      if (file.distance_m > 0) entry("distance", fmt::format("{} km", shown(file.distance_m / 1000)));
      put("</dl></section>\n");
    }
    put("</div>\n");
  }

  void write_metrics() {
    put("<h2 id=metrics>Fields over time</h2><p class=rule>Left the line over the file's own time, with its extremes; right "
        "the "
        "distribution, and below it p1 to p99, the box from p25 to p75, and the middle. Each field has one scale in all files. "
        "Dots: "
        "the outermost outliers, more than 1.5 times the distance of the quartiles outside of them.</p>\n");
    for (const Metric& metric : metrics_) {
      put("<section class=\"card metric\"><header><h3>{}</h3><span class=soft>{}</span></header><div class=cells>\n",
          escaped(metric.field.label), escaped(metric.field.unit));
      for (std::size_t i = 0; i < files_.size(); ++i) write_cell(metric, i);
      put("</div></section>\n");
    }
    if (left_out_ > 0) put("<p class=soft>{} further fields have no picture; their figures are below.</p>\n", left_out_);
  }

  void write_cell(const Metric& metric, std::size_t index) {
    const FileReport& file = files_[index];
    const profile::FieldProfile* of = profile_of(file, metric.name);
    put("<figure style=\"{}\"><figcaption><b>{}</b>", color(index), escaped(heading(file)));
    const Drawn* drawn = of == nullptr ? nullptr : file.find(*file.schema->find(metric.name));
    if (of == nullptr || drawn == nullptr || of->quantiles.empty()) {
      put("</figcaption><div class=none>{}</div></figure>\n", of == nullptr ? "not in this file" : "no numbers in this file");
      return;
    }
    const std::uint64_t missing = file.profile.rows - of->count;
    if (missing > 0) put("<span>{:.3g} % missing</span>", percent(missing, file.profile.rows));
    put("</figcaption><div class=plots>{}<div>{}</div></div>", line_picture(file, *drawn, metric.low, metric.high),
        distribution_picture(*of, metric.low, metric.high, files_.size() <= 4));
    put("<div class=figures><span>min <b>{}</b></span><span>p50 <b>{}</b></span><span>mean <b>{}</b></span><span>p95 "
        "<b>{}</b></span><span>max <b>{}</b></span>",
        shown(of->min_number), shown(of->quantiles[3]), shown(of->mean), shown(of->quantiles[5]), shown(of->max_number));
    const std::uint64_t outliers = of->outliers ? of->outliers->below + of->outliers->above : 0;
    if (outliers > 0) put("<span class=warn>{} outliers</span>", shown_count(outliers));
    put("</div></figure>\n");
  }

  static double percent(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
  }

  void write_tracks() {
    if (!has_track()) return;
    put("<h2 id=tracks>Tracks</h2><p class=rule>North is up; places without a fix are left out. Green: start. Orange: "
        "end.</p><div "
        "class=pair>\n");
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].track.size() < 2) continue;
      put("<figure class=card style=\"{}\"><figcaption><b>{}</b><span>{} km</span></figcaption>{}</figure>\n", color(i),
          escaped(heading(files_[i])), shown(files_[i].distance_m / 1000), track_picture(files_[i]));
    }
    put("</div>\n");
  }

  void write_missing() {
    put("<h2 id=missing>Missing values</h2><p class=rule>The darker, the larger the share of the rows at that time that has a "
        "value. "
        "Fields that miss no row are left out, and those that no row has. A silence is a time between two rows of more than "
        "five times "
        "the usual one.</p>\n");
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const FileReport& file = files_[i];
      if (!file.profile.time.first) continue;
      std::vector<std::pair<std::uint64_t, CoverageRow>> missing;
      for (const Drawn& drawn : file.drawn) {
        const std::uint64_t rows = file.profile.rows - file.profile.fields[drawn.field.value].count;
        if (rows > 0) missing.push_back({rows, {shortened(file.schema->field(drawn.field).label), &drawn}});
      }
      std::stable_sort(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
      const std::size_t all = missing.size();
      if (missing.size() > coverage_rows_max) missing.resize(coverage_rows_max);
      std::vector<CoverageRow> rows;
      for (auto& [count, row] : missing) rows.push_back(std::move(row));
      put("<section class=\"card metric\" style=\"{}\"><header><h3>{}</h3><span class=soft>{}</span></header>{}", color(i),
          escaped(heading(file)),
          all == 0            ? std::string("no field misses a row")
          : all > rows.size() ? fmt::format("{} fields miss rows; the {} that miss most", all, rows.size())
                              : fmt::format("{} field{} rows", all, all == 1 ? " misses" : "s miss"),
          coverage_picture(file, rows));
      write_gaps(file);
      put("</section>\n");
    }
  }

  void write_gaps(const FileReport& file) {
    if (file.profile.time.gaps.empty()) return;
    put("<details><summary>{} silence{}</summary><div class=scroll><table><tr><th>from</th><th>to</th><th>length</th></tr>",
        file.profile.time.gaps.size(), file.profile.time.gaps.size() == 1 ? "" : "s, the longest");
    for (const profile::Stretch& gap : file.profile.time.gaps)
      put("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", shown_time(gap.from), shown_time(gap.to),
          shown_length(gap.to - gap.from));
    put("</table></div></details>");
  }

  static std::string shortened(const std::string& label) {
    constexpr std::size_t shown_max = 30;
    if (label.size() <= shown_max) return label;
    std::size_t end = shown_max - 1;
    while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xc0) == 0x80) --end;
    return label.substr(0, end) + "…";
  }

  /// The fields with the strongest relations, in the file's order.
  static std::vector<FieldId> related(const FileReport& file) {
    std::map<std::uint32_t, double> strength;
    for (const profile::Correlation& one : file.profile.correlations) {
      if (!std::isfinite(one.r) || one.n < 10) continue;
      strength[one.a.value] += one.r * one.r;
      strength[one.b.value] += one.r * one.r;
    }
    std::vector<std::pair<double, std::uint32_t>> order;
    for (const auto& [field, sum] : strength) order.emplace_back(-sum, field);
    std::sort(order.begin(), order.end());
    if (order.size() > matrix_fields_max) order.resize(matrix_fields_max);
    std::vector<FieldId> fields;
    for (const auto& [sum, field] : order) fields.emplace_back(field);
    std::sort(fields.begin(), fields.end());
    return fields;
  }

  void write_correlations() {
    put("<h2 id=correlations>Correlations</h2><p class=rule>Pearson's r over the rows that have both values. <span "
        "style=\"color:var(--pos)\">Blue</span>: they rise together. <span style=\"color:var(--neg)\">Orange</span>: one falls "
        "as the "
        "other rises. Point at a square for the number of rows.</p><div class=pair>\n");
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::vector<FieldId> fields = related(files_[i]);
      if (fields.size() < 2) continue;
      put("<figure class=card style=\"{}\"><figcaption><b>{}</b><span>{} fields</span></figcaption>{}</figure>\n", color(i),
          escaped(heading(files_[i])), fields.size(), correlation_picture(files_[i], fields));
    }
    put("</div>\n");
  }

  void write_table() {
    put("<h2 id=figures>All figures</h2>\n");
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const FileReport& file = files_[i];
      put("<details class=card style=\"{}\"{}><summary>{}</summary><div class=scroll><table><tr><th>field</th><th>unit</th><th>"
          "type</th><th>values</th><th>missing</th><th>distinct</th><th>min</th><th>p5</th><th>p50</th><th>p95</th><th>max</"
          "th><th>"
          "mean</th><th>stddev</th><th>outliers</th><th>most frequent</th></tr>\n",
          color(i), files_.size() == 1 ? " open" : "", escaped(heading(file)));
      for (const model::Field& field : file.schema->fields()) write_row(file, field);
      put("</table></div></details>\n");
    }
  }

  void write_row(const FileReport& file, const model::Field& field) {
    const profile::FieldProfile& of = file.profile.fields[field.id.value];
    put("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.3g} %</td><td>{}{}</td>", escaped(field.label),
        escaped(field.unit), model::name_of(field.type), shown_count(of.count),
        percent(file.profile.rows - of.count, file.profile.rows), of.distinct_exact ? "" : "≈ ", shown_count(of.distinct));
    if (of.quantiles.empty()) {
      put("<td></td><td></td><td></td><td></td><td></td><td></td><td></td><td></td>");
    } else {
      for (const double number :
           {of.min_number, of.quantiles[1], of.quantiles[3], of.quantiles[5], of.max_number, of.mean, of.stddev})
        put("<td>{}</td>", shown(number));
      put("<td>{}</td>", of.outliers ? shown_count(of.outliers->below + of.outliers->above) : "");
    }
    put("<td class=text>");
    const bool all_different = of.top.empty() || of.top.front().count <= 1;
    for (std::size_t i = 0; !all_different && i < std::min<std::size_t>(3, of.top.size()); ++i)
      put("{}{} ({})", i == 0 ? "" : ", ", escaped(shortened(of.top[i].json)), shown_count(of.top[i].count));
    put("</td></tr>\n");
  }

  void end() {
    put("<footer>Made {} UTC by {}. Quantiles lie between the two nearest values in proportion; the standard deviation is that "
        "of the "
        "sample. Lines show the first, lowest, highest and last value of each of their columns: no extreme is lost.</footer>\n"
        "</main></body></html>\n",
        shown_time(options_.made), escaped(options_.program));
  }

  std::vector<FileReport> files_;
  const Options& options_;
  std::vector<Metric> metrics_;
  std::size_t constant_ = 0;
  std::size_t left_out_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> write_report(const std::vector<std::unique_ptr<catalog::FileRows>>& files, const Options& options,
                                 const std::function<bool(std::size_t file)>& progress) {
  std::vector<FileReport> reports;
  const std::size_t columns =
      std::clamp(4 * line_columns_max / std::max<std::size_t>(files.size(), 1), line_columns_min, line_columns_max);
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto report = collect(*files[i], columns, [&] { return progress(i); });
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  return Page(std::move(reports), options).text();
}

}  // namespace iotstream::report
