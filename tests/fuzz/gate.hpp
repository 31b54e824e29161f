// A gate on a log in memory, for fuzzers: what must hold whatever the bytes are. A violation aborts.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

#include <iotstream/ingest/batch.hpp>
#include <iotstream/model/row.hpp>

#include "unit/ingest/memory_log.hpp"

namespace iotstream::test {

inline void hold(bool truth) {
  if (!truth) std::abort();
}

class FuzzGate {
 public:
  FuzzGate() {
    auto opened = ingest::Gate::open(log_, schemas_, clock_, metrics_);
    hold(opened.ok());
    gate_ = std::move(*opened);
  }

  /// Takes a body whole and cut at `cut`: the same is accepted and rejected, and every row stored can be read.
  static void both_ways(ingest::Submission submission, std::size_t cut) {
    FuzzGate whole;
    const auto expected = whole.submit(submission);
    whole.read_back(expected ? expected->accepted : 0);
    FuzzGate pieces;
    const auto batch = ingest::open_batch(*pieces.gate_, submission);
    if (!batch) return;
    const std::string_view body = submission.body;
    cut = body.empty() ? 0 : cut % body.size();
    hold(batch->take(body.substr(0, cut)));
    hold(batch->take(body.substr(cut)));
    std::optional<ingest::Outcome> outcome;
    batch->finish([&](const Result<ingest::Outcome>& result) {
      hold(result.ok());
      outcome = *result;
    });
    hold(outcome.has_value());
    pieces.read_back(outcome->accepted);
    // Of CSV the first rows decide alone when it comes in pieces: a cell may be a text there that is a number in the whole.
    if (!expected) return;
    hold(outcome->accepted == expected->accepted && outcome->rejected == expected->rejected);
  }

 private:
  Result<ingest::Outcome> submit(const ingest::Submission& submission) {
    std::optional<Result<ingest::Outcome>> answer;
    gate_->submit(submission, [&](Result<ingest::Outcome> result) { answer.emplace(std::move(result)); });
    hold(answer.has_value());
    return std::move(*answer);
  }

  void read_back(std::uint64_t accepted) {
    std::uint64_t stored = 0;
    for (log::Topic* topic : log_.topics()) {
      if (topic->name().starts_with('_')) continue;
      const auto schema = schemas_.current(topic->name());
      for (const Stored& record : log_.records(topic->name())) {
        const auto row = model::RowView::open(record.value);
        hold(row.ok() && schema != nullptr);
        std::string json = "{";
        bool comma = false;
        model::append_members(json, comma, *row, *schema, record.key, record.time, {});
        json += "}";
        hold(parser_.parse(json).error() == simdjson::SUCCESS);
        ++stored;
      }
    }
    hold(stored == accepted);
  }

  MemoryLog log_;
  catalog::Schemas schemas_;
  os::ManualClock clock_{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics_;
  std::unique_ptr<ingest::Gate> gate_;
  simdjson::dom::parser parser_;
};

}  // namespace iotstream::test
