#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/metrics/metrics.hpp>

namespace iotstream::metrics {

namespace {

enum Kind : char { counter_kind = 'c', gauge_kind = 'g', histogram_kind = 'h', observed_kind = 'o', collected_kind = 'm' };

/// The edges of exported histograms, in µs, with what stands in `le`: fixed, so that histograms can be added over processes.
struct Edge {
  std::int64_t us;
  std::string_view seconds;
};
constexpr std::array<Edge, 16> edges{{{100, "0.0001"},
                                      {250, "0.00025"},
                                      {500, "0.0005"},
                                      {1'000, "0.001"},
                                      {2'500, "0.0025"},
                                      {5'000, "0.005"},
                                      {10'000, "0.01"},
                                      {25'000, "0.025"},
                                      {50'000, "0.05"},
                                      {100'000, "0.1"},
                                      {250'000, "0.25"},
                                      {500'000, "0.5"},
                                      {1'000'000, "1"},
                                      {2'500'000, "2.5"},
                                      {5'000'000, "5"},
                                      {10'000'000, "10"}}};

std::string_view type_name(char kind) {
  if (kind == counter_kind) return "counter";
  return kind == histogram_kind ? "histogram" : "gauge";
}

bool valid_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// The escapes of Prometheus's text format; a help line has no escaped quote.
std::string escape(std::string_view text, bool quote) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quote) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  // The total is read last and never below a bucket: values that arrive meanwhile keep the counts cumulative.
  const std::string bucket = std::string(name) + "_bucket";
  const std::string lead = labels.empty() ? "" : std::string(labels) + ",";
  std::uint64_t most = 0;
  for (const Edge& edge : edges) {
    most = std::max(most, histogram.count_below_us(edge.us));
    append_sample(out, bucket, fmt::format("{}le=\"{}\"", lead, edge.seconds), fmt::format("{}", most));
  }
  const std::string total = fmt::format("{}", std::max(most, histogram.count()));
  append_sample(out, bucket, lead + "le=\"+Inf\"", total);
  append_sample(out, std::string(name) + "_sum", labels, number(histogram.sum_us() / 1e6));
  append_sample(out, std::string(name) + "_count", labels, total);
}

}  // namespace

struct Table::Entry {
  std::string name;
  std::string labels;
  std::string help;
  char kind;
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;  ///< 2 kB: only where it is one
  std::function<double()> read;
  std::function<Samples()> read_all;
};

Table::Table() = default;
Table::~Table() = default;

Table::Entry& Table::entry(std::string_view name, std::string_view help, std::string_view labels, char kind) {
  IOTSTREAM_ASSERT(valid_name(name), "'{}' is no name for a metric", name);
  const auto key = std::tie(name, labels);
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), key, [](const auto& entry, const auto& wanted) {
    return std::tuple<std::string_view, std::string_view>(entry->name, entry->labels) < wanted;
  });
  for (const auto neighbour : {at, at == entries_.begin() ? at : at - 1}) {
    if (neighbour == entries_.end() || (*neighbour)->name != name) continue;
    IOTSTREAM_ASSERT(type_name((*neighbour)->kind) == type_name(kind), "metric {} is a {} already", name,
                     type_name((*neighbour)->kind));
  }
  if (at != entries_.end() && (*at)->name == name && (*at)->labels == labels) {
    IOTSTREAM_ASSERT((*at)->kind == kind, "metric {} is set in one place and observed in another", name);
    return **at;
  }
  auto made = std::make_unique<Entry>();
  made->name = name;
  made->labels = labels;
  made->help = help;
  made->kind = kind;
  if (kind == histogram_kind) made->histogram = std::make_unique<Histogram>();
  return **entries_.insert(at, std::move(made));
}

Counter& Table::counter(std::string_view name, std::string_view help, std::string_view labels) {
  const std::lock_guard lock(mutex_);
  return entry(name, help, labels, counter_kind).counter;
}

Gauge& Table::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  const std::lock_guard lock(mutex_);
  return entry(name, help, labels, gauge_kind).gauge;
}

Histogram& Table::histogram(std::string_view name, std::string_view help, std::string_view labels) {
  const std::lock_guard lock(mutex_);
  return *entry(name, help, labels, histogram_kind).histogram;
}

void Table::observe(std::string_view name, std::string_view help, std::function<double()> read, std::string_view labels) {
  const std::lock_guard lock(mutex_);
  entry(name, help, labels, observed_kind).read = std::move(read);
}

void Table::collect(std::string_view name, std::string_view help, std::function<Samples()> read) {
  const std::lock_guard lock(mutex_);
  entry(name, help, {}, collected_kind).read_all = std::move(read);
}

std::string Table::prometheus() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  std::string_view family;
  for (const auto& entry : entries_) {
    if (entry->name != family) {
      family = entry->name;
      fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", family, escape(entry->help, false), family,
                     type_name(entry->kind));
    }
    switch (entry->kind) {
      case counter_kind:
        append_sample(out, family, entry->labels, fmt::format("{}", entry->counter.value()));
        break;
      case gauge_kind:
        append_sample(out, family, entry->labels, fmt::format("{}", entry->gauge.value()));
        break;
      case observed_kind:
        append_sample(out, family, entry->labels, number(entry->read()));
        break;
      case collected_kind:
        for (const auto& [labels, value] : entry->read_all()) append_sample(out, family, labels, number(value));
        break;
      default:
        append_histogram(out, family, entry->labels, *entry->histogram);
    }
  }
  return out;
}

std::string Table::label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, escape(value, true));
}

}  // namespace iotstream::metrics
