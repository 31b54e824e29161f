#include <algorithm>
#include <cmath>

#include <iotstream/profile/profile.hpp>

#include "profile/correlations.hpp"
#include "profile/numbers.hpp"
#include "profile/texts.hpp"

namespace iotstream::profile {

namespace {

/// Of all fields together, for the tables of distinct values: 24 bytes an entry at the most common fill.
constexpr std::size_t table_entries_max = 4'000'000;
constexpr std::size_t text_bytes_max = 64u << 20;
constexpr std::size_t text_bytes_of_field_max = 4u << 20;
constexpr std::size_t gaps_max = 10;
constexpr std::size_t gap_candidates_max = 64;
constexpr std::int64_t gap_factor = 5;

/// All that is known of one field.
struct FieldState {
  std::uint64_t nulls = 0, texts = 0, falses = 0, trues = 0, documents = 0, beyond = 0, numbers = 0;
  std::unique_ptr<Numbers> number_figures;
  std::unique_ptr<Texts> text_figures;
  std::unique_ptr<Texts> document_figures;
  std::optional<Timestamp> first, last;
  std::uint64_t seen_at = 0;  ///< the row after the last one with a value
  Timestamp seen_time;
  Stretch longest;
};

Timestamp earlier(const std::optional<Timestamp>& a, Timestamp b) { return a && *a < b ? *a : b; }
Timestamp later(const std::optional<Timestamp>& a, Timestamp b) { return a && *a > b ? *a : b; }

}  // namespace

struct Profiler::Content {
  explicit Content(Options given)
      : options(std::move(given)),
        distinct_max(std::clamp<std::size_t>(table_entries_max / std::max<std::size_t>(options.fields, 1), 64,
                                             std::max<std::size_t>(options.distinct_max, 64))),
        text_bytes(std::min(text_bytes_of_field_max, text_bytes_max / std::max<std::size_t>(options.fields, 1))),
        room{options.numbers_max},
        fields(options.fields),
        correlations(options.correlated),
        interval_room{1'000'000},
        intervals(10'000, interval_room) {}

  void value(FieldState& field, FieldId id, const model::Value& value);
  void number(FieldState& field, const model::Value& value);
  void seen(FieldState& field, Timestamp time);
  void missing(FieldState& field, std::uint64_t from, std::uint64_t to, Timestamp before, Timestamp after);
  void note_interval(Timestamp time);
  FieldProfile finish_field(FieldState& field);
  TimeProfile finish_time();
  /// Numbers of fields without any are not made: most fields of wide datasets are empty.
  Numbers& figures(FieldState& field) {
    if (!field.number_figures) field.number_figures = std::make_unique<Numbers>(distinct_max, room);
    return *field.number_figures;
  }
  Texts& texts(std::unique_ptr<Texts>& figures) const {
    if (!figures) figures = std::make_unique<Texts>(distinct_max, text_bytes);
    return *figures;
  }

  Options options;
  std::size_t distinct_max;
  std::size_t text_bytes;
  Room room;
  std::vector<FieldState> fields;
  Correlations correlations;
  std::uint64_t rows = 0;
  Timestamp first_row;
  Timestamp last_row;
  std::optional<Timestamp> first, last;
  Room interval_room;
  Numbers intervals;
  std::vector<Stretch> silences;  ///< the longest so far
};

Profiler::Profiler(Options options) : content_(std::make_unique<Content>(std::move(options))) {}
Profiler::~Profiler() = default;
Profiler::Profiler(Profiler&&) noexcept = default;

void Profiler::row(Timestamp time, std::span<const std::pair<FieldId, model::Value>> values) {
  Content& self = *content_;
  if (self.rows == 0) self.first_row = time;
  if (self.rows > 0) self.note_interval(time);
  self.first = earlier(self.first, time);
  self.last = later(self.last, time);
  for (const auto& [id, value] : values) {
    if (id.value >= self.fields.size()) continue;
    FieldState& field = self.fields[id.value];
    if (value.kind == model::ValueKind::null) ++field.nulls;
    if (!value.present()) continue;
    self.value(field, id, value);
    self.seen(field, time);
  }
  self.correlations.end_row();
  self.last_row = time;
  ++self.rows;
}

void Profiler::Content::value(FieldState& field, FieldId id, const model::Value& value) {
  using model::ValueKind;
  switch (value.kind) {
    case ValueKind::integer:
    case ValueKind::real:
    case ValueKind::decimal:
      number(field, value);
      break;
    case ValueKind::true_:
      ++field.trues;
      break;
    case ValueKind::false_:
      ++field.falses;
      break;
    case ValueKind::json:
      ++field.documents;
      texts(field.document_figures).add(value.text);
      return;
    default:
      ++field.texts;
      texts(field.text_figures).add(value.text);
      return;
  }
  const int place = correlations.place(id);
  if (place < 0) return;
  const double as_double = value.as_double();
  if (std::isfinite(as_double)) correlations.set(place, as_double);
}

void Profiler::Content::number(FieldState& field, const model::Value& value) {
  ++field.numbers;
  if (value.kind == model::ValueKind::integer) return figures(field).add_integer(value.integer);
  const double real = value.kind == model::ValueKind::real ? value.real : value.as_double();
  if (!std::isfinite(real))
    ++field.beyond;
  else
    figures(field).add_real(real);
}

void Profiler::Content::seen(FieldState& field, Timestamp time) {
  if (rows > field.seen_at) missing(field, field.seen_at, rows, field.seen_at == 0 ? first_row : field.seen_time, time);
  field.seen_at = rows + 1;
  field.seen_time = time;
  field.first = earlier(field.first, time);
  field.last = later(field.last, time);
}

void Profiler::Content::missing(FieldState& field, std::uint64_t from, std::uint64_t to, Timestamp before, Timestamp after) {
  if (to - from <= field.longest.rows) return;
  field.longest = {to - from, std::min(before, after), std::max(before, after)};
}

void Profiler::Content::note_interval(Timestamp time) {
  const Timestamp before = std::min(last_row, time);
  const Timestamp after = std::max(last_row, time);
  const Duration length = after - before;
  intervals.add_integer(length.us);
  const auto shorter = [](const Stretch& a, const Stretch& b) { return a.to - a.from > b.to - b.from; };
  if (silences.size() == gap_candidates_max && length <= silences.front().to - silences.front().from) return;
  silences.push_back({0, before, after});
  std::push_heap(silences.begin(), silences.end(), shorter);
  if (silences.size() <= gap_candidates_max) return;
  std::pop_heap(silences.begin(), silences.end(), shorter);
  silences.pop_back();
}

FieldProfile Profiler::Content::finish_field(FieldState& field) {
  FieldProfile profile;
  profile.nulls = field.nulls;
  profile.numbers = field.numbers;
  profile.texts = field.texts;
  profile.booleans = field.trues + field.falses;
  profile.trues = field.trues;
  profile.documents = field.documents;
  profile.beyond = field.beyond;
  profile.count = profile.numbers + profile.texts + profile.booleans + profile.documents;
  profile.first = field.first;
  profile.last = field.last;
  if (rows > field.seen_at) missing(field, field.seen_at, rows, field.seen_at == 0 ? first_row : field.seen_time, last_row);
  if (field.longest.rows > 0) profile.longest_missing = field.longest;
  if (field.number_figures) field.number_figures->finish(profile, options.top);
  if (field.text_figures) field.text_figures->finish(profile, options.top, false);
  if (field.document_figures) field.document_figures->finish(profile, options.top, true);
  for (const auto& [json, count] : {std::pair("true", field.trues), std::pair("false", field.falses)}) {
    if (count == 0) continue;
    ++profile.distinct;
    profile.top.push_back({json, count});
  }
  std::stable_sort(profile.top.begin(), profile.top.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  if (profile.top.size() > options.top) profile.top.resize(options.top);
  field = {};
  return profile;
}

TimeProfile Profiler::Content::finish_time() {
  TimeProfile time;
  time.first = first;
  time.last = last;
  if (rows < 2) return time;
  FieldProfile lengths;
  intervals.finish(lengths, 0);
  const auto median = static_cast<std::int64_t>(lengths.quantiles[3]);
  time.interval = Duration{median};
  std::sort(silences.begin(), silences.end(), [](const Stretch& a, const Stretch& b) { return a.to - a.from > b.to - b.from; });
  for (const Stretch& silence : silences)
    if (time.gaps.size() < gaps_max && (silence.to - silence.from).us > gap_factor * std::max<std::int64_t>(median, 1))
      time.gaps.push_back(silence);
  std::sort(time.gaps.begin(), time.gaps.end(), [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  return time;
}

Profile Profiler::finish() {
  Content& self = *content_;
  Profile profile;
  profile.rows = self.rows;
  profile.time = self.finish_time();
  for (FieldState& field : self.fields) profile.fields.push_back(self.finish_field(field));
  profile.correlations = self.correlations.finish();
  content_ = std::make_unique<Content>(Options{});
  return profile;
}

}  // namespace iotstream::profile
