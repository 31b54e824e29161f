#include "http/profile_json.hpp"

#include <algorithm>

namespace iotstream::http {

namespace {

constexpr const char* quantile_names[] = {"p1", "p5", "p25", "p50", "p75", "p95", "p99"};

void write_time(json::Writer& writer, const char* key, const std::optional<Timestamp>& time) {
  writer.key(key);
  time ? writer.value(time->us) : writer.null();
}

void write_stretch(json::Writer& writer, const profile::Stretch& stretch, bool rows) {
  writer.begin_object();
  if (rows) writer.key("rows").value(stretch.rows);
  writer.key("from").value(stretch.from.us).key("to").value(stretch.to.us).end_object();
}

void write_numbers(json::Writer& writer, const profile::FieldProfile& of) {
  writer.key("min").raw(of.min).key("max").raw(of.max);
  writer.key("mean").value(of.mean).key("stddev").value(of.stddev);
  writer.key("quantiles").begin_object();
  for (std::size_t i = 0; i < of.quantiles.size(); ++i) writer.key(quantile_names[i]).value(of.quantiles[i]);
  writer.end_object();
  writer.key("quantiles_exact").value(of.rank_error == 0);
  if (of.rank_error > 0) writer.key("rank_error").value(of.rank_error);
  if (of.histogram) {
    writer.key("histogram").begin_object().key("from").value(of.histogram->from).key("to").value(of.histogram->to);
    writer.key("counts").begin_array();
    for (const std::uint64_t count : of.histogram->counts) writer.value(count);
    writer.end_array().end_object();
  }
  if (of.outliers) {
    writer.key("outliers").begin_object();
    writer.key("rule").value("more than 1.5 times the distance of the quartiles outside of them");
    writer.key("low").value(of.outliers->low).key("high").value(of.outliers->high);
    writer.key("below").value(of.outliers->below).key("above").value(of.outliers->above).end_object();
  }
}

void write_top(json::Writer& writer, const profile::FieldProfile& of) {
  writer.key("top").begin_array();
  for (const profile::TopValue& value : of.top)
    writer.begin_object().key("value").raw(value.json).key("count").value(value.count).end_object();
  writer.end_array().key("top_exact").value(of.top_error == 0);
  if (of.top_error > 0) writer.key("top_error").value(of.top_error);
}

void write_field(json::Writer& writer, const model::Field& field, const profile::FieldProfile& of, std::uint64_t rows) {
  writer.begin_object();
  writer.key("name").value(field.name).key("label").value(field.label).key("unit").value(field.unit);
  writer.key("type").value(model::name_of(field.type)).key("kind").value(model::name_of(field.kind));
  writer.key("group").value(model::group_of(field));
  writer.key("count").value(of.count).key("missing").value(rows - of.count);
  writer.key("missing_percent")
      .value(rows == 0 ? 0.0 : 100.0 * static_cast<double>(rows - of.count) / static_cast<double>(rows));
  writer.key("nulls").value(of.nulls).key("distinct").value(of.distinct).key("distinct_exact").value(of.distinct_exact);
  if (of.booleans > 0 && of.booleans == of.count)
    writer.key("mean").value(static_cast<double>(of.trues) / static_cast<double>(of.booleans));
  if (of.beyond > 0) writer.key("out_of_range").value(of.beyond);
  if (!of.quantiles.empty()) write_numbers(writer, of);
  write_top(writer, of);
  write_time(writer, "first", of.first);
  write_time(writer, "last", of.last);
  if (of.longest_missing) {
    writer.key("longest_missing");
    write_stretch(writer, *of.longest_missing, true);
  }
  writer.end_object();
}

void write_time_profile(json::Writer& writer, const profile::TimeProfile& time) {
  writer.key("time").begin_object();
  write_time(writer, "first", time.first);
  write_time(writer, "last", time.last);
  writer.key("interval_us");
  time.interval ? writer.value(time.interval->us) : writer.null();
  writer.key("gaps").begin_array();
  for (const profile::Stretch& gap : time.gaps) write_stretch(writer, gap, false);
  writer.end_array().end_object();
}

void write_correlations(json::Writer& writer, const profile::Profile& profile, const model::Schema& schema) {
  writer.key("correlations").begin_array();
  for (const profile::Correlation& one : profile.correlations) {
    if (one.n == 0) continue;
    writer.begin_object().key("a").value(schema.field(one.a).name).key("b").value(schema.field(one.b).name);
    writer.key("n").value(one.n).key("r").value(one.r).end_object();
  }
  writer.end_array();
}

}  // namespace

profile::Options profile_options(const model::Schema& schema, const std::vector<FieldId>& fields, bool correlated) {
  profile::Options options;
  options.fields = schema.fields().size();
  if (!correlated) return options;
  for (const FieldId id : fields) {
    const model::Field& field = schema.field(id);
    const bool numeric = field.type == model::FieldType::integer || field.type == model::FieldType::real;
    if (numeric && !field.hidden && options.correlated.size() < profile::correlated_max) options.correlated.push_back(id);
  }
  return options;
}

std::string profile_json(const profile::Profile& profile, const ProfileFrame& frame) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("dataset").value(frame.dataset).key("events").value(profile.rows).key("complete").value(frame.complete);
  const bool exact = std::all_of(frame.fields.begin(), frame.fields.end(), [&profile](FieldId id) {
    const profile::FieldProfile& field = profile.fields[id.value];
    return field.distinct_exact && field.rank_error == 0 && field.top_error == 0;
  });
  writer.key("exact").value(exact).key("ms").value(static_cast<double>(frame.took.us) / 1000);
  write_time_profile(writer, profile.time);
  writer.key("fields").begin_array();
  for (const FieldId id : frame.fields) write_field(writer, frame.schema->field(id), profile.fields[id.value], profile.rows);
  writer.end_array();
  if (frame.correlations) write_correlations(writer, profile, *frame.schema);
  writer.end_object();
  return out;
}

std::string correlations_json(const profile::Profile& profile, const ProfileFrame& frame) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("dataset").value(frame.dataset).key("events").value(profile.rows).key("complete").value(frame.complete);
  writer.key("ms").value(static_cast<double>(frame.took.us) / 1000);
  write_correlations(writer, profile, *frame.schema);
  writer.end_object();
  return out;
}

}  // namespace iotstream::http
