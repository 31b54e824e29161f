// A gate on a log in memory, and what it stored, as JSON again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/model/row.hpp>

#include "unit/ingest/memory_log.hpp"

namespace iotstream::test {

struct GateFixture {
  MemoryLog log;
  catalog::Schemas schemas;
  os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics;
  std::unique_ptr<ingest::Gate> gate;

  GateFixture() {
    auto opened = ingest::Gate::open(log, schemas, clock, metrics);
    REQUIRE(opened.ok());
    gate = std::move(*opened);
  }

  /// Submits and expects the answer at once.
  Result<ingest::Outcome> submit(const ingest::Submission& submission) {
    std::optional<Result<ingest::Outcome>> answer;
    gate->submit(submission, [&](Result<ingest::Outcome> result) {
      REQUIRE_FALSE(answer.has_value());
      answer.emplace(std::move(result));
    });
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }
  Result<ingest::Outcome> submit(std::string_view dataset, std::string_view body,
                                 ingest::BodyFormat format = ingest::BodyFormat::detect) {
    ingest::Submission submission;
    submission.dataset = dataset;
    submission.body = body;
    submission.format = format;
    return submit(submission);
  }
  ingest::Outcome taken(std::string_view dataset, std::string_view body,
                        ingest::BodyFormat format = ingest::BodyFormat::detect) {
    auto result = submit(dataset, body, format);
    if (!result) INFO(result.error().message);
    REQUIRE(result.ok());
    return std::move(*result);
  }

  /// The members of a stored record as a JSON object, without facts.
  std::string json_of(std::string_view dataset, const Stored& record) const {
    auto row = model::RowView::open(record.value);
    REQUIRE(row.ok());
    const auto schema = schemas.current(dataset);
    REQUIRE(schema);
    std::string out = "{";
    bool comma = false;
    model::append_members(out, comma, *row, *schema, record.key, record.time, {});
    return out + "}";
  }
  /// All of a dataset's records as JSON, partition after partition.
  std::vector<std::string> events(std::string_view dataset) {
    std::vector<std::string> all;
    for (const Stored& record : log.records(dataset)) all.push_back(json_of(dataset, record));
    return all;
  }
  /// The only record's JSON.
  std::string event(std::string_view dataset) {
    const auto all = events(dataset);
    REQUIRE(all.size() == 1);
    return all.front();
  }
  model::FieldType type(std::string_view dataset, std::string_view field) const {
    const auto schema = schemas.current(dataset);
    REQUIRE(schema);
    const auto id = schema->find(field);
    REQUIRE(id.has_value());
    return schema->field(*id).type;
  }
  std::uint64_t count(std::string_view what, std::string_view source = "http") {
    return metrics.counter("iotstream_ingest_" + std::string(what) + "_total", "", metrics::Table::label("source", source))
        .value();
  }
  void check_balance() {
    for (const std::string_view source : {"http", "simulation", "resend", "mqtt", "influx", "elasticsearch"})
      CHECK(count("received", source) ==
            count("accepted", source) + count("rejected", source) + count("duplicates", source) + count("refused", source));
  }
};

}  // namespace iotstream::test
