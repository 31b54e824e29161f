// A gate on a log in memory, for fuzzers: what must hold whatever the bytes are. A violation aborts.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <iotstream/ingest/batch.hpp>
#include <iotstream/model/row.hpp>

#include "unit/ingest/memory_log.hpp"

namespace iotstream::test {

/// Ends the process, naming it, when what must hold does not.
inline void hold(bool truth, const char* what) {
  if (truth) return;
  fmt::print(stderr, "does not hold: {}\n", what);
  std::abort();
}

class FuzzGate {
 public:
  FuzzGate() {
    auto opened = ingest::Gate::open(log_, schemas_, clock_, metrics_);
    hold(opened.ok(), "the gate opens");
    gate_ = std::move(*opened);
  }

  /// Takes a body whole, again, and cut at `cut`: the same is accepted and rejected (unless it may differ: not `alike`), and
  /// every row stored can be read.
  static void both_ways(const ingest::Submission& submission, std::size_t cut, bool alike = true) {
    FuzzGate whole;
    const auto expected = whole.submit(submission);
    // Readings are read another way when their like came before: not with another outcome.
    const auto again = whole.submit(submission);
    hold(again.ok() == expected.ok() &&
             (!again || (again->accepted == expected->accepted && again->rejected == expected->rejected)),
         "a body is taken again as it was");
    whole.read_back(expected ? 2 * expected->accepted : 0);
    FuzzGate pieces;
    const auto batch = ingest::open_batch(*pieces.gate_, submission);
    if (!batch) return;
    const std::string_view body = submission.body;
    cut = body.empty() ? 0 : cut % body.size();
    hold(batch->take(body.substr(0, cut)), "the first piece is taken");
    hold(batch->take(body.substr(cut)), "the second piece is taken");
    std::optional<ingest::Outcome> outcome;
    batch->finish([&](const Result<ingest::Outcome>& result) {
      hold(result.ok(), "the pieces are answered");
      outcome = *result;
    });
    hold(outcome.has_value(), "the answer of the pieces comes at once");
    pieces.read_back(outcome->accepted);
    // Of CSV the first rows decide alone when it comes in pieces: a cell may be a text there that is a number in the whole.
    if (!expected || !alike) return;
    if (outcome->accepted != expected->accepted || outcome->rejected != expected->rejected)
      fmt::print(stderr, "whole: {} accepted, {} rejected; pieces, cut at {}: {} and {}\n", expected->accepted,
                 expected->rejected, cut, outcome->accepted, outcome->rejected);
    hold(outcome->accepted == expected->accepted && outcome->rejected == expected->rejected,
         "pieces are taken as the whole is");
  }

 private:
  Result<ingest::Outcome> submit(const ingest::Submission& submission) {
    std::optional<Result<ingest::Outcome>> answer;
    gate_->submit(submission, [&](Result<ingest::Outcome> result) { answer.emplace(std::move(result)); });
    hold(answer.has_value(), "the answer comes at once");
    return std::move(*answer);
  }

  void read_back(std::uint64_t accepted) {
    std::uint64_t stored = 0;
    for (log::Topic* topic : log_.topics()) {
      if (topic->name().starts_with('_')) continue;
      const auto schema = schemas_.current(topic->name());
      for (const Stored& record : log_.records(topic->name())) {
        const auto row = model::RowView::open(record.value);
        hold(row.ok() && schema != nullptr, "a row can be read");
        std::string json = "{";
        bool comma = false;
        model::append_members(json, comma, *row, *schema, record.key, record.time, {});
        json += "}";
        const simdjson::error_code wrong = parser_.parse(json).error();
        // Numbers that the DOM has no place for are kept as their literals.
        hold(wrong == simdjson::SUCCESS || wrong == simdjson::NUMBER_ERROR, "a row is JSON");
        ++stored;
      }
    }
    hold(stored == accepted, "what is accepted is stored");
  }

  MemoryLog log_;
  catalog::Schemas schemas_;
  os::ManualClock clock_{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics_;
  std::unique_ptr<ingest::Gate> gate_;
  simdjson::dom::parser parser_;
};

}  // namespace iotstream::test
