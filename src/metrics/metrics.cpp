#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/metrics/metrics.hpp>

namespace iotstream::metrics {

namespace {

/// Values below 8 have a bucket each; above, 8 buckets for each power of two.
std::size_t bucket_of(std::int64_t us) {
  if (us < 8) return us < 0 ? 0 : static_cast<std::size_t>(us);
  const auto value = static_cast<std::uint64_t>(us);
  const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;  // at least 3
  const std::size_t bucket = (power - 2) * 8 + ((value >> (power - 3)) & 7);
  return std::min(bucket, Histogram::bucket_count - 1);
}

/// The largest value of a bucket.
double upper_edge_us(std::size_t bucket) {
  if (bucket < 8) return static_cast<double>(bucket);
  const std::size_t power = bucket / 8 + 2;
  return std::ldexp(static_cast<double>(8 + bucket % 8 + 1), static_cast<int>(power) - 3) - 1;
}

/// The `le` edges of the exported histograms, in µs.
constexpr std::int64_t edges_us[] = {100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
                                     50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

std::string series(std::string_view name, std::string_view suffix, std::string_view labels, std::string_view more = {}) {
  const std::string_view comma = labels.empty() || more.empty() ? "" : ",";
  if (labels.empty() && more.empty()) return fmt::format("{}{}", name, suffix);
  return fmt::format("{}{}{{{}{}{}}}", name, suffix, labels, comma, more);
}

}  // namespace

void Histogram::record_us(std::int64_t us) noexcept {
  buckets_[bucket_of(us)].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(std::max<std::int64_t>(us, 0), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t count = 0;
  for (const auto& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
  return count;
}

double Histogram::sum_us() const noexcept { return static_cast<double>(sum_us_.load(std::memory_order_relaxed)); }

double Histogram::quantile_us(double q) const noexcept {
  const std::uint64_t all = count();
  if (all == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all)));
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
    below += buckets_[bucket].load(std::memory_order_relaxed);
    if (below >= std::max<std::uint64_t>(rank, 1)) return upper_edge_us(bucket);
  }
  return upper_edge_us(bucket_count - 1);
}

std::uint64_t Histogram::count_below_us(std::int64_t us) const noexcept {
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket <= bucket_of(us); ++bucket) below += buckets_[bucket].load(std::memory_order_relaxed);
  return below;
}

struct Table::Entry {
  std::string name;
  std::string help;
  std::string labels;
  char kind;  ///< c counter, g gauge, h histogram, o observed gauge
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> read;
};

Table::Table() = default;
Table::~Table() = default;

Table::Entry& Table::entry(std::string_view name, std::string_view help, std::string_view labels, char kind) {
  const std::lock_guard lock(mutex_);
  const auto before = [](const std::unique_ptr<Entry>& entry, std::pair<std::string_view, std::string_view> key) {
    return std::pair<std::string_view, std::string_view>(entry->name, entry->labels) < key;
  };
  auto at = std::lower_bound(entries_.begin(), entries_.end(), std::pair(name, labels), before);
  if (at == entries_.end() || (*at)->name != name || (*at)->labels != labels) {
    auto made = std::make_unique<Entry>();
    made->name = name;
    made->help = help;
    made->labels = labels;
    made->kind = kind;
    if (kind == 'h') made->histogram = std::make_unique<Histogram>();
    at = entries_.insert(at, std::move(made));
  }
  IOTSTREAM_ASSERT((*at)->kind == kind, "metric {} is asked for as '{}' and was made as '{}'", name, kind, (*at)->kind);
  return **at;
}

Counter& Table::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return entry(name, help, labels, 'c').counter;
}
Gauge& Table::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return entry(name, help, labels, 'g').gauge;
}
Histogram& Table::histogram(std::string_view name, std::string_view help, std::string_view labels) {
  return *entry(name, help, labels, 'h').histogram;
}
void Table::observe(std::string_view name, std::string_view help, std::function<double()> read, std::string_view labels) {
  Entry& made = entry(name, help, labels, 'o');
  const std::lock_guard lock(mutex_);
  made.read = std::move(read);
}

std::string Table::prometheus() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  std::string_view last_name;
  for (const auto& entry : entries_) {
    if (entry->name != last_name) {
      const char* type = entry->kind == 'c' ? "counter" : entry->kind == 'h' ? "histogram" : "gauge";
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", entry->name, entry->help, entry->name, type);
      last_name = entry->name;
    }
    switch (entry->kind) {
      case 'c':
        out += fmt::format("{} {}\n", series(entry->name, "", entry->labels), entry->counter.value());
        break;
      case 'g':
        out += fmt::format("{} {}\n", series(entry->name, "", entry->labels), entry->gauge.value());
        break;
      case 'o':
        out += fmt::format("{} {}\n", series(entry->name, "", entry->labels), entry->read ? entry->read() : 0.0);
        break;
      default:
        for (const std::int64_t edge : edges_us) {
          const std::string le = fmt::format("le=\"{}\"", static_cast<double>(edge) / 1e6);
          out +=
              fmt::format("{} {}\n", series(entry->name, "_bucket", entry->labels, le), entry->histogram->count_below_us(edge));
        }
        out += fmt::format("{} {}\n", series(entry->name, "_bucket", entry->labels, "le=\"+Inf\""), entry->histogram->count());
        out += fmt::format("{} {}\n", series(entry->name, "_sum", entry->labels), entry->histogram->sum_us() / 1e6);
        out += fmt::format("{} {}\n", series(entry->name, "_count", entry->labels), entry->histogram->count());
    }
  }
  return out;
}

std::string Table::label(std::string_view name, std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    c == '\n' ? static_cast<void>(escaped += "\\n") : escaped.push_back(c);
  }
  return fmt::format("{}=\"{}\"", name, escaped);
}

}  // namespace iotstream::metrics
