// GET …/profile and …/correlations, of streams and of imported files.
#include <memory>

#include <fmt/format.h>

#include <iotstream/catalog/files.hpp>

#include "http/asking.hpp"
#include "http/file_events.hpp"
#include "http/profile_json.hpp"
#include "http/question_metrics.hpp"

namespace iotstream::http {

namespace {

constexpr std::uint64_t rows_default = 1'000'000;
constexpr std::uint64_t rows_max = 100'000'000;
constexpr std::uint64_t page_rows = 20'000;  ///< history's connection is given back between pages

Error no_longer_wanted() {
  return {ErrorKind::unavailable, "the question was given up: the client has left, or the server stops"};
}

struct Asked {
  std::optional<Timestamp> from, to;
  std::vector<FieldId> fields;  ///< all when none were named
  std::uint64_t limit = rows_default;
  bool correlations = false;
  std::shared_ptr<const query::Bound> where;
};

Result<Asked> read_request(Services& services, const net::Request& request, const model::Schema& schema, bool correlations) {
  Asked asked;
  const Timestamp now = services.clock.now();
  auto from = time_parameter(request, "from", now);
  if (!from) return from.error();
  auto to = time_parameter(request, "to", now);
  if (!to) return to.error();
  auto fields = fields_parameter(request, schema);
  if (!fields) return fields.error();
  auto limit = number_parameter(request, "limit", rows_default, 1, rows_max);
  if (!limit) return limit.error();
  auto where = where_parameter(services, request, schema);
  if (!where) return where.error();
  const std::string_view wanted = request.query_value("correlations").value_or("false");
  if (wanted != "true" && wanted != "false")
    return Error{ErrorKind::invalid, fmt::format("correlations: '{}' is neither true nor false", wanted)};
  asked.from = *from;
  asked.to = *to;
  asked.fields = std::move(*fields);
  if (asked.fields.empty())
    for (const model::Field& field : schema.fields()) asked.fields.push_back(field.id);
  asked.limit = *limit;
  asked.correlations = correlations || wanted == "true";
  asked.where = std::move(*where);
  return asked;
}

/// The newest events of the range, page by page; false: there are older ones than the limit allows.
Result<bool> read_history(Services& services, const net::Request& request, const std::string& dataset, const Asked& asked,
                          const GivenUp& given_up, profile::Profiler& profiler) {
  store::EventQuery query;
  query.dataset = dataset;
  query.from = asked.from;
  query.to = asked.to;
  query.device = request.query_value("device").value_or("");
  query.where = asked.where;
  query.cancelled = [&given_up] { return static_cast<bool>(given_up); };
  if (request.query_value("fields")) query.fields = asked.fields;
  for (std::uint64_t left_over = asked.limit; left_over > 0;) {
    query.limit = std::min(left_over, page_rows);
    auto page = services.history.events(query, [&](const store::Event& event) {
      profiler.row(event.time, *event.values);
      return !given_up;
    });
    if (!page) return page.error();
    if (given_up) return no_longer_wanted();
    left_over -= page->count;
    if (page->next.empty()) return true;
    query.cursor = page->next;
  }
  return false;
}

Status read_file(catalog::FileRows& file, const Asked& asked, const GivenUp& given_up, profile::Profiler& profiler) {
  catalog::FileQuery query;
  query.from = asked.from;
  query.to = asked.to;
  query.fields = asked.fields;
  if (asked.where != nullptr)
    for (const FieldId field : asked.where->fields()) query.fields.push_back(field);
  auto walked = file.walk(query, [&](const catalog::FileRow& row) {
    if (asked.where == nullptr || asked.where->matches(FileEvent(row, file.info()))) profiler.row(row.time, *row.values);
    return !given_up;
  });
  if (walked && given_up) return no_longer_wanted();
  return walked;
}

class ProfileAnswer {
 public:
  ProfileAnswer(Questions& questions, const QuestionMetrics& metrics, const net::Request& request, bool only_correlations)
      : services_(questions.services),
        metrics_(metrics),
        request_(request),
        only_correlations_(only_correlations),
        given_up_(questions, request) {}

  Answer operator()() {
    const std::int64_t began = services_.clock.monotonic_ns();
    auto answer = make(began);
    metrics_.note(services_, request_.param("dataset"), since(began), rows_,
                  answer ? std::string_view() : answer.error().message);
    return answer;
  }

 private:
  Duration since(std::int64_t began) const { return Duration{(services_.clock.monotonic_ns() - began) / 1000}; }

  Answer make(std::int64_t began) {
    const std::string dataset(request_.param("dataset"));
    std::unique_ptr<catalog::FileRows> file;
    model::SchemaPtr schema;
    if (auto found = find(file, schema); !found) return found.error();
    auto asked = read_request(services_, request_, *schema, only_correlations_);
    if (!asked) return asked.error();
    profile::Profiler profiler(profile_options(*schema, asked->fields, asked->correlations));
    ProfileFrame frame{dataset, schema.get(), asked->fields, true, {}, asked->correlations};
    if (file) {
      if (auto read = read_file(*file, *asked, given_up_, profiler); !read) return read.error();
    } else {
      auto read = read_history(services_, request_, dataset, *asked, given_up_, profiler);
      if (!read) return read.error();
      frame.complete = *read;
    }
    const profile::Profile profile = profiler.finish();
    frame.took = since(began);
    rows_ = profile.rows;
    return net::Response::json(only_correlations_ ? correlations_json(profile, frame) : profile_json(profile, frame));
  }

  Status find(std::unique_ptr<catalog::FileRows>& file, model::SchemaPtr& schema) {
    if (is_file(request_)) {
      auto opened = open_file_of(services_, request_);
      if (!opened) return opened.error();
      file = std::move(*opened);
      schema = file->schema();
      return {};
    }
    auto found = dataset_of(services_, request_);
    if (!found) return found.error();
    schema = std::move(*found);
    return {};
  }

  Services& services_;
  const QuestionMetrics& metrics_;
  const net::Request& request_;
  bool only_correlations_;
  GivenUp given_up_;
  std::uint64_t rows_ = 0;
};

}  // namespace

void add_profile_routes(net::Router& router, Questions& questions) {
  const auto metrics = std::make_shared<QuestionMetrics>(questions.services.metrics, "profile");
  for (const auto& [path, only_correlations] :
       {std::pair("/api/v1/datasets/{dataset}/profile", false), std::pair("/api/v1/datasets/{dataset}/correlations", true)}) {
    router.add(net::Method::get, path,
               on_askers(questions, [&questions, metrics, only = only_correlations](const net::Request& request) {
                 return ProfileAnswer(questions, *metrics, request, only)();
               }));
  }
}

}  // namespace iotstream::http
